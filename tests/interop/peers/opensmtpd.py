"""OpenSMTPD in an overlay, as a client: its relay, and smtp(1).

Debian's package cannot use a private key (its privilege-separated key engine and OpenSSL 3: such a handshake ends in
its own alert internal_error), so it is no server here and shows no certificate. It cannot be told a TLS version: listeners of ours are held to one.
"""
import re
import smtplib
import time

import install
from matrix import KEYS, LOCAL, MODES, Cannot, same_bytes
from world import Trouble, run


def _overlay():
    return install.Overlay("opensmtpd", "opensmtpd")


class Client:
    adds_headers = ("Received",)
    chooses_version = False
    patience = 30  # its scheduler waits before the first message to a new relay

    def __init__(self, world):
        folder, self._ip = world.folder("opensmtpd"), world.ip(21)
        lines, matches, self._ports = [], [], {}
        for key in KEYS:
            for mode in MODES:
                for version in ("1.2", "1.3"):
                    listener = world.listener(key, mode, version)
                    port = 3000 + len(self._ports)
                    self._ports[key, mode, version] = port
                    scheme = "smtps" if mode == "implicit" else "smtp+tls"
                    lines.append(f"listen on {self._ip} port {port} tag T{port} hostname osm.test")
                    matches.append(f'action "A{port}" relay host {scheme}://{listener.ip}:{listener.port} tls no-verify')
                    matches.append(f'match tag T{port} from any for any action "A{port}"')
        (folder / "smtpd.conf").write_text("\n".join(lines + matches) + "\n")
        world.start([*_overlay().enter(), "smtpd", "-dv", "-f", folder / "smtpd.conf"],
                    log="opensmtpd", ready=(self._ip, 3000))

    def send(self, world, target, message, sender, recipient, certificate):
        if certificate:
            raise Cannot("Debian's OpenSMTPD cannot use a private key: its own alert internal_error")
        port = self._ports[target.key, target.mode, target.version]
        before = len(world.log("opensmtpd"))
        with smtplib.SMTP(self._ip, port, timeout=15) as client:
            client.sendmail(sender, [recipient], message.replace(b"\n", b"\r\n"))
        end = time.monotonic() + self.patience
        while time.monotonic() < end:
            log = world.log("opensmtpd")[before:].decode(errors="replace")
            done = re.search(rf'mta delivery .*from=<{re.escape(sender)}>.*result="(\w+)".*', log)
            if done:
                return done.group(1) == "Ok", log[-1500:]
            time.sleep(0.1)
        return False, world.log("opensmtpd")[before:][-1500:].decode(errors="replace")


def smtp_command(world, results):
    """smtp(1), its command-line client."""
    for key in KEYS:
        for mode in MODES:
            for version in ("1.2", "1.3"):
                def one():
                    listener, token = world.listener(key, mode, version), world.token()
                    message = world.message(token, LOCAL)
                    url = f"{'smtps' if mode == 'implicit' else 'smtp+tls'}://{listener.ip}:{listener.port}"
                    status, said = run([*_overlay().enter(), "smtp", "-C", "-F", f"s-{token}@x.test", "-s", url, LOCAL],
                                       input=message)
                    if status != 0:
                        raise Trouble(f"refused: {said.decode(errors='replace')[-800:]}")
                    same_bytes(message, listener.take(token).message)

                results.check("check", {"what": f"smtp(1) {mode} {version} {key}"}, one)
