"""Our qmail-remote logs in at real servers: aiosmtpd, npm's smtp-server, Haraka, Exim, Postfix with Dovecot's SASL. Each offers
one mechanism a port, so that each of ours is used. A wrong password defers the mail; no password is in a report.
"""
import json
import pathlib
import shutil
import time

import exim
import install
import postfix
from matrix import FOREIGN
from world import Trouble

HERE = pathlib.Path(__file__).parent
prepare = postfix.prepare
USER, PASSWORD, WRONG = "interop", "5ecret:pass|word", "wr0ng"
PORTS = {"plain": 2531, "login": 2532, "cram-md5": 2533}


def _aiosmtpd(world):
    install.packages("python3-aiosmtpd")
    where = {}
    for number, mechanism in enumerate(("plain", "login")):
        ip = world.ip(50 + number)
        world.start(["/usr/bin/python3", HERE / "aiosmtpd_server.py", ip, str(PORTS[mechanism]), world.pki / "rsa.pem",
                     world.pki / "ca.crt", USER, PASSWORD, mechanism.upper()], log="auth-aiosmtpd", ready=(ip, 465))
        where[mechanism] = ip
    return where, lambda token: _json(world, "auth-aiosmtpd", token)


def _smtp_server(world):
    modules = install.node_modules()
    where = {}
    for number, mechanism in enumerate(PORTS):
        ip = world.ip(53 + number)
        world.start(["node", HERE / "smtp_server.js", modules, ip, str(PORTS[mechanism]), world.pki / "rsa.pem", world.pki / "ca.crt",
                     USER, PASSWORD, mechanism.upper()], log="auth-smtp-server", ready=(ip, 465))
        where[mechanism] = ip
    return where, lambda token: _json(world, "auth-smtp-server", token)


def _haraka(world):
    program = install.node_modules() / "Haraka/bin/haraka"
    where = {}
    for number, mechanism in enumerate(PORTS):
        ip, folder = world.ip(70 + number), world.folder(f"haraka-auth-{mechanism}")
        for part in ("config", "plugins", "queue"):
            (folder / part).mkdir()
        config = {"smtp.ini": f"listen={ip}:{PORTS[mechanism]}\nnodes=0\n", "plugins": "tls\nauth/flat_file\nkeep\n", "host_list": "", "me": "haraka.test\n",
                  "auth_flat_file.ini": f"[core]\nmethods={mechanism.upper()}\nconstrain_sender=false\n[users]\n{USER}={PASSWORD}\n"}
        for name, content in config.items():
            (folder / "config" / name).write_text(content)
        shutil.copy(program.parent.parent / "config/connection.ini", folder / "config")
        shutil.copy(world.pki / "rsa.key", folder / "config/tls_key.pem")
        shutil.copy(world.pki / "rsa.crt", folder / "config/tls_cert.pem")
        shutil.copy(HERE / "haraka_keep.js", folder / "plugins/keep.js")
        world.start(["node", program, "-c", folder], log=f"haraka-auth-{mechanism}", env={"HARAKA_OUT": folder / "out"},
                    ready=(ip, PORTS[mechanism]))
        where[mechanism] = ip

    def logged_in(token):
        written = [world.folder(f"haraka-auth-{mechanism}") / "out" for mechanism in PORTS]
        return _logged_in(b"".join(out.read_bytes() for out in written if out.exists()), token)
    return where, logged_in


def _json(world, log, token):
    return _logged_in(world.log(log), token)


def _logged_in(lines, token):
    import base64
    for line in lines.splitlines():
        if line.startswith(b"{"):
            got = json.loads(line)
            if token.encode() in base64.b64decode(got["data"]):
                return got["login"]
    return None


def _exim(world):
    folder, ip = world.folder("exim-auth"), world.ip(57)
    overlay = install.Overlay("exim-auth", "exim4-daemon-heavy")
    only = {m: f"server_advertise_condition = ${{if and{{{{def:tls_in_cipher}}{{eq{{$received_port}}{{{p}}}}}}}}}" for m, p in PORTS.items()}
    exim.configure(world, overlay, folder, exim.COMMON.format(folder=folder, local="foreign.test").replace(
        "acl_smtp_rcpt = accept", "acl_smtp_rcpt = only_known") + f"""local_interfaces = {ip}
daemon_smtp_ports = {' : '.join(map(str, PORTS.values()))}
tls_certificate = {folder}/keys/rsa.crt
tls_privatekey = {folder}/keys/rsa.key
received_header_text = Received: login=$authenticated_id
begin acl
only_known:
  accept authenticated = *
  deny message = log in first
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{USER}}}}}{{eq{{$auth3}}{{{PASSWORD}}}}}}}}}
  server_set_id = $auth2
  {only['plain']}
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = <| Username: | Password:
  server_condition = ${{if and{{{{eq{{$auth1}}{{{USER}}}}}{{eq{{$auth2}}{{{PASSWORD}}}}}}}}}
  server_set_id = $auth1
  {only['login']}
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = ${{if eq{{$auth1}}{{{USER}}}{{{PASSWORD}}}fail}}
  server_set_id = $auth1
  {only['cram-md5']}
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
    world.start([*overlay.enter(), "exim4", "-bdf"], log="auth-exim", ready=(ip, PORTS["plain"]))
    return dict.fromkeys(PORTS, ip), lambda token: _mailbox(folder / "mail/inbox/new", token, f"login={USER}")


def _mailbox(folder, token, mark):
    for path in folder.iterdir() if folder.exists() else ():
        message = path.read_bytes()
        if token.encode() + b"\n" in message:
            return mark.encode() in message
    return None


def _postfix(world):
    ip = world.ip(58)
    services = "".join(f"{ip}:{port} inet n - n - - smtpd\n  -o smtpd_sasl_mechanism_filter={mechanism}\n" for mechanism, port in PORTS.items())
    main = (f"virtual_mailbox_domains = foreign.test\nvirtual_mailbox_base = {world.scratch}/postfix-auth/mail\n"
            "virtual_mailbox_maps = static:inbox/\nvirtual_uid_maps = static:8\nvirtual_gid_maps = static:8\nvirtual_minimum_uid = 1\n"
            f"smtpd_tls_security_level = may\nsmtpd_tls_auth_only = yes\nsmtpd_tls_cert_file = {world.pki}/rsa.crt\n"
            f"smtpd_tls_key_file = {world.pki}/rsa.key\nsmtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\n"
            "smtpd_sasl_path = private/auth\nsmtpd_sasl_authenticated_header = yes\n"
            "smtpd_recipient_restrictions = permit_sasl_authenticated, reject\n")
    folder = postfix.start(world, "auth", main, services, (ip, PORTS["plain"]))
    overlay = install.Overlay("dovecot", "dovecot-core")
    dovecot = world.folder("dovecot")
    (dovecot / "conf").write_text(f"""base_dir = {dovecot}/run
state_dir = {dovecot}/state
log_path = {dovecot}/log
ssl = no
protocols =
auth_mechanisms = plain login cram-md5
disable_plaintext_auth = no
passdb {{
  driver = static
  args = user={USER} password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid=8 gid=8 home=/tmp
}}
service auth {{
  unix_listener {folder}/spool/private/auth {{
    mode = 0666
  }}
}}
""")
    world.start([*overlay.enter(), "dovecot", "-F", "-c", dovecot / "conf"], log="auth-dovecot")
    end = time.monotonic() + 20
    while not (folder / "spool/private/auth").exists():
        if time.monotonic() > end:
            log = dovecot / "log"
            raise Trouble(f"no socket of Dovecot's: {(log.read_text() if log.exists() else '')[-800:]}")
        time.sleep(0.1)
    return dict.fromkeys(PORTS, ip), lambda token: _mailbox(folder / "mail/inbox/new", token, f"Authenticated sender: {USER}")


SERVERS = {"aiosmtpd": _aiosmtpd, "smtp-server": _smtp_server, "Haraka": _haraka, "Exim": _exim, "Postfix and Dovecot": _postfix}


def check(world, results):
    for name, start in SERVERS.items():
        where, logged_in = start(world)
        for mechanism, ip in where.items():
            results.check("check", {"what": f"qmail-remote logs in by {mechanism} at {name}"},
                          lambda: _delivered(world, ip, mechanism, logged_in))
            results.check("check", {"what": f"qmail-remote has a wrong password, {mechanism} at {name}"},
                          lambda: _rejected(world, ip, mechanism, logged_in))


def _deliver(world, ip, mechanism, password):
    token = world.token()
    report = world.deliver(f"{ip}:{PORTS[mechanism]}|{USER}|{password}", token, world.message(token, FOREIGN, lines=20), FOREIGN,
                           host="foreign.test")
    if password in report:
        raise Trouble(f"the password is in the report: {report!r}")
    return token, report


def _delivered(world, ip, mechanism, logged_in):
    token, report = _deliver(world, ip, mechanism, PASSWORD)
    if f"K{ip} accepted message." not in report or not report.startswith("r"):
        raise Trouble(f"report: {report!r}")
    end = time.monotonic() + 10
    while (known := logged_in(token)) is None and time.monotonic() < end:
        time.sleep(0.1)
    if not known:
        raise Trouble("nothing arrived" if known is None else "it arrived without a login")


def _rejected(world, ip, mechanism, logged_in):
    token, report = _deliver(world, ip, mechanism, WRONG)
    if not report.startswith(f"ZConnected to {ip} but authentication was rejected ({mechanism})."):
        raise Trouble(f"report: {report!r}")
    if logged_in(token) is not None:
        raise Trouble("it arrived all the same")
