"""Exim (Debian's build on GnuTLS) in an overlay, as a client and as a server.

It must run from its default configuration file: with -C it gives up root. As a client it sends one message a run
(-odi), with a configuration written for that combination.
"""
import os
import re
import time

import install
from matrix import KEYS, Delivered
from world import SUBMISSION, Trouble, run

COMMON = """spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
pid_file_path = {folder}/exim.pid
primary_hostname = exim.test
domainlist local_domains = {local}
keep_environment =
tls_advertise_hosts = *
log_selector = +tls_cipher +tls_peerdn +tls_certificate_verified +smtp_confirmation
acl_smtp_rcpt = accept
acl_smtp_data = accept
host_lookup =
rfc1413_hosts =
never_users =
trusted_users = root
"""


def _overlay():
    return install.Overlay("exim", "exim4-daemon-heavy")


def configure(world, overlay, folder, text):
    """Writes the configuration and copies it, and the keys, to where Exim may read them."""
    (folder / "exim.conf").write_text(text)
    status, said = run([*overlay.enter(), "sh", "-ec", f"""
        mkdir -p {folder}/spool {folder}/log {folder}/mail {folder}/keys
        cp {world.pki}/*.crt {world.pki}/*.key {folder}/keys/
        chown -R Debian-exim {folder}/spool {folder}/log {folder}/keys; chown mail {folder}/mail
        cp {folder}/exim.conf /etc/exim4/exim4.conf; chmod 644 /etc/exim4/exim4.conf"""])
    if status != 0:
        raise Trouble(f"exim's overlay: {said.decode(errors='replace')}")


class Client:
    adds_headers = ("Received",)
    patience = 5
    tells_refusals = False

    def __init__(self, world):
        self._folder = world.folder("exim-client")
        _overlay()

    def send(self, world, target, message, sender, recipient, certificate):
        options = [f"port = {target.port}", "hosts_require_tls = *", "hosts_try_chunking =",
                   f"tls_verify_certificates = {world.pki}/ca.crt", "tls_verify_hosts = *", "tls_verify_cert_hostnames ="]
        if target.implicit:
            options.append("protocol = smtps")
        options.append(f"tls_require_ciphers = NORMAL:-VERS-ALL:+VERS-TLS{target.version}")
        if certificate:
            name = certificate.name
            options += [f"tls_certificate = {self._folder}/keys/{name}.crt", f"tls_privatekey = {self._folder}/keys/{name}.key"]
        configure(world, _overlay(), self._folder, COMMON.format(folder=self._folder, local="") + f"""begin acl
begin routers
all:
  driver = manualroute
  domains = *
  route_data = {target.ip}
  self = send
  transport = out
begin transports
out:
  driver = smtp
  """ + "\n  ".join(options) + "\nbegin retry\n* * F,2h,15m\n")
        status, said = run([*_overlay().enter(), "exim4", "-odi", "-oi", "-f", sender, "--", recipient], input=message)
        log = (self._folder / "log/mainlog").read_text(errors="replace")
        queued = re.search(rf"(\S+) <= {re.escape(sender)}", log)
        lines = [line for line in log.splitlines() if queued and queued.group(1) in line]
        return any(" => " in line and "C=\"250 ok" in line for line in lines), said.decode(errors="replace") + "\n".join(lines)


class Server:
    adds_headers = ("Return-path", "Envelope-to", "Delivery-date", "Received")

    def __init__(self, world):
        self._folder = folder = world.folder("exim-server")
        _overlay()
        ip = {key: world.peer_ip(key) for key in KEYS}
        by_ip = f"${{if eq{{$received_ip_address}}{{{ip['rsa']}}}{{{folder}/keys/rsa}}{{{folder}/keys/ecdsa}}}}"
        configure(world, _overlay(), folder, COMMON.format(folder=folder, local="example.test") + f"""local_interfaces = <; {ip['rsa']} ; {ip['ecdsa']}
daemon_smtp_ports = {SUBMISSION} : 465
tls_on_connect_ports = 465
tls_certificate = {by_ip}.crt
tls_privatekey = {by_ip}.key
tls_verify_certificates = {world.pki}/ca.crt
tls_try_verify_hosts = *
received_header_text = Received: by $primary_hostname $tls_in_ver verified=$tls_in_certificate_verified
begin acl
begin routers
local:
  driver = accept
  domains = +local_domains
  transport = maildir
begin transports
maildir:
  driver = appendfile
  directory = {folder}/mail/inbox
  maildir_format
  create_directory
  user = mail
begin retry
* * F,2h,15m
""")
        world.start([*_overlay().enter(), "exim4", "-bdf"], log="exim-server", ready=(ip["rsa"], SUBMISSION))

    def target(self, world, key, mode, version):
        return world.peer_target(key, mode, version)

    def take(self, world, token):
        inbox = self._folder / "mail/inbox/new"
        end = time.monotonic() + 10
        while time.monotonic() < end:
            for name in os.listdir(inbox) if inbox.exists() else ():
                message = (inbox / name).read_bytes()
                if token.encode() + b"\n" in message:
                    version = re.search(rb"by exim\.test TLS(1\.\d) verified=(\d)", message)
                    return Delivered(message, version.group(1).decode() if version else "",
                                     bool(version and version.group(2) == b"1"))
            time.sleep(0.05)
        raise Trouble(f"nothing in the mailbox; {self.trouble(world)}")

    def trouble(self, world):
        log = self._folder / "log/mainlog"
        return log.read_text(errors="replace")[-800:] if log.exists() else ""
