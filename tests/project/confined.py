"""confined.py SMTPD REMOTE FORBIDDEN: what the kernel says of both programs in the midst of a session.

qmail-remote is confined when it hears its server's first word (files only, on another processor than x86-64 and
arm64); qmail-smtpd never is, since qmail-queue would inherit it, be no longer set-uid, and lose mail. A forbidden call
(the library FORBIDDEN, preloaded, makes one) becomes a report, unless NOCONFINEMENT is set. Both hide their memory:
qmail-smtpd when it has read its private key. Exit status 77: this kernel has no seccomp.
"""
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile


# Not root: /proc/PID/mem belongs to root when the memory is hidden (proc(5)), and must belong to another when it is not.
USER = os.geteuid() or 65534


def status(pid):
    """What tells, of /proc/PID: {"NoNewPrivs": "1", "Seccomp": "2", "hidden": True}."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    seen = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)
            if name in ("NoNewPrivs", "Seccomp")}
    return {**seen, "hidden": os.stat(f"/proc/{pid}/mem").st_uid != USER}


def home(folder):
    """A home with the control files both programs need; returns the environment that names it."""
    control = pathlib.Path(folder) / "control"
    control.mkdir()
    (control / "me").write_text("mx.example.test\n")
    pem = control / "servercert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                    "-subj", "/CN=mx.example.test", "-keyout", pem, "-out", control / "certificate"], check=True, stderr=subprocess.DEVNULL)
    pem.write_bytes(pem.read_bytes() + (control / "certificate").read_bytes())
    for path in (pathlib.Path(folder), control, *control.iterdir()):
        path.chmod(0o755)
    return dict(os.environ, QMAILHOME=folder, TCPREMOTEIP="127.0.0.1", PROTO="TCP")


def start(*command, **more):
    """The program, as a user that is not root."""
    return subprocess.Popen(command, user=None if os.geteuid() else USER, extra_groups=None if os.geteuid() else [], **more)


def of_remote(program, environment):
    with socket.create_server(("127.0.0.1", 0)) as server:
        route = f":127.0.0.1:{server.getsockname()[1]}\n"
        pathlib.Path(environment["QMAILHOME"], "control/smtproutes").write_text(route)
        with start(program, "example.test", "s@x.test", "u@example.test", stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, env=environment) as process:
            server.settimeout(20)
            connection, _ = server.accept()
            seen = status(process.pid)
            connection.close()
    return seen


def report_of_forbidden_call(program, environment, library):
    """What qmail-remote reports where nobody listens, with a library in it that does what is forbidden."""
    pathlib.Path(environment["QMAILHOME"], "control/smtproutes").write_text(":127.0.0.1:1\n")
    preloaded = {**environment, "LD_PRELOAD": library, "ASAN_OPTIONS": "verify_asan_link_order=0"}
    with start(program, "example.test", "s@x.test", "u@example.test", stdin=subprocess.DEVNULL,
               stdout=subprocess.PIPE, env=preloaded) as process:
        report = process.communicate(timeout=20)[0].decode()
    return re.sub(r"\bcall \d+ ", "call N ", report) + f" {process.returncode}"


def of_smtpd(program, environment, tls):
    ours, its = socket.socketpair()
    with start(program, stdin=its, stdout=its, env={**environment, **({"SMTPS": "1"} if tls else {})}) as process:
        its.close()
        ours.settimeout(20)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            ours = context.wrap_socket(ours)
        ours.recv(1000)  # the greeting
        seen = status(process.pid)
        ours.close()
    return seen


def calls_are_looked_at(program):
    """Whether it is for x86-64 or arm64 (elf(5)), as confinement.cc promises."""
    header = pathlib.Path(program).read_bytes()[:20]
    return header[4] == 2 and int.from_bytes(header[18:20], sys.byteorder) in (62, 183)


def main():
    if "Seccomp" not in status("self"):
        print("NOT TESTED: this kernel has no seccomp")
        return 77
    with tempfile.TemporaryDirectory(prefix="qmail-tls-confined.") as folder:
        # Copies, since the user may not be able to reach what was built.
        smtpd, remote = (shutil.copy(program, folder) for program in sys.argv[1:3])
        library = shutil.copy(sys.argv[3], folder)
        environment = home(folder)
        free = {**status("self"), "hidden": False}
        filtered = calls_are_looked_at(remote)
        if not filtered:
            print("NOT TESTED: calls that are forbidden: none is on this processor")
        expected = (("qmail-remote", of_remote(remote, environment),
                     {"NoNewPrivs": "1", "Seccomp": "2" if filtered else "0", "hidden": True}),
                    ("qmail-smtpd", of_smtpd(smtpd, environment, tls=False), free),
                    ("qmail-smtpd in TLS", of_smtpd(smtpd, environment, tls=True), {**free, "hidden": True}))
        unreachable = "ZSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n\0 0"
        expected += (
            ("a forbidden call", report_of_forbidden_call(remote, environment, library),
             "ZForbidden system call N (confinement; see qmail-remote(8)). (#4.3.0)\n\0 0" if filtered else unreachable),
            ("the same without confinement", report_of_forbidden_call(remote, {**environment, "NOCONFINEMENT": "1"}, library),
             unreachable))
    wrong = [f"{name}: {seen}, not {wanted}" for name, seen, wanted in expected if seen != wanted]
    print("\n".join(wrong) or "as expected")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
