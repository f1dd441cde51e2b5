"""Runs a qmail-smtpd as tcpserver would, on a TCP connection, and holds one session with it.

The program may be wrapped (valgrind, strace) and limited. Anything but the replies that a working
qmail-smtpd gives is WireError, with what the program wrote on descriptor 2.
"""
import dataclasses
import os
import resource
import socket
import ssl
import subprocess
import tempfile
import time

import wire

LINE = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/abcdefgh"


def message(size, line_end):
    """About `size` bytes of mail in lines of 72."""
    head = line_end.join([b"From: a@b.test", b"To: u@example.test", b"Subject: bench", b"", b""])
    return head + (LINE + line_end) * ((size - len(head)) // (len(LINE) + len(line_end)))


@dataclasses.dataclass(frozen=True)
class Session:
    """What the client does: QUIT at once when `mail` is empty; else one message."""
    mail: bytes = b""
    tls: bool = False
    name: str = None  # asked for (SNI)


QUIT = Session()


@dataclasses.dataclass
class Run:
    """What a session took."""
    wall: float  # seconds, connection to end
    cpu: float  # seconds, the program and what it waited for
    resumed: bool  # the TLS session was an earlier one's
    ticket: object  # an ssl.SSLSession to come back with; None without TLS
    cipher: str  # as OpenSSL names it; empty without TLS
    log: str  # what the program wrote on descriptor 2


def client_context():
    """TLS 1.3 only, believes every certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def converse(connection, session, context, ticket=None, first=None, before_quit=None):
    """One session on `connection`, up to the close of the other side. `first`: called with the
    connection after the first EHLO; `before_quit`: called without arguments."""
    expect(connection, b"220")
    if session.mail:
        command(connection, b"EHLO client.test", b"250")
        if first:
            first(connection)
        if session.tls:
            command(connection, b"STARTTLS", b"220")
            connection.start_tls(context, server_side=False, session=ticket, name=session.name)
            command(connection, b"EHLO client.test", b"250")
        command(connection, b"MAIL FROM:<a@b.test>", b"250")
        command(connection, b"RCPT TO:<u@example.test>", b"250")
        command(connection, b"DATA", b"354")
        connection.send(session.mail + b".\r\n")
        expect(connection, b"250")
    if before_quit:
        before_quit()
    command(connection, b"QUIT", b"221")
    while connection.receive():
        pass


def command(connection, line, code):
    connection.send(line + b"\r\n")
    expect(connection, code)


def expect(connection, code):
    while True:
        line = connection.line()
        if not line.startswith(code):
            raise wire.WireError(f"expected {code.decode()}, got {line.decode(errors='replace')!r}")
        if line[3:4] != b"-":
            return


def visit(port, session, times):
    """Holds `times` sessions, one after the other, with the server at a port of this host."""
    context = client_context()
    for _ in range(times):
        connection = wire.Wire(socket.create_connection(("127.0.0.1", port)))
        converse(connection, session, context)
        connection.close()


class Smtpd:
    """A qmail-smtpd binary with its home and its QMAILQUEUE program."""

    def __init__(self, program, home, queue):
        self.program = program
        self.environment = {
            "PATH": os.environ["PATH"], "QMAILHOME": home, "QMAILQUEUE": queue, "PROTO": "TCP",
            "TCPLOCALIP": "127.0.0.1", "TCPLOCALPORT": "25", "TCPLOCALHOST": "mx.example.test",
            "TCPREMOTEIP": "127.0.0.1", "TCPREMOTEPORT": "4000", "TCPREMOTEHOST": "client.test"}
        self.context = client_context()
        self.listen = self.reach = "127.0.0.1"  # link.py has a longer way between the two

    def run(self, session, wrapper=(), ticket=None, address_space=None, first=None,
            before_quit=None):
        """`address_space`: RLIMIT_AS in bytes. `first`: as converse(). `before_quit`: called with
        the process id."""
        listener = socket.create_server((self.listen, 0))
        client = socket.create_connection((self.reach, listener.getsockname()[1]))
        accepted, _ = listener.accept()
        listener.close()
        limit = None
        if address_space:
            def limit():
                resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
        connection = wire.Wire(client)
        with tempfile.TemporaryFile() as log:
            started = time.monotonic()
            process = subprocess.Popen([*wrapper, self.program], stdin=accepted, stdout=accepted,
                                       stderr=log, env=self.environment, preexec_fn=limit)
            accepted.close()
            try:
                converse(connection, session, self.context, ticket, first,
                         before_quit and (lambda: before_quit(process.pid)))
            except (wire.WireError, OSError) as error:
                raise wire.WireError(f"{self.program}: {error}; it said: {whole(log)!r}") from error
            finally:
                connection.close()
                _, _, usage = os.wait4(process.pid, 0)
                process.returncode = 0  # reaped here, for the resource usage
            wall, said = time.monotonic() - started, whole(log)
        tls = connection.tls
        return Run(wall, usage.ru_utime + usage.ru_stime, bool(tls and tls.session_reused),
                   tls and tls.session, tls.cipher()[0] if tls else "", said)


def whole(log):
    log.seek(0)
    return log.read().decode(errors="replace").strip()
