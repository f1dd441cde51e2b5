"""gnutls-cli as a client: GnuTLS, which never answers a renegotiation."""
import dialogue
import install
from dialogue import Dialogue

tells_refusals = True


def prepare(world):
    install.packages("gnutls-bin")


def send(world, target, message, sender, recipient, certificate):
    argv = ["gnutls-cli", "--x509cafile", world.pki / "ca.crt", "--verify-hostname", target.name, "--sni-hostname", target.name,
            "--priority", f"NORMAL:-VERS-ALL:+VERS-TLS{target.version}", "-p", target.port, target.ip]
    if not target.implicit:
        argv += ["--starttls-proto=smtp"]
    if certificate:
        argv += ["--x509certfile", f"{certificate}.crt", "--x509keyfile", f"{certificate}.key"]
    with Dialogue(argv) as talk:
        talk.expect(rb"^220 .*\n" if target.implicit else rb"^- Simple Client Mode:\n")
        if target.login and not dialogue.log_in(talk.say, target.login):
            return False, talk.transcript.decode(errors="replace")
        return talk.send_mail(message, sender, recipient)
