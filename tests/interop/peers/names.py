"""Finding exchangers with real name servers: nsd with a signed zone behind unbound; two qmail-smtpd on port 25."""
import dns
from matrix import same_bytes
from world import Listener, Trouble


def check(world, results):
    dns.prepare()
    world.leave_loopback()
    first = Listener(world, "mx-first", "rsa", "starttls", None, number=30, port=25)
    second = Listener(world, "mx-second", "ecdsa", "starttls", None, number=31, port=25)
    world.accept_all(first, second)
    dead = world.ip(99)
    many = "".join(f"big MX {20 + n} exchanger-with-a-long-name-{n:03}.somewhere.far.below.big\n" for n in range(80))
    resolver = dns.start(world, f"""
rsa.example A {first.ip}
RSA-Upper.Example A {first.ip}
ecdsa.example A {second.ip}
dead A {dead}
me A 127.0.0.1
me6 AAAA ::1
ordered MX 20 ecdsa.example
ordered MX 10 rsa.example
next MX 10 dead
next MX 20 ecdsa.example
equal MX 10 rsa.example
equal MX 10 ecdsa.example
nullmx MX 0 .
onlya A {second.ip}
alias CNAME ordered
itsme MX 10 me
itsme MX 20 rsa.example
itsme6 MX 10 me6
behindme MX 10 rsa.example
behindme MX 20 me
upper MX 10 RSA-UPPER.EXAMPLE
nowhere MX 10 gone
big MX 10 rsa.example
{many}""", ip="127.0.0.53")

    def deliver(domain, **more):
        token = world.token()
        message = world.message(token, f"u@{domain}", lines=3)
        return token, message, world.deliver(None, token, message, f"u@{domain}", host=domain, resolver=resolver, **more)

    def arrives(domain, listener, recipient=None, **more):
        token, message, report = deliver(domain, **more)
        if f"K{listener.ip} accepted message." not in report:
            raise Trouble(report)
        arrival = listener.take(token)
        same_bytes(message, arrival.message)
        if not arrival.cipher or arrival.recipients != [recipient or f"u@{domain}"]:
            raise Trouble(f"{arrival.recipients} {arrival.trace!r}")

    def says(domain, wanted):
        report = deliver(domain)[2]
        if not report.startswith(wanted):
            raise Trouble(f"wanted {wanted!r}, got {report!r}")

    def both_of_equals():
        seen = set()
        for _ in range(60):
            seen |= {ip for ip in (first.ip, second.ip) if f"K{ip} " in deliver("equal.test")[2]}
            if len(seen) == 2:
                return
        raise Trouble(f"60 deliveries, all to {seen}")

    def by_resolv_conf():
        conf = world.folder("dns") / "resolv.conf"
        conf.write_text(f"nameserver {resolver.partition(':')[0]}\n")
        token, message = world.token(), world.message("x", "u@ordered.test", lines=1)
        report = world.deliver(None, token, message, "u@ordered.test", host="ordered.test", prefix=[
            "unshare", "-m", "sh", "-ec", f'mount --bind {conf} /etc/resolv.conf; exec "$@"', "remote"])
        if f"K{first.ip} " not in report:
            raise Trouble(report)

    for what, action in (
            ("the lowest preference first", lambda: arrives("ordered.test", first)),
            ("the next exchanger when one is dead", lambda: arrives("next.test", second)),
            ("equal preferences in random order", both_of_equals),
            ("null MX", lambda: says("nullmx.test", "DSorry, I couldn't find a mail exchanger or IP address. (#5.4.4)")),
            ("no MX, but an address", lambda: arrives("onlya.test", second)),
            ("an alias makes the recipient canonical", lambda: arrives("alias.test", first, "u@ordered.test")),
            ("no such host", lambda: says("gone.test", "DSorry, I couldn't find any host named gone.test. (#5.1.2)")),
            ("an exchanger without address", lambda: says("nowhere.test", "DSorry, I couldn't find a mail exchanger")),
            ("no answer", lambda: says("host.lame", "Z")),
            ("it is me", lambda: says("itsme.test", "DSorry. Although I'm listed as a best-preference MX")),
            ("it is me, IPv6", lambda: says("itsme6.test", "DSorry. Although I'm listed as a best-preference MX")),
            ("me as the worse one", lambda: arrives("behindme.test", first)),
            ("81 exchangers", lambda: arrives("big.test", first)),
            ("tlshosts in lower case for a name in upper case",
             lambda: arrives("upper.test", first, anchors="rsa-upper.example.test")),
            ("the resolver of resolv.conf", by_resolv_conf)):
        results.check("check", {"what": what}, action)
