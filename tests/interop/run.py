"""run.py [options] PEER...: tries the peers named (see PEERS) against our two programs; writes cells, prints failures.

    --smtpd FILE --remote FILE   the programs to test
    --results FOLDER             one JSON file a peer; --table FOLDER prints them all as Markdown and does nothing else
    --keep                       leaves the scratch folder for a look
    --list                       the names, with their set
Exit status 0: nothing failed (a peer that cannot be had is said aloud, and is no failure unless INTEROP_STRICT is set).
"""
import argparse
import importlib
import os
import pathlib
import signal
import socket
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "peers"), str(HERE.parent / "support")]

import install  # noqa: E402
import matrix  # noqa: E402
from world import Trouble, World  # noqa: E402

# name: (set, module in peers/, roles). A role is client (send), server (class) or check (function of world and results).
PEERS = {
    "swaks": ("fast", "swaks", {"client": None}),
    "openssl": ("fast", "openssl", {"client": None}),
    "gnutls-cli": ("fast", "gnutls_cli", {"client": None}),
    "curl": ("fast", "curl", {"client": None}),
    "msmtp": ("fast", "msmtp", {"client": None}),
    "smtplib": ("fast", "smtplib_peer", {"client": None}),
    "nodemailer": ("fast", "nodemailer", {"client": None}),
    "stunnel": ("fast", "stunnel", {"client": None, "server": "Server"}),
    "Postfix": ("fast", "postfix", {"client": "Client", "server": "Server", "check": "posttls_finger"}),
    "aiosmtpd": ("fast", "aiosmtpd_peer", {"server": "Server"}),
    "smtp-server": ("fast", "node_servers", {"server": "SmtpServer"}),
    "Haraka": ("fast", "node_servers", {"server": "Haraka"}),
    "qmail-smtpd": ("fast", "own", {"server": "Server"}),
    "AUTH": ("fast", "auth", {"check": "check"}),
    "DNS": ("fast", "names", {"check": "check"}),
    "MTA-STS": ("fast", "mta_sts", {"check": "check"}),
    "DANE": ("dane", "dane", {"dane": "check"}),
    "Exim": ("slow", "exim", {"client": "Client", "server": "Server"}),
    "OpenSMTPD": ("slow", "opensmtpd", {"client": "Client", "check": "smtp_command"}),
    "AUTH-servers": ("slow", "auth_servers", {"check": "check"}),
    "Sendmail": ("slow", "sendmail", {"client": "Client", "server": "Server"}),
    "sslscan": ("scan", "scanners", {"check": "sslscan"}),
    "testssl": ("scan", "scanners", {"check": "testssl"}),
}


def need_ports(world):
    """Ports that only root gets, on loopback addresses of our own; a container may refuse either."""
    for port in (25, 53, 465):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((world.ip(1), port))
            except OSError as error:
                raise install.Unavailable(f"cannot listen on {world.ip(1)}:{port}: {error.strerror}") from None


def try_role(world, name, module, role, what, results):
    try:
        if hasattr(module, "prepare"):
            module.prepare(world)
        chosen = getattr(module, what) if what else module
        if role == "client":
            matrix.check_client(world, chosen(world) if what else chosen, results)
        elif role == "server":
            matrix.check_server(world, chosen(world), results)
        else:
            chosen(world, results)
    except install.Unavailable as why:
        results.absent(role, str(why))
    except Trouble as trouble:  # the peer did not even start
        results.cells.append({"peer": name, "role": role, "outcome": "FAIL", "why": str(trouble), "key": "", "mode": "",
                              "version": ""})
        print(f"FAIL: {name} as {role}: {trouble}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smtpd")
    parser.add_argument("--remote")
    parser.add_argument("--results", type=pathlib.Path)
    parser.add_argument("--table", type=pathlib.Path)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("peers", nargs="*")
    args = parser.parse_args()
    if args.list:
        for name, (which, _, roles) in PEERS.items():
            print(name, which, *roles)
        return 0
    if args.table:
        return 0 if matrix.table(args.table) else 1
    if os.geteuid() != 0:
        print("*** NOT TESTED: run me as root (ports below 1024, packages, peers that change user)")
        return 77
    # Told to stop by SIGTERM, as by Ctrl-C, we still stop what we started. (ctest's time limit is SIGKILL before CMake 3.27.)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    failed = False
    for name in args.peers:
        _, module, roles = PEERS[name]
        module = importlib.import_module(module)
        results = matrix.Results(name)
        install.packages("ucspi-tcp", "openssl")
        with World(args.smtpd, args.remote, args.keep) as world:
            try:
                need_ports(world)
            except install.Unavailable as why:
                for role in roles:
                    results.absent(role, str(why))
            else:
                for role, what in roles.items():
                    try_role(world, name, module, role, what, results)
        if not any(c["outcome"] in ("ok", "absent") for c in results.cells):
            print(f"FAIL: {name}: nothing of it succeeded", flush=True)
            failed = True
        if args.results:
            results.write(args.results)
        absent = any(c["outcome"] == "absent" for c in results.cells)
        failed = failed or bool(results.failed()) or (absent and bool(os.environ.get("INTEROP_STRICT")))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
