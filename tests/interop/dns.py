"""Real name servers for a world: nsd with a signed zone "test.", unbound that validates and caches.

start(world, records) takes lines of a zone file relative to "test." and returns unbound's "ADDRESS:PORT". Nobody
answers for the zone "lame.".
"""
import install
from world import Trouble, run

SERVER_PORT, RESOLVER_PORT = 5300, 53


def prepare():
    install.packages("nsd", "unbound", "ldnsutils", "bind9-dnsutils")


def start(world, records, ip=None):
    prepare()
    ip = ip or world.ip(53)
    folder = world.folder("dns")
    (folder / "test.zone").write_text("$ORIGIN test.\n$TTL 60\n@ SOA ns.test. hostmaster.test. 1 3600 600 86400 60\n"
                                      f"@ NS ns\nns A {ip}\n" + records)
    status, key = run(["ldns-keygen", "-a", "ECDSAP256SHA256", "-k", "test"], cwd=folder)
    key = key.decode().split()[-1] if status == 0 else ""
    status, said = run(["ldns-signzone", "-n", "-o", "test", "-e", "20360101000000", "test.zone", key], cwd=folder)
    if status != 0:
        raise Trouble(f"ldns-signzone: {said.decode(errors='replace')}")
    (folder / "nsd.conf").write_text(f"""server:
  server-count: 1
  ip-address: {ip}@{SERVER_PORT}
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: "{folder}/nsd.pid"
  xfrdfile: "{folder}/xfrd.state"
  zonelistfile: "{folder}/zone.list"
remote-control:
  control-enable: no
zone:
  name: test
  zonefile: test.zone.signed
""")
    (folder / "unbound.conf").write_text(f"""server:
  directory: "{folder}"
  chroot: ""
  username: ""
  pidfile: "{folder}/unbound.pid"
  use-syslog: no
  verbosity: 1
  interface: {ip}@{RESOLVER_PORT}
  access-control: 127.0.0.0/8 allow
  do-ip6: no
  do-not-query-localhost: no
  num-threads: 1
  module-config: "validator iterator"
  trust-anchor-file: "{folder}/{key}.ds"
  domain-insecure: "lame."
  local-zone: "test." nodefault
remote-control:
  control-enable: no
stub-zone:
  name: "test."
  stub-addr: {ip}@{SERVER_PORT}
stub-zone:
  name: "lame."
  stub-addr: {ip}@{SERVER_PORT + 1}
""")
    world.start(["nsd", "-d", "-c", folder / "nsd.conf"], log="nsd", ready=(ip, SERVER_PORT))
    world.start(["unbound", "-d", "-c", folder / "unbound.conf"], log="unbound", ready=(ip, RESOLVER_PORT))
    status, said = run(["dig", "+time=2", "+tries=3", "+dnssec", f"@{ip}", "ns.test.", "A"])
    if b" ad" not in said.partition(b"flags:")[2].partition(b";")[0]:
        raise Trouble(f"unbound does not validate the zone: {said.decode(errors='replace')}\n"
                      f"{world.log('unbound').decode(errors='replace')[-800:]}")
    return f"{ip}:{RESOLVER_PORT}"
