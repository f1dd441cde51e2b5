"""curl as a client."""
import install
from world import run

tells_refusals = True


def prepare(world):
    install.packages("curl")


def send(world, target, message, sender, recipient, certificate):
    data = world.folder("curl") / "message"
    data.write_bytes(message.replace(b"\n", b"\r\n"))
    scheme = "smtps" if target.implicit else "smtp"
    argv = ["curl", "-sSv", "--ssl-reqd", "--cacert", world.pki / "ca.crt", "--tlsv" + target.version, "--tls-max",
            target.version, "--resolve", f"{target.name}:{target.port}:{target.ip}", "--noproxy", "*", "--url",
            f"{scheme}://{target.name}:{target.port}/client.example.test", "--mail-from", sender, "--mail-rcpt", recipient,
            "-T", data]
    if certificate:
        argv += ["--cert", f"{certificate}.pem"]
    if target.login:
        argv += ["--user", f"{target.login.user}:{target.login.password}", "--login-options", f"AUTH={target.login.mechanism.upper()}"]
    status, said = run(argv)
    return status == 0, said.decode(errors="replace")
