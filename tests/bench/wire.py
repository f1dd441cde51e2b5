"""One end of an SMTP connection that may turn to TLS, and what can be counted on the wire.

TLS runs over memory, not over the socket, so that each read of the socket and each record in it is
seen here. What is malformed or comes too late is WireError. Nothing here knows SMTP beyond lines.
"""
import socket
import ssl

TIMEOUT = 120  # seconds for any one read or write; callgrind makes a program fifty times slower
CHUNK = 65536
APPLICATION_DATA = 23  # TLS record type, RFC 8446 5.1


class WireError(Exception):
    """The peer is gone, silent, or does not speak as it should."""


class Wire:
    """Counts what arrives: `flights` (reads of the socket that follow a write of ours, the first
    one included) and `records` (TLS records of application data)."""

    def __init__(self, sock):
        sock.settimeout(TIMEOUT)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.flights = 0
        self.records = 0
        self._socket = sock
        self._tls = None
        self._spoke = True  # a server's greeting and a client's connection both ask for an answer
        self._plain = b""  # decoded, not yet handed out
        self._record_at = 0  # bytes until the next record's header begins
        self._header = b""

    def send(self, data):
        if not data:
            return
        self._spoke = True
        if self._tls is None:
            self._socket.sendall(data)
            return
        for start in range(0, len(data), CHUNK):
            self._tls.write(data[start:start + CHUNK])
            self._send_encrypted()

    def receive(self):
        """Some bytes of the conversation, as they come; b"" at its end."""
        if self._plain:
            data, self._plain = self._plain, b""
            return data
        if self._tls is None:
            return self._read_socket()
        while True:
            try:
                return self._tls.read(4 * CHUNK)
            except ssl.SSLWantReadError:
                self._send_encrypted()
                data = self._read_socket()
                if not data:
                    return b""
                self._incoming.write(data)
            except ssl.SSLZeroReturnError:
                return b""
            except ssl.SSLError as error:
                raise WireError(str(error)) from error

    def line(self):
        """The next line without its CR LF."""
        while b"\n" not in self._plain:
            have, self._plain = self._plain, b""
            more = self.receive()
            if not more:
                raise WireError("closed by the peer")
            self._plain = have + more
        line, _, self._plain = self._plain.partition(b"\n")
        return line.rstrip(b"\r")

    def has_line(self):
        return b"\n" in self._plain

    def start_tls(self, context, server_side, session=None, name=None):
        """The handshake. Whatever was read before it is forgotten. `name`: asked for (SNI)."""
        self._plain = b""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(self._incoming, self._outgoing, server_side, server_hostname=name,
                               session=session)
        self._tls = tls
        while True:
            try:
                tls.do_handshake()
                self._send_encrypted()
                return
            except ssl.SSLWantReadError:
                self._send_encrypted()
                data = self._read_socket()
                if not data:
                    raise WireError("closed by the peer in the handshake") from None
                self._incoming.write(data)
            except ssl.SSLError as error:
                raise WireError(str(error)) from error

    @property
    def tls(self):
        """The ssl.SSLObject, None while in the clear."""
        return self._tls

    def close(self):
        self._socket.close()

    def _send_encrypted(self):
        data = self._outgoing.read()
        if data:
            self._spoke = True
            self._socket.sendall(data)

    def _read_socket(self):
        try:
            data = self._socket.recv(4 * CHUNK)
        except ConnectionResetError:
            return b""
        except OSError as error:
            raise WireError(str(error)) from error
        if data and self._spoke:
            self.flights += 1
            self._spoke = False
        if self._tls is not None:
            self._count_records(data)
        return data

    def _count_records(self, data):
        at = self._record_at
        while at < len(data):
            need = 5 - len(self._header)
            self._header += data[at:at + need]
            if len(self._header) < 5:
                at = len(data)
                break
            self.records += self._header[0] == APPLICATION_DATA
            at += need + int.from_bytes(self._header[3:], "big")
            self._header = b""
        self._record_at = at - len(data)
