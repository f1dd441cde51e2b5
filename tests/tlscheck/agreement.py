"""agreement.py SMTPD REMOTE TLSCHECK: what qmail-tlscheck says of a set of control files is what the programs do with it.

A row of a table is a set of files, what works with it (seen in a session of a real qmail-smtpd, or a delivery of a real
qmail-remote, in a scratch home), and the worst that qmail-tlscheck says of the files that the row is about. Where
something does not work the check must not say ok, and where all is ok it must work. Only "warn" may go with either.

A file that begins with "closed:" belongs to somebody else than the program's user, and so does the folder of one with "shut:"
(only root can try that).

Files are made of pieces joined by "+": mx (a certificate of CERTIFICATES), mx.key, cut:mx (its first half), dash:mx (a
dash too few in its first line), crl:root (a list of that authority; crl:root,may with a revoked certificate; old-crl:root),
digest:mx and hex:mx (its fingerprint, for tlsclients and tlspolicy),
and otherwise the text itself.
"""
import contextlib
import datetime
import hashlib
import os
import pathlib
import pwd
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import netns
from policy_peers import PolicyServer, Resolver, key_record, listening

CA = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
HOST = "basicConstraints=CA:FALSE\nsubjectAltName=DNS:mx.example.test\n"
WEB = "basicConstraints=CA:FALSE\nsubjectAltName=DNS:web.example.test\n"
LEAF = "basicConstraints=CA:FALSE\n"
MAY = "/CN=may/emailAddress=may@client.test"
# name: (subject, issuer or None for itself, extensions, key, days)
CERTIFICATES = {
    "root": ("/CN=Root", None, CA, "P-256", 400),
    "other": ("/CN=Other root", None, CA, "P-256", 400),
    "mute": ("/CN=Mute", None, "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,digitalSignature\n", "P-256", 400),
    "server-ca": ("/CN=Server CA", None, CA + "extendedKeyUsage=serverAuth\n", "P-256", 400),
    "short-ca": ("/CN=No sub", None, CA.replace("TRUE", "TRUE,pathlen:0"), "P-256", 400),
    "too-long": ("/CN=Too long", "short-ca", CA, "P-256", 400),
    "old-ca": ("/CN=Old", None, CA, "P-256", -1),
    "sub": ("/CN=Sub", "root", CA, "P-256", 400),
    "mx": ("/CN=mx.example.test", "sub", HOST, "P-256", 400),
    "mx-rsa": ("/CN=mx.example.test", "sub", HOST, "rsa:2048", 400),
    "mx-rsa-too": ("/CN=mx.example.test", "sub", HOST, "rsa:2048", 400),
    "mx-ed": ("/CN=mx.example.test", "sub", HOST, "ed25519", 400),
    "mx-1024": ("/CN=mx.example.test", "sub", HOST, "rsa:1024", 400),
    "mx-k1": ("/CN=mx.example.test", "sub", HOST, "secp256k1", 400),
    "mx-old": ("/CN=mx.example.test", "sub", HOST, "P-256", -1),
    "mx-client": ("/CN=mx.example.test", "sub", HOST + "extendedKeyUsage=clientAuth\n", "P-256", 400),
    "mx-server": ("/CN=mx.example.test", "root", HOST + "extendedKeyUsage=serverAuth\n", "P-256", 400),
    "mx-both": ("/CN=mx.example.test", "root", HOST + "extendedKeyUsage=serverAuth,clientAuth\n", "P-256", 400),
    "mx-self": ("/CN=mx.example.test", None, HOST, "P-256", 400),
    "web": ("/CN=web.example.test", "sub", WEB, "P-256", 400),
    "web-1024": ("/CN=web.example.test", "sub", WEB, "rsa:1024", 400),
    "web-old": ("/CN=web.example.test", "sub", WEB, "P-256", -1),
    "web-client": ("/CN=web.example.test", "sub", WEB + "extendedKeyUsage=clientAuth\n", "P-256", 400),
    "any": ("/CN=any", "sub", WEB.replace("web", "*"), "P-256", 400),
    "may": (MAY, "root", LEAF, "P-256", 400),
    "may-sub": (MAY, "sub", LEAF, "P-256", 400),
    "may-self": (MAY, None, LEAF, "P-256", 400),
    "may-mute": (MAY, "mute", LEAF, "P-256", 400),
    "may-server-ca": (MAY, "server-ca", LEAF, "P-256", 400),
    "may-too-long": (MAY, "too-long", LEAF, "P-256", 400),
    "may-old-ca": (MAY, "old-ca", LEAF, "P-256", 400),
    "nobody": ("/CN=nobody", "root", LEAF, "P-256", 400),
}
BOM = "\ufeff"
GOOD = "mx+sub+root+mx.key"

# qmail-smtpd's own certificate: (what, servercert.pem, more files, STARTTLS: True, 454, or None for not offered; the level)
SERVER = [
    ("chain and key", GOOD, {}, True, "ok"),
    ("the key first", "mx.key+mx+sub+root", {}, True, "ok"),
    ("RSA", "mx-rsa+sub+root+mx-rsa.key", {}, True, "ok"),
    ("Ed25519", "mx-ed+sub+root+mx-ed.key", {}, True, "ok"),
    ("signed by itself", "mx-self+mx-self.key", {}, True, "ok"),
    ("a private root that is not there", "mx+sub+mx.key", {}, True, "ok"),
    ("no chain", "mx+mx.key", {}, True, "warn"),
    ("marks in the middle", f"mx+{BOM}+sub+{BOM}+root+{BOM}+mx.key", {}, True, "ok"),
    ("1024 bits", "mx-1024+sub+root+mx-1024.key", {}, 454, "fail"),
    ("1024 bits, allowed", "mx-1024+sub+root+mx-1024.key", {"tlsserverciphers": "HIGH:@SECLEVEL=0\n"}, True, "ok"),
    ("2048 bits, not allowed", "mx-rsa+sub+root+mx-rsa.key", {"tlsserverciphers": "HIGH:@SECLEVEL=3\n"}, 454, "fail"),
    ("no file", None, {}, None, "warn"),
    ("empty", "", {}, 454, "fail"),
    ("garbage", "garbage\n", {}, 454, "fail"),
    ("no key", "mx+sub", {}, 454, "fail"),
    ("no certificate", "mx.key", {}, 454, "fail"),
    ("another's key", "mx+sub+root+root.key", {}, 454, "fail"),
    ("the chain cut off", "mx+mx.key+cut:sub", {}, 454, "fail"),
    ("cut off in a first line", "mx+mx.key+-----BEGIN CERT", {}, 454, "fail"),
    ("a dash too few", "mx+mx.key+dash:sub", {}, 454, "fail"),
    ("the chain damaged", "mx+mx.key+-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", {}, 454, "fail"),
    ("the key cut off", "mx+sub+root+cut:mx.key", {}, 454, "fail"),
    ("a curve that no client can name", "mx-k1+sub+root+mx-k1.key", {}, 454, "fail"),
    ("not for servers", "mx-client+sub+root+mx-client.key", {}, True, "warn"),
]

# A second certificate, beside RSA: (what, servercert-ec.pem, more files, what a client sees that knows the root and can both:
# True for the second one, "first", "refused" (the second one, which it does not take), None for no STARTTLS; the level)
RSA = "mx-rsa+sub+root+mx-rsa.key"
SECOND = [
    ("chain and key", GOOD, {}, True, "ok"),
    ("Ed25519", "mx-ed+sub+root+mx-ed.key", {}, True, "ok"),
    ("no chain", "mx+mx.key", {}, "refused", "warn"),
    ("no first", GOOD, {"servercert.pem": None}, None, "warn"),
    ("RSA too", "mx-rsa-too+sub+root+mx-rsa-too.key", {}, "first", "warn"),
    ("expired", "mx-old+sub+root+mx-old.key", {}, "refused", "fail"),
    ("not for servers", "mx-client+sub+root+mx-client.key", {}, "refused", "warn"),
    ("empty", "", {}, "first", "fail"),
    ("garbage", "garbage\n", {}, "first", "fail"),
    ("no key", "mx+sub+root", {}, "first", "fail"),
    ("no certificate", "mx.key", {}, "first", "fail"),
    ("another's key", "mx+sub+root+root.key", {}, "first", "fail"),
    ("the chain cut off", "mx+mx.key+cut:sub", {}, "first", "fail"),
    ("a curve that no client can name", "mx-k1+sub+root+mx-k1.key", {}, "first", "fail"),
    ("not to be read", "closed:" + GOOD, {}, "first", "fail"),
]

# Certificates by name, asked for web.example.test: (what, folder, servercert.pem in it, more files, what a client sees that
# knows the root: True for it, "usual" for the usual certificate, "refused" for one it does not take; the level)
FOLDER = "servercerts/web.example.test"
NAMED = [
    ("chain and key", FOLDER, "web+sub+root+web.key", {}, True, "ok"),
    ("all names of a domain", "servercerts/*.example.test", "any+sub+root+any.key", {}, True, "ok"),
    ("in large letters", "servercerts/Web.example.test", "web+sub+root+web.key", {}, "usual", "warn"),
    ("two labels below", "servercerts/*.test", "web+sub+root+web.key", {}, "usual", "warn"),
    ("another name's", FOLDER, GOOD, {}, "refused", "warn"),
    ("expired", FOLDER, "web-old+sub+root+web-old.key", {}, "refused", "fail"),
    ("not for servers", FOLDER, "web-client+sub+root+web-client.key", {}, "refused", "warn"),
    ("no file", FOLDER, None, {FOLDER + "/notes": "x"}, "usual", "fail"),
    ("no file but the second", FOLDER, None, {FOLDER + "/servercert-ec.pem": "web+sub+root+web.key"}, "usual", "fail"),
    ("empty", FOLDER, "", {}, "usual", "fail"),
    ("garbage", FOLDER, "garbage\n", {}, "usual", "fail"),
    ("no key", FOLDER, "web+sub+root", {}, "usual", "fail"),
    ("another's key", FOLDER, "web+sub+root+root.key", {}, "usual", "fail"),
    ("the chain cut off", FOLDER, "web+web.key+cut:sub", {}, "usual", "fail"),
    ("1024 bits", FOLDER, "web-1024+sub+root+web-1024.key", {}, "usual", "fail"),
    ("a folder in its place", FOLDER, None, {FOLDER + "/servercert.pem/x": "x"}, "usual", "fail"),
    ("not to be read", FOLDER, "closed:web+sub+root+web.key", {}, "usual", "fail"),
    ("its folder closed", FOLDER, "shut:web+sub+root+web.key", {}, "usual", "fail"),
]

# Relaying by certificate: (what, the certificates that the client shows, files, reply to RCPT, the level)
CLIENT = [
    ("issued by the root", "may", {"clientca.pem": "root"}, 250, "ok"),
    ("issued by a sub authority in the file", "may-sub", {"clientca.pem": "root+sub"}, 250, "ok"),
    ("issued by one that the client sends", "may-sub+sub", {"clientca.pem": "root"}, 250, "ok"),
    ("a sub authority without its root", "may-sub", {"clientca.pem": "sub"}, 553, "fail"),
    ("signed by itself, and listed", "may-self", {"clientca.pem": "may-self"}, 250, "ok"),
    ("a client's certificate that its root signed", "may", {"clientca.pem": "may"}, 553, "warn"),
    ("an authority that must not sign", "may-mute", {"clientca.pem": "mute"}, 553, "warn"),
    ("an authority for servers only", "may-server-ca", {"clientca.pem": "server-ca"}, 553, "fail"),
    ("an authority below one that may have none", "may-too-long", {"clientca.pem": "short-ca+too-long"}, 553, "fail"),
    ("an authority that expired", "may-old-ca", {"clientca.pem": "old-ca"}, 553, "fail"),
    ("not listed in tlsclients", "may", {"clientca.pem": "root", "tlsclients": "# nobody\n"}, 553, "warn"),
    ("a mark before the address", "may", {"clientca.pem": "root", "tlsclients": BOM + "may@client.test\n"}, 553, "fail"),
    ("an invisible blank in the address", "may", {"clientca.pem": "root", "tlsclients": "may@client.test\u00a0\n"}, 553, "fail"),
    ("a fingerprint", "may-self", {"tlsclients": "digest:may-self"}, 250, "ok"),
    ("a fingerprint and a damaged file of authorities", "may-self", {"clientca.pem": "garbage\n", "tlsclients": "digest:may-self"}, 250, "warn"),
    ("a fingerprint that is none", "may", {"clientca.pem": "root", "tlsclients": "sha256:00\n"}, 553, "warn"),
    ("a list", "may", {"clientca.pem": "root", "clientcrl.pem": "crl:root"}, 250, "ok"),
    ("a list behind a mark", "may", {"clientca.pem": "root", "clientcrl.pem": BOM + "+crl:root"}, 250, "ok"),
    ("a list that expired", "may", {"clientca.pem": "root", "clientcrl.pem": "old-crl:root"}, 553, "fail"),
    ("another authority's list", "may", {"clientca.pem": "root", "clientcrl.pem": "crl:other"}, 553, "fail"),
    ("a list cut off", "may", {"clientca.pem": "root", "clientcrl.pem": "crl:root+cut:crl:root"}, 421, "fail"),
    ("an empty list", "may", {"clientca.pem": "root", "clientcrl.pem": ""}, 421, "fail"),
    ("authorities cut off", "may-sub", {"clientca.pem": "cut:root"}, 421, "fail"),
    ("a key among the authorities", "may", {"clientca.pem": "root+root.key"}, 250, "warn"),
    ("lists among the authorities only", "may", {"clientca.pem": "root+crl:root"}, 250, "warn"),
    ("lists for every link", "may-sub", {"clientca.pem": "root+sub", "clientcrl.pem": "crl:root+crl:sub"}, 250, "ok"),
    ("no list for the last link", "may-sub", {"clientca.pem": "root+sub", "clientcrl.pem": "crl:root"}, 553, "fail"),
    ("no list for the first link", "may-sub", {"clientca.pem": "root+sub", "clientcrl.pem": "crl:sub"}, 553, "fail"),
    ("a list for an authority that clients send", "may-sub+sub",
     {"clientca.pem": "root", "clientcrl.pem": "crl:root+crl:sub"}, 250, "ok"),
]

# Servers that qmail-remote verifies: (what, the server's certificates, tlshosts/mx.example.test.pem, delivered?, the level)
VERIFIED = [
    ("the root", "mx+sub", "root", True, "ok"),
    ("the root behind a mark", "mx+sub", BOM + "+other+" + BOM + "+root", True, "ok"),
    ("the certificate itself", "mx-self", "mx-self", True, "ok"),
    ("a sub authority without its root", "mx+sub", "sub", False, "fail"),
    ("the server's certificate, signed by another", "mx+sub", "mx", False, "fail"),
    ("an authority that must not sign", "mx+sub", "mute", False, "fail"),
    ("garbage", "mx+sub", "garbage\n", False, "fail"),
    ("cut off", "mx+sub", "cut:root", False, "fail"),
    ("the second one cut off", "mx+sub", "root+cut:other", False, "fail"),
]

# clientcert.pem, shown to a server that demands one of root's: (what, clientcert.pem, delivered in TLS?, the level)
SHOWN = [
    ("of either kind", "mx+sub+root+mx.key", True, "ok"),
    ("for both", "mx-both+root+mx-both.key", True, "ok"),
    ("for servers only", "mx-server+root+mx-server.key", False, "fail"),
    ("no key", "mx+sub+root", False, "fail"),
    ("the chain cut off", "mx+mx.key+cut:sub", False, "fail"),
]


# control/tlspolicy, for mail by a route to mx.example.test: (what, the server's certificates, files, what DNS has of it (a
# Resolver), delivered?, the level)
MATCHES = {"tlsa": "mx"}
NO_AD = {"secure": False, **MATCHES}
POLICIES = [
    ("secure, by tafile", "mx+sub", {"tlspolicy": "mx.example.test:secure tafile=partner.pem\n", "partner.pem": "root"}, {}, True, "ok"),
    ("secure, by tlsca.pem", "mx+sub", {"tlspolicy": ":secure\n", "tlsca.pem": "root"}, {}, True, "ok"),
    ("secure, tlsca.pem damaged", "mx+sub", {"tlspolicy": ":secure\n", "tlsca.pem": "garbage\n"}, {}, False, "fail"),
    ("secure, no tafile", "mx+sub", {"tlspolicy": ":secure tafile=partner.pem\n"}, {}, False, "fail"),
    ("fingerprint", "mx-self", {"tlspolicy": ":fingerprint match=+hex:mx-self"}, {}, True, "ok"),
    ("fingerprint, none", "mx-self", {"tlspolicy": ":fingerprint\n"}, {}, False, "fail"),
    ("no such level", "mx+sub", {"tlspolicy": ":secured\n"}, {}, False, "fail"),
    ("no colon", "mx+sub", {"tlspolicy": "partner.test secure\n"}, {}, False, "fail"),
    ("another's line is bad", "mx+sub", {"tlspolicy": "example.test:secured\n"}, {}, True, "warn"),
    ("the relay's line is bad, and mail for it goes elsewhere", "mx+sub",
     {"tlspolicy": "mx.example.test:secured\n", "smtproutes": "mx.example.test:other.test\n"}, {}, False, "fail"),
    ("the line of the relay's domain", "mx+sub", {"tlspolicy": ".example.test:encrypt\n"}, {}, True, "ok"),
    ("a demand, and no TLS by notlshosts", "mx+sub", {"tlspolicy": ":encrypt\n", "notlshosts/mx.example.test": ""}, {}, False, "fail"),
    ("a demand, and no TLS by exhaustivelist", "mx+sub", {"tlspolicy": ":encrypt\n", "tlshosts/exhaustivelist": ""}, {}, False, "fail"),
    ("a bad line, and a file that decides", "mx+sub",
     {"tlspolicy": "mx.example.test:none\n", "tlshosts/mx.example.test.pem": "root"}, {}, True, "warn"),
    ("dane, a record", "mx+sub", {"tlspolicy": ":dane\n"}, MATCHES, True, "ok"),
    ("dane, no record", "mx+sub", {"tlspolicy": ":dane\n"}, {}, True, "ok"),
    ("dane, nobody validates", "mx+sub", {"tlspolicy": ":dane\n"}, NO_AD, True, "warn"),
    ("dane-only, a record", "mx+sub", {"tlspolicy": "mx.example.test:dane-only\n"}, MATCHES, True, "ok"),
    ("dane-only, nobody validates", "mx+sub", {"tlspolicy": "mx.example.test:dane-only\n"}, NO_AD, False, "fail"),
]
# With a name server elsewhere, which needs a network of our own.
FAR = [
    ("dane, a name server elsewhere", "mx+sub", {"tlspolicy": ":dane\n"}, MATCHES, True, "warn"),
    ("dane-only, a name server elsewhere", "mx+sub", {"tlspolicy": ":dane-only\n"}, MATCHES, False, "fail"),
]

# control/tlspolicymap, for mail by DNS to example.test, in a network of our own: (what, files, what the policy server
# answers: None: there is none; what DNS has of the server, delivered?, the level, how often the policy server is asked of it)
OF_MX = "OK secure match=mx.example.test"
MAP = [
    ("a policy", {"tlsca.pem": "root"}, OF_MX, {}, True, "ok", 1),
    ("no policy", {}, "NOTFOUND ", {}, True, "ok", 1),
    ("no policy beside a default", {"tlspolicy": ":encrypt\n"}, "NOTFOUND ", {}, True, "ok", 1),
    ("authorities that cannot be used", {"tlsca.pem": "garbage\n"}, OF_MX, {}, False, "fail", 1),
    ("a policy that is none", {}, "OK secured", {}, False, "fail", 1),
    ("trouble", {}, "TEMP later", {}, False, "fail", 1),
    ("no answer", {}, "", {}, False, "fail", 1),
    ("nobody there", {}, None, {}, False, "fail", 0),
    ("nobody there, beside dane and records", {"tlspolicy": ":dane\n"}, None, MATCHES, False, "fail", 0),
    ("a policy beside dane and records", {"tlspolicy": ":dane\n"}, "OK secure match=other.test", MATCHES, True, "ok", 1),
    ("a policy beside dane without records", {"tlspolicy": ":dane\n", "tlsca.pem": "root"}, OF_MX, {}, True, "ok", 1),
    ("nobody there, beside dane-only", {"tlspolicy": ":dane-only\n"}, None, MATCHES, True, "warn", 0),
    ("trouble, beside a default that cannot be used", {"tlspolicy": ":secured\n"}, "TEMP later", {}, False, "fail", 0),
    ("nobody there, and all mail has a route by sender", {"authsenders": ":[198.51.100.25]\n"}, None, {}, True, "warn", 0),
]


class Pki:
    """The pieces, made when they are asked for."""

    def __init__(self, folder):
        self.folder = folder

    def openssl(self, *command, **more):
        return subprocess.run(["openssl", *map(str, command)], check=True, capture_output=True, **more).stdout

    def key(self, name):
        path = self.folder / f"{name}.key"
        if not path.exists():
            kind, _, size = CERTIFICATES[name][3].partition(":")
            how = {"rsa": ["RSA", "-pkeyopt", f"rsa_keygen_bits:{size}"], "ed25519": ["ED25519"]}.get(
                kind, ["EC", "-pkeyopt", f"ec_paramgen_curve:{kind}"])
            self.openssl("genpkey", "-out", path, "-algorithm", *how)
        return path

    def certificate(self, name):
        path = self.folder / f"{name}.pem"
        if not path.exists():
            subject, issuer, extensions, _, days = CERTIFICATES[name]
            signer = ("-cert", self.certificate(issuer), "-keyfile", self.key(issuer)) if issuer else ("-selfsign", "-keyfile", self.key(name))
            config = self.folder / "cnf"
            config.write_text(f"[req]\ndistinguished_name=d\nprompt=no\n[d]\nCN=x\n[x]\n{extensions}")
            request = self.folder / f"{name}.csr"
            self.openssl("req", "-new", "-key", self.key(name), "-subj", subject, "-config", config, "-out", request)
            # Not "openssl x509 -days": from 3.4 on that makes none that has expired.
            config.write_text(self.authority() + f"[x]\n{extensions}")
            end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
            self.openssl("ca", "-batch", "-notext", "-preserveDN", "-config", config, "-extensions", "x", *signer, "-in", request,
                         "-startdate", "20200101000000Z", "-enddate", f"{end:%Y%m%d%H%M%SZ}", "-out", path)
        return path

    def authority(self):
        """The configuration of "openssl ca" for one that has issued nothing yet."""
        for name, text in (("index", ""), ("index.attr", ""), ("number", "01\n")):
            (self.folder / name).write_text(text)
        return (f"[ca]\ndefault_ca=d\n[d]\ndatabase={self.folder}/index\ncrlnumber={self.folder}/number\nrand_serial=yes\n"
                f"new_certs_dir={self.folder}\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=optional\nemailAddress=optional\n")

    def crl(self, name, old):
        certificate, key = self.certificate(name), self.key(name)
        config = self.folder / "cnf"
        config.write_text(self.authority())
        dates = ("20200101000000Z", "20200201000000Z" if old else "20491231000000Z")
        return self.openssl("ca", "-gencrl", "-config", config, "-cert", certificate, "-keyfile", key,
                            "-crl_lastupdate", dates[0], "-crl_nextupdate", dates[1]).decode()

    def piece(self, text):
        kind, _, name = text.partition(":")
        if kind in ("crl", "old-crl"):
            return self.crl(name, kind == "old-crl")
        if kind == "digest":
            der = self.openssl("x509", "-in", self.certificate(name), "-outform", "DER")
            return f"sha256:{hashlib.sha256(der).hexdigest()}\n"
        if kind == "hex":
            return self.piece("digest:" + name).removeprefix("sha256:")
        if kind == "cut":
            whole = self.piece(name)
            return whole[:len(whole) // 2]
        if kind == "dash":
            return self.piece(name).replace("-----\n", "----\n", 1)
        if text in CERTIFICATES:
            return self.certificate(text).read_text()
        if text.endswith(".key") and text[:-4] in CERTIFICATES:
            return self.key(text[:-4]).read_text()
        return text

    def file(self, text):
        return "".join(self.piece(part) for part in text.split("+"))

    def identity(self, names):
        """A file with these certificates and the key of the first."""
        path = self.folder / "identity"
        path.write_text(self.file(names + "+" + names.split("+")[0] + ".key"))
        return path


class World:
    def __init__(self, folder, smtpd, remote, tlscheck):
        self.folder, self.remote, self.tlscheck = folder, remote, tlscheck
        self.pki = Pki(folder)
        self.homes = 0
        self.given = set()
        # Where every user can run it.
        folder.chmod(0o711)
        self.smtpd = shutil.copy(smtpd, folder)
        self.wrong = []

    def home(self, files):
        self.homes += 1
        control = self.folder / f"home{self.homes}/control"
        (control / "tlshosts").mkdir(parents=True)
        files = {"me": "mx.example.test\n", "rcpthosts": "local.test\n", **files}
        closed = []
        for name, text in files.items():
            if text is None:
                continue
            file = control / name
            file.parent.mkdir(parents=True, exist_ok=True)
            how, _, rest = text.partition(":")
            if how in ("closed", "shut"):
                text = rest
                closed.append(file if how == "closed" else file.parent)
            file.write_text(self.pki.file(text))
            file.chmod(0o600)
        if closed:
            self.give(control.parent, closed)
        return control.parent

    def give(self, home, closed):
        """All but what is closed can be read by the user "nobody", as whom the program runs then."""
        for path in (home, *home.rglob("*")):
            os.chown(path, 0, pwd.getpwnam("nobody").pw_gid)
            path.chmod(0o750 if path.is_dir() else 0o640)
        for path in closed:
            path.chmod(0o700)
        self.given.add(home)

    def user(self, home):
        return "nobody" if home in self.given else pwd.getpwuid(os.geteuid()).pw_name

    def level(self, home, *topics, **environment):
        """The worst that qmail-tlscheck says of the files of these names."""
        user = self.user(home)
        said = subprocess.run([self.tlscheck, "--smtpd-user", user, "--remote-user", user], env={"QMAILHOME": home, **environment},
                              capture_output=True, text=True, timeout=20)
        lines = [line for line in said.stdout.splitlines() if any(f" control/{topic}: " in line for topic in topics)]
        worst = max((("ok", "warn", "fail").index(line[:4].strip()) for line in lines), default=0)
        return ("ok", "warn", "fail")[worst], "\n        ".join(lines) + said.stderr

    def compare(self, what, works, expected, level, expected_level):
        told, lines = level
        agreed = {"ok": works in (True, 250), "warn": True, "fail": works not in (True, 250)}[told]
        if (works, told) != (expected, expected_level) or not agreed:
            self.wrong.append(f"{what}: {works}, not {expected}; {told}, not {expected_level}:\n        {lines}")

    @contextlib.contextmanager
    def session(self, home):
        """A qmail-smtpd; its end of the line and a function that sends a line and returns the last line of the reply."""
        ours, its = socket.socketpair()
        ours.settimeout(20)
        environment = {"QMAILHOME": home, "TCPREMOTEIP": "192.0.2.1", "PROTO": "TCP"}
        entry = pwd.getpwnam(self.user(home))
        other = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []} if home in self.given else {}
        with subprocess.Popen([self.smtpd], stdin=its, stdout=its, stderr=subprocess.DEVNULL, env=environment, **other) as process:
            its.close()
            talk = Talk(ours)
            talk.reply()
            try:
                yield talk
            finally:
                talk.close()
                process.wait(20)

    def starttls(self, home, identity=None):
        """True, 454 or None, and the reply to a far recipient inside."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        if identity:
            context.load_cert_chain(identity)
        with self.session(home) as talk:
            if "STARTTLS" not in talk.say("EHLO client.test"):
                return None, None
            reply = talk.say("STARTTLS")
            if not reply.startswith("220"):
                return int(reply[:3]), None
            talk.start(context, server_side=False)
            talk.say("EHLO client.test")
            talk.say("MAIL FROM:<s@client.test>")
            return True, int(talk.say("RCPT TO:<far@foreign.test>")[:3])

    def shown(self, home, name):
        """What a client sees that knows the root and asks for the name: the DER, and whether it takes it; or (None, None)."""
        root = ssl.create_default_context(cafile=self.pki.certificate("root"))
        # Python 3.13 and later want more of a chain than mail programs do (RFC 5280, to the letter).
        root.verify_flags &= ~ssl.VERIFY_X509_STRICT
        root.set_ciphers("ALL:@SECLEVEL=0")
        anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
        anybody.set_ciphers("ALL:@SECLEVEL=0")
        seen = []
        for context in (anybody, root):
            with self.session(home) as talk:
                if "STARTTLS" not in talk.say("EHLO client.test"):
                    return None, None
                assert talk.say("STARTTLS").startswith("220")
                try:
                    talk.start(context, server_side=False, name=name)
                    talk.say("NOOP")
                    seen.append(talk.connection.getpeercert(binary_form=True))
                except ssl.SSLCertVerificationError:
                    seen.append(None)
        return seen[0], seen[1] is not None

    def is_shown(self, home, name, wanted, usual):
        """True: the wanted certificate, and the client takes it; else what is in its place."""
        der, taken = self.shown(home, name)
        if der is None:
            return None
        def of(certificate):
            return ssl.PEM_cert_to_DER_cert(self.pki.certificate(certificate).read_text())
        if wanted and der == of(wanted):
            return taken or "refused"
        return usual[1] if der == of(usual[0]) else "another"

    def deliver(self, home, names, demand=None):
        """Does qmail-remote hand a message to a server that shows these certificates, in TLS?"""
        with listening() as server, Resolver() as resolver:
            (home / "control/smtproutes").write_text(f":mx.example.test:{server.getsockname()[1]}\n")
            return self.hand_over(home, server, names, resolver, demand)

    def hand_over(self, home, server, names, resolver, demand=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pki.identity(names))
        if demand:
            context.load_verify_locations(self.pki.certificate(demand))
            context.verify_mode = ssl.CERT_REQUIRED
            # In TLS 1.3 the client learns of a refusal when it has gone on, which is another test's matter.
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        server.settimeout(20)
        thread = threading.Thread(target=serve, args=(server, context), daemon=True)
        thread.start()
        report = subprocess.run([self.remote, "example.test", "s@x.test", "u@example.test"], input=b"Subject: x\n\nx\n",
                                capture_output=True, timeout=60, env={"QMAILHOME": home, "DNSCACHEIP": resolver.address})
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)  # who was not called waits no longer
        thread.join(20)
        return report.stdout.startswith(b"r\0K")

    def by_policy(self, what, names, files, dns, works, level, name_server="127.0.0.1"):
        """A row of POLICIES."""
        home = self.home(files)
        with listening() as server, self.resolver(dns, name_server) as resolver:
            port = server.getsockname()[1]
            resolver.tlsa_name = f"_{port}._tcp.mx.example.test"
            with (home / "control/smtproutes").open("a") as routes:
                routes.write(f":mx.example.test:{port}\n")
            told = self.level(home, "tlspolicy", "tlsca.pem", "partner.pem", "smtproutes", DNSCACHEIP=resolver.address)
            self.compare(f"tlspolicy, {what}", self.hand_over(home, server, names, resolver), works, told, level)

    def by_map(self, what, files, answer, dns, works, level, asked):
        """A row of MAP. The server has two addresses, and answers at the second: what is asked is asked once."""
        with PolicyServer(answer) as policies, listening(netns.address(25), 25) as server, \
                self.resolver(dns, "127.0.0.1") as resolver:
            resolver.addresses = [netns.address(24), netns.address(25)]
            resolver.tlsa_name = "_25._tcp.example.test"
            home = self.home({"tlspolicymap": policies.line, **files})
            told = self.level(home, "tlspolicymap", "tlspolicy", "tlsca.pem", DNSCACHEIP=resolver.address)
            self.compare(f"tlspolicymap, {what}", self.hand_over(home, server, "mx+sub", resolver), works, told, level)
            questions = policies.questions.count(b"20:postfix example.test,")
            records = int(":dane" in files.get("tlspolicy", "") and works)
            if (questions, resolver.tlsa_questions) != (asked, records):
                self.wrong.append(f"tlspolicymap, {what}: {questions} questions, and {resolver.tlsa_questions} for TLSA records")

    def resolver(self, dns, address):
        return Resolver(dns.get("secure", True), [key_record(self.pki.key(dns["tlsa"]))] if "tlsa" in dns else [], address)


def certificate_in(text):
    """The name of the first certificate in what a file is made of."""
    pieces = (text or "").removeprefix("closed:").removeprefix("shut:").split("+")
    return next((piece for piece in pieces if piece in CERTIFICATES), None)


class Talk:
    def __init__(self, connection):
        self.connection = connection
        self.lines = connection.makefile("rb")

    def start(self, context, server_side, name=None):
        self.connection = context.wrap_socket(self.connection, server_side=server_side, server_hostname=name)
        self.lines = self.connection.makefile("rb")

    def send(self, line):
        self.connection.sendall(line.encode() + b"\r\n")

    def reply(self):
        whole = ""
        while True:
            line = self.lines.readline().decode()
            whole += line
            if line[3:4] != "-":
                return whole

    def say(self, line):
        self.send(line)
        return self.reply()

    def close(self):
        self.lines.close()
        self.connection.close()


def serve(server, context):
    """Takes one message, in TLS only; whatever goes wrong ends the connection."""
    with contextlib.suppress(OSError):
        connection, _ = server.accept()
        connection.settimeout(20)
        talk = Talk(connection)
        talk.send("220 mx.example.test")
        secure = False
        while line := talk.lines.readline():
            verb = line[:4].upper()
            if verb == b"EHLO":
                talk.send("250 mx.example.test" if secure else "250-mx.example.test\r\n250 STARTTLS")
            elif verb == b"STAR":
                talk.send("220 go on")
                talk.start(context, server_side=True)
                secure = True
            elif verb == b"DATA":
                talk.send("354 go on")
                while talk.lines.readline() not in (b".\r\n", b""):
                    pass
                talk.send("250 taken")
            elif verb == b"QUIT":
                talk.send("221 bye")
                break
            else:
                talk.send("250 ok" if secure else "554 TLS first")
        talk.close()


def enter_network():
    """Is there a network of our own? Only root can make one."""
    try:
        netns.enter()
        return True
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"*** NOT TESTED: tlspolicymap, and name servers elsewhere: no network of our own: {error}")
        return False


def main():
    own_network = enter_network()
    with tempfile.TemporaryDirectory(prefix="qmail-tls-agreement.") as folder:
        world = World(pathlib.Path(folder), *sys.argv[1:4])
        for what, certificate, more, works, level in SERVER:
            home = world.home({"servercert.pem": certificate, **more})
            told = world.level(home, "servercert.pem", "tlsserverciphers")
            world.compare(f"servercert.pem, {what}", world.starttls(home)[0], works, told, level)
        for what, second, more, works, level in SECOND:
            if (second.startswith("closed:")) and os.geteuid() != 0:
                continue
            home = world.home({"servercert.pem": RSA, "servercert-ec.pem": second, **more})
            told = world.level(home, "servercert-ec.pem")
            wanted = certificate_in(second)
            world.compare(f"servercert-ec.pem, {what}", world.is_shown(home, "mx.example.test", wanted, ("mx-rsa", "first")), works, told, level)
        for what, folder, certificate, more, works, level in NAMED:
            if (certificate or "").startswith(("closed:", "shut:")) and os.geteuid() != 0:
                continue
            home = world.home({"servercert.pem": RSA, f"{folder}/servercert.pem": certificate, **more})
            told = world.level(home, folder, f"{folder}/servercert.pem")
            wanted = certificate_in(certificate)
            world.compare(f"{folder}, {what}", world.is_shown(home, "web.example.test", wanted, ("mx-rsa", "usual")), works, told, level)
        for what, shown, files, reply, level in CLIENT:
            home = world.home({"servercert.pem": GOOD, "tlsclients": "may@client.test\n", **files})
            told = world.level(home, "tlsclients", "clientca.pem", "clientcrl.pem")
            world.compare(f"clients, {what}", world.starttls(home, world.pki.identity(shown))[1], reply, told, level)
        for what, shown, anchors, delivered, level in VERIFIED:
            home = world.home({"tlshosts/mx.example.test.pem": anchors})
            told = world.level(home, "tlshosts/mx.example.test.pem")
            world.compare(f"tlshosts, {what}", world.deliver(home, shown), delivered, told, level)
        for what, certificate, delivered, level in SHOWN:
            home = world.home({"clientcert.pem": certificate})
            told = world.level(home, "clientcert.pem")
            world.compare(f"clientcert.pem, {what}", world.deliver(home, "mx+sub", demand="root"), delivered, told, level)
        for row in POLICIES:
            world.by_policy(*row)
        for row in FAR if own_network else []:
            world.by_policy(*row, name_server=netns.address(53))
        for row in MAP if own_network else []:
            world.by_map(*row)
    print("\n".join(world.wrong) or f"{world.homes} sets of files, as expected")
    return 1 if world.wrong or world.homes < 40 else 0


if __name__ == "__main__":
    sys.exit(main())
