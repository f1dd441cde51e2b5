"""syscalls.py SMTPD REMOTE LIBFAIL: each call of each function below fails in turn; nothing may be lost, twice or bounced.

A first run counts the calls; then one run for each of them (or, where there are very many, for evenly spread ones: the
number is printed). A fault that its run does not come to is not counted as passed. qmail-smtpd in the clear and
inside TLS, qmail-remote likewise. malloc fails once, and from a call on.
A function that is never called is a failure, too: nothing would have been tested.
"""
import errno
import os
import ssl
import sys

from rig import SOURCE, Rig, Sink, Trouble, closing_line, judge_delivery, run_remote

sys.path.append(str(SOURCE / "support"))
import netns

SMTPD_CALLS = [("open", errno.EIO), ("open", errno.EMFILE), ("read", errno.EIO), ("recv", errno.ECONNRESET), ("recv", 0),
               ("recv", errno.EINTR), ("send", errno.EPIPE), ("send", errno.EINTR), ("write", errno.EPIPE), ("write", errno.ENOSPC),
               ("write", errno.EINTR), ("poll", errno.EINTR), ("poll", errno.ENOMEM), ("pipe2", errno.EMFILE), ("posix_spawnp", errno.EAGAIN),
               ("posix_spawnp", errno.ENOMEM), ("posix_spawnp", errno.ENOENT), ("posix_spawnp", errno.EACCES), ("waitpid", errno.EINTR),
               ("waitpid", errno.ECHILD), ("socket", errno.EMFILE), ("ioctl", errno.EIO), ("chdir", errno.EACCES), ("lstat", errno.EIO),
               ("setsockopt", errno.EINVAL), ("malloc", errno.ENOMEM), ("realloc", errno.ENOMEM)]
# No realloc: qmail-remote never calls it.
REMOTE_CALLS = [("open", errno.EIO), ("open", errno.EMFILE), ("read", errno.EIO), ("read", errno.EINTR), ("recv", errno.ECONNRESET), ("recv", 0),
                ("recv", errno.EINTR), ("send", errno.EPIPE), ("send", errno.EINTR), ("writev", errno.EIO), ("writev", errno.EINTR),
                ("poll", errno.EINTR), ("poll", errno.ENOMEM), ("socket", errno.EMFILE), ("connect", errno.ECONNREFUSED),
                ("connect", errno.ETIMEDOUT), ("getifaddrs", errno.ENOMEM), ("chdir", errno.EACCES), ("lstat", errno.EIO), ("flock", errno.ENOLCK),
                ("pread", errno.EIO), ("pwrite", errno.EIO), ("setsockopt", errno.EINVAL), ("malloc", errno.ENOMEM)]
MOST = 60  # runs for one function; more calls than that are sampled evenly


def silent_client(rig, env):
    """Where the kernel cannot even say that nothing comes, a wait still ends by its deadline."""
    (rig.home / "control/timeoutsmtpd").write_text("1\n")
    child, link = rig.start_smtpd(env)
    said = b""
    try:
        while more := link.recv(4096):
            said += more
    except TimeoutError:
        child.kill()
    link.close()
    rig.wait(child)
    return said.endswith(b"451 timeout (#4.4.2)\r\n")


def main():
    smtpd, remote, library = sys.argv[1:4]
    passed = failed = missed = 0
    if os.geteuid() == 0:
        netns.enter()
    with Rig(smtpd, remote) as rig:
        count_file = rig.scratch / "count"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(rig.home / "control/servercert.pem")

        def faulty(program, call, number, error, **more):
            return rig.environment(LD_PRELOAD=library, FAULT_PROGRAM=program, FAULT_CALL=call, FAULT_NUMBER=number,
                                   FAULT_ERRNO=error, FAULT_COUNT=count_file, **more)

        def smtpd_run(tls, _):
            def one(env):
                if tls:
                    env = dict(env, SMTPS="1")
                return "K" if rig.judge_session(rig.session(env, tls)) else "Z"
            return one

        def remote_run(tls, call):
            # Which addresses are the host's own is asked only without a route: then the port is 25.
            address = (netns.address(25), 25) if call == "getifaddrs" else ("127.0.0.1", 0)

            def one(env):
                sink = Sink(context if tls else None, address=address)
                try:
                    return judge_delivery(run_remote(rig, sink, env), sink)
                finally:
                    sink.close()
            return one

        for program, calls, kinds in (("qmail-smtpd", SMTPD_CALLS, smtpd_run), ("qmail-remote", REMOTE_CALLS, remote_run)):
            for tls in (False, True):
                for call, error in calls:
                    if program == "qmail-remote" and call == "getifaddrs" and os.geteuid() != 0:
                        print("*** NOT TESTED: getifaddrs in qmail-remote, which needs a server on port 25: run me as root")
                        continue
                    one = kinds(tls, call)
                    count_file.unlink(missing_ok=True)
                    outcome = one(faulty(program, call, 0, 0))
                    count = int(count_file.read_text()) if count_file.exists() else None
                    if outcome != "K" or not count:
                        print(f"FAIL {program} {call}: without a fault: {outcome!r}, {count} calls")
                        failed += 1
                        continue
                    numbers = range(1, count + 1) if count <= MOST else [1 + i * count // MOST for i in range(MOST)]
                    outcomes = {}
                    for number in numbers:
                        for forever in ({}, {"FAULT_FOREVER": "1"}) if error in (errno.ENOMEM, errno.ENOSPC) else ({},):
                            try:
                                outcome = one(faulty(program, call, number, error, **forever))
                                # Some counts depend on how the kernel cuts what arrives. Nothing said: it died of it.
                                said = count_file.read_text()
                                if said and int(said) < number:
                                    outcome = "not reached"
                                    missed += 1
                                else:
                                    passed += 1
                                outcomes[outcome] = outcomes.get(outcome, 0) + 1
                            except Trouble as trouble:
                                print(f"FAIL {program} tls={tls} {call} number {number} of {count} {'from then on ' if forever else ''}"
                                      f"with {errno.errorcode.get(error, 'end of file')}: {trouble}"[:400])
                                failed += 1
                                rig.forget()
                    print(f"{program} {'TLS' if tls else 'clear'} {call} {errno.errorcode.get(error, 'end of file')}: {count} calls, "
                          f"outcomes {outcomes}", flush=True)
        if silent_client(rig, faulty("qmail-smtpd", "poll", 1, errno.ENOMEM, FAULT_FOREVER="1")):
            passed += 1
        else:
            print("FAIL poll fails for ever and the client says nothing: no end by the deadline")
            failed += 1
    print(f"{missed} faults were not reached")
    if missed * 10 > passed:
        print("FAIL too many faults were not reached")
        failed += 1
    closing_line(passed, failed)


main()
