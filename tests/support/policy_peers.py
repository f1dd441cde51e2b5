"""policy_peers.py: whom qmail-remote asks what is demanded of TLS: a name server with TLSA records, a policy server.

Both run in threads of the test, as context managers, and count what they are asked.
"""
import contextlib
import hashlib
import socket
import struct
import subprocess
import threading

A, SOA, TLSA = 1, 6, 52


def key_record(key):
    """The data of a TLSA record "3 1 1" of the key in that file."""
    der = subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER"], check=True, capture_output=True).stdout
    return bytes([3, 1, 1]) + hashlib.sha256(der).digest()


def listening(address="127.0.0.1", port=0):
    return socket.create_server((address, port))


class Resolver:
    """A name server for which every host is at `addresses`, and one has these TLSA records. `secure`: it has validated that.

    What it says of TLSA records goes through `spoil`, if that is set; None: nothing is said.
    """

    def __init__(self, secure=False, tlsa=(), address="127.0.0.1"):
        self.addresses = ["127.0.0.1"]
        self.tlsa_name = ""
        self.tlsa_questions = 0
        self.spoil = None
        self._secure, self._tlsa, self._at = secure, tlsa, address

    def __enter__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((self._at, 0))
        self.address = "%s:%d" % self.socket.getsockname()
        threading.Thread(target=self.answer, daemon=True).start()
        return self

    def answer(self):
        with contextlib.suppress(OSError):
            while True:
                query, client = self.socket.recvfrom(2048)
                if not query:
                    return
                end = query.index(b"\0", 12) + 5
                kind = struct.unpack(">H", query[end - 4:end - 2])[0]
                found = self.records(query[12:end - 4], kind)
                head = query[:2] + b"\x81" + (b"\xa0" if self._secure else b"\x80") + struct.pack(">HHHH", 1, len(found), 0, 0)
                answers = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data for data in found)
                reply = head + query[12:end] + answers
                if kind == TLSA and self.spoil:
                    reply = self.spoil(reply)
                if reply is not None:
                    self.socket.sendto(reply, client)

    def records(self, name, kind):
        if kind == A:
            return [socket.inet_aton(address) for address in self.addresses]
        if kind == SOA and name == b"\0":
            return [b"\0\0" + bytes(20)]  # the root's SOA
        if kind != TLSA:
            return []
        self.tlsa_questions += 1
        wanted = b"".join(bytes([len(label)]) + label.encode() for label in self.tlsa_name.split(".")) + b"\0"
        return self._tlsa if name == wanted else []

    def __exit__(self, *_):
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wake:
            wake.sendto(b"", self.socket.getsockname())
        self.socket.close()


class PolicyServer:
    """Says `answer` to whatever it is asked; None: nobody is there. Or does with a connection what `serve` does.
    `line`: of control/tlspolicymap."""

    def __init__(self, answer, serve=None):
        self.questions = []
        self._answer = answer
        self._serve = serve or self._say

    def __enter__(self):
        self._listener = listening()
        self.line = f"inet:127.0.0.1:{self._listener.getsockname()[1]}:postfix\n"
        if self._answer is None:
            self._listener.close()
        else:
            threading.Thread(target=self._take, daemon=True).start()
        return self

    def _take(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection, contextlib.suppress(OSError):
                    self._serve(connection)

    def _say(self, connection):
        self.questions.append(connection.recv(4096))
        connection.sendall(f"{len(self._answer)}:{self._answer},".encode() if self._answer else b"")

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
