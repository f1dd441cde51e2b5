"""passwords.py REMOTE: where the password of a login is while qmail-remote delivers, and where it is not.

A server of ours stops after AUTH, and looks at what anybody could: the reports, the arguments, the environment, a core
file (all memory that the process can write to, for root). There the password stands once, for the next server that may
want it; no other password of the control files does, nor the line that was sent. When the delivery is over it is in
nothing that qmail-remote said. Lines of the files are short (kept within a string) and long, and the files larger than
what is read at once.
"""
import base64
import contextlib
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

USED = "Plugh-the-hollow-voice-73-in-the-cave"
SHORT = "Plover-9"
OTHERS = {"long": "Fee-fie-foe-foo-in-the-giant-room-4711", "short": "Xyzzy.12"}
failures = []


def check(what, good, seen=""):
    if not good:
        failures.append(what)
        print(f"FAILED: {what} {seen}", file=sys.stderr)


def memory_of(pid):
    """Every byte that a core file would hold."""
    found = []
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            place, rights = line.split()[:2]
            begin, end = (int(n, 16) for n in place.split("-"))
            if "w" not in rights or end - begin > 1 << 28:
                continue
            with contextlib.suppress(OSError):
                memory.seek(begin)
                found.append(memory.read(end - begin))
    return b"\n".join(found)


class Server:
    """One delivery; `look` is called when the client waits for the reply to MAIL."""

    def __init__(self, mechanism, context, look):
        self._mechanism, self._context, self._look = mechanism, context, look
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self):
        self._thread.join(20)
        self._listener.close()

    def _run(self):
        with contextlib.suppress(OSError):  # a client that hangs up behind QUIT
            self._serve()

    def _serve(self):
        link, _ = self._listener.accept()
        link.settimeout(15)
        talk = link.makefile("rwb")

        def say(text):
            talk.write(text.encode() + b"\r\n")
            talk.flush()

        say("220 relay.test")
        offer, prompts = f"250-relay.test\r\n250-STARTTLS\r\n250 AUTH {self._mechanism}", []
        in_message = False
        while line := talk.readline():
            line = line.rstrip(b"\r\n")
            if in_message:
                in_message = line != b"."
                if not in_message:
                    say("250 ok")
                continue
            verb = line.upper()
            if prompts:
                say(prompts.pop(0))
            elif verb.startswith(b"EHLO"):
                say(offer if self._context else offer.replace("250-STARTTLS\r\n", ""))
            elif verb == b"STARTTLS":
                say("220 go")
                link = self._context.wrap_socket(link, server_side=True)
                talk, offer = link.makefile("rwb"), offer.replace("250-STARTTLS\r\n", "")
            elif verb.startswith(b"AUTH"):
                prompts = {"LOGIN": ["334 UGFzc3dvcmQ6", "235 ok"], "CRAM-MD5": ["235 ok"]}.get(self._mechanism, [])
                first = {"LOGIN": "334 VXNlcm5hbWU6", "CRAM-MD5": "334 " + base64.b64encode(b"<1.2@relay.test>").decode()}
                say(first.get(self._mechanism, "235 ok"))
            elif verb.startswith(b"MAIL"):
                self._look()
                say("250 ok")
            elif verb == b"DATA":
                in_message = True
                say("354 go")
            else:
                say("221 bye" if verb == b"QUIT" else "250 ok")
        link.close()


def deliver(remote, home, what, mechanism, password, context, senders):
    """One delivery by a route with that password, from smtproutes or, if `senders`, from authsenders."""
    seen = {}
    process, started = None, threading.Event()

    def look():
        started.wait(15)
        for name in ("cmdline", "environ"):
            seen[name] = pathlib.Path(f"/proc/{process.pid}/{name}").read_bytes()
        seen["memory"] = memory_of(process.pid)

    server = Server(mechanism, context, look)
    key = "me@here.test" if senders else "there.test"
    used = f"{key}:[127.0.0.1]:{server.port}|joe|{password}\n"
    filler = "".join(f"d{n}.filler.test:relay{n}.test\n" for n in range(300))
    others = f"a.test:relay.test|u|{OTHERS['long']}\nb:r|u|{OTHERS['short']}\n"
    for name in ("smtproutes", "authsenders"):
        mine = used if (name == "authsenders") == senders else ""
        (home / "control" / name).write_text(others + filler + mine + filler)
    environment = {"QMAILHOME": str(home), "DEBUG": "1", "PATH": "/usr/bin:/bin", "OPENSSL_CONF": "/dev/null"}
    environment.update({n: os.environ[n] for n in ("ASAN_OPTIONS", "UBSAN_OPTIONS") if n in os.environ})
    if not context:
        environment["ALLOW_INSECURE_AUTH"] = "1"
    process = subprocess.Popen([remote, "there.test", "me@here.test", "you@there.test"], env=environment, cwd=home,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    started.set()
    seen["reports"] = process.communicate(b"Subject: x\n\nhello\n", timeout=30)[0]
    server.end()
    check(f"{what}: delivered", b"K127.0.0.1 accepted message." in seen["reports"], seen["reports"])
    sent = base64.b64encode(b"\0joe\0" + password.encode()) if mechanism == "PLAIN" else base64.b64encode(password.encode())
    for name, text in seen.items():
        # Freed memory loses its beginning, whoever wiped what: the end tells.
        count = text.count(password.encode()[-12:])
        check(f"{what}: the password in {name}", count == (1 if name == "memory" else 0), f"{count} times")
        check(f"{what}: what was sent in {name}", sent[8:] not in text)
        for other in OTHERS.values():
            check(f"{what}: another's password in {name}", other.encode()[-8:] not in text, other)
    check(f"{what}: the memory is the right one", b"me@here.test" in seen.get("memory", b""))


def main():
    if os.getuid() != 0:
        print("only root can look at the memory of a process that hides it", file=sys.stderr)
        return 77
    with tempfile.TemporaryDirectory() as folder:
        home = pathlib.Path(folder)
        for name in ("control", "queue/lock"):
            (home / name).mkdir(parents=True)
        (home / "control" / "me").write_text("here.test\n")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=relay.test", "-keyout",
                        home / "key", "-out", home / "cert"], check=True, stderr=subprocess.DEVNULL)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(home / "cert", home / "key")
        for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5"):
            for context in (tls, None) if mechanism != "CRAM-MD5" else (tls,):
                for senders in (False, True):
                    where = ("in TLS" if context else "in the clear") + (", by authsenders" if senders else "")
                    deliver(sys.argv[1], home, f"{mechanism} {where}", mechanism, USED, context, senders)
        deliver(sys.argv[1], home, "a short one", "PLAIN", SHORT, tls, False)
    return 1 if failures else 0


sys.exit(main())
