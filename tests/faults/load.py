"""load.py SMTPD REMOTE [SECONDS]: 200 clients at a time under tcpserver, a third of them misbehaving, for a minute.

Good clients (plain, STARTTLS) send one message a session, again and again; every message they were told is queued is
there exactly once and whole, and nothing else is but what a good client sent. The others hang up at every stage, send
bare LFs, garbage instead of a handshake, endless lines, or nothing. Loopback only; it stops by itself.
"""
import asyncio
import os
import random
import shutil
import signal
import ssl
import subprocess
import sys
import time

from rig import Rig, closing_line

CLIENTS, BAD = 200, 67


def body(token):
    return f"Subject: {token}\n\n".encode() + b"x" * 70 + b"\n" + b"line\n" * random.randrange(2000)


async def reply(reader):
    while (line := await asyncio.wait_for(reader.readline(), 60))[3:4] == b"-":
        pass
    if not line:
        raise EOFError
    return line


async def say(reader, writer, line):
    writer.write(line)
    await writer.drain()
    return await reply(reader)


async def good(address, number, end, sent, acked, refused, context):
    count = 0
    while time.monotonic() < end:
        count += 1
        token = f"g{number}n{count}z"
        message = body(token)
        sent[token] = message
        reader, writer = await asyncio.open_connection(*address)
        try:
            await reply(reader)
            await say(reader, writer, b"EHLO good\r\n")
            if number % 2:
                await say(reader, writer, b"STARTTLS\r\n")
                await writer.start_tls(context, server_hostname="mx.example.test")
                await say(reader, writer, b"EHLO good\r\n")
            writer.write(b"MAIL FROM:<s@x.test>\r\nRCPT TO:<u@example.test>\r\nDATA\r\n")
            for _ in range(3):
                last = await reply(reader)
            if not last.startswith(b"354"):
                raise EOFError(last)
            verdict = await say(reader, writer, message.replace(b"\n", b"\r\n") + b".\r\n")
            if b" qp " in verdict:
                acked.add(token)
            else:
                refused.append(verdict)
            await say(reader, writer, b"QUIT\r\n")
        finally:
            writer.close()
        await asyncio.sleep(random.uniform(1, 5))


ENVELOPE = b"MAIL FROM:<s@x.test>\r\nRCPT TO:<u@example.test>\r\nDATA\r\n"
NASTY = [b"", b"EHLO", b"EHLO bad\r\n", ENVELOPE, ENVELOPE + b"Subject: bad\r\n\r\nhalf", ENVELOPE + b"Subject: bad\r\n\nbare\r\n.\r\n",
         ENVELOPE + b"Subject: bad\n.\nRCPT TO:<u@example.test>\r\n", b"STARTTLS\r\n" + b"\x16\x03\x01garbage" * 50, b"A" * 300000,
         b"NOOP\r\n" * 3000, b"RCPT TO:<u@example.test>\r\nDATA\r\nbad\r\n.\r\n", b"\0\r\n" * 100, ENVELOPE + b"x" * 200000]


async def bad(address, end):
    while time.monotonic() < end:
        try:
            reader, writer = await asyncio.open_connection(*address)
            writer.write(random.choice(NASTY))
            await asyncio.wait_for(writer.drain(), 5)
            await asyncio.wait_for(reader.read(100), 5)
            await asyncio.sleep(random.uniform(0, 3))
            if random.random() < 0.5:
                writer.transport.abort()
            else:
                writer.close()
        except (OSError, asyncio.TimeoutError):
            pass
        await asyncio.sleep(random.uniform(0.2, 2))


async def everybody(address, seconds, sent, acked, refused):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    end = time.monotonic() + seconds
    clients = [good(address, n, end, sent, acked, refused, context) for n in range(CLIENTS - BAD)]
    clients += [bad(address, end) for _ in range(BAD)]
    return [r for r in await asyncio.gather(*clients, return_exceptions=True) if isinstance(r, BaseException)]


def wait_until_ready(log):
    for _ in range(100):
        if b"tcpserver: status:" in log.read_bytes():
            return
        time.sleep(0.1)
    sys.exit(f"tcpserver is not ready after ten seconds: {log.read_text()}")


def main():
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 60
    if not shutil.which("tcpserver"):
        print("tcpserver is not there (apt-get install ucspi-tcp)")
        sys.exit(1)
    with Rig(sys.argv[1], sys.argv[2]) as rig:
        pid = os.getpid()
        address = (f"127.{64 + (pid >> 8) % 64}.{pid & 255}.77", 2525)
        log = rig.scratch / "log"
        server = subprocess.Popen(["tcpserver", "-v", "-H", "-R", "-l0", "-c", "400", "-b", "400", *map(str, address), rig.smtpd],
                                  env=rig.environment(), stderr=open(log, "wb"), start_new_session=True)
        sent, acked, refused = {}, set(), []
        try:
            wait_until_ready(log)
            lost = asyncio.run(everybody(address, seconds, sent, acked, refused))
            time.sleep(1)
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait()
        kept = {}
        strangers = mangled = 0
        for message, _ in rig.kept():
            rest = message.partition(b"Subject: ")[2]
            token = rest.partition(b"\n")[0].decode(errors="replace")
            kept[token] = kept.get(token, 0) + 1
            strangers += token not in sent
            mangled += token in sent and b"Subject: " + rest != sent[token]
        twice = [t for t, n in kept.items() if n > 1]
        missing = acked - set(kept)
        print(f"{len(sent)} messages sent, {len(acked)} acknowledged, {len(refused)} refused {refused[:2]}, {len(kept)} kept; "
              f"{len(lost)} good sessions broke off {lost[:2]}; {len(missing)} lost, {len(twice)} twice, {mangled} mangled, "
              f"{strangers} that no good client sent", flush=True)
        # A good session that breaks off or is refused is the server's fault here, unless the machine is too slow for the
        # client's patience.
        faults = len(missing) + len(twice) + mangled + strangers + len(lost) + len(refused) + (len(acked) != len(kept))
    closing_line(len(acked) - len(missing), faults)


main()
