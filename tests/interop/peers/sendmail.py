"""Sendmail in an overlay, as a client (STARTTLS; it has no implicit TLS there) and as a server.

It cannot be told a TLS version: as a client it meets listeners of ours that are held to one. One sendmail.cf a combination.
"""
import re

import install
from matrix import KEYS, Cannot, Delivered
from world import SUBMISSION, Trouble, run

MC = """divert(0)dnl
VERSIONID(`interop')
OSTYPE(`debian')dnl
DOMAIN(`debian-mta')dnl
undefine(`confHOST_STATUS_DIRECTORY')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`accept_unqualified_senders')dnl
FEATURE(`promiscuous_relay')dnl
define(`confDOMAIN_NAME',`sm.test')dnl
define(`confCACERT',`@FOLDER@/keys/ca.crt')dnl
define(`confCACERT_PATH',`@FOLDER@/keys')dnl
define(`confTO_IDENT',`0')dnl
define(`QUEUE_DIR',`@FOLDER@/queue')dnl
define(`confPID_FILE',`@FOLDER@/pid')dnl
@MORE@
MAILER_DEFINITIONS
MAILER(`local')dnl
MAILER(`smtp')dnl
"""


def _overlay():
    return install.Overlay("sendmail", "sendmail-bin")


def _configure(world, folder, more):
    (folder / "sendmail.mc").write_text(MC.replace("@MORE@", more).replace("@FOLDER@", str(folder)))
    status, said = run([*_overlay().enter(), "sh", "-ec", f"""
        mkdir -p {folder}/keys {folder}/queue {folder}/mail /var/run/sendmail/mta
        cp {world.pki}/*.crt {world.pki}/*.key {folder}/keys/; chmod 600 {folder}/keys/*.key
        chmod 700 {folder}/queue; chown mail {folder}/mail
        cd /usr/share/sendmail/cf; m4 m4/cf.m4 {folder}/sendmail.mc >{folder}/sendmail.cf"""])
    if status != 0:
        raise Trouble(f"sendmail's overlay: {said.decode(errors='replace')[-800:]}")


class Client:
    adds_headers = ("Received",)
    patience = 5
    chooses_version = False

    def __init__(self, world):
        self._folder = world.folder("sendmail-client")
        _overlay()

    def send(self, world, target, message, sender, recipient, certificate):
        if target.implicit:
            raise Cannot("Sendmail speaks implicit TLS as a server only")
        more = f"define(`RELAY_MAILER_ARGS',`TCP $h {target.port}')dnl\ndefine(`SMART_HOST',`relay:[{target.ip}]')dnl\n"
        if certificate:
            more += (f"define(`confCLIENT_CERT',`@FOLDER@/keys/{certificate.name}.crt')dnl\n"
                     f"define(`confCLIENT_KEY',`@FOLDER@/keys/{certificate.name}.key')dnl\n")
        _configure(world, self._folder, more)
        status, said = run([*_overlay().enter(), "/usr/sbin/sendmail-mta", f"-C{self._folder}/sendmail.cf", "-Am", "-odi", "-oi",
                            "-v", "-B8BITMIME", f"-f{sender}", "--", recipient], input=message, timeout=60)
        said = said.decode(errors="replace")
        return "Sent (ok" in said, said


class Server:
    """Hands on what it took to a qmail-smtpd of ours in the clear; its own Received field tells version and verdict."""
    adds_headers = ("Received",)

    def __init__(self, world):
        self._beyond = world.plain_listener()
        _overlay()
        for key in KEYS:
            ip, part = world.peer_ip(key), world.folder(f"sendmail-{key}")
            more = (f"define(`confSERVER_CERT',`@FOLDER@/keys/{key}.crt')dnl\ndefine(`confSERVER_KEY',`@FOLDER@/keys/{key}.key')dnl\n"
                    f"DAEMON_OPTIONS(`Family=inet,Name=MTA,Addr={ip},Port={SUBMISSION}')dnl\n"
                    f"DAEMON_OPTIONS(`Family=inet,Name=MTAS,Addr={ip},Port=465,M=s')dnl\n"
                    f"define(`RELAY_MAILER_ARGS',`TCP $h {self._beyond.port}')dnl\ndefine(`SMART_HOST',`relay:[{self._beyond.ip}]')dnl\n")
            _configure(world, part, more)
            world.start([*_overlay().enter(), "/usr/sbin/sendmail-mta", f"-C{part}/sendmail.cf", "-bD"],
                        log=f"sendmail-{key}", ready=(ip, 465))

    def target(self, world, key, mode, version):
        self._key = key
        return world.peer_target(key, mode, version)

    def take(self, world, token):
        arrival = self._beyond.take(token, 15)
        seen = re.search(rb"\(version=TLSv(1\.\d) cipher=\S+ bits=\d+ verify=(\w+)\)", arrival.message)
        return Delivered(arrival.message, seen.group(1).decode() if seen else "", bool(seen and seen.group(2) == b"OK"))

    def trouble(self, world):
        return world.log(f"sendmail-{self._key}")[-800:].decode(errors="replace")
