"""What a program costs, asked from outside: valgrind's callgrind, strace, /proc, RLIMIT_AS.

Each takes a function that runs the program once behind the wrapper it is given.
"""
import glob
import os
import re
import shutil
import tempfile

import wire

MIB = 1 << 20
LARGEST = 64 * MIB  # no program of ours may need more address space
STEP = 64 << 10


def missing():
    """The tools that are not installed."""
    return [tool for tool in ("valgrind", "strace") if not shutil.which(tool)]


class Callgrind:
    """Counts instructions. With `keep`, each profile stays there for callgrind_annotate; not the baseline's, which is
    measured second."""

    def __init__(self, keep=None):
        self._keep = keep
        self._kept = set()
        if keep:
            os.makedirs(keep, exist_ok=True)

    def instructions(self, name, run):
        with tempfile.TemporaryDirectory(prefix="bench.") as scratch:
            run(["valgrind", "-q", "--log-file=/dev/null", "--tool=callgrind", f"--callgrind-out-file={scratch}/%p"])
            # A program that forks leaves two files, its own the larger.
            total, profile = max((total_of(path), path) for path in glob.glob(scratch + "/*"))
            if self._keep and name not in self._kept:
                self._kept.add(name)
                shutil.copy(profile, os.path.join(self._keep, name + ".callgrind"))
            return total


def total_of(profile):
    with open(profile, errors="replace") as text:
        for line in text:
            if line.startswith(("summary:", "totals:")):
                return int(line.split()[1])
    return 0


def system_calls(run):
    """How many system calls the program itself makes; its children are not followed."""
    with tempfile.NamedTemporaryFile(prefix="bench.", mode="r", errors="replace") as log:
        run(["strace", "-qq", "-o", log.name])
        return sum(1 for line in log if re.match(r"[a-z0-9_]+\(", line))


def private_dirty(pid):
    """KB of memory that this process alone has written to."""
    os.sync()  # a program that was linked just now counts as dirty until it is on the disk
    with open(f"/proc/{pid}/smaps_rollup") as lines:
        for line in lines:
            if line.startswith("Private_Dirty:"):
                return int(line.split()[1])
    raise wire.WireError("no Private_Dirty in smaps_rollup")


def smallest_address_space(run):
    """MiB: the least RLIMIT_AS under which run(bytes) does not raise WireError."""
    works, fails = LARGEST, 0
    run(works)
    while works - fails > STEP:
        middle = (works + fails) // 2 // STEP * STEP
        try:
            run(middle)
            works = middle
        except wire.WireError:
            fails = middle
    return works / MIB
