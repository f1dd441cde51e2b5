"""aiosmtpd (Python asyncio) as a server: STARTTLS demanded on one port, implicit TLS on 465, certificates asked for."""
import base64
import json
import pathlib
import time

import install
from matrix import KEYS, Delivered
from world import SUBMISSION, Trouble


def prepare(world):
    install.packages("python3-aiosmtpd")


class Server:
    def __init__(self, world):
        for key in KEYS:
            ip = world.peer_ip(key)
            # Debian's own Python: another one first in PATH does not see Debian's modules.
            world.start(["/usr/bin/python3", pathlib.Path(__file__).with_name("aiosmtpd_server.py"), ip, str(SUBMISSION),
                         world.pki / f"{key}.pem", world.pki / "ca.crt"], log=f"aiosmtpd-{key}", ready=(ip, 465))

    def target(self, world, key, mode, version):
        self._key = key
        return world.peer_target(key, mode, version)

    def take(self, world, token):
        end = time.monotonic() + 5
        while time.monotonic() < end:
            for line in world.log(f"aiosmtpd-{self._key}").splitlines():
                if line.startswith(b"{"):
                    got = json.loads(line)
                    message = base64.b64decode(got["data"])
                    if token.encode() + b"\r\n" in message:
                        return Delivered(message.replace(b"\r\n", b"\n"), got["version"][4:], got["certificate"])
            time.sleep(0.02)
        raise Trouble("aiosmtpd has nothing")

    def trouble(self, world):
        return world.log(f"aiosmtpd-{self._key}")[-300:].decode(errors="replace")
