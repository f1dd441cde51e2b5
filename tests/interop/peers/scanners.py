"""sslscan and testssl.sh against our listeners, STARTTLS and implicit TLS, RSA and ECDSA.

Wanted: nothing under TLS 1.2; the server's order of preference; no renegotiation by the client; no compression, no weak
DH group, and no finding of testssl above LOW but those that a private test authority brings with it (TRUST below).
"""
import json
import re

import install
from matrix import KEYS, MODES
from world import Trouble, run

# Findings of testssl.sh that are about the certificate's authority, name service or our address, not about the program.
NOT_OURS = re.compile(r"^(cert_(trust|chain_of_trust|caIssuers|revocation|crlRevoked|ocspRevoked|validityPeriod|"
                      r"extlifeSpan|commonName_wo_SNI|commonName|expirationStatus|mustStapleExtension)|OCSP_stapling|"
                      r"DNS_CAArecord|certificate_transparency|engine_problem|scanProblem|scanTime|"
                      r"final_score|overall_grade|grade_cap_reason_\d+|rating_.*)")


def sslscan(world, results):
    install.packages("sslscan")
    for key in KEYS:
        for mode in MODES:
            listener = world.listener(key, mode)

            def scan():
                argv = ["sslscan", "--no-colour", "--sni-name=mx.example.test"]
                argv += [] if mode == "implicit" else ["--starttls-smtp"]
                said = run([*argv, f"{listener.ip}:{listener.port}"], timeout=120)[1].decode(errors="replace")
                wanted = [r"SSLv2\s+disabled", r"SSLv3\s+disabled", r"TLSv1\.0\s+disabled", r"TLSv1\.1\s+disabled",
                          r"TLSv1\.2\s+enabled", r"TLSv1\.3\s+enabled", r"Preferred TLSv1\.3", r"Preferred TLSv1\.2",
                          r"Session renegotiation not supported"]
                for pattern in wanted:
                    if not re.search(pattern, said):
                        raise Trouble(f"{pattern} is not in: {said[-3000:]}")
                bad = re.findall(r"(?:Accepted|Preferred).*(?:NULL|EXP|RC4|3DES|ADH|AECDH|MD5).*|.*DHE (?:512|768|1024) bits.*|"
                                 r".*(?<!not )vulnerable to heartbleed", said)
                if bad:
                    raise Trouble("; ".join(bad))

            results.check("check", {"what": f"sslscan {mode} {key}"}, scan)


def testssl(world, results):
    install.packages("testssl.sh", "bsdextrautils", "bind9-dnsutils", "procps")
    for key, mode in (("rsa", "starttls"), ("ecdsa", "implicit")):
        listener = world.listener(key, mode)

        def scan():
            out = world.folder("testssl") / f"{key}-{mode}.json"
            argv = ["testssl", "--quiet", "--warnings", "off", "--color", "0", "--jsonfile", out, "--ip", listener.ip, "-n",
                    "none", "--add-ca", world.pki / "ca.crt"]
            argv += ["--starttls", "smtp"] if mode == "starttls" else []
            status, said = run([*argv, f"mx.example.test:{listener.port}"], timeout=900, env={"TERM": "dumb"})
            if not out.exists():
                raise Trouble(f"testssl: {said[-1500:].decode(errors='replace')}")
            found = json.loads(out.read_text())
            if len(found) < 60:
                raise Trouble(f"testssl stopped early ({len(found)} findings): {said[-1500:].decode(errors='replace')}")
            worse = [f"{f['id']}: {f['severity']}: {f['finding']}" for f in found
                     if f["severity"] in ("MEDIUM", "HIGH", "CRITICAL", "FATAL") and not NOT_OURS.match(f["id"])]
            if worse:
                raise Trouble("; ".join(worse))
            said_ok = {f["id"]: f["severity"] for f in found}
            for must in ("SSLv2", "SSLv3", "TLS1", "TLS1_1", "cipher_order", "secure_client_renego"):
                if said_ok.get(must) not in ("OK", "INFO"):
                    raise Trouble(f"{must}: {said_ok.get(must)}")

        results.check("check", {"what": f"testssl.sh {mode} {key}"}, scan)
