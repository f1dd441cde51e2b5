"""count_tests.py LISTED JUNIT LOG [PROGRAMS]: compares the tests that ran with the tests there are.

LISTED is how many ctest listed, JUNIT and LOG are what it wrote (ran.xml, LastTest.log). PROGRAMS names a file with the
paths of the gtest programs: each of their cases must have run, too. What was left out is named; exit status 1 when a
test did not run without saying why, and with NO_SKIPS in the environment also when one was skipped.
"""
import collections
import os
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree


def cases_of(program):
    """The cases a gtest program lists, as it names them when it runs them."""
    suite, found = "", []
    for line in subprocess.run([program, "--gtest_list_tests"], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines():
        name = line.partition("#")[0].rstrip()
        if not name.startswith(" "):
            suite = name
        else:
            found.append(suite + name.strip())
    if not found:
        raise SystemExit(f"count: {program} lists no case")
    return found


def main():
    listed, junit, log = int(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3]).read_text(errors="replace")
    tests = xml.etree.ElementTree.parse(junit).getroot().findall("testcase")
    odd = [f"skipped: {test.get('name')}" for test in tests if test.get("status") not in ("run", "fail")]
    odd += sorted(set(re.findall(r"NOT TESTED.*", log)))
    lacking = []
    if len(tests) != listed or not listed:
        lacking.append(f"{listed} tests are listed, {len(tests)} have a result")
    said = f"{len(tests)} of {listed} tests have a result"
    if len(sys.argv) > 4:
        programs = pathlib.Path(sys.argv[4]).read_text().split()
        there = collections.Counter(case for program in programs for case in cases_of(program))
        ran = collections.Counter(re.findall(r"(?m)^\[ RUN      \] (\S+)", log))
        lacking += [f"never run: {case}" for case in sorted((there - ran).elements())]
        said += f", {sum((there & ran).values())} of {sum(there.values())} cases of {len(programs)} gtest programs ran"
    for line in lacking + odd:
        print(f"count: {line}")
    print(f"count: {said}, {len(odd)} left out")
    return 1 if lacking or (odd and os.environ.get("NO_SKIPS")) else 0


if __name__ == "__main__":
    sys.exit(main())
