"""Which combinations are tried with a peer, what counts as success, and how the result is written down.

A client peer offers   send(world, target, message, sender, recipient, certificate) -> (accepted, what it said)
with Target telling where and how. A server peer offers a class Server(world) with target(world, key, mode, version) ->
Target, take(world, token) -> Delivered and trouble(world) -> its log. Each combination ends as
"ok", "no" (the peer cannot do it: its own reason) or "FAIL" (with what was seen). A run writes its cells as JSON for
the table; a peer that cannot be had at all leaves one cell "absent" and a loud line.
"""
import dataclasses
import json
import re
import sys

from world import Trouble

KEYS = ("rsa", "ecdsa")
MODES = ("starttls", "implicit")
VERSIONS = ("1.2", "1.3")
LOCAL = "u@example.test"
FOREIGN = "friend@foreign.test"


@dataclasses.dataclass
class Login:
    user: str
    password: str
    mechanism: str  # plain, login


@dataclasses.dataclass
class Target:
    """A server to talk to, and how."""
    ip: str
    port: int
    key: str
    mode: str      # starttls, implicit
    version: str   # 1.2, 1.3
    name: str = "mx.example.test"
    login: "Login | None" = None  # a client logs in

    @property
    def implicit(self):
        return self.mode == "implicit"


class Cannot(Exception):
    """The peer has no means to do this: no failure of ours."""


class Results:
    def __init__(self, peer):
        self.peer = peer
        self.cells = []

    def check(self, role, label, action):
        """Runs one combination. `label` is a dict of the dimensions."""
        try:
            action()
            outcome, why = "ok", ""
        except Cannot as reason:
            outcome, why = "no", str(reason)
        except Trouble as trouble:
            outcome, why = "FAIL", str(trouble)
        except Exception as error:  # one broken combination must not hide the others
            outcome, why = "FAIL", f"{type(error).__name__}: {error}"
        self.cells.append({"peer": self.peer, "role": role, **label, "outcome": outcome, "why": why})
        if outcome != "ok":
            print(f"{outcome}: {self.peer} {role} {' '.join(label.values())}: {why}", flush=True)

    def absent(self, role, why):
        self.cells.append({"peer": self.peer, "role": role, "outcome": "absent", "why": why})
        print(f"\n*** NOT TESTED: {self.peer} as {role}: {why}\n", flush=True)

    def failed(self):
        return [c for c in self.cells if c["outcome"] == "FAIL"]

    def write(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.peer}.json").write_text(json.dumps(self.cells, indent=1))
        count = {o: sum(c["outcome"] == o for c in self.cells) for o in ("ok", "no", "FAIL", "absent")}
        print(f"{self.peer}: {count['ok']} ok, {count['FAIL']} failed, {count['no']} not possible with this peer, "
              f"{count['absent']} not tested", flush=True)


# --- what must be true of a message that arrived ---

def same_bytes(sent, arrived, headers=()):
    """What arrived is what was sent, behind whole header fields with the names of `headers` (a relay's own)."""
    if arrived == sent:
        return
    if headers and arrived.endswith(sent):
        added = arrived[:len(arrived) - len(sent)]
        names = {n.lower() for n in re.findall(rb"^([!-9;-~]+):", added, re.M)}
        if added.endswith(b"\n") and names <= {h.lower().encode() for h in headers}:
            return
    at = next((i for i, (a, b) in enumerate(zip(sent, arrived)) if a != b), min(len(sent), len(arrived)))
    raise Trouble(f"not byte for byte: {len(sent)} sent, {len(arrived)} arrived, first difference at {at}: "
                  f"{sent[at - 20 if at > 20 else 0:at + 40]!r} became {arrived[at - 20 if at > 20 else 0:at + 40]!r}")


def right_cipher(cipher, version):
    if not cipher:
        raise Trouble("arrived without TLS")
    if cipher.startswith("TLS_") != (version == "1.3"):
        raise Trouble(f"wanted TLS {version}, arrived with {cipher}")


# --- clients of our qmail-smtpd ---

def check_client(world, peer, results):
    """Every combination, one message each; a stranger is refused, a client with a certificate may relay."""
    for key in KEYS:
        for mode in MODES:
            for version in VERSIONS:
                for certificate in ("", "certificate"):
                    label = {"mode": mode, "version": version, "key": key, "certificate": certificate}
                    results.check("client", label, lambda: _one_message(world, peer, key, mode, version, certificate))
                if getattr(peer, "tells_refusals", False):
                    label = {"mode": mode, "version": version, "key": key, "certificate": "refused"}
                    results.check("client", label, lambda: _one_refusal(world, peer, key, mode, version))


def _target(world, peer, key, mode, version):
    held = getattr(peer, "chooses_version", True)
    listener = world.listener(key, mode, None if held else version)
    return listener, Target(listener.ip, listener.port, key, mode, version)


def _one_message(world, peer, key, mode, version, certificate):
    listener, target = _target(world, peer, key, mode, version)
    token = world.token()
    recipient = FOREIGN if certificate else LOCAL
    message = world.message(token, recipient)
    pem = world.pki / f"alice-{key}" if certificate else None
    accepted, said = peer.send(world, target, message, f"s-{token}@x.test", recipient, pem)
    if not accepted:
        log = world.log(listener.log_name)[-300:].decode(errors="replace")
        raise Trouble(f"refused: {said[-600:]}\nqmail-smtpd's log: {log}")
    arrival = listener.take(token, getattr(peer, "patience", 5))
    same_bytes(message, arrival.message, getattr(peer, "adds_headers", ()))
    right_cipher(arrival.cipher, version)
    if arrival.sender != f"s-{token}@x.test" or arrival.recipients != [recipient]:
        raise Trouble(f"the envelope is {arrival.sender} {arrival.recipients}")
    shown = b"(cert alice@client.test)" in arrival.trace
    if shown != bool(certificate) or (arrival.relayclient == "") != bool(certificate):
        raise Trouble(f"certificate: {bool(certificate)}, RELAYCLIENT {arrival.relayclient!r}, trace {arrival.trace!r}")


def _one_refusal(world, peer, key, mode, version):
    listener, target = _target(world, peer, key, mode, version)
    token = world.token()
    accepted, said = peer.send(world, target, world.message(token, FOREIGN, lines=5), f"s-{token}@x.test", FOREIGN, None)
    if accepted or listener.has(token):
        raise Trouble("a stranger's message to a foreign recipient was accepted")
    if "no valid cert for gatewaying" not in said:
        raise Trouble(f"refused, but not by the 553: {said[-600:]}")


# --- servers for our qmail-remote ---

def check_server(world, peer, results):
    """Every combination, one delivery each: with and without our certificate, verified (tlshosts) and not."""
    for key in KEYS:
        for mode in MODES:
            for version in VERSIONS:
                for certificate in ("", "certificate"):
                    for verify in ("", "verified"):
                        label = {"mode": mode, "version": version, "key": key, "certificate": certificate,
                                 "verify": verify}
                        results.check("server", label, lambda: _one_delivery(world, peer, **label))


def _one_delivery(world, peer, key, mode, version, certificate, verify):
    target = peer.target(world, key, mode, version)
    token = world.token()
    recipient = FOREIGN if certificate and getattr(peer, "relays_by_certificate", False) else LOCAL
    message = world.message(token, recipient)
    report = world.deliver(f"{target.name}:{target.port}", token, message, recipient,
                           client_key=key if certificate else None, version=version,
                           anchors=target.name if verify else None, resolver=world.resolver())
    if f"K{target.ip} accepted message." not in report or not report.startswith("r"):
        raise Trouble(f"report: {report!r}\npeer's log: {peer.trouble(world)}")
    arrived = peer.take(world, token)
    same_bytes(message, arrived.message, getattr(peer, "adds_headers", ()))
    if arrived.version != version:
        raise Trouble(f"wanted TLS {version}, the server saw {arrived.version!r}")
    if arrived.certificate is not None and arrived.certificate != bool(certificate):
        raise Trouble(f"certificate sent: {bool(certificate)}, seen: {arrived.certificate}")


@dataclasses.dataclass
class Delivered:
    """What a server peer has to tell of a message it took."""
    message: bytes
    version: str               # "1.2", "1.3", "" in clear
    certificate: "bool | None"  # our certificate was seen and verified; None: the peer cannot tell


# --- the table ---

def table(folder, out=sys.stdout):
    """All cells of `folder` as Markdown: one line a peer and role."""
    cells = [c for path in sorted(folder.glob("*.json")) for c in json.loads(path.read_text())]
    notes = []

    def note(text):
        text = re.sub(r"\s+", " ", text)[:160]
        if text not in notes:
            notes.append(text)
        return f"[{notes.index(text) + 1}]"

    def cell(chosen):
        if not chosen:
            return ""
        bad = [c for c in chosen if c["outcome"] == "FAIL"]
        no = [c for c in chosen if c["outcome"] == "no"]
        if bad:
            return f"**{len(bad)} of {len(chosen)} failed** {note(bad[0]['why'])}"
        if len(no) == len(chosen):
            return f"– {note(no[0]['why'])}"
        keys = {c["key"] for c in chosen if c["outcome"] == "ok"}
        return "yes" if len(keys) == 2 else f"{'/'.join(sorted(keys)).upper()} {note(no[0]['why'])}"

    for role, title in (("client", "Clients of qmail-smtpd"), ("server", "Servers for qmail-remote")):
        mine = [c for c in cells if c["role"] == role]
        peers = sorted({c["peer"] for c in mine}, key=str.lower)
        if not peers:
            continue
        print(f"\n**{title}** (RSA and ECDSA each; every message arrived byte for byte)\n", file=out)
        columns = [(m, v) for m in MODES for v in VERSIONS]
        heads = [f"{'STARTTLS' if m == 'starttls' else 'implicit'} {v}" for m, v in columns]
        last = ["certificate 1.2", "certificate 1.3"] + (["verified"] if role == "server" else [])
        print("| peer | " + " | ".join(heads + last) + " |\n|" + "---|" * (len(heads + last) + 1), file=out)
        for peer in peers:
            own = [c for c in mine if c["peer"] == peer]
            if own[0]["outcome"] == "absent":
                print(f"| {peer} | not tested {note(own[0]['why'])} |" + " |" * (len(heads + last) - 1), file=out)
                continue
            row = [cell([c for c in own if (c["mode"], c["version"]) == column and c.get("certificate") != "certificate"])
                   for column in columns]
            row += [cell([c for c in own if c["version"] == v and c.get("certificate") == "certificate"])
                    for v in VERSIONS]
            if role == "server":
                row.append(cell([c for c in own if c.get("verify") == "verified"]))
            print(f"| {peer} | " + " | ".join(row) + " |", file=out)
    zones = [c for c in cells if c["role"] == "dane" and c["outcome"] != "absent"]
    if zones:
        print("\n**DANE** (`:dane` in control/tlspolicy; Postfix with smtp_tls_security_level = dane; posttls-finger looks at the first "
              "exchanger only)\n\n| zone | Postfix's smtp | posttls-finger | qmail-remote |\n|---|---|---|---|", file=out)
        for c in zones:
            own = c["own"] if c["outcome"] == "ok" else f"{c['own']}: **{c['outcome']}** {note(c['why'])}"
            print(f"| {c['what']} | {c['smtp']} | {c['finger']} | {own} |", file=out)
    others = [c for c in cells if c["role"] not in ("client", "server") and c not in zones]
    if others:
        print("\n**Others**\n\n| what | result |\n|---|---|", file=out)
        for c in others:
            result = "yes" if c["outcome"] == "ok" else f"{c['outcome']} {note(c['why'])}"
            print(f"| {c['peer']}: {c.get('what', c['role'])} | {result} |", file=out)
    if notes:
        print("", file=out)
    for number, text in enumerate(notes, 1):
        print(f"[{number}] {text}  ", file=out)
    for c in cells:
        if c["outcome"] == "absent":
            print(f"*** NOT TESTED: {c['peer']} as {c['role']}: {c['why']}", file=sys.stderr)
    return bool(cells) and not any(c["outcome"] == "FAIL" for c in cells)
