"""Name servers on loopback: rbldnsd with lists of addresses, nsd with zones, unbound that asks both."""
import os
import socket
import struct
import time

from .base import Peer, PeerError, START_SECONDS, USERS

NSD_CONF = """\
server:
    ip-address: 127.0.0.1@{port}
    username: vmail
    database: ""
    zonesdir: "{work}/zones"
    pidfile: "{work}/run/nsd.pid"
    xfrdfile: "{work}/run/xfrd.state"
    zonelistfile: "{work}/run/zone.list"
    xfrdir: "{work}/run"
    server-count: 1
remote-control:
    control-enable: no
"""

UNBOUND_CONF = """\
server:
    interface: 127.0.0.1
    port: {port}
    username: "vmail"
    chroot: ""
    directory: "{work}/run"
    pidfile: "{work}/run/unbound.pid"
    use-syslog: no
    logfile: ""
    num-threads: 1
    do-not-query-localhost: no
    module-config: "iterator"
    cache-max-negative-ttl: 0
    cache-max-ttl: 0
    infra-host-ttl: 1
    infra-cache-max-rtt: 1000
    local-zone: "." static
{settings}
remote-control:
    control-enable: no
{stubs}
"""


def answers(port, name):
    """Whether a name server answers, whatever it says."""
    query = b"\x12\x34\x01\0\0\1\0\0\0\0\0\0" + b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.2)
        sock.connect(("127.0.0.1", port))
        try:
            sock.send(query + b"\0" + struct.pack("!HH", 1, 1))
            return sock.recv(512)[:2] == b"\x12\x34"
        except OSError:
            return False


class NameServer(Peer):
    """What they have in common. `port` is for UDP and TCP."""

    def defaults(self):
        return {"port": 0, "nameserver": "", "hosts": {}}

    def configure(self):
        self.folder("run", user="vmail")
        self.folder("zones", user="vmail")
        os.chown(self.path("log"), USERS["vmail"], USERS["vmail"])

    def ready_wait(self):
        end = time.monotonic() + START_SECONDS
        while not answers(self.options["port"], self.known()):
            if time.monotonic() > end or not self.alive():
                raise PeerError(f"no answer on port {self.options['port']}")
            time.sleep(0.02)

    def known(self):
        """A name that it answers for."""
        raise NotImplementedError


class Rbldnsd(NameServer):
    """Options:

    zones   {zone: (type, text)}: text is a data file as rbldnsd(8) has it for ip4set, ip6trie, ...
    files   {zone: (type, path)}: a file that is read again when it has changed
    """
    name = "rbldnsd"
    packages = ("rbldnsd",)

    def defaults(self):
        return {**super().defaults(), "zones": {}, "files": {}}

    def configure(self):
        super().configure()
        for zone, (_, text) in self.options["zones"].items():
            self.write(f"zones/{zone}", text)

    def command(self):
        zones = [f"{zone}:{kind}:{zone}" for zone, (kind, _) in self.options["zones"].items()]
        zones += [f"{zone}:{kind}:{path}" for zone, (kind, path) in self.options["files"].items()]
        return ["/usr/sbin/rbldnsd", "-n", "-u", "vmail", "-w", self.path("zones"), "-t", "1:1:1", "-c", "1",
                "-b", f"127.0.0.1/{self.options['port']}", *zones]

    def known(self):
        return "2.0.0.127." + next(iter({**self.options["zones"], **self.options["files"]}))


class Nsd(NameServer):
    """Options: zones, {zone: text}: records as in a zone file; SOA and NS are put in front."""
    name = "nsd"
    packages = ("nsd",)

    def defaults(self):
        return {**super().defaults(), "zones": {}}

    def configure(self):
        super().configure()
        text = NSD_CONF.format(port=self.options["port"], work=self.work)
        for zone, records in self.options["zones"].items():
            self.write(f"zones/{zone}", f"$ORIGIN {zone}.\n$TTL 1\n@ SOA ns.{zone}. postmaster.{zone}. 1 1h 1h 1d 1\n"
                       f"@ NS ns.{zone}.\n{records}")
            text += f"zone:\n    name: {zone}\n    zonefile: {zone}\n"
        self.write("etc/nsd/nsd.conf", text)

    def command(self):
        return ["/usr/sbin/nsd", "-d", "-c", "/etc/nsd/nsd.conf"]

    def known(self):
        return next(iter(self.options["zones"]))


class Unbound(NameServer):
    """Options:

    stubs     {zone: port}: who is asked about it; all else does not exist
    settings  lines for the server part of the configuration
    """
    name = "unbound"
    packages = ("unbound",)

    def defaults(self):
        return {**super().defaults(), "stubs": {}, "settings": ""}

    def configure(self):
        super().configure()
        open_zones = "".join(f'    local-zone: "{zone}" transparent\n' for zone in self.options["stubs"])
        stubs = "".join(f"stub-zone:\n    name: {zone}\n    stub-addr: 127.0.0.1@{port}\n    stub-first: no\n"
                        for zone, port in self.options["stubs"].items())
        self.write("etc/unbound/unbound.conf", UNBOUND_CONF.format(
            port=self.options["port"], work=self.work, settings=open_zones + self.options["settings"], stubs=stubs))

    def command(self):
        return ["/usr/sbin/unbound", "-d", "-d", "-p", "-c", "/etc/unbound/unbound.conf"]

    def known(self):
        return "localhost"
