"""DANE with real zones (nsd, unbound), real servers, and Postfix as the judge: each zone is mailed by Postfix's smtp, looked at
by posttls-finger, and mailed by our qmail-remote; what came of it must be the same. The table has the three side by side.

verified   delivered, and the certificate was held to the TLSA records
encrypted  delivered inside TLS, with whoever answered (records that cannot count, or an MX answer that is not secure)
clear      delivered in the clear
deferred   not delivered
"""
import hashlib
import re
import smtplib
import subprocess
import time

import dns
import install
import netns
import postfix
from world import Listener, Trouble, run

RESOLVER = "127.0.0.53"
INLET = ("127.0.0.1", 3000)
WRONG = "ab" * 32
CLONE_NEWNS = 0x00020000


class Pki:
    """Certificates by name: NAME.pem with key, certificate and the issuer's."""

    def __init__(self, folder):
        self.folder = folder

    def make(self, name, names=(), issuer=None, *, authority=False, end="20460101000000Z", sends_issuer=True):
        extensions = ["basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign" if authority else
                      "basicConstraints=CA:FALSE"]
        if names:
            extensions.append("subjectAltName=" + ",".join(f"DNS:{one}" for one in names))
        file = self.folder / name
        (self.folder / "dane.index").write_text("")
        (self.folder / "dane.cnf").write_text(
            f"[ca]\ndefault_ca=d\n[d]\ndatabase={self.folder}/dane.index\nrand_serial=yes\nnew_certs_dir={self.folder}\n"
            "default_md=sha256\npolicy=p\n[p]\ncommonName=optional\n[x]\n" + "\n".join(extensions) + "\n")
        signer = ["-cert", f"{self.folder}/{issuer}.crt", "-keyfile", f"{self.folder}/{issuer}.key"] if issuer \
            else ["-selfsign", "-keyfile", f"{file}.key"]
        # Not "openssl x509 -days": from 3.4 on that makes none that has expired.
        for command in (["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                         "-keyout", f"{file}.key", "-out", f"{file}.csr"],
                        ["ca", "-batch", "-notext", "-config", f"{self.folder}/dane.cnf", "-extensions", "x", "-startdate",
                         "20200101000000Z", "-enddate", end, "-in", f"{file}.csr", "-out", f"{file}.crt", *signer]):
            status, said = run(["openssl", *command])
            if status != 0:
                raise Trouble(f"openssl {command[0]} for {name}: {said.decode(errors='replace')}")
        parts = [f"{file}.key", f"{file}.crt"] + ([f"{self.folder}/{issuer}.crt"] if issuer and sends_issuer else [])
        pem = self.folder / f"{name}.pem"
        pem.write_text("".join(open(part).read() for part in parts))
        pem.chmod(0o644)

    def tlsa(self, name, usage=3, selector=1, matching=1):
        file = f"{self.folder}/{name}.crt"
        command = ["openssl", "x509", "-in", file, "-outform", "DER"]
        data = subprocess.run(command, check=True, capture_output=True).stdout
        if selector == 1:
            key = subprocess.run(["openssl", "x509", "-in", file, "-noout", "-pubkey"], check=True, capture_output=True).stdout
            data = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=key, check=True,
                                  capture_output=True).stdout
        if matching:
            data = hashlib.new({1: "sha256", 2: "sha512"}[matching], data).digest()
        return f"TLSA {usage} {selector} {matching} {data.hex()}"


def make_certificates(pki):
    pki.make("root", authority=True)
    pki.make("leaf", ["elsewhere.example"], "root")
    pki.make("other", ["elsewhere.example"], "root")
    pki.make("named", ["ta-mx.test", "takey-mx.test", "tabare-mx.test"], "root")
    pki.make("bare", ["tabare-mx.test"], "root", sends_issuer=False)
    pki.make("domain", ["tadomain.test"], "root")
    pki.make("late", ["expired-mx.test", "taexpired-mx.test"], "root", end="20200201000000Z")


class Case:
    """`what` a zone is about. One exchanger, DOMAIN-mx, unless `zone` says otherwise; it shows `certificate` (None: no TLS).
    `first`: what posttls-finger must find, which looks at the first exchanger only."""

    def __init__(self, domain, what, wanted, tlsa=(), certificate="leaf", zone=None, server=True, first=None):
        self.domain, self.what, self.wanted, self.first = domain, what, wanted, first or wanted
        self.tlsa, self.certificate, self.zone, self.server = tlsa, certificate, zone, server


def cases(pki):
    leaf, wrong = pki.tlsa("leaf"), f"TLSA 3 1 1 {WRONG}"
    return [
        Case("ee", "DANE-EE, the key's SHA2-256", "verified", [leaf]),
        Case("full", "DANE-EE, the whole certificate", "verified", [pki.tlsa("leaf", 3, 0, 0)]),
        Case("fullkey", "DANE-EE, the whole key", "verified", [pki.tlsa("leaf", 3, 1, 0)]),
        Case("sha512", "DANE-EE, SHA2-512", "verified", [pki.tlsa("leaf", 3, 0, 2)]),
        Case("rollover", "two records, one of the key to come", "verified", [wrong, leaf]),
        Case("both", "SHA2-512 and SHA2-256, both right", "verified", [leaf, pki.tlsa("leaf", 3, 1, 2)]),
        Case("agile", "SHA2-512 wrong beside a right SHA2-256", "deferred", [leaf, f"TLSA 3 1 2 {WRONG * 2}"]),
        Case("wrong", "a wrong record", "deferred", [wrong]),
        Case("changed", "the key was changed, the record was not", "deferred", [leaf], "other"),
        Case("expired", "DANE-EE, a certificate out of date", "verified", [pki.tlsa("late")], "late"),
        Case("ta", "DANE-TA, named for the exchanger", "verified", [pki.tlsa("root", 2, 0, 1)], "named"),
        Case("takey", "DANE-TA by its key", "verified", [pki.tlsa("root", 2, 1, 1)], "named"),
        Case("tadomain", "DANE-TA, named for the domain", "verified", [pki.tlsa("root", 2, 0, 1)], "domain"),
        Case("taother", "DANE-TA, named for somebody else", "deferred", [pki.tlsa("root", 2, 0, 1)], "named"),
        Case("taexpired", "DANE-TA, a certificate out of date", "deferred", [pki.tlsa("root", 2, 0, 1)], "late"),
        Case("tabare", "DANE-TA, the anchor is not sent", "deferred", [pki.tlsa("root", 2, 0, 1)], "bare"),
        Case("tafull", "DANE-TA, the anchor is not sent but whole in the record, named for somebody else", "deferred",
             [pki.tlsa("root", 2, 0, 0)], "bare"),
        Case("pkix", "PKIX-TA and PKIX-EE only: none can be used", "encrypted",
             [pki.tlsa("root", 0, 0, 1), pki.tlsa("leaf", 1)], "other"),
        Case("pkixclear", "the same, and no STARTTLS", "deferred", [pki.tlsa("leaf", 1)], None),
        Case("mixed", "PKIX-EE that would fit beside a wrong DANE-EE", "deferred", [pki.tlsa("leaf", 1), wrong]),
        Case("matching", "a matching type that nobody knows", "encrypted", [f"TLSA 3 1 7 {WRONG}"], "other"),
        Case("short", "a digest that is too short", "encrypted", ["TLSA 3 1 1 abcd"], "other"),
        Case("none", "no records", "encrypted", (), "other"),
        Case("noneclear", "no records, and no STARTTLS", "clear", (), None),
        Case("stripped", "a record, and no STARTTLS", "deferred", [leaf], None),
        Case("alias", "the exchanger is an alias: records at its target", "verified", zone=["alias MX 10 alias-name",
             "alias-name CNAME ee-mx"], server=False),
        Case("ownalias", "the exchanger is an alias: records at itself", "verified", zone=["ownalias MX 10 ownalias-name",
             "ownalias-name CNAME ownalias-mx", f"_25._tcp.ownalias-name {leaf}"]),
        Case("recordalias", "the record is an alias", "verified", zone=["recordalias MX 10 recordalias-mx",
             "_25._tcp.recordalias-mx CNAME _shared", f"_shared {leaf}"]),
        Case("chain", "the domain is an alias, its exchanger a chain of them", "verified", zone=["chain CNAME chained",
             "chained MX 10 chain-a", "chain-a CNAME chain-b", "chain-b CNAME ee-mx"], server=False),
        Case("host", "no MX", "verified", zone=["host A {ip}", f"_25._tcp.host {leaf}"]),
        Case("second", "the first exchanger is wrong, the second right", "verified", zone=["second MX 10 wrong-mx",
             "second MX 20 ee-mx"], server=False, first="deferred"),
        Case("allwrong", "both exchangers are wrong", "deferred", zone=["allwrong MX 10 wrong-mx", "allwrong MX 20 changed-mx"],
             server=False),
        Case("tlsabogus", "the records do not validate", "deferred", zone=["tlsabogus MX 10 tlsabogus-mx"]),
        Case("bogus", "the domain does not validate", "deferred", zone=[], server=False),
        Case("stale", "the domain's signatures are out of date", "deferred", zone=[], server=False),
        Case("unsigned", "nothing is signed: a wrong record does not count", "encrypted", zone=[]),
        Case("into", "the exchanger's zone is not signed", "encrypted", zone=["into MX 10 unsigned-mx.unsigned"], server=False),
        Case("outalias", "an alias out of the signed tree, records at itself", "verified", zone=["outalias MX 10 outalias-name",
             "outalias-name CNAME unsigned-mx.unsigned", f"_25._tcp.outalias-name {leaf}"], server=False),
        Case("good.unsigned", "MX is not signed, the exchanger's record is right", "encrypted", zone=[], server=False),
        Case("bad.unsigned", "MX is not signed, the exchanger's record is wrong", "deferred", zone=[], server=False),
    ]


def zones(pki, table, addresses):
    """(records of test., the zones below it)."""
    lines = []
    for case in table:
        ip = addresses.get(case.domain)
        if case.zone is None:
            lines.append(f"{case.domain} MX 10 {case.domain}-mx")
            lines += [f"_25._tcp.{case.domain}-mx {record}" for record in case.tlsa]
        else:
            lines += [line.format(ip=ip) for line in case.zone]
        if ip and case.domain not in ("host", "unsigned"):
            lines.append(f"{case.domain}-mx A {ip}")
    children = [
        dns.Child("unsigned", "unsigned", f"@ MX 10 unsigned-mx\nunsigned-mx A {addresses['unsigned']}\n"
                  f"_25._tcp.unsigned-mx TLSA 3 1 1 {WRONG}\ngood MX 10 ee-mx.test.\nbad MX 10 wrong-mx.test.\n"),
        dns.Child("bogus", "bogus", "@ MX 10 ee-mx.test.\n"),
        dns.Child("stale", "expired", "@ MX 10 ee-mx.test.\n"),
        dns.Child("_tcp.tlsabogus-mx", "bogus", f"_25 {pki.tlsa('leaf')}\n"),
    ]
    return "\n".join(lines) + "\n", children


def use_resolver(world):
    """/etc/resolv.conf names our resolver, for us and what we start."""
    netns.unshare(CLONE_NEWNS)
    conf = world.folder("dns") / "resolv.conf"
    conf.write_text(f"nameserver {RESOLVER}\noptions trust-ad timeout:2 attempts:2\n")
    for command in (["mount", "--make-rprivate", "/"], ["mount", "--bind", conf, "/etc/resolv.conf"]):
        status, said = run(command)
        if status != 0:
            raise install.Unavailable(f"{' '.join(map(str, command))}: {said.decode(errors='replace')}")


# --- what each says ---

class Smtp:
    """Postfix's smtp, told smtp_tls_security_level = dane and nothing else."""

    def __init__(self, world):
        main = ("disable_dns_lookups = no\nsmtp_dns_support_level = dnssec\nsmtp_tls_security_level = dane\n"
                "smtp_tls_loglevel = 1\nsmtp_connect_timeout = 5\nsmtp_helo_timeout = 5\nsmtp_tls_session_cache_database =\n")
        self._folder = postfix.start(world, "dane", main, f"{INLET[0]}:{INLET[1]} inet n - n - - smtpd\n", INLET)

    def send(self, domain, message):
        with smtplib.SMTP(*INLET, timeout=15) as client:
            client.sendmail(f"{domain}@x.test", [f"u@{domain}.test"], message.replace(b"\n", b"\r\n"), ["BODY=8BITMIME"])

    def verdict(self, domain, seconds=40):
        """(what came of it, the line of the log)"""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            log = (self._folder / "maillog").read_text(errors="replace")
            queued = re.search(rf"(\w+): from=<{re.escape(domain)}@x\.test>", log)
            done = queued and re.search(rf"smtp\[(\d+)\]: {queued.group(1)}: to=<.*status=(\w+) (.*)", log)
            if done:
                if done.group(2) != "sent":
                    return "deferred", done.group(3)
                before = log[:done.start()]
                # One smtp process, one session after the other: the last it said about TLS is about this one, unless a message
                # was done in between.
                said = [line for line in before.splitlines() if f"smtp[{done.group(1)}]" in line]
                for line in reversed(said):
                    if "status=" in line:
                        break
                    made = re.search(r"(\w+) TLS connection established", line)
                    if made:
                        return ("verified" if made.group(1) == "Verified" else "encrypted"), line
                return "clear", done.group(0)
            time.sleep(0.1)
        return "nothing", "no result in the log"


def finger(world, domain):
    """posttls-finger's: (what would come of it, the lines that tell)."""
    folder = world.folder("posttls")
    (folder / "conf").mkdir(exist_ok=True)
    (folder / "conf/main.cf").write_text(
        "compatibility_level = 3.6\nmyhostname = posttls.test\nmail_owner = uucp\nsetgid_group = games\ndefault_privs = nobody\n"
        "smtp_dns_support_level = dnssec\ninet_protocols = ipv4\n")
    program = install.unpacked("postfix") / "usr/sbin/posttls-finger"
    said = run([program, "-c", "-ldane", "-Lsummary,verbose", "-t5", "-T5", f"{domain}.test"],
               env=postfix._environment(folder), timeout=60)[1].decode(errors="replace")
    made = re.findall(r"(Verified|Trusted|Untrusted|Anonymous) TLS connection established", said)
    demanded = "DNSSEC-signed TLSA record" in said and "all TLSA records unusable" not in said
    if made and made[-1] == "Verified":
        verdict = "verified"
    elif made and (not demanded or "MX RRset insecure" in said and "Matched DANE" in said):
        verdict = "encrypted"
    else:
        # Its exit status is 0 all the same; of a server in the clear that is good enough it says nothing.
        verdict = "deferred" if made or re.search("TLSA|error|not found", said) else "clear"
    return verdict, said


def ours(world, domain):
    """(what came of it, the report)"""
    token = world.token()
    report = world.deliver(None, token, world.message(token, f"u@{domain}.test", lines=3), f"u@{domain}.test",
                           host=f"{domain}.test", resolver=f"{RESOLVER}:53",
                           control={"tlspolicy": ":dane\n", "tlsreport": "1\n"})
    line = re.search(r"^TLS: (.*)\.$", report, re.M)
    if "accepted message." not in report:
        return "deferred" if re.search(r"^Z", report, re.M) else "bounced", report
    if not line:
        return "nothing", report
    return {"none": "clear", "dane": "verified", "untrusted": "encrypted"}.get(line.group(1).split()[-1], "clear"), report


def check(world, results):
    postfix.prepare(world)
    dns.prepare()
    world.leave_loopback()
    use_resolver(world)
    pki = Pki(world.pki)
    make_certificates(pki)
    table = cases(pki)
    addresses = {}
    for case in table:
        if case.server:
            listener = Listener(world, f"dane-{case.domain}", case.certificate, "starttls", None, number=60 + len(addresses), port=25)
            world.accept_all(listener)
            addresses[case.domain] = listener.ip
    records, children = zones(pki, table, addresses)
    dns.start(world, records, ip=RESOLVER, children=children)
    smtp = Smtp(world)
    for case in table:
        token = world.token()
        smtp.send(case.domain, world.message(token, f"u@{case.domain}.test", lines=3))
    for case in table:
        theirs, said = smtp.verdict(case.domain)
        fingered, looked = finger(world, case.domain)
        own, report = ours(world, case.domain)
        print(f"{case.what}: Postfix's smtp {theirs}, posttls-finger {fingered}, qmail-remote {own}", flush=True)

        def compare():
            if theirs != case.wanted:
                raise Trouble(f"Postfix's smtp: {theirs}, not {case.wanted}: {said}")
            if fingered != case.first:
                raise Trouble(f"posttls-finger: {fingered}, not {case.first}: {looked[-1500:]}")
            if own != case.wanted:
                raise Trouble(f"qmail-remote: {own}, not {case.wanted}: {report}")

        results.check("dane", {"what": case.what, "smtp": theirs, "finger": fingered, "own": own}, compare)
