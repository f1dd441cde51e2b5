"""openssl s_client as a client."""
import install
from dialogue import Dialogue

tells_refusals = True


def prepare(world):
    install.packages("openssl")


def send(world, target, message, sender, recipient, certificate):
    # -quiet: without it a line that begins with R renegotiates and Q quits. -crlf: it wants LF and sends CRLF.
    argv = ["openssl", "s_client", "-connect", f"{target.ip}:{target.port}", "-CAfile", world.pki / "ca.crt",
            "-servername", target.name, "-verify_return_error", "-verify_hostname", target.name, "-quiet", "-crlf",
            "-tls1_" + target.version[-1]]
    if not target.implicit:
        argv += ["-starttls", "smtp"]
    if certificate:
        argv += ["-cert", f"{certificate}.pem"]
    with Dialogue(argv, newline=b"\n") as talk:
        talk.expect(rb"^2[25]0 .*\n")
        return talk.send_mail(message, sender, recipient)
