"""MTA-STS by control/tlspolicymap: postfix-mta-sts-resolver of Debian, which fetches real policies: from a web server here,
by names of a signed zone; qmail-smtpd on port 25 as the exchangers."""
import re
import shlex
import socket
import ssl
import threading

import dns
import install
from matrix import same_bytes
from world import Listener, Trouble

PORT = 8461
# Domain: what its policy says, but for the version and the time.
POLICIES = {
    "example.test": "mode: enforce\nmx: rsa.example.test\n",
    "mx.example.test": "mode: enforce\nmx: elsewhere.example.test\nmx: *.elsewhere.test\n",
    "own1.example.test": "mode: enforce\nmx: *.example.test\n",
    "rsa.example.test": "mode: testing\nmx: elsewhere.example.test\n",
}


def serve_policies(listener, context):
    while True:
        connection, _ = listener.accept()
        try:
            with context.wrap_socket(connection, server_side=True) as tls:
                tls.settimeout(5)
                host = re.search(rb"\r\nHost: mta-sts\.([^\r:]+)", tls.recv(8192), re.I)
                text = "version: STSv1\n" + POLICIES[host[1].decode()] + "max_age: 86400\n"
                tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
                            % (len(text), text.encode()))
        except (OSError, TypeError, KeyError):
            pass  # the daemon's answer will tell


def start_policy_host(world, ip):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(world.pki / "rsa.pem")
    listener = socket.create_server((ip, 443))
    threading.Thread(target=serve_policies, args=(listener, context), daemon=True).start()


def start_daemon(world, resolver):
    folder = world.folder("sts")
    (folder / "resolv.conf").write_text(f"nameserver {resolver.partition(':')[0]}\n")
    (folder / "daemon.yml").write_text(f"host: 127.0.0.1\nport: {PORT}\ncache:\n  type: internal\n  options:\n    cache_size: 100\n"
                                       "default_zone:\n  strict_testing: false\n  timeout: 4\n")
    script = f'mount --bind {shlex.quote(str(folder / "resolv.conf"))} "$(realpath /etc/resolv.conf)"; exec "$@"'
    return world.start(["unshare", "-m", "sh", "-ec", script, "sts", "/usr/bin/mta-sts-daemon", "-c", folder / "daemon.yml"],
                       log="mta-sts-daemon", env={"SSL_CERT_FILE": world.pki / "ca.crt"}, ready=("127.0.0.1", PORT))


def check(world, results):
    dns.prepare()
    install.packages("postfix-mta-sts-resolver")
    world.leave_loopback()
    good = Listener(world, "mx-rsa", "rsa", "starttls", None, number=30, port=25)
    plain = Listener(world, "mx-plain", None, "plain", None, number=31, port=25)
    world.accept_all(good, plain)
    host = world.ip(32)
    zone = "".join(f"_mta-sts.{d[:-5]} TXT \"v=STSv1; id=1;\"\nmta-sts.{d[:-5]} A {host}\n" for d in POLICIES)
    resolver = dns.start(world, zone + f"""
rsa.example A {good.ip}
rsa.example MX 10 rsa.example
plain.example A {plain.ip}
example MX 10 rsa.example
mx.example MX 10 rsa.example
own1.example MX 10 plain.example
nothing MX 10 plain.example
""", ip="127.0.0.53")
    start_policy_host(world, host)
    daemon = start_daemon(world, resolver)
    control = {"tlspolicymap": f"socketmap:inet:127.0.0.1:{PORT}:postfix\n", "tlsca.pem": (world.pki / "ca.crt").read_text(),
               "tlsreport": "1\n"}

    def deliver(domain):
        token = world.token()
        message = world.message(token, f"u@{domain}", lines=3)
        return token, message, world.deliver(None, token, message, f"u@{domain}", host=domain, resolver=resolver, control=control)

    def arrives(domain, listener, words):
        token, message, report = deliver(domain)
        if f"K{listener.ip} accepted message." not in report or not re.search(rf"^TLS: {words}\.$", report, re.M):
            raise Trouble(f"{report}\n{world.log('mta-sts-daemon')[-600:].decode(errors='replace')}")
        same_bytes(message, listener.take(token).message)

    def says(domain, wanted):
        report = deliver(domain)[2]
        if not report.startswith(wanted):
            raise Trouble(f"wanted {wanted!r}, got {report!r}")

    def without_the_daemon():
        world.stop(daemon)
        says("nothing.test", "ZUnable to look up the TLS policy of nothing.test in control/tlspolicymap: Connection refused. (#4.4.3)\n")

    for what, action in (
            ("enforced, and the server is as it says", lambda: arrives("example.test", good, r"TLSv1\.3 \S+ verified")),
            ("the same from the daemon's cache", lambda: arrives("example.test", good, r"TLSv1\.3 \S+ verified")),
            ("enforced, and the server is another",
             lambda: says("mx.example.test", "ZTLS unable to verify server rsa.example.test: certificate is not for ")),
            ("enforced, and the server has no TLS",
             lambda: says("own1.example.test", "ZNo TLS achieved while control/tlspolicymap says secure for own1.example.test; connecting to ")),
            ("not enforced yet (testing)", lambda: arrives("rsa.example.test", good, r"TLSv1\.3 \S+ untrusted")),
            ("no policy", lambda: arrives("nothing.test", plain, "none")),
            ("no policy server", without_the_daemon)):
        results.check("check", {"what": what}, action)
