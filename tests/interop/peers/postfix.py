"""Postfix as a client, as a server, and posttls-finger. Unpacked, not installed: it would take over the machine's mail.

No user "postfix" is needed: uucp and the group games stand in. As a client, a message is put in by SMTP at a port whose
content_filter names the transport and the place to go to, so one Postfix tries every combination. smtpd and smtp log to
a file; the queue id leads from our sender to the result.
"""
import os
import re
import shutil
import smtplib
import time

import install
from matrix import KEYS, Delivered
from world import SUBMISSION, Trouble, run

SERVICES = """pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def prepare(world):
    install.packages("libdb5.3", "libicu72", "libnsl2", "libsasl2-2")
    install.unpacked("postfix")


def _environment(folder):
    root = install.unpacked("postfix")
    return {"LD_LIBRARY_PATH": root / "usr/lib/postfix", "MAIL_CONFIG": folder / "conf"}


def start(world, name, main, master, ready):
    """A Postfix of its own in the folder `name`; returns the folder (maillog, mail/)."""
    root, folder = install.unpacked("postfix"), world.folder(f"postfix-{name}")
    for part in ("conf", "data", "mail", "spool"):
        (folder / part).mkdir()
    spool = ("active bounce corrupt defer deferred flush hold incoming maildrop private public saved trace pid")
    for part in spool.split():
        (folder / "spool" / part).mkdir()
        if part != "pid":
            shutil.chown(folder / "spool" / part, "uucp", "games" if part in ("maildrop", "public") else None)
    shutil.chown(folder / "data", "uucp")
    shutil.chown(folder / "mail", "mail", "mail")
    (folder / "spool/maildrop").chmod(0o730)
    (folder / "spool/public").chmod(0o710)
    (folder / "conf/main.cf").write_text(f"""compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
command_directory = {root}/usr/sbin
daemon_directory = {root}/usr/lib/postfix/sbin
shlib_directory = {root}/usr/lib/postfix
meta_directory = {root}/etc/postfix
mail_owner = uucp
setgid_group = games
default_privs = nobody
import_environment = MAIL_CONFIG LD_LIBRARY_PATH
maillog_file = {folder}/maillog
maillog_file_prefixes = {folder}
myhostname = postfix.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
disable_dns_lookups = yes
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_client_connection_rate_limit = 0
{main}""")
    (folder / "conf/master.cf").write_text(master + SERVICES)
    world.start([root / "usr/lib/postfix/sbin/master", "-c", folder / "conf", "-d"], log=f"postfix-{name}",
                env=_environment(folder), ready=ready)
    return folder


def _log(folder):
    path = folder / "maillog"
    return path.read_text(errors="replace") if path.exists() else ""


class Client:
    adds_headers = ("Received",)
    patience = 10

    def __init__(self, world):
        self._ports = {}
        self._ip = world.ip(20)
        services = ""
        for key in KEYS:
            for implicit in (False, True):
                for version in ("1.2", "1.3"):
                    for certificate in (False, True):
                        listener = world.listener(key, "implicit" if implicit else "starttls")
                        port = 3000 + len(self._ports)
                        self._ports[key, implicit, version, certificate] = port
                        services += (f"{self._ip}:{port} inet n - n - - smtpd\n"
                                     f"  -o content_filter=t{port}:[{listener.ip}]:{listener.port}\n"
                                     f"t{port} unix - - n - - smtp\n"
                                     f"  -o smtp_tls_mandatory_protocols=>=TLSv{version},<=TLSv{version}\n")
                        if implicit:
                            services += "  -o smtp_tls_wrappermode=yes\n"
                        if certificate:
                            services += (f"  -o smtp_tls_cert_file={world.pki}/alice-{key}.crt\n"
                                         f"  -o smtp_tls_key_file={world.pki}/alice-{key}.key\n")
        main = (f"smtp_tls_CAfile = {world.pki}/ca.crt\nsmtp_tls_security_level = secure\n"
                "smtp_tls_secure_cert_match = mx.example.test\nsmtp_tls_loglevel = 1\n")
        self._folder = start(world, "client", main, services, (self._ip, 3000))

    def send(self, world, target, message, sender, recipient, certificate):
        port = self._ports[target.key, target.implicit, target.version, bool(certificate)]
        with smtplib.SMTP(self._ip, port, timeout=15) as client:
            client.sendmail(sender, [recipient], message.replace(b"\n", b"\r\n"), ["BODY=8BITMIME"])
        end = time.monotonic() + self.patience
        while time.monotonic() < end:
            log = _log(self._folder)
            queued = re.search(rf"(\w+): from=<{re.escape(sender)}>", log)
            done = queued and re.search(rf"{queued.group(1)}: to=<.*status=(\w+) (.*)", log)
            if done:
                return done.group(1) == "sent", done.group(0)
            time.sleep(0.05)
        return False, _log(self._folder)[-800:]


class Server:
    adds_headers = ("Return-Path", "X-Original-To", "Delivered-To", "Received")

    def __init__(self, world):
        services = ""
        for key in KEYS:
            chain = f"  -o smtpd_tls_cert_file={world.pki}/{key}.crt -o smtpd_tls_key_file={world.pki}/{key}.key\n"
            services += f"{world.peer_ip(key)}:{SUBMISSION} inet n - n - - smtpd\n" + chain
            services += f"{world.peer_ip(key)}:465 inet n - n - - smtpd\n  -o smtpd_tls_wrappermode=yes\n" + chain
        main = (f"virtual_mailbox_domains = example.test\nvirtual_mailbox_base = {world.scratch}/postfix-server/mail\n"
                "virtual_mailbox_maps = static:inbox/\nvirtual_uid_maps = static:8\nvirtual_gid_maps = static:8\n"
                f"virtual_minimum_uid = 1\nsmtpd_tls_security_level = may\nsmtpd_tls_CAfile = {world.pki}/ca.crt\n"
                "smtpd_tls_ask_ccert = yes\nsmtpd_tls_received_header = yes\nsmtpd_tls_loglevel = 1\n")
        self._folder = start(world, "server", main, services, (world.peer_ip("rsa"), SUBMISSION))

    def target(self, world, key, mode, version):
        return world.peer_target(key, mode, version)

    def take(self, world, token):
        inbox = self._folder / "mail/inbox/new"
        end = time.monotonic() + 10
        while time.monotonic() < end:
            for name in os.listdir(inbox) if inbox.exists() else ():
                message = (inbox / name).read_bytes()
                if token.encode() + b"\n" in message:
                    version = re.search(rb"using TLSv(1\.\d) with cipher", message)
                    shown = re.search(rb"Client CN \"alice\", Issuer \"Interop Test CA\" \(verified OK\)", message)
                    return Delivered(message, version.group(1).decode() if version else "", bool(shown))
            time.sleep(0.03)
        raise Trouble(f"nothing in the mailbox; {self.trouble(world)}")

    def trouble(self, world):
        return _log(self._folder)[-800:]


def posttls_finger(world, results):
    """posttls-finger finds our certificate good; no session is offered without tlsticketkeys (departure 30)."""
    folder = world.folder("posttls")
    (folder / "conf").mkdir()
    (folder / "conf/main.cf").write_text("compatibility_level = 3.6\nmyhostname = posttls.test\nmail_owner = uucp\n"
                                       "setgid_group = games\ndefault_privs = nobody\n")
    program = install.unpacked("postfix") / "usr/sbin/posttls-finger"

    def finger(listener, *options):
        return run([program, "-c", "-lsecure", "-F", world.pki / "ca.crt", *options, f"[{listener.ip}]:{listener.port}",
                    "mx.example.test"], env=_environment(folder))[1].decode(errors="replace")

    for key in KEYS:
        for mode, options in (("starttls", ()), ("implicit", ("-w",))):
            for version in ("1.2", "1.3"):
                def verified():
                    said = finger(world.listener(key, mode), "-p", f">=TLSv{version}, <=TLSv{version}", *options)
                    if not re.search(rf"Verified TLS connection established .*TLSv{version}", said):
                        raise Trouble(said[-800:])

                results.check("check", {"what": f"posttls-finger -lsecure {mode} {version} {key}", "key": key, "mode": mode,
                                        "version": version}, verified)

    def no_session():
        said = finger(world.listener("rsa", "starttls"), "-r", "1", "-m", "2", "-L", "summary,cache")
        if "Server declined session caching" not in said:
            raise Trouble(said[-800:])

    results.check("check", {"what": "posttls-finger is offered no session to resume"}, no_session)
