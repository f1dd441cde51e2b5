"""swaks (Perl, Net::SSLeay on OpenSSL) as a client."""
import install
from world import run

tells_refusals = True


def prepare(world):
    install.packages("swaks", "libnet-ssleay-perl")


def send(world, target, message, sender, recipient, certificate):
    data = world.folder("swaks") / "message"
    data.write_bytes(message.removesuffix(b"\n"))  # swaks ends the last line itself
    argv = ["swaks", "--server", target.ip, "--port", target.port, "--from", sender, "--to", recipient, "--data", f"@{data}",
            "--helo", "client.example.test", "--tls-on-connect" if target.implicit else "--tls", "--tls-verify",
            "--tls-ca-path", world.pki / "ca.crt", "--tls-protocol", "tlsv1_" + target.version[-1]]
    if certificate:
        argv += ["--tls-cert", f"{certificate}.crt", "--tls-key", f"{certificate}.key"]
    if target.login:
        argv += ["--auth", target.login.mechanism, "--auth-user", target.login.user, "--auth-password", target.login.password]
    status, said = run(argv)
    return status == 0, "\n".join(line for line in said.decode(errors="replace").splitlines() if not line.startswith(" ~> "))
