"""stunnel as a client (a plain client behind it) and as a server (our qmail-smtpd in the clear behind it).

The TLS is stunnel's, the SMTP around it plain. As a server it tells version and certificate in its log only.
"""
import re
import smtplib

import install
from matrix import KEYS, Delivered
from world import SUBMISSION, Trouble

tells_refusals = True


def prepare(world):
    install.packages("stunnel4")


def _start(world, name, sections, ready):
    config = world.folder("stunnel") / f"{name}.conf"
    config.write_text("foreground = yes\npid =\ndebug = info\nsyslog = no\n" + sections)
    return world.start(["stunnel4", config], log=f"stunnel-{name}", ready=ready)


def send(world, target, message, sender, recipient, certificate):
    local = world.ip(60)
    section = (f"[client]\nclient = yes\naccept = {local}:2525\nconnect = {target.ip}:{target.port}\nverifyChain = yes\n"
               f"CAfile = {world.pki}/ca.crt\ncheckHost = {target.name}\nsslVersion = TLSv{target.version}\n")
    section += "" if target.implicit else "protocol = smtp\n"
    section += f"cert = {certificate}.pem\n" if certificate else ""
    child = _start(world, "client", section, None)
    try:
        world.wait_for(local, 2525, child=child, log="stunnel-client")
        with smtplib.SMTP(local, 2525, local_hostname="client.example.test", timeout=15) as client:
            client.sendmail(sender, [recipient], message.replace(b"\n", b"\r\n"))
        return True, ""
    except (smtplib.SMTPException, OSError) as error:
        return False, f"{error!r} {world.log('stunnel-client')[-600:].decode(errors='replace')}"
    finally:
        world.stop(child)


class Server:
    adds_headers = ()

    def __init__(self, world):
        self._plain = world.plain_listener()
        self._key = None
        for key in KEYS:
            ip = world.peer_ip(key)
            # requestCert without verify: stunnel asks, takes whatever comes, and logs it.
            sections = "".join(
                f"[{mode}]\naccept = {ip}:{port}\nconnect = {self._plain.ip}:{self._plain.port}\n"
                f"cert = {world.pki}/{key}.pem\n" + ("protocol = smtp\n" if mode == "starttls" else "")
                for mode, port in (("starttls", SUBMISSION), ("implicit", 465)))
            _start(world, key, sections, (ip, 465))

    def target(self, world, key, mode, version):
        self._key = key
        return world.peer_target(key, mode, version)

    def take(self, world, token):
        arrival = self._plain.take(token)
        log = world.log(f"stunnel-{self._key}").decode(errors="replace")
        versions = re.findall(r"TLSv(1\.\d) ciphersuite", log)
        if not versions:
            raise Trouble(f"stunnel's log names no TLS version: {log[-600:]}")
        return Delivered(arrival.message, versions[-1], None)

    def trouble(self, world):
        return world.log(f"stunnel-{self._key}")[-600:].decode(errors="replace")
