"""tls_promises.py QMAIL-SMTPD: what the built program promises about tickets and openssl.cnf, and
what only a session with a process of its own can show. Exit status 1 when it does not hold.
"""
import os
import sys

import checks
import smtpd_client
import wire
from scratch import Scratch

SESSIONS = 100
LEAST = 0.95  # of them are resumed
MAIL = smtpd_client.Session(smtpd_client.message(1024, b"\r\n"), tls=True)


def main():
    program = os.path.abspath(sys.argv[1])
    scratch = Scratch()
    plain = smtpd_client.Smtpd(program, scratch.home, scratch.queue)
    tickets = smtpd_client.Smtpd(program, scratch.ticket_home, scratch.queue)
    sys.exit(checks.status([
        ("with control/tlsticketkeys a client comes back", lambda: comes_back(tickets)),
        ("a new first key: the old ticket still opens, and is replaced",
         lambda: survives_rotation(tickets, scratch.ticket_home + "/control/tlsticketkeys")),
        ("without it there is no ticket", lambda: has_no_ticket(plain)),
        ("openssl.cnf decides",
         lambda: obeys_configuration(plain, scratch.path + "/openssl.cnf"))]))


def comes_back(smtpd):
    ticket, resumed = smtpd.run(MAIL).ticket, 0
    for _ in range(SESSIONS):
        run = smtpd.run(MAIL, ticket=ticket)
        ticket, resumed = run.ticket, resumed + run.resumed
    if resumed < LEAST * SESSIONS:
        raise wire.WireError(f"{resumed} of {SESSIONS} sessions were resumed")


def survives_rotation(smtpd, keys):
    ticket = smtpd.run(MAIL).ticket
    with open(keys, "rb") as old:
        previous = old.read(80)
    with open(keys, "wb") as new:
        new.write(os.urandom(80) + previous)
    second = smtpd.run(MAIL, ticket=ticket)
    with open(keys, "r+b") as new:
        new.truncate(80)  # the old key is gone: only a ticket made with the new one opens
    if not second.resumed or not smtpd.run(MAIL, ticket=second.ticket).resumed:
        raise wire.WireError("a session was not resumed")
    if smtpd.run(MAIL, ticket=ticket).resumed:
        raise wire.WireError("a ticket was opened without its key")


def has_no_ticket(smtpd):
    if smtpd.run(MAIL).ticket.has_ticket:
        raise wire.WireError("a ticket was issued")


def obeys_configuration(smtpd, path):
    """The system's default in openssl.cnf chooses the cipher of TLS 1.3."""
    wanted = "TLS_CHACHA20_POLY1305_SHA256"
    with open(path, "w") as configuration:
        configuration.write("openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\n"
                            f"system_default = default\n[default]\nCiphersuites = {wanted}\n")
    smtpd.environment["OPENSSL_CONF"] = path
    chosen = smtpd.run(MAIL).cipher
    if chosen != wanted:
        raise wire.WireError(f"the cipher is {chosen}")


if __name__ == "__main__":
    main()
