"""stages.py SMTPD REMOTE: either end dies at each stage, the disk is full, descriptors, processes and memory run out.

What must hold is rig.py's: nothing lost, nothing twice, nothing bounced, nothing kept that was not whole.
"""
import os
import resource
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

from rig import MESSAGE, RECIPIENTS, SENDER, Rig, Sink, Trouble, closing_line, judge_delivery, run_remote

WIRE = MESSAGE.replace(b"\n.", b"\n..").replace(b"\n", b"\r\n")
SCRIPT = [("greeting", b""), ("EHLO", b"EHLO c\r\n"), ("MAIL", f"MAIL FROM:<{SENDER}>\r\n".encode()),
          ("RCPT", b"".join(f"RCPT TO:<{r}>\r\n".encode() for r in RECIPIENTS)), ("DATA", b"DATA\r\n"),
          ("half", WIRE[:len(WIRE) // 2]), ("whole message", WIRE[len(WIRE) // 2:]), ("dot without end", b".\r")]


def talk_until(rig, stage, tls):
    """A session that has come as far as `stage`."""
    child, link = rig.start_smtpd(rig.environment(**({"SMTPS": "1"} if tls else {})))
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        link = context.wrap_socket(link)
    link.recv(4096)
    for name, text in SCRIPT:
        if text:
            link.sendall(text)
        if name in ("EHLO", "MAIL", "RCPT", "DATA"):
            link.recv(4096)
        if name == stage:
            break
    time.sleep(0.05)
    return child, link


def client_dies(rig, stage, tls):
    child, link = talk_until(rig, stage, tls)
    link.close()
    rig.wait(child)
    if rig.kept():
        raise Trouble("kept")


def smtpd_dies(rig, stage, tls):
    child, link = talk_until(rig, stage, tls)
    child.kill()
    link.close()
    rig.wait(child)
    if rig.kept():
        raise Trouble("kept")


def queue_program(rig, script, wanted):
    """A queue program of a few words; the reply to the message must be `wanted`, and nothing is kept."""
    program = rig.scratch / "queue-bad"
    program.write_text("#!/bin/sh\n" + script + "\n")
    program.chmod(0o755)
    replies = rig.session(rig.environment(QMAILQUEUE=program))
    rig.judge_session(replies)
    if not any(r.startswith(wanted) for r in replies):
        raise Trouble(f"wanted {wanted!r}: {replies}")


def disk_full(rig):
    """The queue on a file system of 64 KB, which only the shell and its children see: qmail-queue's exit 53."""
    script = f"""mount -t tmpfs -o size=64k tmpfs {rig.kept_folder}; "$@"; echo kept: $(ls {rig.kept_folder})"""
    ours, theirs = socket.socketpair()
    child = subprocess.Popen(["unshare", "-m", "sh", "-ec", script, "smtpd", rig.smtpd], stdin=theirs, stdout=theirs,
                             stderr=subprocess.DEVNULL, env=rig.environment())
    theirs.close()
    ours.settimeout(20)
    said = ours.recv(4096)
    ours.sendall(b"".join(text for _, text in SCRIPT[1:5]))
    while b"354" not in said:
        said += ours.recv(4096)
    ours.sendall(WIRE + b".\r\nQUIT\r\n")
    while more := ours.recv(4096):
        said += more
    child.wait()
    if b"451 qq write error or disk full (#4.3.0)\r\n" not in said or not said.endswith(b"\nkept:\n"):
        raise Trouble(repr(said))


def limited_session(rig, limit, value, user=None, wanted=None, tls=False):
    def apply():
        resource.setrlimit(limit, (value, value))
        if user is not None:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
    rig.kept_folder.chmod(0o777)
    replies = rig.session(rig.environment(**({"SMTPS": "1"} if tls else {})), tls=tls, preexec=apply)
    rig.judge_session(replies)
    if wanted and not any(r.startswith(wanted) for r in replies):
        raise Trouble(f"wanted {wanted!r}: {replies}")


def ignored_children(rig):
    """Whoever started us ignores SIGCHLD: the queue program's exit status must still be seen."""
    if not rig.judge_session(rig.session(rig.environment(), preexec=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))):
        raise Trouble("not accepted")


def server_dies(rig, stage, context):
    sink = Sink(context, die_at=stage)
    try:
        outcome = judge_delivery(run_remote(rig, sink, rig.environment()), sink)
    finally:
        sink.close()
    if outcome != "Z":
        raise Trouble(f"outcome {outcome!r}")


def remote_dies(rig, stage, context):
    """Killed when the server has seen `stage`: no report, and the server has the message at most once.

    From "half" on all of it may be in the socket already: then it arrives, and qmail-rspawn, told nothing, tries again.
    """
    seen = threading.Event()

    class Watching(Sink):
        def _stage(self, name):
            if name == stage:
                seen.set()
                time.sleep(0.3)

    sink = Watching(context)
    (rig.home / "control/smtproutes").write_text(f":127.0.0.1:{sink.port}\n")
    child = subprocess.Popen([rig.remote, "example.test", SENDER, *RECIPIENTS], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             env=rig.environment())
    try:
        threading.Thread(target=lambda: _feed(child.stdin), daemon=True).start()
        if not seen.wait(10):
            raise Trouble("stage not reached")
        child.kill()
        said = child.stdout.read()
        child.wait()
    finally:
        sink.close()
    if said or len(sink.accepted) > 1 or (sink.accepted and stage not in ("half", "dot")):
        raise Trouble(f"said {said!r}, arrived {len(sink.accepted)} times")


def _feed(pipe):
    try:
        pipe.write(MESSAGE)
        pipe.close()
    except OSError:
        pass


def limited_remote(rig, limit, value, context):
    sink = Sink(context)
    try:
        judge_delivery(run_remote(rig, sink, rig.environment(), preexec=lambda: resource.setrlimit(limit, (value, value))), sink)
    finally:
        sink.close()


def main():
    smtpd, remote = sys.argv[1:3]
    passed = failed = 0

    def check(what, action, *arguments, **more):
        nonlocal passed, failed
        try:
            action(rig, *arguments, **more)
            passed += 1
        except (Trouble, OSError, subprocess.TimeoutExpired) as trouble:
            print(f"FAIL {what}: {trouble}"[:500], flush=True)
            failed += 1
        rig.forget()

    with Rig(smtpd, remote) as rig:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(rig.home / "control/servercert.pem")
        for tls in (False, True):
            for stage, _ in SCRIPT:
                check(f"the client dies: {stage}, tls={tls}", client_dies, stage, tls)
                check(f"qmail-smtpd dies: {stage}, tls={tls}", smtpd_dies, stage, tls)
            for stage in Sink.STAGES:
                check(f"the server dies: {stage}, tls={tls}", server_dies, stage, context if tls else None)
                if stage not in ("connect", "greeting"):
                    check(f"qmail-remote dies: {stage}, tls={tls}", remote_dies, stage, context if tls else None)
        check("the queue program dies at once", queue_program, "kill -9 $$", "451 qq crashed")
        check("the queue program dies half-way", queue_program, "head -c 30000 >/dev/null; kill -9 $$", "451 qq crashed")
        check("the queue program dies before the envelope", queue_program, "cat >/dev/null; kill -9 $$", "451 qq crashed")
        check("the queue program dies after the envelope", queue_program, "cat >/dev/null; cat <&1 >/dev/null; kill -9 $$", "451 qq crashed")
        check("the queue program ends well, but has not read", queue_program, "exit 0", "451 qq read error")
        check("the queue program is not there", queue_program, "exit 120", "451 unable to exec qq")
        for status in (51, 52, 53, 54, 55, 56, 61, 66, 71, 72, 73, 74, 81, 91, 120):
            check(f"queue exit {status}", queue_program, f"cat >/dev/null; cat <&1 >/dev/null; exit {status}", "451 ")
        if os.geteuid() == 0:
            check("disk full", disk_full)
            # A user of our own: the limit counts all that a user runs, and others may use nobody just now.
            check("no process to be had", limited_session, resource.RLIMIT_NPROC, 1, user=59000 + os.getpid() % 999,
                  wanted="451 qqt failure")
        else:
            print("*** NOT TESTED: disk full, no process to be had: run me as root")
        check("SIGCHLD ignored", ignored_children)
        for descriptors in range(4, 14):  # with 3 the dynamic linker cannot open libc
            for tls in (False, True):
                check(f"{descriptors} descriptors, smtpd, tls={tls}", limited_session, resource.RLIMIT_NOFILE, descriptors, tls=tls)
                check(f"{descriptors} descriptors, remote, tls={tls}", limited_remote, resource.RLIMIT_NOFILE, descriptors,
                      context if tls else None)
        for megabytes in (4, 5, 6, 8, 10, 12, 16, 24):
            for tls in (False, True):
                check(f"{megabytes} MB, smtpd, tls={tls}", limited_session, resource.RLIMIT_AS, megabytes << 20, tls=tls)
                check(f"{megabytes} MB, remote, tls={tls}", limited_remote, resource.RLIMIT_AS, megabytes << 20,
                      context if tls else None)
    closing_line(passed, failed)


main()
