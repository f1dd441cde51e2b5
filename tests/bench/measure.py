"""The measurements, each a figure or a few by the keys of reference.json.

The exact ones repeat to the last digit or nearly so, and take one program; those of time take all
programs that are to be compared, run them in turn, and give the best of some rounds: the one that
the rest of the machine disturbed least.
"""
import contextlib
import copy
import multiprocessing
import os
import re
import shutil
import subprocess
import time

import against_postfix
import instruments
import link
import remote_sink
import smtpd_client
import wire
from scratch import NAME

ROUNDS = 5
ROUND_TRIP = 0.020
BULK = 5_000_000  # what a MB's cost is taken from
GIGABYTE = 1e9


def mail(size):
    return smtpd_client.message(size, b"\r\n")


def session(size, tls, name=None):
    return smtpd_client.Session(mail(size), tls, name)


class Programs:
    """The programs under test, each list the subject first, then the baseline if there is one.
    smtpd: smtpd_client.Smtpd; remote: remote_sink.Remote."""

    def __init__(self, smtpd, remote, scratch):
        self.smtpd = smtpd
        self.remote = remote
        self.scratch = scratch


# --- exact: qmail-smtpd ---

def smtpd_instructions(smtpd, callgrind, scratch):
    def at(home):
        return smtpd_client.Smtpd(smtpd.program, home, scratch.queue)

    def count(name, program, what, ticket=None):
        return callgrind.instructions("smtpd." + name, lambda wrapper: program.run(
            what, wrapper, ticket))

    quit_only = count("quit", smtpd, smtpd_client.QUIT)
    yield "smtpd.instructions.quit", quit_only / 1e6
    for name, tls in (("plain", False), ("tls", True)):
        small = count(name, smtpd, session(4096, tls))
        large = count(name + ".5m", smtpd, session(BULK, tls))
        yield f"smtpd.instructions.{name}", small / 1e6
        yield f"smtpd.byte.{name}", (large - small) / (len(mail(BULK)) - len(mail(4096)))
    yield "smtpd.instructions.pair", count("pair", at(scratch.pair_home), session(4096, True)) / 1e6
    yield "smtpd.instructions.name", count("name", at(scratch.names_home),
                                           session(4096, True, NAME)) / 1e6
    ticket_smtpd = at(scratch.ticket_home)
    ticket = ticket_smtpd.run(session(4096, True)).ticket
    again = ticket_smtpd.run(session(4096, True), ticket=ticket)
    if again.resumed:
        yield "smtpd.instructions.resumed", count("resumed", ticket_smtpd, session(4096, True),
                                                  again.ticket) / 1e6


def smtpd_calls(smtpd):
    # On a busy machine more reads find less in them.
    for name, tls in (("plain", False), ("tls", True)):
        calls = min(instruments.system_calls(lambda wrapper: smtpd.run(session(BULK, tls), wrapper))
                    for _ in range(ROUNDS))
        yield f"smtpd.calls.{name}", calls / (BULK / 1e6)


# --- exact: qmail-remote ---

def remote_instructions(remote, callgrind, scratch):
    def count(name, host, size):
        return callgrind.instructions(f"remote.{name}", lambda wrapper: remote.run(
            host, scratch.mail(size), wrapper=wrapper))

    for name in ("plain", "tls"):
        small = count(name, name + ".test", "4k")
        large = count(name + ".5m", name + ".test", "5m")
        yield f"remote.instructions.{name}", small / 1e6
        octets = os.path.getsize(scratch.mail("5m")) - os.path.getsize(scratch.mail("4k"))
        yield f"remote.byte.{name}", (large - small) / octets


def remote_wire(remote, sinks, scratch):
    for name, sink in sinks.items():
        calls = instruments.system_calls(lambda wrapper: remote.run(
            name + ".test", scratch.mail("5m"), wrapper=wrapper))
        yield f"remote.calls.{name}", calls / (BULK / 1e6)
        if name == "tls":
            yield "remote.records", sink.last.records
        for recipients in (1, 10, 100):
            remote.run(name + ".test", scratch.mail("4k"), recipients)
            yield f"remote.flights.{name}.{recipients}", sink.last.flights


def refused_after_the_policy(remote, scratch):
    """Tries to deliver a message that is refused for its sender, which is as soon as its policy is known."""
    def attempt(wrapper):
        run = remote.attempt("map.test", scratch.mail("4k"), wrapper=wrapper, sender="a\n@b.test")
        if not run.report.startswith(b"DSorry, sender"):
            raise wire.WireError(f"{remote.program}: reported {run.report!r}")
    return attempt


POLICY_LINES = 100


def remote_policy(remote, callgrind, scratch):
    """What control/tlspolicy costs: a hundred lines, the last of which is for the message."""
    remote = remote_sink.Remote(remote.program, scratch.map_home)
    attempt = refused_after_the_policy(remote, scratch)
    lines = "".join(f"partner{number}.test:secure\n" for number in range(POLICY_LINES - 1)) + "map.test:secure match=.map.test\n"
    for figure, measured in (
            ("instructions", lambda: callgrind.instructions("remote.policy", attempt) / 1e6),
            ("calls", lambda: instruments.system_calls(attempt))):
        without = measured()
        with remote.with_control("tlspolicy", lines):
            yield f"remote.{figure}.policy", measured() - without


def remote_map(remote, callgrind, scratch):
    """What it costs to ask a policy server (control/tlspolicymap)."""
    remote = remote_sink.Remote(remote.program, scratch.map_home)
    attempt = refused_after_the_policy(remote, scratch)
    with contextlib.closing(remote_sink.PolicyServer(b"9:NOTFOUND ,")) as server:
        for figure, measured in (
                ("instructions", lambda: callgrind.instructions("remote.map", attempt) / 1e6),
                ("calls", lambda: instruments.system_calls(attempt))):
            scratch.policy_map(None)
            without = measured()
            scratch.policy_map(server.port)
            yield f"remote.{figure}.map", measured() - without
            if not server.questions:
                raise wire.WireError(f"{remote.program}: did not ask the policy server")


def remote_tlsa(remote, callgrind, scratch):
    """What it costs to ask for TLSA records (dane in control/tlspolicy): of a message that is deferred for want
    of them, with and without a question."""
    with contextlib.closing(remote_sink.NameServer()) as server:
        remote = remote_sink.Remote(remote.program, scratch.dane_home)
        remote.environment["DNSCACHEIP"] = server.address

        def attempt(wrapper):
            run = remote.attempt("dane.test", scratch.mail("4k"), wrapper=wrapper)
            if b"ZNo secure TLSA records" not in run.report:
                raise wire.WireError(f"{remote.program}: reported {run.report!r}")

        for figure, measured in (
                ("instructions", lambda: callgrind.instructions("remote.tlsa", attempt) / 1e6),
                ("calls", lambda: instruments.system_calls(attempt))):
            server.secure = False
            without = measured()
            if server.questions:
                raise wire.WireError(f"{remote.program}: asked for records that cannot count")
            server.secure = True
            yield f"remote.{figure}.tlsa", measured() - without
            if not server.questions:
                raise wire.WireError(f"{remote.program}: did not ask for TLSA records")
            server.questions = 0


# --- what a group of the key exchange costs; nothing where OpenSSL is older than X25519MLKEM768 (3.5) ---

GROUPS = ("X25519", "X25519MLKEM768")


def smtpd_groups(smtpd, callgrind, scratch):
    def agreed(program):
        return program.run(session(4096, True)).log

    def count(program, group):
        return callgrind.instructions(f"smtpd.{group}", lambda wrapper: program.run(
            session(4096, True), wrapper))

    yield from groups("smtpd", smtpd, scratch, agreed, count)


def remote_groups(remote, callgrind, scratch):
    def agreed(program):
        return program.run("tls.test", scratch.mail("4k")).report.decode(errors="replace")

    def count(program, group):
        return callgrind.instructions(f"remote.{group}", lambda wrapper: program.run(
            "tls.test", scratch.mail("4k"), wrapper=wrapper))

    yield from groups("remote", remote, scratch, agreed, count)


def groups(name, program, scratch, agreed, count):
    """The program is held to each group by an openssl.cnf of its own, and must say (DEBUG) that it was
    that one; the other side has OpenSSL's defaults."""
    if not openssl_has(GROUPS[-1]):
        return
    for group in GROUPS:
        held = copy.copy(program)
        held.environment = program.environment | {"OPENSSL_CONF": scratch.openssl_cnf(group)}
        asked = copy.copy(held)
        asked.environment = held.environment | {"DEBUG": "1"}
        said = agreed(asked)
        if not re.search(rf"\b{group}\b", said, re.IGNORECASE):
            raise wire.WireError(f"{program.program}: not held to {group}; it said: {said!r}")
        yield f"{name}.instructions.{group}", count(held, group) / 1e6


def openssl_has(group):
    listed = subprocess.run(["openssl", "list", "-kem-algorithms"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            check=False)
    return re.search(rf"\b{group}\b", listed.stdout.decode()) is not None


def remote_flights_with_data(remote, sink, scratch):
    """In TLS, with DATA in the flight of the recipients."""
    with remote.with_control("pipelining", "data\n"):
        for recipients in (1, 10, 100):
            remote.run("tls.test", scratch.mail("4k"), recipients)
            yield f"remote.flights.data.{recipients}", sink.last.flights


# --- memory: qmail-smtpd ---

def smtpd_memory(smtpd):
    for name, tls in (("plain", False), ("tls", True)):
        seen = []
        smtpd.run(session(4096, tls),
                  before_quit=lambda pid: seen.append(instruments.private_dirty(pid)))
        yield f"smtpd.dirty.{name}", seen[0]
        yield f"smtpd.space.{name}", instruments.smallest_address_space(
            lambda limit: smtpd.run(session(4096, tls), address_space=limit))


# --- time: every program in turn ---

def in_turn(key, programs, value, best=min):
    """The best value(program) of ROUNDS rounds: yields (key, one figure for each program)."""
    seen = [[] for _ in programs]
    for _ in range(ROUNDS):
        for number, program in enumerate(programs):
            seen[number].append(value(program))
    yield key, [best(values) for values in seen]


def smtpd_times(programs):
    for name, tls in (("plain", False), ("tls", True)):
        bulk = session(100_000_000, tls)
        yield from in_turn(f"smtpd.cpu.{name}", programs,
                           lambda smtpd: smtpd.run(bulk).cpu * GIGABYTE / len(bulk.mail))
    small = session(4096, True)
    yield from in_turn("smtpd.wall.loopback", programs, lambda smtpd: smtpd.run(small).wall * 1e3)


def postfix_times(programs):
    """How many times the CPU time of ours Postfix's smtpd takes for a large message. Raises against_postfix.Unavailable."""
    ours = programs.smtpd[0]
    with against_postfix.running(ours.program, programs.remote[0].program) as peer:
        for name, tls in (("plain", False), ("tls", True)):
            bulk = session(100_000_000, tls)
            for _, (cpu, theirs) in in_turn("", (lambda: ours.run(bulk).cpu, lambda: peer.run(bulk)), lambda run: run()):
                yield f"smtpd.postfix.{name}", theirs / cpu


def remote_times(programs, scratch):
    for name in ("plain", "tls"):
        octets = os.path.getsize(scratch.mail("100m"))
        yield from in_turn(f"remote.cpu.{name}", programs, lambda remote: remote.run(
            name + ".test", scratch.mail("100m")).cpu * GIGABYTE / octets)
    yield from in_turn("remote.wall.loopback", programs,
                       lambda remote: remote.run("tls.test", scratch.mail("4k")).wall * 1e3)


def over_link(programs):
    """Wall times over a link; runs in a process and network of its own. Raises link.Unavailable."""
    scratch = programs.scratch

    def work():
        figures = []
        sink = remote_sink.Sink(scratch.certificate, link.NEAR, 25)
        for count in (1, 100):
            figures += in_turn(f"remote.wall.link.{count}", programs.remote,
                               lambda remote: remote.run("link.test", scratch.mail("4k"),
                                                         count).wall * 1e3)
        sink.close()
        for smtpd in programs.smtpd:
            smtpd.listen, smtpd.reach = link.NEAR, link.FAR
        figures += in_turn("smtpd.wall.link", programs.smtpd,
                           lambda smtpd: smtpd.run(session(4096, True)).wall * 1e3)
        return figures

    return link.over_link(ROUND_TRIP, work)


# --- sessions a second under tcpserver ---

CLIENTS = 2
OF_A_CORE = 50  # sessions, one after the other


def smtpd_core(smtpd, ticket_smtpd):
    """What one core carries: by the time that sessions, and the queue programs they start, take of it."""
    def of_a_second(program, what, ticket=None):
        return OF_A_CORE / sum(program.run(what, ticket=ticket).cpu for _ in range(OF_A_CORE))

    yield "smtpd.core.plain", of_a_second(smtpd, session(4096, False))
    yield "smtpd.core.tls", of_a_second(smtpd, session(4096, True))
    ticket = ticket_smtpd.run(session(4096, True)).ticket
    if ticket_smtpd.run(session(4096, True), ticket=ticket).resumed:
        yield "smtpd.core.resumed", of_a_second(ticket_smtpd, session(4096, True), ticket)


def smtpd_rates(programs, sessions):
    """Needs tcpserver; each figure is of `sessions` sessions from CLIENTS clients at a time."""
    with contextlib.ExitStack() as running:
        ports = [running.enter_context(tcpserver(smtpd)) for smtpd in programs]
        for name, what in (("quit", smtpd_client.QUIT), ("plain", session(4096, False)),
                           ("tls", session(4096, True))):
            yield from in_turn(f"smtpd.rate.{name}", ports,
                               lambda port: sessions / together(port, what, sessions),
                               best=max)


@contextlib.contextmanager
def tcpserver(smtpd):
    """Runs `smtpd` under tcpserver on loopback; gives the port."""
    process = subprocess.Popen(
        ["tcpserver", "-1", "-H", "-R", "-l", "mx.example.test", "127.0.0.1", "0", smtpd.program],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=smtpd.environment)
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


def together(port, what, sessions):
    """Seconds for `sessions` sessions, CLIENTS at a time."""
    clients = [multiprocessing.Process(target=smtpd_client.visit, args=(
        port, what, sessions // CLIENTS)) for _ in range(CLIENTS)]
    started = time.monotonic()
    for client in clients:
        client.start()
    for client in clients:
        client.join()
        if client.exitcode != 0:
            raise wire.WireError("a session under tcpserver failed")
    return time.monotonic() - started


def tcpserver_missing():
    return not shutil.which("tcpserver")
