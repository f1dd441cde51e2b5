"""aiosmtpd_server.py IP PORT PEM CA [USER PASSWORD MECHANISM]: a server with STARTTLS on PORT and implicit TLS on 465; one
JSON line a message. With USER, one has to log in."""
import base64
import json
import ssl
import sys
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

ip, port, pem, ca = sys.argv[1:5]


class Handler:
    async def handle_DATA(self, server, session, envelope):
        secure = server.transport.get_extra_info("ssl_object")
        print(json.dumps({"version": secure.version() if secure else "", "certificate": bool(secure and secure.getpeercert()),
                          "login": bool(session.authenticated), "from": envelope.mail_from, "to": envelope.rcpt_tos,
                          "data": base64.b64encode(envelope.original_content).decode()}), flush=True)
        return "250 kept"


context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=ca)
context.load_cert_chain(pem)
context.verify_mode = ssl.CERT_OPTIONAL
limits = {"server_hostname": "aiosmtpd.test", "data_size_limit": 2**24}
if len(sys.argv) > 5:
    user, password, mechanism = sys.argv[5:8]
    limits |= {"auth_required": True, "auth_exclude_mechanism": {"PLAIN", "LOGIN"} - {mechanism},
               "authenticator": lambda server, session, envelope, how, data: AuthResult(
                   success=(data.login, data.password) == (user.encode(), password.encode()), handled=False)}
servers = [Controller(Handler(), hostname=ip, port=int(port), tls_context=context, require_starttls=True, **limits),
           Controller(Handler(), hostname=ip, port=465, ssl_context=context, **limits)]
for one in servers:
    one.start()
time.sleep(3600)
