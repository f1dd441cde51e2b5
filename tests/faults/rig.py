"""What the fault tests share: a home, a session with qmail-smtpd, a server for qmail-remote, and what must hold.

The queue program keeps messages whole or not at all (tests/interop/queue-keep), the server keeps what it has answered
with 250. Trouble names what was broken: a message lost, taken twice, bounced, or mangled.
"""
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent
CONTROL = {"me": "mx.example.test", "rcpthosts": "example.test", "badmailfrom": "bad@x.test", "timeoutsmtpd": "10",
           "databytes": "10000000", "smtpgreeting": "mx.example.test", "localiphost": "mx.example.test",
           "timeoutremote": "10", "timeoutconnect": "5", "helohost": "client.example.test", "tlsclients": "a@b.test"}
SENDER, RECIPIENTS = "s@x.test", ["u@example.test", "v@example.test"]
MESSAGE = b"Subject: fault\n\n.dot\n" + b"".join(b"line %d of a message\n" % i for i in range(6000))  # 130 KB
PAUSE = 0.01  # seconds before a peer's first word, so that the program has to wait at least once


class Trouble(Exception):
    pass


class Rig:
    """A scratch home in which both programs can run; `smtpd` and `remote` are copies every user can reach."""

    def __init__(self, smtpd, remote):
        # Told to stop by SIGTERM, as by Ctrl-C, we still clean up. (ctest's time limit is SIGKILL before CMake 3.27.)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="qmail-tls-faults."))
        self.scratch.chmod(0o755)
        self.home = self.scratch / "home"
        for folder in ("home/control/tlshosts", "home/queue/lock", "kept"):
            (self.scratch / folder).mkdir(parents=True)
        for name, line in CONTROL.items():
            (self.home / "control" / name).write_text(line + "\n")
        (self.home / "queue/lock/tcpto").write_bytes(bytes(1024))
        self.smtpd = shutil.copy(smtpd, self.scratch / "qmail-smtpd")
        self.remote = shutil.copy(remote, self.scratch / "qmail-remote")
        self.queue = shutil.copy(SOURCE / "interop/queue-keep", self.scratch / "queue-keep")
        self.kept_folder = self.scratch / "kept"
        pem = self.home / "control/servercert.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-days", "30", "-subj", "/CN=mx.example.test", "-keyout", self.scratch / "key", "-out",
                        self.scratch / "crt"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        pem.write_bytes((self.scratch / "key").read_bytes() + (self.scratch / "crt").read_bytes())
        shutil.copy(self.scratch / "crt", self.home / "control/clientca.pem")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.scratch, ignore_errors=True)

    def environment(self, **more):
        base = {"PATH": "/usr/bin:/bin", "QMAILHOME": self.home, "QMAILQUEUE": self.queue, "KEEP": self.kept_folder,
                "OPENSSL_CONF": "/dev/null"}
        return {k: str(v) for k, v in {**base, **more}.items()}

    # --- what the queue holds ---

    def kept(self):
        found = []
        for name in os.listdir(self.kept_folder):
            if name.startswith("m."):
                envelope = (self.kept_folder / ("e" + name[1:])).read_bytes().rpartition(b"\0\0")[0]
                found.append(((self.kept_folder / name).read_bytes(), envelope))
        return found

    def forget(self):
        for name in os.listdir(self.kept_folder):
            (self.kept_folder / name).unlink()

    # --- qmail-smtpd ---

    def start_smtpd(self, env, preexec=None):
        ours, theirs = socket.socketpair()
        child = subprocess.Popen([self.smtpd], stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, env=env,
                                 preexec_fn=preexec)
        theirs.close()
        ours.settimeout(20)
        return child, ours

    def wait(self, child):
        """Until it has ended and its queue program too, which may outlive it: both hold the log, so its end is theirs."""
        try:
            child.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            raise Trouble("qmail-smtpd or its queue program hangs") from None

    def session(self, env, tls=False, preexec=None, message=MESSAGE):
        """One mail; returns the replies, the last of which is that to the message if it came so far."""
        child, link = self.start_smtpd(env, preexec)
        replies = []
        try:
            if tls:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                link = context.wrap_socket(link)
            talk = link.makefile("rwb")

            def reply():
                lines = []
                while not lines or lines[-1][3:4] == b"-":
                    line = talk.readline()
                    if not line.endswith(b"\r\n"):
                        raise EOFError
                    lines.append(line)
                replies.append(b"".join(lines).decode())
                return lines[-1]

            def say(line):
                talk.write(line)
                talk.flush()
                return reply()

            reply()
            time.sleep(PAUSE)
            say(b"EHLO client\r\n")
            say(f"MAIL FROM:<{SENDER}>\r\n".encode())
            for recipient in RECIPIENTS:
                say(f"RCPT TO:<{recipient}>\r\n".encode())
            if say(b"DATA\r\n").startswith(b"354"):
                say(re.sub(rb"(?m)^\.", b"..", message).replace(b"\n", b"\r\n") + b".\r\n")
                say(b"QUIT\r\n")
        except (EOFError, OSError, ssl.SSLError, ValueError):
            pass
        finally:
            link.close()
            self.wait(child)
        return replies

    def judge_session(self, replies, message=MESSAGE, fault=""):
        """No reply is permanent; said to be queued if and only if it is, once and whole, when a reply came at all."""
        kept = self.kept()
        self.forget()
        if any(r.startswith("5") for r in replies):
            raise Trouble(f"bounced: {replies}")
        said = [r for r in replies if " qp " in r]
        granted = any(r.startswith("354") for r in replies)
        verdict = replies[replies.index("354 go ahead\r\n") + 1:][:1] if granted else []
        envelope = b"F" + SENDER.encode() + b"\0" + b"".join(b"T" + r.encode() + b"\0" for r in RECIPIENTS)
        for got, to in kept:
            got = got.partition(b"\n  by ")[2].partition(b"\n")[2] if got.startswith(b"Received: ") else got
            if got != message or to != envelope:
                raise Trouble(f"mangled: {len(got)} bytes of {len(message)}, {to!r}")
        if len(kept) > 1:
            raise Trouble(f"kept {len(kept)} times")
        if said and not kept:
            raise Trouble(f"lost: {replies}")
        if kept and not granted:
            raise Trouble(f"kept without 354: {replies}")
        # Kept, and a refusal said: the client sends it again. Only not knowing the outcome excuses that.
        if kept and verdict and not said and "waitpid surprise" not in verdict[0]:
            raise Trouble(f"kept, but refused: {replies}")
        return bool(said)


class Sink:
    """A server for qmail-remote on loopback: keeps what it has answered with 250; may hang up at a stage."""
    STAGES = ("connect", "greeting", "EHLO", "MAIL", "RCPT", "DATA", "half", "dot")

    def __init__(self, tls=None, die_at=None, address=("127.0.0.1", 0)):
        self.accepted, self.dots, self._tls, self._die_at = [], 0, tls, die_at
        self.in_the_clear = False  # has an envelope come outside TLS?
        self._listener = socket.create_server(address)
        self.ip, self.port = self._listener.getsockname()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self):
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            link.settimeout(20)
            try:
                self._talk(link)
            except (OSError, EOFError, ssl.SSLError):
                pass
            finally:
                link.close()

    def _stage(self, name):
        if self._die_at == name:
            raise EOFError

    def _talk(self, link):
        self._stage("connect")
        time.sleep(PAUSE)
        link.sendall(b"220 sink\r\n")
        self._stage("greeting")
        lines = link.makefile("rb")
        while line := lines.readline():
            verb = line[:4].upper()
            if verb == b"EHLO":
                self._stage("EHLO")
                offer = b"250-STARTTLS\r\n" if self._tls and not isinstance(link, ssl.SSLSocket) else b""
                link.sendall(b"250-sink\r\n" + offer + b"250-PIPELINING\r\n250 8BITMIME\r\n")
            elif verb == b"STAR":
                link.sendall(b"220 go\r\n")
                link = self._tls.wrap_socket(link, server_side=True)
                lines = link.makefile("rb")
            elif verb in (b"MAIL", b"RCPT"):
                self._stage(verb.decode())
                self.in_the_clear = self.in_the_clear or not isinstance(link, ssl.SSLSocket)
                link.sendall(b"250 ok\r\n")
            elif verb == b"DATA":
                self._stage("DATA")
                link.sendall(b"354 go\r\n")
                message = []
                while (line := lines.readline()) != b".\r\n":
                    if not line:
                        raise EOFError
                    message.append(line[1:] if line.startswith(b".") else line)
                    if len(message) == 3000:
                        self._stage("half")
                self.dots += 1
                self._stage("dot")
                # Counted before the answer: a server that has answered is bound by it.
                self.accepted.append(b"".join(message).replace(b"\r\n", b"\n"))
                link.sendall(b"250 queued, in more words than fit where no memory is asked for\r\n")
            elif verb == b"QUIT":
                link.sendall(b"221 bye\r\n")
                return


def run_remote(rig, sink, env, preexec=None, message=MESSAGE, routes=None):
    """One mail by a route to the sink; a sink on port 25 needs none: the host is its address, in brackets. `routes`: other
    ones, for a host that has a name."""
    literal = f"[{sink.ip}]" if sink.port == 25 and routes is None else None
    recipients = [r.replace("example.test", literal) for r in RECIPIENTS] if literal else RECIPIENTS
    if routes is None:
        routes = "" if literal else f":{sink.ip}:{sink.port}\n"
    (rig.home / "control/smtproutes").write_text(routes)
    # It has timed out once, so that the table is written to when it answers.
    (rig.home / "queue/lock/tcpto").write_bytes((socket.inet_aton(sink.ip) + b"\1").ljust(1024, b"\0"))
    queued = rig.scratch / "message"  # a file, as from the queue: how it is read does not depend on who writes it when
    queued.write_bytes(message)
    try:
        with queued.open("rb") as file:
            return subprocess.run([rig.remote, literal or "example.test", SENDER, *recipients], stdin=file,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, timeout=40, preexec_fn=preexec)
    except subprocess.TimeoutExpired:
        raise Trouble("qmail-remote hangs") from None


def judge_delivery(done, sink, message=MESSAGE, killed=False):
    """Exit status 0, no word on descriptor 2, one message report or none at all; K if and only if it arrived whole.

    Returns "K", "Z" or "" (no report), or says that the message has arrived all the same: then a report has to say that it may.
    """
    accepted = list(sink.accepted)
    # Without memory for a single exception the C++ library ends a program by SIGABRT: qmail-rspawn defers.
    killed = killed or (done.returncode == -signal.SIGABRT and not done.stdout)
    if not killed and (done.returncode != 0 or done.stderr):
        raise Trouble(f"exit status {done.returncode}, descriptor 2: {done.stderr[:200]!r}")
    reports = done.stdout.split(b"\0")
    if reports.pop() != b"":
        raise Trouble(f"a report without end: {done.stdout!r}")
    letters = [r[:1] for r in reports]
    if any(letter in (b"D", b"h") for letter in letters):
        raise Trouble(f"bounced: {done.stdout!r}")
    if reports and letters[-1] not in (b"K", b"Z") or any(letter != b"r" and letter != b"s" for letter in letters[:-1]):
        raise Trouble(f"reports: {done.stdout!r}")
    if len(accepted) > 1:
        raise Trouble(f"arrived {len(accepted)} times")
    if any(a != message for a in accepted):
        raise Trouble("arrived mangled")
    last = reports[-1] if reports else b""
    if last.startswith(b"K") and not accepted:
        raise Trouble(f"lost: {done.stdout!r}")
    if last and accepted and not last.startswith(b"K") and b"Possible duplicate!" not in last:
        raise Trouble(f"arrived, and the report does not say that it may have: {done.stdout!r}")
    if accepted and not last.startswith(b"K"):
        return "Z, arrived" if last else "no report, arrived"
    return last[:1].decode()


def closing_line(passed, failed):
    print(f"{passed} passed, {failed} failed", flush=True)
    sys.exit(1 if failed or not passed else 0)
