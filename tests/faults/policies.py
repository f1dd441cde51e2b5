"""policies.py SMTPD REMOTE LIBFAIL: who says what is demanded of TLS fails, or what is asked of them does: the mail waits.

A name server that has TLSA records (control/tlspolicy says dane-only), and a policy server (control/tlspolicymap) that says
secure: each hangs up, falls silent, talks nonsense or too little, at every stage; then each call of qmail-remote's fails in
turn. Once with a server that can do what is demanded: it has the message in TLS, or not at all. And once with one that has
no TLS: nothing may make it go there.
"""
import errno
import os
import ssl
import subprocess
import sys

from rig import SOURCE, Rig, Sink, Trouble, closing_line, judge_delivery, run_remote

sys.path.append(str(SOURCE / "support"))
import netns
from policy_peers import PolicyServer, Resolver, key_record

ASKED = b"20:postfix example.test,"
POLICY = "OK secure match=mx.example.test tafile=clientca.pem"
FORMERR, SERVFAIL, NOTIMP, REFUSED = 1, 2, 4, 5


# --- what DNS may do to the question for TLSA records; the others are answered ---

def code(number):
    return lambda reply: reply[:3] + bytes([reply[3] & 0xf0 | number]) + reply[4:6] + bytes(6) + reply[12:]


DNS_FAULTS = {
    "SERVFAIL": code(SERVFAIL),
    "REFUSED": code(REFUSED),
    "FORMERR": code(FORMERR),
    "NOTIMP": code(NOTIMP),
    "no answer": lambda reply: None,
    "cut off in the header": lambda reply: reply[:7],
    "cut off in the record": lambda reply: reply[:-9],
    "not validated": lambda reply: reply[:3] + b"\x80" + reply[4:],
    "none": lambda reply: reply[:6] + bytes(6) + reply[12:len(reply) - 47],
    "another's question": lambda reply: b"\0\0" + reply[2:],
}


# --- what a policy server may do; and what must become of the mail where the demand can be met ---

def whole(text):
    return f"{len(text)}:{text},".encode()


def hang(connection):
    connection.recv(1)  # until the other end gives up


MAP_FAULTS = {
    "hangs up at once": (lambda c: None, "Z"),
    "hangs up when asked": (lambda c: c.recv(4096), "Z"),
    "falls silent at once": (hang, "Z"),
    "falls silent when asked": (lambda c: (c.recv(4096), hang(c)), "Z"),
    "hangs up in the middle": (lambda c: (c.recv(4096), c.sendall(whole(POLICY)[:20])), "Z"),
    "falls silent in the middle": (lambda c: (c.recv(4096), c.sendall(whole(POLICY)[:20]), hang(c)), "Z"),
    "no comma": (lambda c: (c.recv(4096), c.sendall(whole(POLICY)[:-1])), "Z"),
    "a wrong length": (lambda c: (c.recv(4096), c.sendall(b"9" + whole(POLICY)[2:])), "Z"),
    "too much": (lambda c: (c.recv(4096), c.sendall(b"100001:" + bytes(100001) + b",")), "Z"),
    "nonsense": (lambda c: (c.recv(4096), c.sendall(b"200 OK\r\n")), "Z"),
    "no such word": (lambda c: (c.recv(4096), c.sendall(whole("YES may"))), "Z"),
    "a word alone": (lambda c: (c.recv(4096), c.sendall(whole("OK"))), "Z"),
    "no level": (lambda c: (c.recv(4096), c.sendall(whole("OK "))), "Z"),
    "no policy that can be used": (lambda c: (c.recv(4096), c.sendall(whole("OK secure match="))), "Z"),
    "in pieces": (lambda c: (c.recv(4096), [c.sendall(bytes([byte])) for byte in whole(POLICY)]), "K"),
    "and more behind it": (lambda c: (c.recv(4096), c.sendall(whole(POLICY) + whole("OK may"))), "K"),
}

# What fails once, or from then on; what qmail-remote asks, and how its files are read.
CALLS = [("open", errno.EIO), ("open", errno.EMFILE), ("read", errno.EIO), ("recv", errno.ECONNRESET), ("recv", 0),
         ("recv", errno.EINTR), ("send", errno.EPIPE), ("send", errno.EINTR), ("poll", errno.EINTR), ("poll", errno.ENOMEM),
         ("socket", errno.EMFILE), ("connect", errno.ECONNREFUSED), ("connect", errno.ETIMEDOUT), ("lstat", errno.EIO),
         ("malloc", errno.ENOMEM)]
MOST = 120  # runs for one function; more calls than that are sampled evenly


class Policies:
    """The ways to a demand: who is asked, how, and what is in the files."""

    def __init__(self, rig, context, library):
        self.rig, self._context, self._library = rig, context, library
        self._count = rig.scratch / "count"
        self._record = key_record(rig.scratch / "key")
        control = rig.home / "control"
        (control / "timeoutremote").write_text("2\n")

    def deliver(self, by_map, can_tls, dns_fault=None, map_fault=None, **faults):
        """ "K" or "Z"; Trouble where the demand was passed over."""
        control = self.rig.home / "control"
        address = (netns.address(25), 25) if by_map else ("127.0.0.1", 0)
        sink = Sink(self._context if can_tls else None, address=address)
        try:
            with Resolver(True, [self._record]) as resolver, PolicyServer(POLICY, map_fault) as server:
                resolver.addresses, resolver.tlsa_name = [sink.ip], f"_{sink.port}._tcp.mx.example.test"
                resolver.spoil = dns_fault
                (control / "tlspolicymap").write_text(server.line if by_map else "")
                (control / "tlspolicy").write_text("" if by_map else ":dane-only\n")
                environment = self.rig.environment(DNSCACHEIP=resolver.address, RES_OPTIONS="timeout:1 attempts:1", **faults)
                outcome = judge_delivery(run_remote(self.rig, sink, environment,
                                                    routes="" if by_map else f":mx.example.test:{sink.port}\n"), sink)
                if not faults and not map_fault and by_map and server.questions != [ASKED]:
                    raise Trouble(f"asked: {server.questions}")
        finally:
            sink.close()
        if sink.in_the_clear:
            raise Trouble("went in the clear against a demand")
        return outcome

    def failing(self, by_map, can_tls, call, number, error, forever=False):
        """The outcome, and how many calls there were."""
        more = {"FAULT_FOREVER": "1"} if forever else {}
        self._count.unlink(missing_ok=True)
        outcome = self.deliver(by_map, can_tls, LD_PRELOAD=self._library, FAULT_PROGRAM="qmail-remote", FAULT_CALL=call,
                               FAULT_NUMBER=number, FAULT_ERRNO=error, FAULT_COUNT=self._count, **more)
        return outcome, int(self._count.read_text() or 0) if self._count.exists() else 0


def main():
    smtpd, remote, library = sys.argv[1:4]
    passed = failed = 0

    def check(what, action, wanted):
        nonlocal passed, failed
        try:
            outcome = action()
            if outcome not in wanted:
                raise Trouble(f"outcome {outcome!r}, not {' or '.join(wanted)}")
            passed += 1
        except (Trouble, OSError, subprocess.TimeoutExpired) as trouble:
            print(f"FAIL {what}: {trouble}"[:400], flush=True)
            failed += 1

    ways = [("TLSA records", False)]
    if os.geteuid() == 0:
        netns.enter()
        ways.append(("a policy server", True))
    else:
        print("*** NOT TESTED: a policy server, which needs a server on port 25: run me as root")
    with Rig(smtpd, remote) as rig:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(rig.home / "control/servercert.pem")
        policies = Policies(rig, context, library)
        for can_tls in (True, False):
            with_tls = f"tls={can_tls}"
            for what, by_map in ways:
                check(f"{what}, {with_tls}: no fault", lambda: policies.deliver(by_map, can_tls), ["K" if can_tls else "Z"])
            for what, fault in DNS_FAULTS.items():
                check(f"TLSA records, {with_tls}: {what}", lambda: policies.deliver(False, can_tls, dns_fault=fault), ["Z"])
            for what, (fault, outcome) in MAP_FAULTS.items() if len(ways) > 1 else ():
                check(f"a policy server, {with_tls}: {what}", lambda: policies.deliver(True, can_tls, map_fault=fault),
                      [outcome if can_tls else "Z"])
            for what, by_map in ways:
                for call, error in CALLS:
                    _, count = policies.failing(by_map, can_tls, call, 0, 0)
                    if not count:
                        check(f"{what}, {with_tls}: {call} is never called", lambda: "", ["K"])
                    numbers = range(1, count + 1) if count <= MOST else [1 + i * count // MOST for i in range(MOST)]
                    for number in numbers:
                        for forever in (False, True) if error == errno.ENOMEM else (False,):
                            check(f"{what}, {with_tls}: {call} number {number} of {count}, {errno.errorcode.get(error, 'end of file')}"
                                  f"{' from then on' if forever else ''}",
                                  lambda: policies.failing(by_map, can_tls, call, number, error, forever)[0],
                                  ("K", "Z", "", "Z, arrived", "no report, arrived") if can_tls else ("Z", ""))
    closing_line(passed, failed)


main()
