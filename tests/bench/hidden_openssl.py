"""hidden_openssl.py QMAIL-SMTPD QMAIL-REMOTE: both programs on a system whose OpenSSL is gone.

In mount and network namespaces of its own an empty file lies over libssl and libcrypto. Exit
status 1 when a program behaves wrongly (each is named), 77 when there can be no such namespaces
(not root, or in a chroot).
"""
import ctypes
import os
import re
import shutil
import socket
import subprocess
import sys
import threading

import checks
import link
import remote_sink
import smtpd_client
import wire
from scratch import Scratch

CLONE_NEWNS = 0x00020000
SKIPPED = 77
LIBRARY = re.compile(r"lib(?:ssl|crypto)\.so\.\d+ .*=> (/\S+)")


def main():
    smtpd_path, remote_path = (os.path.abspath(path) for path in sys.argv[1:3])
    try:
        enter_namespaces()
    except OSError as error:
        print(f"SKIPPED: hiding OpenSSL needs root and namespaces: {error}")
        sys.exit(SKIPPED)
    scratch = Scratch()  # made before the openssl command is gone
    smtpd = smtpd_client.Smtpd(smtpd_path, scratch.home, scratch.queue)
    remote = remote_sink.Remote(remote_path, scratch.home)
    prepare_peers(remote, scratch)
    hide_openssl()
    sys.exit(checks.status([
        ("qmail-smtpd: mail in the clear", lambda: smtpd.run(clear_mail())),
        ("qmail-smtpd: no TLS, then mail in the clear",
         lambda: smtpd.run(clear_mail(), first=refused_tls)),
        ("qmail-remote: server without STARTTLS", lambda: delivers(remote, scratch, "plain.test")),
        ("qmail-remote: server with STARTTLS", lambda: delivers(remote, scratch, "offers.test")),
        ("qmail-remote: a PEM demands TLS", lambda: defers(remote, scratch, "pem.test")),
        ("qmail-remote: port 465", lambda: defers(remote, scratch, "smtps.test"))]))


def enter_namespaces():
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS | link.CLONE_NEWNET) != 0:
        raise OSError(os.strerror(ctypes.get_errno()))
    if subprocess.run(["mount", "--make-rprivate", "/"]).returncode != 0:
        raise OSError("/ is no mount point, as in a chroot")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def hide_openssl():
    known = subprocess.run(["ldconfig", "-p"], check=True, capture_output=True, text=True,
                           env={"PATH": "/usr/sbin:/sbin"}).stdout
    for path in LIBRARY.findall(known):
        subprocess.run(["mount", "--bind", "/dev/null", path], check=True)
    if subprocess.run(["openssl", "version"], capture_output=True).returncode == 0:
        sys.exit("FAILED: OpenSSL could not be hidden: the openssl command still starts")


# --- qmail-smtpd ---

def clear_mail():
    return smtpd_client.Session(smtpd_client.message(4096, b"\r\n"))


def refused_tls(connection):
    """STARTTLS is not known or not to be had, and the session goes on."""
    connection.send(b"STARTTLS\r\n")
    answer = connection.line()
    if not answer.startswith((b"454", b"502")):
        raise wire.WireError(f"STARTTLS answered by {answer!r}")


# --- qmail-remote ---

def prepare_peers(remote, scratch):
    """A server for each route, and a name server that answers 127.0.0.1 to every question."""
    remote_sink.Sink(port=25)
    remote_sink.Sink(scratch.certificate, port=26)
    remote_sink.Sink(port=465)
    scratch.route({"plain.test": ("127.0.0.1", 25), "offers.test": ("127.0.0.1", 26),
                   "pem.test": ("mx.pem.test", 26), "smtps.test": ("127.0.0.1", 465)})
    os.mkdir(scratch.home + "/control/tlshosts")
    shutil.copy(scratch.certificate, scratch.home + "/control/tlshosts/mx.pem.test.pem")
    names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind(("127.0.0.1", 53))
    remote.environment["DNSCACHEIP"] = "127.0.0.1"
    threading.Thread(target=answer_names, args=(names,), daemon=True).start()


def answer_names(names):
    """RFC 1035 4.1: the question comes back with one A record, or none for other types."""
    while True:
        query, client = names.recvfrom(512)
        end = query.index(0, 12) + 5  # header, name, type, class
        is_a = query[end - 4:end - 2] == b"\0\1"
        header = query[:2] + b"\x81\x80\0\1" + (b"\0\1" if is_a else b"\0\0") + bytes(4)
        record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1" if is_a else b""
        names.sendto(header + query[12:end] + record, client)


def delivers(remote, scratch, host):
    remote.run(host, scratch.mail("4k"))


def defers(remote, scratch, host):
    """The report is Z and speaks of TLS; nothing is said of the recipient."""
    report = remote.attempt(host, scratch.mail("4k")).report
    if not report.startswith(b"Z") or b"TLS" not in report:
        raise wire.WireError(f"reported {report!r}")


if __name__ == "__main__":
    main()
