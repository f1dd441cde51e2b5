"""A link with a delay: a network namespace with one tun device, whose far side is the near one.

What is sent to FAR comes back, late, as if FAR had sent it to NEAR: source and destination address
change places, which leaves every checksum true. So client and server are ordinary processes of one
namespace, each with the kernel's TCP, and no packet reaches the other but through the delay.
Needs root and /dev/net/tun; Unavailable says which.
"""
import collections
import ctypes
import fcntl
import multiprocessing
import os
import select
import struct
import subprocess
import time

NEAR, FAR = "10.9.0.1", "10.9.0.2"
CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000


class Unavailable(Exception):
    """No such link can be made here."""


def over_link(round_trip, work):
    """Returns what work() returns, called in a process of its own in a namespace where FAR is
    `round_trip` seconds away and leads back to a server that listens on NEAR."""
    ours, theirs = multiprocessing.Pipe()

    def child():
        try:
            device = set_up()
            multiprocessing.Process(target=delay, args=(device, round_trip / 2),
                                    daemon=True).start()
            theirs.send((work(), None))
        except (OSError, subprocess.CalledProcessError) as error:
            theirs.send((None, Unavailable(str(error))))
        except Exception as error:  # whatever work() raises belongs to the caller
            theirs.send((None, error))

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    theirs.close()
    result, error = ours.recv()
    process.join()
    if error:
        raise error
    return result


def set_up():
    """Enters a namespace of its own and makes the device; returns its descriptor."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        raise OSError("unshare: " + os.strerror(ctypes.get_errno()))
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", b"slow", IFF_TUN | IFF_NO_PI))
    for line in ("link set lo up", f"addr add {NEAR} peer {FAR} dev slow",
                 "link set slow up txqueuelen 5000"):
        subprocess.run(["ip", *line.split()], check=True)
    return device


def delay(device, seconds):
    """Sends each IPv4 packet back after `seconds`, addresses exchanged. Never returns."""
    waiting = collections.deque()  # (when, packet)
    while True:
        timeout = max(0, waiting[0][0] - time.monotonic()) if waiting else None
        if select.select([device], [], [], timeout)[0]:
            packet = os.read(device, 65536)
            if packet[0] >> 4 == 4:
                exchanged = packet[:12] + packet[16:20] + packet[12:16] + packet[20:]
                waiting.append((time.monotonic() + seconds, exchanged))
        while waiting and waiting[0][0] <= time.monotonic():
            os.write(device, waiting.popleft()[1])
