"""nodemailer (Node.js) as a client."""
import dataclasses
import json
import pathlib

import install
from world import run

tells_refusals = True


def prepare(world):
    install.node_modules()


def send(world, target, message, sender, recipient, certificate):
    data = world.folder("nodemailer") / "message"
    data.write_bytes(message)
    want = {"ip": target.ip, "port": target.port, "implicit": target.implicit, "name": target.name,
            "version": "TLSv" + target.version, "ca": str(world.pki / "ca.crt"), "sender": sender, "recipient": recipient,
            "file": str(data), "pem": f"{certificate}.pem" if certificate else None,
            "login": dataclasses.asdict(target.login) if target.login else None}
    status, said = run(["node", pathlib.Path(__file__).with_suffix(".js"), install.node_modules(), json.dumps(want)])
    return status == 0, said.decode(errors="replace")
