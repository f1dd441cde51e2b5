"""front_ends.py SMTPD REMOTE [SECONDS]: a real HAProxy before two qmail-smtpd, one of which dies in the middle.

200 clients at once, over STARTTLS and with tickets, deliver through HAProxy (TCP, PROXY protocol 2) to two front ends
that have a configuration each, the same tlsticketkeys and one queue, as qmail-tls-scale(7) has it. Half-way the first is
killed with all its sessions. What must hold: every message that was acknowledged is kept once and whole; each trace
field, each right to relay and each refusal is the real client's, not the proxy's; clients resume at the one that is left.
"""
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

from rig import Rig, closing_line

CLIENTS = 200
SETTLED = 2  # seconds after the death of a front end, until no session may break off any more
NAMES = ("a", "b")


class Site:
    """HAProxy at .1, front ends at .11 and .12; clients come from .100 and up."""

    def __init__(self, rig):
        self.rig, self.children = rig, []
        pid = os.getpid()
        self.net = f"127.{64 + (pid >> 8) % 64}.{pid & 255}"
        self.address = (f"{self.net}.1", 2525)
        (rig.home / "control/tlsticketkeys").write_bytes(os.urandom(80))
        self.rules("clients", f'{self.net}.101:allow,RELAYCLIENT=""', f"{self.net}.102:deny", f"{self.net}.:allow", ":deny")
        self.rules("proxies", f'{self.net}.5:allow,PROXYPROTOCOL="1",PROXYRULES="{rig.scratch}/clients.cdb"', ":deny")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in self.children:
            self.kill(child)

    def rules(self, name, *lines):
        stem = self.rig.scratch / name
        subprocess.run(["tcprules", f"{stem}.cdb", f"{stem}.tmp"], input="\n".join(lines) + "\n", text=True, check=True)

    def start(self, argv, log, env=None):
        out = open(self.rig.scratch / log, "wb")
        self.children.append(subprocess.Popen(list(map(str, argv)), env=env, stdout=out, stderr=out, start_new_session=True))
        return self.children[-1]

    def kill(self, child):
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        child.wait()

    def front_end(self, number):
        name = NAMES[number]
        home = self.rig.scratch / f"home-{name}"
        shutil.copytree(self.rig.home, home)
        for file in ("me", "smtpgreeting"):
            (home / "control" / file).write_text(f"{name}.example.test\n")
        return self.start(["tcpserver", "-v", "-H", "-R", "-l0", "-c", "400", "-b", "400", "-x", self.rig.scratch / "proxies.cdb",
                           f"{self.net}.{11 + number}", 2525, self.rig.smtpd], f"log-{name}",
                          self.rig.environment(QMAILHOME=home))

    def haproxy(self):
        config = self.rig.scratch / "haproxy.cfg"
        config.write_text(f"""global
  maxconn 1000
defaults
  mode tcp
  option redispatch
  retries 3
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend smtp
  bind {self.address[0]}:{self.address[1]}
  default_backend front_ends
backend front_ends
  balance roundrobin
  source {self.net}.5
  default-server send-proxy-v2 check check-send-proxy inter 200ms fall 1 rise 1 on-marked-down shutdown-sessions
  server a {self.net}.11:2525
  server b {self.net}.12:2525
""")
        return self.start(["haproxy", "-db", "-f", config], "log-haproxy")

    def wait_until_ready(self):
        for number in (1, 11, 12):
            for _ in range(100):
                try:
                    socket.create_connection((f"{self.net}.{number}", 2525), 1).close()
                    break
                except OSError:
                    time.sleep(0.1)
            else:
                sys.exit(f"nobody listens at {self.net}.{number}")


class Mail:
    """A session through HAProxy from an address of one's own; `front_end` is who has answered."""

    def __init__(self, site, client):
        self.link = socket.create_connection(site.address, 30, source_address=(f"{site.net}.{client}", 0))
        try:
            self.talk = self.link.makefile("rb")
            self.front_end = self.reply().partition(b" ")[2].partition(b".")[0].decode()
        except BaseException:
            self.link.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.talk.close()
        self.link.close()

    def reply(self):
        while True:
            line = self.talk.readline()
            if not line.endswith(b"\n"):
                raise EOFError
            if line[3:4] != b"-":
                return line

    def say(self, line):
        self.link.sendall(line)
        return self.reply()

    def start_tls(self, context, session):
        if not self.say(b"STARTTLS\r\n").startswith(b"220"):
            raise EOFError
        self.talk.close()
        self.link = context.wrap_socket(self.link, session=session)
        self.talk = self.link.makefile("rb")
        self.say(b"EHLO client\r\n")
        return self.link.session_reused

    def send(self, message, recipient="u@example.test"):
        for line in (b"MAIL FROM:<s@x.test>\r\n", f"RCPT TO:<{recipient}>\r\n".encode(), b"DATA\r\n"):
            said = self.say(line)
        if not said.startswith(b"354"):
            raise EOFError(said)
        return self.say(message.replace(b"\n", b"\r\n") + b".\r\n")


class Clients:
    def __init__(self, site):
        self.site = site
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE
        self.together = threading.Barrier(CLIENTS)  # 200 sessions are open at once, and then go on
        self.lock = threading.Lock()
        self.sent, self.acked, self.broken, self.resumptions = {}, {}, [], []

    def run(self, until, number):
        session, came_from, first = None, None, True
        while time.monotonic() < until or first:
            client = 103 + number % 100
            token = f"c{number}n{time.monotonic_ns()}z"
            message = f"Subject: {token}\n\n".encode() + b"line\n" * (number * 7 % 2000)
            try:
                with Mail(self.site, client) as mail:
                    if first:
                        first = False
                        self.together.wait(60)
                    mail.say(b"EHLO client\r\n")
                    reused = mail.start_tls(self.context, session)
                    with self.lock:
                        self.sent[token] = (message, client)
                        if session:
                            self.resumptions.append((came_from, mail.front_end, reused))
                    if b" qp " in mail.send(message):
                        with self.lock:
                            self.acked[token] = mail.front_end
                    session, came_from = mail.link.session, mail.front_end
                    mail.say(b"QUIT\r\n")
            except (EOFError, OSError, threading.BrokenBarrierError) as why:
                with self.lock:
                    self.broken.append((time.monotonic(), repr(why)))
            time.sleep(0.2)


# What we had not read yet when we closed makes TCP's end a reset.
CLOSED = (EOFError, ConnectionResetError)


def rules_hold(site, faults):
    """The rules of the client behind the proxy: .101 may relay, .102 is denied, nobody else may do either."""
    with Mail(site, 101) as mail:
        mail.say(b"HELO client\r\n")
        if b" qp " not in mail.send(b"Subject: relayed\n\n", "u@elsewhere.test"):
            faults.append("a client that may relay may not")
    try:
        with Mail(site, 102):
            faults.append("a client that is denied is greeted")
    except CLOSED:
        pass
    with Mail(site, 103) as mail:
        for line in (b"HELO client\r\n", b"MAIL FROM:<s@x.test>\r\n"):
            mail.say(line)
        if not mail.say(b"RCPT TO:<u@elsewhere.test>\r\n").startswith(b"553"):
            faults.append("a client that may not relay may")
    try:
        with Mail(Directly(site), 103):
            faults.append("whoever is no proxy is served")
    except CLOSED:
        pass


class Directly:
    """A way to the first front end that does not lead over HAProxy."""

    def __init__(self, site):
        self.net, self.address = site.net, (f"{site.net}.11", 2525)


def judge(site, clients, died, faults):
    kept = {}
    for message, _ in site.rig.kept():
        head, _, rest = message.partition(b"Subject: ")
        token = rest.partition(b"\n")[0].decode(errors="replace")
        if token == "relayed":
            continue
        kept[token] = kept.get(token, 0) + 1
        sent, client = clients.sent.get(token, (None, None))
        if b"Subject: " + rest != sent:
            faults.append(f"{token} is not what was sent")
        elif f"({site.net}.{client})".encode() not in head or b"encrypted" not in head:
            faults.append(f"{token}: the trace field does not name the client: {head!r}")
    lost = set(clients.acked) - set(kept)
    twice = [token for token, times in kept.items() if times > 1]
    late = [why for when, why in clients.broken if when > died + SETTLED]
    across = [reused for source, to, reused in clients.resumptions if source != to]
    by = {name: sum(front_end == name for front_end in clients.acked.values()) for name in NAMES}
    print(f"{len(clients.sent)} messages sent, {len(clients.acked)} acknowledged ({by}), {len(kept)} kept; {len(lost)} lost, {len(twice)} twice; "
          f"{len(clients.broken)} sessions broke off when a front end died, {len(late)} later {late[:2]}; "
          f"{len(clients.resumptions)} came back with a ticket, {len(across)} of them to the other front end", flush=True)
    faults += [f"lost: {token}" for token in lost] + [f"twice: {token}" for token in twice] + [f"broke off: {why}" for why in late]
    if not all(reused for _, _, reused in clients.resumptions):
        faults.append("a ticket was not taken")
    if not across or not all(by.values()):
        faults.append("nobody changed from one front end to the other")
    if [when for when, _ in clients.broken if when < died]:
        faults.append("a session broke off while both lived")
    return len(kept)


def main():
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 16
    faults = []
    with Rig(*sys.argv[1:3]) as rig, Site(rig) as site:
        first, _ = site.front_end(0), site.front_end(1)
        site.haproxy()
        site.wait_until_ready()
        rules_hold(site, faults)
        clients = Clients(site)
        until = time.monotonic() + seconds
        threads = [threading.Thread(target=clients.run, args=(until, n)) for n in range(CLIENTS)]
        for thread in threads:
            thread.start()
        time.sleep(seconds / 2)
        died = time.monotonic()
        site.kill(first)
        for thread in threads:
            thread.join()
        time.sleep(1)
        kept = judge(site, clients, died, faults)
    for fault in faults[:20]:
        print(f"FAIL {fault}")
    closing_line(kept, len(faults))


main()
