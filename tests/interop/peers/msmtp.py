"""msmtp (GnuTLS) as a client."""
import install
from world import run

tells_refusals = True


def prepare(world):
    install.packages("msmtp")


def send(world, target, message, sender, recipient, certificate):
    config = world.folder("msmtp") / "msmtprc"
    lines = ["defaults", "tls on", f"tls_trust_file {world.pki}/ca.crt", "account test", f"host {target.ip}",
             f"port {target.port}", f"tls_host_override {target.name}", f"tls_starttls {'off' if target.implicit else 'on'}",
             f"tls_priorities NORMAL:-VERS-ALL:+VERS-TLS{target.version}", f"from {sender}", "domain client.example.test"]
    if certificate:
        lines += [f"tls_cert_file {certificate}.crt", f"tls_key_file {certificate}.key"]
    if target.login:
        lines += [f"auth {target.login.mechanism}", f"user {target.login.user}", f"password {target.login.password}"]
    config.write_text("\n".join(lines) + "\n")
    config.chmod(0o600)
    status, said = run(["msmtp", "-C", config, "-a", "test", "--", recipient], input=message)
    return status == 0, said.decode(errors="replace")
