"""netns.py: a network of one's own, in which addresses that are not loopback are this machine's.

An exchanger at a loopback address is this host to qmail-remote; a stranger's exchanger must not be. In the namespace that
enter() makes, every address of NETWORK can be listened on and connected to, on any port, and nothing else can be reached.
Needs root and iproute2.
"""
import ctypes
import os
import subprocess

CLONE_NEWNET = 0x40000000
NETWORK = "198.51.100.0/24"  # for documentation (RFC 5737): nobody's


def unshare(flags):
    """unshare(2) for this thread and what it starts from now on. Raises OSError."""
    if ctypes.CDLL(None, use_errno=True).unshare(flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, "unshare: " + os.strerror(number))


def enter():
    """Enters the namespace. Raises OSError or subprocess.CalledProcessError."""
    unshare(CLONE_NEWNET)
    for line in ("link set lo up", f"route add local {NETWORK} dev lo"):
        subprocess.run(["ip", *line.split()], check=True)


def address(number):
    """The address of that number (1 to 254) in NETWORK."""
    return NETWORK.rpartition(".")[0] + f".{number}"
