"""Servers on Node.js for our qmail-remote: npm's smtp-server and Haraka."""
import base64
import json
import pathlib
import shutil
import time

import install
from matrix import KEYS, Delivered
from world import SUBMISSION, Trouble

HERE = pathlib.Path(__file__).parent


class _JsonLines:
    """What both have in common: one JSON line a message in a file a key."""

    def target(self, world, key, mode, version):
        self._key = key
        return world.peer_target(key, mode, version)

    def take(self, world, token):
        end = time.monotonic() + 5
        while time.monotonic() < end:
            for line in self._output(world).splitlines():
                if line.startswith(b"{"):
                    got = json.loads(line)
                    message = base64.b64decode(got["data"]).replace(b"\r\n", b"\n")
                    if token.encode() + b"\n" in message:
                        return Delivered(message, self._version(got), got["certificate"])
            time.sleep(0.02)
        raise Trouble(f"nothing arrived; {self.trouble(world)}")

    def _version(self, got):
        return got["version"][4:]

    def trouble(self, world):
        return world.log(f"{self.log}-{self._key}")[-600:].decode(errors="replace")


class SmtpServer(_JsonLines):
    log = "smtp-server"

    def __init__(self, world):
        modules = install.node_modules()
        for key in KEYS:
            ip = world.peer_ip(key)
            world.start(["node", HERE / "smtp_server.js", modules, ip, str(SUBMISSION), world.pki / f"{key}.pem",
                         world.pki / "ca.crt"], log=f"smtp-server-{key}", ready=(ip, 465))

    def _output(self, world):
        return world.log(f"smtp-server-{self._key}")


class Haraka(_JsonLines):
    log = "haraka"
    adds_headers = ("Received",)

    def __init__(self, world):
        program = install.node_modules() / "Haraka/bin/haraka"
        for key in KEYS:
            ip = world.peer_ip(key)
            folder = world.folder(f"haraka-{key}")
            for part in ("config", "plugins", "queue"):
                (folder / part).mkdir()
            config = {"smtp.ini": f"listen={ip}:{SUBMISSION},{ip}:465\nsmtps_port=465\nnodes=0\n", "plugins": "tls\nkeep\n",
                      "host_list": "example.test\n", "me": "haraka.test\n", "loglevel": "WARN\n",
                      "tls.ini": f"requestCert=true\nrejectUnauthorized=false\nca={world.pki}/ca.crt\n"}
            for name, content in config.items():
                (folder / "config" / name).write_text(content)
            shutil.copy(program.parent.parent / "config/connection.ini", folder / "config")
            shutil.copy(world.pki / f"{key}.key", folder / "config/tls_key.pem")
            shutil.copy(world.pki / f"{key}.crt", folder / "config/tls_cert.pem")
            shutil.copy(HERE / "haraka_keep.js", folder / "plugins/keep.js")
            world.start(["node", program, "-c", folder], log=f"haraka-{key}", env={"HARAKA_OUT": folder / "out", "NODE_EXTRA_CA_CERTS": world.pki / "ca.crt"},
                        ready=(ip, 465))

    def _output(self, world):
        out = world.folder(f"haraka-{self._key}") / "out"
        return out.read_bytes() if out.exists() else b""
