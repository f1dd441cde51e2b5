"""The benchmark's command line; scripts/bench builds the programs and calls it.

Prints one table. Exit status 0; 1 when --check found a figure that has grown by more than 10 %
over figures.json, or a measurement could not be made; 2 for a wrong command line. What cannot be
measured on this machine (no root, no tcpserver) is left out, and said.
"""
import argparse
import json
import os
import sys

import against_postfix
import instruments
import link
import measure
import plot
import remote_sink
import report
import smtpd_client
import wire
from scratch import Scratch

HERE = os.path.dirname(os.path.abspath(__file__))
FIGURES = HERE + "/figures.json"
PLOT = HERE + "/figures.svg"
ALLOWED_GROWTH = 1.10
RATE_SESSIONS = 300


def main():
    options = arguments()
    missing = instruments.missing()
    if missing:
        sys.exit(f"bench: not installed: {' '.join(missing)} (apt-get install {' '.join(missing)})")
    described = load(HERE + "/reference.json")["figures"]
    scratch = Scratch()
    sinks = {"plain": remote_sink.Sink(port=options.port),
             "tls": remote_sink.Sink(scratch.certificate, port=options.port and options.port + 1)}
    scratch.route({"plain.test": ("127.0.0.1", sinks["plain"].port),
                   "tls.test": ("127.0.0.1", sinks["tls"].port),
                   "link.test": (link.FAR, 25)})
    programs = measure.Programs(
        [smtpd_client.Smtpd(program, home or scratch.home, scratch.queue)
         for program, home in (options.smtpd, options.smtpd_baseline) if program],
        [remote_sink.Remote(program, home or scratch.home)
         for program, home in (options.remote, options.remote_baseline) if program],
        scratch)
    callgrind = instruments.Callgrind(options.keep)
    ours, baseline = {}, {}
    measure_exact(programs, sinks, callgrind, ours, baseline)
    if options.check:
        sys.exit(check(described, ours))
    measure_rest(programs, callgrind, ours, baseline)
    print(report.table(described, ours, baseline))
    if options.update:
        with open(FIGURES, "w") as out:
            json.dump(exact_of(described, ours), out, indent=1)
            out.write("\n")
        with open(PLOT, "w") as out:
            out.write(plot.svg(described, ours))


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=(
        "Measures qmail-smtpd and qmail-remote. BIN[,HOME]: a program, and the home it is to use "
        "(QMAILHOME). A qmail-remote with a HOME of its own needs plain.test, tls.test and "
        "link.test in its control/smtproutes: 127.0.0.1:PORT, 127.0.0.1:PORT+1, 10.9.0.2:25."))
    for name in ("smtpd", "remote"):
        parser.add_argument(f"--{name}", type=program, default=("", ""), metavar="BIN[,HOME]")
        parser.add_argument(f"--{name}-baseline", type=program, default=("", ""),
                            metavar="BIN[,HOME]", help="measure this one too, in turn with ours")
    parser.add_argument("--port", type=int, default=0, help="for the servers that qmail-remote "
                        "delivers to: PORT and PORT+1 (default: any)")
    parser.add_argument("--keep", metavar="FOLDER",
                        help="keep the profiles, for callgrind_annotate")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true",
                      help="only the exact figures, against figures.json")
    what.add_argument("--update", action="store_true",
                      help="write figures.json and figures.svg anew")
    return parser.parse_args()


def program(text):
    path, _, home = text.partition(",")
    if not os.access(path, os.X_OK):
        raise argparse.ArgumentTypeError(f"{path}: not a program")
    return os.path.abspath(path), home


def load(path):
    with open(path) as text:
        return json.load(text)


def measure_exact(programs, sinks, callgrind, ours, baseline):
    scratch = programs.scratch
    for smtpd, figures in zip(programs.smtpd, (ours, baseline)):
        collect(figures, measure.smtpd_instructions(smtpd, callgrind, scratch))
        collect(figures, measure.smtpd_calls(smtpd))
    for remote, figures in zip(programs.remote, (ours, baseline)):
        collect(figures, measure.remote_instructions(remote, callgrind, scratch))
        collect(figures, measure.remote_wire(remote, sinks, scratch))
        collect(figures, measure.remote_flights_with_data(remote, sinks["tls"], scratch))
    # A baseline may not know the files.
    collect(ours, measure.remote_policy(programs.remote[0], callgrind, scratch))
    collect(ours, measure.remote_map(programs.remote[0], callgrind, scratch))
    collect(ours, measure.remote_tlsa(programs.remote[0], callgrind, scratch))


def measure_rest(programs, callgrind, ours, baseline):
    for smtpd, figures in zip(programs.smtpd, (ours, baseline)):
        with_tickets = smtpd_client.Smtpd(smtpd.program, programs.scratch.ticket_home, programs.scratch.queue)
        collect(figures, measure.smtpd_memory(smtpd))
        collect(figures, measure.smtpd_core(smtpd, with_tickets))
    # A baseline need not say which group it was.
    for smtpd in programs.smtpd[:1]:
        collect(ours, measure.smtpd_groups(smtpd, callgrind, programs.scratch))
    for remote in programs.remote[:1]:
        collect(ours, measure.remote_groups(remote, callgrind, programs.scratch))
    compare(ours, baseline, measure.smtpd_times(programs.smtpd))
    compare(ours, baseline, measure.remote_times(programs.remote, programs.scratch))
    try:
        collect(ours, measure.postfix_times(programs))
    except against_postfix.Unavailable as error:
        complain(f"SKIPPED: Postfix, to compare with: {error}")
    if measure.tcpserver_missing():
        complain("SKIPPED: sessions a second: no tcpserver (apt-get install ucspi-tcp)")
    else:
        compare(ours, baseline, measure.smtpd_rates(programs.smtpd, RATE_SESSIONS))
    try:
        compare(ours, baseline, measure.over_link(programs))
    except link.Unavailable as error:
        complain(f"SKIPPED: wall time over a 20 ms link (needs root and /dev/net/tun): {error}")


def collect(figures, pairs):
    for key, value in pairs:
        progress(key)
        figures[key] = value


def compare(ours, baseline, pairs):
    for key, values in pairs:
        progress(key)
        for figures, value in zip((ours, baseline), values):
            figures[key] = value


def check(described, ours):
    """Compares the exact figures with the committed ones; returns the exit status."""
    committed = load(FIGURES)
    status = 0
    held = {figure["key"] for figure in described if figure.get("exact")}
    for key in sorted(held ^ committed.keys()):
        complain(f"FAILED: {key}: {'not in' if key in held else 'no exact figure, but in'} figures.json")
        status = 1
    for figure in described:
        key = figure["key"]
        if key not in committed:
            continue
        if key not in ours:
            complain(f"FAILED: {figure['what']}: not measured; {committed[key]} in figures.json")
            status = 1
        elif ours[key] > committed[key] * ALLOWED_GROWTH:
            complain(f"FAILED: {figure['what']}: {rounded(ours[key])}, "
                     f"more than 10 % over the {committed[key]} in figures.json")
            status = 1
    print(f"bench: {len(ours)} exact figures, {'NOT ' if status else ''}all within 10 % of "
          "figures.json")
    return status


def exact_of(described, ours):
    """The figures that repeat: what a later run can be held to."""
    return {figure["key"]: rounded(ours[figure["key"]]) for figure in described
            if figure.get("exact") and figure["key"] in ours}


def rounded(value):
    return float(f"{value:.4g}")


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}\r", end="", file=sys.stderr, flush=True)


def complain(text):
    print("bench: " + text, file=sys.stderr)


if __name__ == "__main__":
    try:
        main()
    except wire.WireError as problem:
        sys.exit(f"bench: {problem}")
