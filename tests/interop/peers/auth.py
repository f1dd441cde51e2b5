"""SMTP AUTH with real programs: clients that log in at our qmail-smtpd, whose passwords are checked by real
checkpassword-style programs of Debian (checkpw, cvm-checkpassword, which change to the user and so run in an overlay).

A login relays; a wrong password does not; no password is in any log or message.
"""
import contextlib
import importlib
import socket
import ssl

import dialogue
import install
from matrix import FOREIGN, MODES, Login, Target, same_bytes
from world import Listener, Trouble, run

USER, PASSWORD, WRONG = "interopmbox", "5ecret pass|word", "wr0ng password"
CLIENTS = {"swaks": ("plain", "login"), "msmtp": ("plain", "login"), "curl": ("plain", "login"), "gnutls_cli": ("plain", "login"),
           "smtplib_peer": ("plain", "login"), "nodemailer": ("plain", "login"), "thunderbird": ("plain",), "outlook": ("login",)}


class Mailer:
    """A mail program told line by line, in TLS of Python's."""

    @staticmethod
    def prepare(world):
        pass

    def __init__(self, greeting, asks_first, mail):
        self._greeting, self._asks_first, self._mail = greeting, asks_first, mail

    def send(self, world, target, message, sender, recipient, certificate):
        with contextlib.ExitStack() as open_:
            link = open_.enter_context(socket.create_connection((target.ip, target.port), timeout=15))
            context = ssl.create_default_context(cafile=str(world.pki / "ca.crt"))
            said, talk = [], None

            def reply():
                while True:
                    line = talk.readline()
                    said.append(line.decode(errors="replace"))
                    if line[3:4] != b"-":
                        return line

            def say(line):
                talk.write(line + b"\r\n")
                talk.flush()
                return reply()

            def into_tls():
                return context.wrap_socket(link, server_hostname=target.name)

            if target.implicit:
                link = open_.enter_context(into_tls())
            talk = link.makefile("rwb")
            reply()
            if not target.implicit:
                say(self._greeting)
                say(b"STARTTLS")
                link = open_.enter_context(into_tls())
                talk = link.makefile("rwb")
            login = target.login
            # Thunderbird sends PLAIN alone when it once failed with an initial response, Outlook LOGIN always.
            if self._asks_first:
                say(self._greeting)
                good = say(b"AUTH PLAIN").startswith(b"334") and say(dialogue.plain(login)).startswith(b"235")
            else:
                good = dialogue.log_in(say, login, greeting=self._greeting)
            if good:
                say(b"MAIL FROM:<" + sender.encode() + b">" + self._mail.replace(b"N", str(len(message)).encode()))
                good = say(f"RCPT TO:<{recipient}>".encode()).startswith(b"250") and say(b"DATA").startswith(b"354")
            if good:
                lines = [b"." + line if line.startswith(b".") else line for line in message.splitlines()]
                good = say(b"\r\n".join([*lines, b"."])).startswith(b"250")
            say(b"QUIT")
            return good, "".join(said)


MAILERS = {"thunderbird": Mailer(b"EHLO [192.168.1.20]", True, b" BODY=8BITMIME SIZE=N"), "outlook": Mailer(b"EHLO LAPTOP", False, b"")}


def checkers(world):
    """Name: what stands behind qmail-smtpd, and what its environment has."""
    overlay = install.Overlay("checkpassword", "checkpw", "cvm")
    passwords = world.folder("cvm") / "pwfile"
    status, said = run([*overlay.enter(), "sh", "-ec", f"""
        id {USER} >/dev/null 2>&1 || useradd -m {USER}
        mkdir -p ~{USER}/Maildir
        printf '%s\\n' '{PASSWORD}' >~{USER}/Maildir/.password
        chown -R {USER} ~{USER}; chmod 600 ~{USER}/Maildir/.password
        home=$(getent passwd {USER} | cut -d: -f6)
        printf '%s:%s:%s:%s:Real:%s:/bin/sh\\n' {USER} '{PASSWORD}' "$(id -u {USER})" "$(id -g {USER})" "$home" >{passwords}"""])
    if status != 0:
        raise Trouble(f"no user in the overlay: {said.decode(errors='replace')}")
    return overlay, {"checkpw": (("checkpw", "true"), {}),
                     "cvm": (("cvm-checkpassword", "cvm-command:/usr/bin/cvm-pwfile", "true"), {"CVM_PWFILE_PATH": passwords})}


def check(world, results):
    overlay, programs = checkers(world)
    for number, (program, (arguments, env)) in enumerate(programs.items()):
        listeners = {mode: Listener(world, f"auth-{program}-{mode}", "rsa", mode, None, number=30 + number, prefix=overlay.enter(),
                                    arguments=arguments, env=env) for mode in MODES}
        for name, mechanisms in CLIENTS.items():
            client = MAILERS.get(name) or importlib.import_module(name)
            client.prepare(world)
            for mode in MODES:
                for mechanism in mechanisms:
                    results.check("check", {"what": f"{name} logs in by {mechanism}, {mode}, {program}"},
                                  lambda: _accepted(world, client, listeners[mode], mode, mechanism))
            results.check("check", {"what": f"{name}: a wrong password, {program}"},
                          lambda: _refused(world, client, listeners["starttls"], mechanisms[0]))
        results.check("check", {"what": f"no password in a log or message, {program}"}, lambda: _secret(world, listeners))


def _try(world, client, listener, mode, login, recipient=FOREIGN):
    token = world.token()
    message = world.message(token, recipient, lines=20)
    target = Target(listener.ip, listener.port, "rsa", mode, "1.3", "mx.example.test", login)
    accepted, said = client.send(world, target, message, f"s-{token}@x.test", recipient, None)
    return token, message, accepted, said


def _accepted(world, client, listener, mode, mechanism):
    token, message, accepted, said = _try(world, client, listener, mode, Login(USER, PASSWORD, mechanism))
    if not accepted:
        log = world.log(listener.log_name)[-300:].decode(errors="replace")
        raise Trouble(f"refused: {said[-600:]}\nqmail-smtpd's log: {log}")
    arrival = listener.take(token)
    same_bytes(message, arrival.message)
    if arrival.relayclient != "" or f"({USER}@".encode() not in arrival.trace or b"ESMTPSA (" not in arrival.trace:
        raise Trouble(f"RELAYCLIENT {arrival.relayclient!r}, trace {arrival.trace!r}")


def _refused(world, client, listener, mechanism):
    token, _, accepted, said = _try(world, client, listener, "starttls", Login(USER, WRONG, mechanism))
    if accepted or listener.has(token):
        raise Trouble("a wrong password relays")
    if "535" not in said:
        raise Trouble(f"refused, but not by 535: {said[-600:]}")


def _secret(world, listeners):
    for listener in listeners.values():
        seen = world.log(listener.log_name) + b"".join(a.trace for a in listener.arrivals())
        for secret in (PASSWORD, WRONG):
            if secret.encode() in seen:
                raise Trouble(f"{secret!r} is in the log or the trace of {listener.log_name}")
