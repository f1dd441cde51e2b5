"""Python's smtplib and ssl as a client."""
import smtplib
import ssl

tells_refusals = True


def prepare(world):
    pass


def send(world, target, message, sender, recipient, certificate):
    context = ssl.create_default_context(cafile=str(world.pki / "ca.crt"))
    context.minimum_version = context.maximum_version = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[target.version]
    if certificate:
        context.load_cert_chain(f"{certificate}.pem")
    try:
        if target.implicit:
            client = smtplib.SMTP_SSL(target.ip, target.port, context=context, timeout=15)
        else:
            client = smtplib.SMTP(target.ip, target.port, timeout=15)
            client.starttls(context=context)
        with client:
            if target.login:
                client.ehlo("client.example.test")
                client.user, client.password = target.login.user, target.login.password
                client.auth(target.login.mechanism, getattr(client, "auth_" + target.login.mechanism))
            client.sendmail(sender, [recipient], message.replace(b"\n", b"\r\n"))
        return True, ""
    except (smtplib.SMTPException, OSError) as error:
        return False, repr(error)
