"""A server that takes everything, for qmail-remote to deliver to, and a way to run qmail-remote.

The server counts what each connection cost on the wire. It answers as a quick server would: all
replies to the commands that came together go out together.
"""
import contextlib
import dataclasses
import os
import socket
import ssl
import subprocess
import tempfile
import threading
import time

import wire


@dataclasses.dataclass
class Delivered:
    """What one connection brought."""
    flights: int = 0  # of the client, up to and with the end of the message: QUIT is not counted
    records: int = 0  # TLS records that the message came in
    octets: int = 0
    recipients: int = 0


def take_connections(listener, serve):
    """Calls `serve` with one connection after another, in a thread of its own, until the listener is closed."""
    def loop():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                serve(connection)
    threading.Thread(target=loop, daemon=True).start()


class Sink:
    """Listens on 127.0.0.1 (or `address`) until closed. `certificate`: offers STARTTLS with it."""

    def __init__(self, certificate=None, address="127.0.0.1", port=0):
        self._context = None
        if certificate:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate)
            self._context.num_tickets = 0
        self._listener = socket.create_server((address, port))
        self.port = self._listener.getsockname()[1]
        self.last = None  # the Delivered of the latest whole message
        take_connections(self._listener, self._serve)

    def close(self):
        self._listener.close()

    def _serve(self, accepted):
        connection = wire.Wire(accepted)
        with contextlib.suppress(wire.WireError):  # the program's report says what happened
            self._session(connection)

    def _session(self, connection):
        delivered = Delivered()
        replies = [b"220 sink.test ESMTP"]
        while True:
            if not connection.has_line():
                connection.send(b"".join(reply + b"\r\n" for reply in replies))
                replies = []
            verb = connection.line().upper().split(b" ")[0]
            if verb == b"EHLO":
                replies += [b"250-sink.test", b"250-PIPELINING", b"250 8BITMIME"]
                if self._context and not connection.tls:
                    replies.insert(-1, b"250-STARTTLS")
            elif verb == b"STARTTLS":
                connection.send(b"220 go\r\n")
                connection.start_tls(self._context, server_side=True)
            elif verb == b"DATA":
                replies.append(b"354 go")
                connection.send(b"".join(reply + b"\r\n" for reply in replies))
                before = connection.records
                delivered.octets = read_data(connection)
                delivered.records = connection.records - before
                delivered.flights = connection.flights
                self.last = delivered
                replies = [b"250 ok"]
            elif verb == b"QUIT":
                connection.send(b"221 bye\r\n")
                return
            else:
                delivered.recipients += verb == b"RCPT"
                replies.append(b"250 ok")


class PolicyServer:
    """Says `answer` to whatever is asked, until closed; each time late enough to be waited for."""

    def __init__(self, answer):
        self.questions = 0
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        take_connections(self._listener, self._serve)

    def close(self):
        self._listener.close()

    def _serve(self, connection):
        if connection.recv(4096):
            self.questions += 1
            time.sleep(0.1)
            connection.sendall(self._answer)


class NameServer:
    """Answers on a port of 127.0.0.1: every name is at 127.0.0.1 and has nothing else. `secure`: so that
    it counts (AD)."""

    def __init__(self):
        self.secure = True
        self.questions = 0  # for TLSA records
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self._socket.close()

    def _serve(self):
        while True:
            try:
                question, peer = self._socket.recvfrom(512)
            except OSError:
                return
            end = question.index(b"\0", 12) + 5
            kind = int.from_bytes(question[end - 4:end - 2], "big")
            self.questions += kind == 52
            records = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1" if kind == 1 else b""
            self._socket.sendto(question[:2] + b"\x81" + (b"\xa0" if self.secure else b"\x80") + b"\0\1\0"
                                + (b"\1" if records else b"\0") + bytes(4) + question[12:end] + records, peer)


def read_data(connection):
    """Reads up to the line of a lone dot; returns the octets of the message as sent, dot included.
    Nothing follows the dot before it is answered."""
    octets, tail = 0, b"\r\n"
    while tail[-5:] != b"\r\n.\r\n":
        block = connection.receive()
        if not block:
            raise wire.WireError("closed inside the message")
        octets += len(block)
        tail = (tail + block)[-5:] if len(block) < 5 else block[-5:]
    return octets


@dataclasses.dataclass
class Run:
    wall: float  # seconds
    cpu: float
    report: bytes


class Remote:
    """A qmail-remote binary with its home."""

    def __init__(self, program, home):
        self.program = program
        self.environment = {"PATH": os.environ["PATH"], "QMAILHOME": home}

    def run(self, host, mail, recipients=1, wrapper=()):
        """Delivers the file `mail`; a report that is not success is WireError."""
        run = self.attempt(host, mail, recipients, wrapper)
        if run.report.count(b"r\0") != recipients or b"K" not in run.report:
            raise wire.WireError(f"{self.program} {host}: reported {run.report!r}")
        return run

    @contextlib.contextmanager
    def with_control(self, name, text):
        """Meanwhile its home has this control file, too."""
        path = f"{self.environment['QMAILHOME']}/control/{name}"
        with open(path, "w") as out:
            out.write(text)
        try:
            yield
        finally:
            os.unlink(path)

    def attempt(self, host, mail, recipients=1, wrapper=(), sender="a@b.test"):
        """Tries to deliver; whatever the report."""
        people = [f"u{number}@{host}" for number in range(recipients)]
        with open(mail, "rb") as stdin, tempfile.TemporaryFile() as report:
            started = time.monotonic()
            process = subprocess.Popen([*wrapper, self.program, host, sender, *people],
                                       stdin=stdin, stdout=report, env=self.environment)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = status
            wall = time.monotonic() - started
            report.seek(0)
            return Run(wall, usage.ru_utime + usage.ru_stime, report.read())
