"""Postfix's smtpd, to be measured in turn with ours: the CPU time that a session costs it.

Unpacked and started as the interoperability tests do it (tests/interop), in a world of its own. One smtpd process,
forked ahead as Postfix does, serves every session; what its cleanup and queue manager take is not counted. Needs
root; what is missing raises Unavailable.
"""
import contextlib
import os
import pathlib
import socket
import sys

import smtpd_client
import wire

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path += [str(TESTS / folder) for folder in ("interop", "interop/peers", "support")]
import install  # noqa: E402
import postfix  # noqa: E402
from world import SUBMISSION, Trouble, World  # noqa: E402


class Unavailable(Exception):
    """Postfix cannot be had or does not start here."""


class Smtpd:
    """Held to one process, which lives on between sessions."""

    def __init__(self, master, address):
        self._master = master
        self._address = address
        self._context = smtpd_client.client_context()
        self.run(smtpd_client.QUIT)  # starts the process

    def run(self, session):
        """CPU seconds that the smtpd process took for one session."""
        before = self._process()
        connection = wire.Wire(socket.create_connection(self._address))
        smtpd_client.converse(connection, session, self._context)
        connection.close()
        after = self._process()
        if before and before[0] != after[0]:
            raise wire.WireError("Postfix has changed its smtpd process")
        return after[1] - (before[1] if before else 0)

    def _process(self):
        """(process id, CPU seconds so far) of the one child of master that is an smtpd; None while there is none."""
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                name, _, fields = (entry / "stat").read_text().partition("(")[2].rpartition(")")
                if name == "smtpd" and int(fields.split()[1]) == self._master:
                    return entry.name, int((entry / "schedstat").read_text().split()[0]) / 1e9
        return None


@contextlib.contextmanager
def running(smtpd_program, remote_program):
    """A Postfix smtpd that takes mail of any size for example.test and throws it away; both arguments are for World."""
    if os.geteuid() != 0:
        raise Unavailable("not root")
    try:
        with World(smtpd_program, remote_program) as world:
            postfix.prepare(world)
            address = (world.ip(1), SUBMISSION)
            folder = postfix.start(
                world, "bench",
                "relay_domains = example.test\nrelay_transport = discard:\nmessage_size_limit = 0\n"
                "smtpd_tls_security_level = may\n"
                f"smtpd_tls_cert_file={world.pki}/rsa.crt\nsmtpd_tls_key_file={world.pki}/rsa.key\n",
                f"{address[0]}:{address[1]} inet n - n - 1 smtpd\n", address)
            yield Smtpd(int((folder / "spool/pid/master.pid").read_text()), address)
    except (install.Unavailable, Trouble) as why:
        raise Unavailable(str(why)) from None
