"""Talks SMTP through a program whose standard input and output are the connection (openssl s_client, gnutls-cli)."""
import base64
import re
import select
import subprocess
import time

from world import Trouble


def _base64(text):
    return base64.b64encode(text.encode())


def plain(login):
    """The response of AUTH PLAIN."""
    return _base64(f"\0{login.user}\0{login.password}")


def log_in(say, login, greeting=b"EHLO client.example.test"):
    """EHLO, then AUTH: PLAIN with the response at once, LOGIN asked for both words. True: 235."""
    say(greeting)
    if login.mechanism == "plain":
        return say(b"AUTH PLAIN " + plain(login)).startswith(b"235")
    return (say(b"AUTH LOGIN").startswith(b"334 VXNlcm5hbWU6") and say(_base64(login.user)).startswith(b"334 UGFzc3dvcmQ6")
            and say(_base64(login.password)).startswith(b"235"))


class Dialogue:
    def __init__(self, argv, *, newline=b"\r\n", seconds=15):
        self._child = subprocess.Popen([str(a) for a in argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT)
        self._newline, self._seconds, self._unread, self.transcript = newline, seconds, b"", b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._child.kill()
        self._child.communicate()

    def expect(self, pattern):
        """Waits for `pattern` (a regular expression over whole lines) and forgets everything up to its end."""
        end = time.monotonic() + self._seconds
        while not (found := re.search(pattern, self._unread, re.M)):
            more = b""
            if select.select([self._child.stdout], [], [], max(0, end - time.monotonic()))[0]:
                more = self._child.stdout.read1(65536)
            if not more:
                raise Trouble(f"waited for {pattern!r}, got: {self.transcript[-1200:].decode(errors='replace')}")
            self._unread += more
            self.transcript += more
        self._unread = self._unread[found.end():]
        return found.group(0)

    def say(self, line, pattern=rb"^[2345]\d\d .*\n"):
        """Sends a line, returns the last line of the reply."""
        self._child.stdin.write(line + self._newline)
        self._child.stdin.flush()
        return self.expect(pattern)

    def send_mail(self, message, sender, recipient):
        """The whole transaction; (accepted, transcript)."""
        self.say(b"EHLO client.example.test")
        self.say(f"MAIL FROM:<{sender}>".encode())
        accepted = self.say(f"RCPT TO:<{recipient}>".encode()).startswith(b"250")
        if accepted:
            self.say(b"DATA", rb"^354 .*\n")
            lines = [b"." + line if line.startswith(b".") else line for line in message.splitlines()]
            accepted = self.say(self._newline.join([*lines, b"."])).startswith(b"250")
        self.say(b"QUIT", rb"^221 .*\n")
        return accepted, self.transcript.decode(errors="replace")
