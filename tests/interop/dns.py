"""Real name servers for a world: nsd with a signed zone "test.", unbound that validates and caches.

start(world, records) takes lines of a zone file relative to "test." and returns unbound's "ADDRESS:PORT". Nobody
answers for the zone "lame.". Zones below "test." may be unsigned, or not validate (Child).
"""
import dataclasses

import install
from world import Trouble, run

SERVER_PORT, RESOLVER_PORT = 5300, 53


def prepare():
    install.packages("nsd", "unbound", "ldnsutils", "bind9-dnsutils")


@dataclasses.dataclass
class Child:
    """A zone below test.: "unsigned"; "bogus": the parent vouches for a key that it has not; "expired": its signatures are."""
    name: str
    kind: str
    records: str


def _text(origin, ip, records):
    return (f"$ORIGIN {origin}.\n$TTL 60\n@ SOA ns.test. hostmaster.test. 1 3600 600 86400 60\n@ NS ns.test.\n"
            + (f"ns A {ip}\n" if origin == "test" else "") + records)


def _sign(folder, zone, *dates):
    """Signs FOLDER/ZONE.zone in place; returns the DS record of its key."""
    status, key = run(["ldns-keygen", "-a", "ECDSAP256SHA256", "-k", zone], cwd=folder)
    key = key.decode().split()[-1] if status == 0 else ""
    status, said = run(["ldns-signzone", "-n", "-o", zone, *dates, f"{zone}.zone", key], cwd=folder)
    if status != 0:
        raise Trouble(f"ldns-signzone: {said.decode(errors='replace')}")
    (folder / f"{zone}.zone.signed").replace(folder / f"{zone}.zone")
    return folder / f"{key}.ds"


def start(world, records, ip=None, children=()):
    prepare()
    ip = ip or world.ip(53)
    folder = world.folder("dns")
    for child in children:
        zone = f"{child.name}.test"
        (folder / f"{zone}.zone").write_text(_text(zone, ip, child.records))
        records += f"{child.name} NS ns\n"
        if child.kind == "expired":
            records += _sign(folder, zone, "-i", "20200101000000", "-e", "20200201000000").read_text() + "\n"
        elif child.kind == "bogus":
            records += f"{child.name} DS 4711 13 2 {'cd' * 32}\n"
    (folder / "test.zone").write_text(_text("test", ip, records))
    anchor = _sign(folder, "test", "-e", "20360101000000")
    zones = ["test", *(f"{child.name}.test" for child in children)]
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
""" + "".join(f"zone:\n  name: {zone}\n  zonefile: {zone}.zone\n" for zone in zones))
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
  trust-anchor-file: "{anchor}"
  domain-insecure: "lame."
  local-zone: "test." nodefault
remote-control:
  control-enable: no
stub-zone:
  name: "lame."
  stub-addr: {ip}@{SERVER_PORT + 1}
""" + "".join(f'stub-zone:\n  name: "{zone}."\n  stub-addr: {ip}@{SERVER_PORT}\n' for zone in zones))
    world.start(["nsd", "-d", "-c", folder / "nsd.conf"], log="nsd", ready=(ip, SERVER_PORT))
    world.start(["unbound", "-d", "-c", folder / "unbound.conf"], log="unbound", ready=(ip, RESOLVER_PORT))
    status, said = run(["dig", "+time=2", "+tries=3", "+dnssec", f"@{ip}", "ns.test.", "A"])
    if b" ad" not in said.partition(b"flags:")[2].partition(b";")[0]:
        raise Trouble(f"unbound does not validate the zone: {said.decode(errors='replace')}\n"
                      f"{world.log('unbound').decode(errors='replace')[-800:]}")
    return f"{ip}:{RESOLVER_PORT}"
