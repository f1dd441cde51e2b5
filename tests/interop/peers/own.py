"""Our own qmail-smtpd as a server for our qmail-remote. A certificate is proved by relaying: to a foreign recipient."""
from matrix import Delivered, Target


class Server:
    relays_by_certificate = True

    def __init__(self, world):
        self._listener = None

    def target(self, world, key, mode, version):
        self._listener = world.listener(key, mode)
        return Target(self._listener.ip, self._listener.port, key, mode, version, self._listener.name)

    def take(self, world, token):
        arrival = self._listener.take(token)
        version = ("1.3" if arrival.cipher.startswith("TLS_") else "1.2") if arrival.cipher else ""
        return Delivered(arrival.message, version, b"(cert alice@client.test)" in arrival.trace)

    def trouble(self, world):
        return world.log(self._listener.log_name)[-600:].decode(errors="replace")
