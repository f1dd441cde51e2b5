"""Gets the real programs: Debian packages, unpacked packages, npm packages, overlays of the running system.

Three ways, from the mildest on: apt-get install (programs that disturb nothing; no service is started), dpkg -x into
our cache (Postfix: would take over the machine's mail), an overlay over / with a chroot (Exim, Sendmail, OpenSMTPD:
compiled-in users and paths). The cache is one folder that every user can reach; a second run finds it filled.
What cannot be had raises Unavailable with the reason, and the caller says so aloud. Two tests may run at a time:
whoever fetches or installs something does so alone.
"""
import contextlib
import fcntl
import os
import pathlib
import shutil
import subprocess
import time

CACHE = pathlib.Path(os.environ.get("INTEROP_CACHE", "/var/cache/qmail-tls-interop"))
# Versions that this code was written against.
NODE_PACKAGES = {"nodemailer": "10.6.0", "smtp-server": "3.21.6", "Haraka": "3.3.4"}
# Whatever is fetched or installed has ended so many seconds after the start, well before ctest's TIMEOUT: at that, ctest
# kills with SIGKILL, and what is to be undone would not be.
LIMIT = 900
_START = time.monotonic()
_POLICY = pathlib.Path("/usr/sbin/policy-rc.d")
# The same as in scripts/common.sh.
_POLICY_MARK = "# qmail-tls: while it installs packages; to be removed if it is still here afterwards"


class Unavailable(Exception):
    """A program that cannot be had on this machine."""


def _run(argv, timeout, **more):
    try:
        done = subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout,
                              stdin=subprocess.DEVNULL, **more)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{argv[0]} {argv[1]}: no end after {timeout} s") from None
    except OSError as error:
        raise Unavailable(f"{argv[0]}: {error}") from None
    return done.returncode, done.stdout.decode(errors="replace")


def _fetch(argv, timeout, **more):
    """As _run, and ends before LIMIT."""
    left = int(_START + LIMIT - time.monotonic())
    if left <= 0:
        raise Unavailable(f"{argv[0]} {argv[1]}: {LIMIT} s were not enough for what came before it")
    return _run(argv, min(timeout, left), **more)


@contextlib.contextmanager
def _alone():
    """The others wait meanwhile. Not to be nested."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _apt(arguments, timeout=600, prefix=()):
    """apt-get (the caller is alone), with services kept from starting; a list of packages that is missing or old is fetched once."""
    made = not _POLICY.exists() or _POLICY_MARK in _POLICY.read_text(errors="replace")
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    command = [*prefix, "apt-get", "-qq", "-y", "-o", "DPkg::Lock::Timeout=300"]
    try:
        if made:
            _POLICY.write_text(f"#!/bin/sh\n{_POLICY_MARK}\nexit 101\n")
            _POLICY.chmod(0o755)
        status, said = _fetch([*command, *arguments], timeout, env=env)
        if status != 0:
            _fetch([*command, "update"], timeout, env=env)
            status, said = _fetch([*command, *arguments], timeout, env=env)
    finally:
        if made:
            _POLICY.unlink(missing_ok=True)
    if status != 0:
        raise Unavailable(f"apt-get {' '.join(arguments)}: {said.strip()[-300:]}")


def packages(*names):
    """These Debian packages are installed, or are installed now."""
    missing = [n for n in names
               if "ok installed" not in _run(["dpkg-query", "-W", "-f", "${Status}", n], 30)[1]]
    if missing:
        if os.geteuid() != 0:
            raise Unavailable(f"not root, and these packages are missing: {' '.join(missing)}")
        with _alone():
            _apt(["--no-install-recommends", "install", *missing])


def unpacked(name, *needs):
    """The root of Debian package `name`, unpacked in the cache; `needs` are the libraries it uses."""
    packages(*needs)
    root = CACHE / "unpacked" / name
    with _alone():
        if not root.exists():
            _unpack(name, root)
    return root


def _unpack(name, root):
    download = CACHE / "download"
    download.mkdir(parents=True, exist_ok=True)
    for old in download.glob(f"{name}_*.deb"):
        old.unlink()
    status, said = _fetch(["apt-get", "-qq", "download", name], 300, cwd=download)
    if status != 0:
        _fetch(["apt-get", "-qq", "update"], 300)
        status, said = _fetch(["apt-get", "-qq", "download", name], 300, cwd=download)
    if status != 0:
        raise Unavailable(f"apt-get download {name}: {said.strip()[-300:]}")
    partial = root.with_name(f"{name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    status, said = _fetch(["dpkg", "-x", next(download.glob(f"{name}_*.deb")), partial], 120)
    if status != 0:
        raise Unavailable(f"dpkg -x {name}: {said.strip()[-300:]}")
    partial.rename(root)


def node_modules():
    """The folder of the npm packages of NODE_PACKAGES."""
    if not (shutil.which("node") and shutil.which("npm")):
        packages("nodejs", "npm")
    folder = CACHE / "node"
    with _alone():
        if not (folder / "complete").exists():
            folder.mkdir(parents=True, exist_ok=True)
            status, said = _fetch(["npm", "install", "--no-audit", "--no-fund", "--prefix", folder,
                                 *(f"{n}@{v}" for n, v in NODE_PACKAGES.items())], 240)
            if status != 0:
                raise Unavailable(f"npm install: {said.strip()[-300:]}")
            (folder / "complete").touch()
    return folder / "node_modules"


class Overlay:
    """A chroot over / that keeps its writes in the cache; `packages` are installed in it once."""

    def __init__(self, name, *names):
        if os.geteuid() != 0:
            raise Unavailable("not root: overlays need mount")
        self.folder = CACHE / "overlay" / name
        with _alone():
            complete = (self.folder / "complete").exists()
            if not complete:
                shutil.rmtree(self.folder, ignore_errors=True)
                for part in ("up", "work", "root"):
                    (self.folder / part).mkdir(parents=True)
            status, said = _run([*self.enter(), "true"], 60)
            if status != 0:  # a container may forbid any of the steps
                raise Unavailable(f"no overlay over /: {said.strip()[-300:]}")
            if not complete:
                _apt(["--no-install-recommends", "install", *names], prefix=self.enter())
                # A host name with a dot that is found at once: Sendmail waits minutes for one.
                (self.folder / "up/etc/hosts").write_text(f"127.0.0.1 {name}.test localhost\n")
                (self.folder / "complete").touch()

    def enter(self):
        """What to put before a command so that it runs inside; /tmp is the host's, so scratch folders are seen."""
        return ["unshare", "-m", "-u", "sh", "-e", "-c",
                'echo "${1##*/}.test" >/proc/sys/kernel/hostname\n'
                'mount -t overlay overlay -o "lowerdir=/,upperdir=$1/up,workdir=$1/work" "$1/root"\n'
                'for d in /proc /dev /sys /tmp; do mount --rbind "$d" "$1/root$d"; done\n'
                'root=$1/root; shift; exec chroot "$root" "$@"', "overlay", str(self.folder)]
