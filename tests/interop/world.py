"""A private world for one run: scratch folder, certificates, qmail homes, listeners, deliveries.

Everything lives in one scratch folder (mode 755: mail programs drop privileges) and on loopback addresses that
no other run uses (127.A.B.N, from our process id), and is gone when the world is closed. What a method starts,
the world stops, by process group. Needs root: ports 465 and 53, and peers that change user.

A failed step raises Trouble with a text that says what was seen; nothing here decides what counts as a failure of
a peer (matrix.py does).
"""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import netns

HERE = pathlib.Path(__file__).resolve().parent
# The servers' names below example.test and the last byte of their addresses. own1 to own4 are our qmail-smtpd
# (RSA, ECDSA, and each once more held to TLS 1.2); rsa and ecdsa are a peer's.
HOSTS = {"own1": 1, "own2": 2, "own3": 3, "own4": 4, "rsa": 10, "ecdsa": 11}
SUBMISSION = 2525  # STARTTLS; implicit TLS is always on 465, the only port where qmail-remote speaks it


class Trouble(Exception):
    """Something that was needed did not happen."""


def run(argv, *, input=None, timeout=30, env=None, cwd=None):
    """Runs a command to its end; returns (exit status, stdout and stderr together, as bytes)."""
    full = dict(os.environ, **{k: str(v) for k, v in (env or {}).items()})
    argv = [str(a) for a in argv]
    try:
        done = subprocess.run(argv, input=input, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout,
                              env=full, cwd=cwd, stdin=subprocess.DEVNULL if input is None else None)
    except subprocess.TimeoutExpired as late:
        return 124, (late.stdout or b"") + b"\n[no end after %d s]" % timeout
    return done.returncode, done.stdout


class World:
    def __init__(self, smtpd, remote, keep=False):
        self.keep = keep
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="qmail-tls-interop."))
        self.scratch.chmod(0o755)
        self._children = []
        self._listeners = {}
        self._resolver = None
        self._count = 0
        # The build tree may be where only its owner can look.
        (self.scratch / "bin").mkdir()
        self.smtpd = shutil.copy(smtpd, self.scratch / "bin/qmail-smtpd")
        self.remote = shutil.copy(remote, self.scratch / "bin/qmail-remote")
        pid = os.getpid()
        self._net = f"127.{64 + (pid >> 8) % 64}.{pid & 255}"
        self._make_certificates()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in reversed(self._children):
            self.stop(child)
        if self.keep:
            print(f"kept: {self.scratch}")
        else:
            shutil.rmtree(self.scratch, ignore_errors=True)

    # --- addresses, folders, processes ---

    def ip(self, number):
        return f"{self._net}.{number}"

    def leave_loopback(self):
        """From now on addresses are none of this machine's loopback: a stranger's, to qmail-remote. Before the first of
        them is used; no package can be fetched afterwards."""
        netns.enter()
        self._net = netns.NETWORK.rpartition(".")[0]

    def folder(self, name):
        made = self.scratch / name
        made.mkdir(parents=True, exist_ok=True)
        made.chmod(0o755)
        return made

    def token(self):
        """A new word that marks one message."""
        self._count += 1
        return f"t{os.getpid()}x{self._count}"

    def start(self, argv, *, log, env=None, cwd=None, ready=None, seconds=20):
        """Starts a daemon in a process group of its own; `ready` is (ip, port) or None."""
        out = open(self.scratch / f"{log}.log", "ab")
        full = dict(os.environ, **{k: str(v) for k, v in (env or {}).items()})
        child = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=full,
                                 cwd=cwd, start_new_session=True)
        self._children.append(child)
        if ready:
            self.wait_for(*ready, child=child, log=log, seconds=seconds)
        return child

    def stop(self, child):
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(child.pid, number)
            except ProcessLookupError:
                break
            try:
                child.wait(timeout=3)
            except subprocess.TimeoutExpired:
                pass
        child.poll()

    def log(self, name):
        path = self.scratch / f"{name}.log"
        return path.read_bytes() if path.exists() else b""

    def wait_for(self, ip, port, *, child=None, log=None, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                socket.create_connection((ip, port), timeout=1).close()
                return
            except OSError:
                if child is not None and child.poll() is not None:
                    break
                time.sleep(0.05)
        tail = self.log(log)[-1500:].decode(errors="replace") if log else ""
        raise Trouble(f"nothing listens on {ip} port {port}\n{tail}")

    # --- certificates ---

    def _make_certificates(self):
        pki = self.pki = self.folder("pki")
        hosts = ("mx", "rsa-upper", "mta-sts", "*.mx", "*.own1", "*.rsa", *HOSTS)
        names = ",".join([f"DNS:{n}.example.test" for n in hosts] + [f"IP:{self.ip(n)}" for n in (*HOSTS.values(), 30, 31)])
        ec = ("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
        rsa = ("rsa:2048",)

        def make(name, subject, extensions, kind, signer=None):
            config = pki / f"{name}.cnf"
            config.write_text("[req]\ndistinguished_name=dn\n[dn]\n[ext]\n" + "\n".join(extensions) + "\n")
            argv = ["openssl", "req", "-x509", "-newkey", *kind, "-nodes", "-days", "90", "-subj", subject, "-config",
                    config, "-extensions", "ext", "-keyout", pki / f"{name}.key", "-out", pki / f"{name}.crt"]
            if signer:
                argv += ["-CA", pki / f"{signer}.crt", "-CAkey", pki / f"{signer}.key"]
            status, said = run(argv)
            if status != 0:
                raise Trouble(f"openssl req for {name}: {said.decode(errors='replace')}")
            (pki / f"{name}.pem").write_bytes((pki / f"{name}.crt").read_bytes() + (pki / f"{name}.key").read_bytes())

        ca = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign", "subjectKeyIdentifier=hash"]
        server = [f"subjectAltName={names}", "extendedKeyUsage=serverAuth,clientAuth"]
        client = ["extendedKeyUsage=clientAuth"]
        make("ca", "/CN=Interop Test CA", ca, ec)
        make("rsa", "/CN=mx.example.test", server, rsa, "ca")
        make("ecdsa", "/CN=mx.example.test", server, ec, "ca")
        make("alice-rsa", "/CN=alice/emailAddress=alice@client.test", client, rsa, "ca")
        make("alice-ecdsa", "/CN=alice/emailAddress=alice@client.test", client, ec, "ca")
        for path in pki.iterdir():
            path.chmod(0o644)  # a scratch key; several users' programs read it
        (pki / "tls12.cnf").write_text("openssl_conf=init\n[init]\nssl_conf=ssl\n[ssl]\nsystem_default=all\n"
                                       "[all]\nMaxProtocol=TLSv1.2\n")

    # --- messages ---

    def message(self, token, recipient, *, lines=600):
        """A message whose bytes tell every likely change: dots, blanks, 8-bit, a long line, 40 KB."""
        head = (f"From: <s-{token}@x.test>\nTo: <{recipient}>\nSubject: {token}\n"
                f"Date: Mon, 23 Nov 2026 06:00:00 +0000\nMessage-ID: <{token}@x.test>\nMIME-Version: 1.0\n"
                "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n")
        body = ".\n..\n.dot\n..two dots\n...\n trailing blank \n\ttab\t\nFrom the first column\n\n\numlaut \u00e4\u00f6\u00fc \u20ac\n"
        body += "long " + "x" * 900 + "\n" + "".join(f".{i} filler {'.' * (i % 60)}\n" for i in range(lines)) + ".\nlast\n"
        return (head + body).encode()

    # --- names ---

    def resolver(self):
        """nsd with a signed zone, unbound that validates it: ADDRESS:PORT of unbound, for DNSCACHEIP."""
        if self._resolver is None:
            import dns
            hosts = "".join(f"{name}.example A {self.ip(n)}\n" for name, n in HOSTS.items())
            self._resolver = dns.start(self, hosts + f"mx.example A {self.ip(1)}\n")
        return self._resolver

    # --- our qmail-smtpd as a server ---

    def listener(self, key, mode, version=None):
        """qmail-smtpd under tcpserver with a certificate of kind `key`; `version` "1.2" holds it there."""
        name = f"{key}-{mode}-{version}" if version == "1.2" else f"{key}-{mode}"
        if name not in self._listeners:
            self._listeners[name] = Listener(self, name, key, mode, version)
        return self._listeners[name]

    def plain_listener(self):
        """qmail-smtpd without TLS, for peers that bring their own."""
        if "plain" not in self._listeners:
            self._listeners["plain"] = Listener(self, "plain", None, "plain", None)
        return self._listeners["plain"]

    def accept_all(self, *listeners):
        """These take mail for every domain."""
        for listener in listeners:
            (listener.control / "rcpthosts").unlink()

    # --- where a peer that is a server listens ---

    def peer_ip(self, key):
        return self.ip(HOSTS[key])

    def peer_target(self, key, mode, version):
        import matrix
        port = 465 if mode == "implicit" else SUBMISSION
        return matrix.Target(self.peer_ip(key), port, key, mode, version, f"{key}.example.test")

    # --- our qmail-remote as a client ---

    def deliver(self, route, token, message, recipient, *, sender=None, client_key=None, version=None, anchors=None,
                resolver=None, host="example.test", env=None, control=None, prefix=()):
        """One run of qmail-remote; returns its report with NUL as newline. `route` None: by MX. `control`: more files there."""
        home = self.folder(f"remote/{token}")
        files, control = control or {}, home / "control"
        (control / "tlshosts").mkdir(parents=True)
        (home / "queue/lock").mkdir(parents=True)
        (home / "queue/lock/tcpto").write_bytes(bytes(1024))
        (control / "me").write_text("client.example.test\n")
        (control / "timeoutremote").write_text("20\n")
        (control / "timeoutconnect").write_text("5\n")
        for name, text in files.items():
            (control / name).write_text(text)
        if route:
            (control / "smtproutes").write_text(f":{route}\n")
        if client_key:
            shutil.copy(self.pki / f"alice-{client_key}.pem", control / "clientcert.pem")
        if anchors:
            shutil.copy(self.pki / "ca.pem", control / f"tlshosts/{anchors}.pem")
        more = {"QMAILHOME": home, "OPENSSL_CONF": self.pki / "tls12.cnf" if version == "1.2" else "/dev/null"}
        if resolver:
            more["DNSCACHEIP"] = resolver
        status, report = run([*prefix, self.remote, host, sender or f"s-{token}@x.test", recipient], input=message, timeout=60,
                             env={**more, **(env or {})})
        if status != 0:
            raise Trouble(f"qmail-remote: exit status {status}: {report!r}")
        return report.replace(b"\0", b"\n").decode(errors="replace")


class Arrival:
    """One message as the queue got it: trace field, the rest, envelope, what RELAYCLIENT was."""

    def __init__(self, message, envelope, relayclient):
        end = re.compile(rb"\n(?![ \t])").search(message)
        self.trace = message[:end.end()] if end and message.startswith(b"Received:") else b""
        self.message = message[len(self.trace):]
        sender, *recipients = envelope.rstrip(b"\0").split(b"\0")
        self.sender = sender[1:].decode(errors="replace")
        self.recipients = [r[1:].decode(errors="replace") for r in recipients]
        self.relayclient = relayclient

    @property
    def cipher(self):
        found = re.search(rb"with ESMTPS?A? \((\S+) encrypted[,)]", self.trace)
        return found.group(1).decode() if found else ""


class Listener:
    """qmail-smtpd under tcpserver, with a queue program that keeps what it is given."""

    def __init__(self, world, name, key, mode, version, *, number=None, port=SUBMISSION, prefix=(), arguments=(), env=None):
        """`prefix` comes before tcpserver, `arguments` behind qmail-smtpd."""
        self.ip = world.ip(number or {"rsa": 1, "ecdsa": 2, None: 9}[key] + (2 if version == "1.2" else 0))
        self.port = 465 if mode == "implicit" else port
        self.name = f"own{self.ip.rpartition('.')[2]}.example.test"
        self.log_name = f"smtpd-{name}"
        home = world.folder(f"smtpd/{name}")
        self.kept = world.folder(f"smtpd/{name}/kept")
        self._seen = {}
        control = self.control = home / "control"
        control.mkdir()
        for file, content in {"me": "mx.example.test\n", "rcpthosts": "example.test\n", "tlsclients": "alice@client.test\n",
                              "timeoutsmtpd": "30\n"}.items():
            (control / file).write_text(content)
        if key:
            shutil.copy(world.pki / f"{key}.pem", control / "servercert.pem")
        shutil.copy(world.pki / "ca.crt", control / "clientca.pem")
        queue = shutil.copy(HERE / "queue-keep", world.folder("bin") / "queue-keep")
        env = {"QMAILHOME": home, "QMAILQUEUE": queue, "KEEP": self.kept, **(env or {})}
        if mode == "implicit":
            env["SMTPS"] = "1"
        env["OPENSSL_CONF"] = world.pki / "tls12.cnf" if version == "1.2" else "/dev/null"
        world.start([*prefix, "tcpserver", "-v", "-H", "-R", "-l", "mx.example.test", "-c", "40", self.ip, self.port, world.smtpd,
                     *arguments],
                    log=self.log_name, env=env, ready=(self.ip, self.port))

    def arrivals(self):
        for name in sorted(os.listdir(self.kept)):
            if name.startswith("m.") and name not in self._seen:
                kept = self.kept / name
                envelope, _, relay = (self.kept / ("e" + name[1:])).read_bytes().rpartition(b"\0\0")
                self._seen[name] = Arrival(kept.read_bytes(), envelope, relay.decode().strip())
        return list(self._seen.values())

    def take(self, token, seconds=5):
        """The one message marked `token`, or Trouble. Twice is trouble as well."""
        end = time.monotonic() + seconds
        while True:
            found = [a for a in self.arrivals() if token.encode() + b"\n" in a.message]
            if len(found) == 1:
                return found[0]
            if found:
                raise Trouble(f"{len(found)} copies arrived")
            if time.monotonic() > end:
                raise Trouble(f"nothing arrived in {seconds} s")
            time.sleep(0.02)

    def has(self, token):
        return any(token.encode() in a.message for a in self.arrivals())
