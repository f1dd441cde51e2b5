"""What a measurement needs on disk: a qmail home, a certificate, messages, a QMAILQUEUE program.

Made in a temporary folder that goes with the object.
"""
import os
import subprocess
import tempfile

import smtpd_client

HERE = os.path.dirname(os.path.abspath(__file__))
NAME = "mx.example.test"
RSA = ["-newkey", "rsa:2048"]
EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
SIZES = {"4k": 4096, "5m": 5_000_000, "100m": 100_000_000}


class Scratch:
    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="qmail-bench.")
        self.path = self._folder.name
        os.chmod(self.path, 0o755)
        self.home = self._make_home("home")
        self.ticket_home = self._make_home("tickets")
        self._write("tickets/control/tlsticketkeys", os.urandom(80))
        self.pair_home = self._make_home("pair")
        self._make_certificate("pair/control/servercert-ec.pem", EC)
        self.names_home = self._make_home("names")
        self._make_certificate(f"names/control/servercerts/{NAME}/servercert.pem", RSA)
        self.map_home = self._make_home("map")
        self.dane_home = self._make_home("dane")
        self._write("dane/control/tlspolicy", b":dane-only\n")
        self._write("dane/control/smtproutes", b":relay.test\n")
        self.certificate = self.home + "/control/servercert.pem"
        self.queue = self.path + "/queue_sink"
        subprocess.run(["c++", "-O2", "-static", "-o", self.queue, HERE + "/queue_sink.cc"],
                       check=True)

    def mail(self, name):
        """The file of a message, as qmail-remote reads it; `name` as in SIZES."""
        path = f"{self.path}/{name}"
        if not os.path.exists(path):
            self._write(name, smtpd_client.message(SIZES[name], b"\n"))
        return path

    def route(self, routes):
        """Writes control/smtproutes: {domain: (address, port)}."""
        self._write("home/control/smtproutes",
                    "".join(f"{domain}:{address}:{port}\n"
                            for domain, (address, port) in routes.items()).encode())

    def policy_map(self, port):
        """Writes control/tlspolicymap of the home for it; None: empty, as if it were not there."""
        line = f"inet:127.0.0.1:{port}:postfix\n" if port else ""
        self._write("map/control/tlspolicymap", line.encode())

    def openssl_cnf(self, group):
        """The file of an OPENSSL_CONF that allows no other group for the key exchange."""
        self._write(group + ".cnf", ("openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\n"
                                     "system_default = tls\n[tls]\nGroups = " + group + "\n").encode())
        return f"{self.path}/{group}.cnf"

    def _write(self, name, data):
        with open(f"{self.path}/{name}", "wb") as out:
            out.write(data)

    def _make_home(self, name):
        for folder in ("control", "queue/lock"):
            os.makedirs(f"{self.path}/{name}/{folder}")
        self._write(name + "/control/me", NAME.encode() + b"\n")
        self._write(name + "/control/rcpthosts", b"example.test\n")
        self._write(name + "/queue/lock/tcpto", bytes(1024))
        self._make_certificate(name + "/control/servercert.pem", RSA)
        return f"{self.path}/{name}"

    def _make_certificate(self, name, kind):
        pem = f"{self.path}/{name}"
        os.makedirs(os.path.dirname(pem), exist_ok=True)
        subprocess.run(["openssl", "req", "-x509", *kind, "-nodes", "-days", "30",
                        "-subj", f"/CN={NAME}", "-keyout", pem, "-out", pem + ".crt"],
                       check=True, stderr=subprocess.DEVNULL)
        with open(pem + ".crt", "rb") as certificate, open(pem, "ab") as out:
            out.write(certificate.read())
        os.unlink(pem + ".crt")
