"""confined.py SMTPD REMOTE: what the kernel says of both programs in the midst of a session.

qmail-remote is confined when it hears its server's first word; qmail-smtpd never is, since qmail-queue would inherit
it, be no longer set-uid, and lose mail. Exit status 77: this kernel has no seccomp.
"""
import os
import pathlib
import socket
import subprocess
import sys
import tempfile


def status(pid):
    """The lines of /proc/PID/status that tell: {"NoNewPrivs": "1", "Seccomp": "2"}."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)
            if name in ("NoNewPrivs", "Seccomp")}


def home(folder):
    """A home with the control files both programs need; returns the environment that names it."""
    control = pathlib.Path(folder) / "control"
    control.mkdir()
    (control / "me").write_text("mx.example.test\n")
    return dict(os.environ, QMAILHOME=folder, TCPREMOTEIP="127.0.0.1", PROTO="TCP")


def of_remote(program, environment):
    with socket.create_server(("127.0.0.1", 0)) as server:
        route = f":127.0.0.1:{server.getsockname()[1]}\n"
        pathlib.Path(environment["QMAILHOME"], "control/smtproutes").write_text(route)
        with subprocess.Popen([program, "example.test", "s@x.test", "u@example.test"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, env=environment) as process:
            server.settimeout(20)
            connection, _ = server.accept()
            seen = status(process.pid)
            connection.close()
    return seen


def of_smtpd(program, environment):
    ours, its = socket.socketpair()
    with subprocess.Popen([program], stdin=its, stdout=its, env=environment) as process:
        its.close()
        ours.settimeout(20)
        ours.recv(1000)  # the greeting
        seen = status(process.pid)
        ours.close()
    return seen


def main():
    smtpd, remote = sys.argv[1:]
    if "Seccomp" not in status("self"):
        print("NOT TESTED: this kernel has no seccomp")
        return 77
    with tempfile.TemporaryDirectory(prefix="qmail-tls-confined.") as folder:
        environment = home(folder)
        own = status("self")
        expected = (("qmail-remote", of_remote(remote, environment), {"NoNewPrivs": "1", "Seccomp": "2"}),
                    ("qmail-smtpd", of_smtpd(smtpd, environment), own))
    wrong = [f"{name}: {seen}, not {wanted}" for name, seen, wanted in expected if seen != wanted]
    print("\n".join(wrong) or "as expected")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
