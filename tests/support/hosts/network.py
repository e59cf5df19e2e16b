"""The lab's network: a router between three subnets and the one for management, a DNS server on each of its legs.

    management 10.255.0.0/24: the survey's machine .1, the router .2, hosts .10 and up
    a          10.10.1.0/24:  servers
    b          10.10.2.0/24:  listening Tentacles
    c          10.10.3.0/24:  polling Tentacles

Each subnet has IPv6 as well, `fd10:<number>::/64`, with the same last number.

Five hosts are always there. Those of another fleet (`FLEETS`) are booted when the first scenario asks for one; the services of
those that are not of the fleet that is asked for are stopped meanwhile, so that no server sees them.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from pytest_tentacle.inventory.model import SSH, Inventory, Mode, OctopusServer, OperatingSystem, Tentacle, WinRM
from pytest_tentacle.link.certificate import KeyedCertificate, make_certificate

from .host import Host, Machine, ProductHost, must
from .windows.host import PASSWORD, USER, WindowsHost

SUBNETS = {"a": 1, "b": 2, "c": 3}
FLEET = {
    "octo-1": ("a", 10), "web-1": ("b", 11), "web-2": ("b", 12), "poll-1": ("c", 21), "poll-2": ("c", 22),
}  # fmt: skip
"""Of most scenarios: subnet and last number of the address."""


@dataclass(frozen=True)
class Further:
    """A host that only some scenarios need.

    Attributes:
        subnet: of it.
        number: the last one of its addresses.
        servers: that a Tentacle works for.
        windows: it is a Windows, logged on to by WinRM.
        node_of: the server of which this is another node, with the same certificate.
    """

    subnet: str
    number: int
    servers: tuple[str, ...] = ("octo-1",)
    windows: bool = False
    node_of: str = ""


FURTHER = {
    "web-w": Further("b", 31, windows=True),
    "poll-w": Further("c", 32, windows=True),
    "octo-2": Further("a", 33, windows=True),
    "web-b": Further("b", 34, ("octo-1", "octo-2")),
    "poll-b": Further("c", 35, ("octo-1", "octo-2")),
    "octo-1b": Further("a", 36, node_of="octo-1"),
    "web-n": Further("b", 37, ("octo-1", "octo-1b")),
    "poll-n": Further("c", 38, ("octo-1", "octo-1b")),
}
FLEETS: dict[str, tuple[str, ...]] = {
    "": tuple(FLEET),
    "windows": ("octo-1", "web-1", "web-w", "poll-1", "poll-w"),
    "servers": ("octo-1", "octo-2", "web-b", "poll-b"),
    "nodes": ("octo-1", "octo-1b", "web-n", "poll-n"),
}
"""Which hosts a scenario's survey is of. `servers`: two Octopus Servers, and Tentacles that work for both."""


class Network:
    """The hosts and what stands between them. Needs namespaces of its own (`support.namespaces`)."""

    def __init__(self, fleets: Sequence[str] = ()) -> None:
        """`fleets`: which may be asked for, besides the common one."""
        must("mount", "--make-rprivate", "/")
        must("mount", "-t", "tmpfs", "tmpfs", "/mnt")
        must("mount", "-t", "tmpfs", "tmpfs", "/dev/shm")  # squid's, which would outlive it
        self.folder = Path("/mnt")
        self.groups, self._holder = _control_groups()
        self.router = Host("router", self.folder / "router")
        self.known: dict[str, ProductHost] = {}
        """All hosts of its fleets."""
        self.machines: dict[str, ProductHost] = {}
        """Those that are up."""
        self._names = tuple(dict.fromkeys(name for fleet in ("", *fleets) for name in FLEETS[fleet]))
        self._present: tuple[str, ...] = FLEETS[""]
        self._stopped: set[str] = set()
        self._authority: KeyedCertificate | None = None

    def start(self) -> None:
        """Everything that is common, side by side."""
        self.router.folder.mkdir()
        self.router.start()
        must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "login", "-f", str(self.folder / "login"))
        own = [name for name in self._names if name in FLEET or not FURTHER[name].node_of]
        with ThreadPoolExecutor() as pool:
            made = dict(zip(own, pool.map(lambda name: make_certificate(f"Octopus {name}"), own), strict=True))
        if any(name in FURTHER and FURTHER[name].windows for name in self._names):
            self._authority = make_certificate("lab of hosts", authority=True)
            (self.folder / "ca.pem").write_text(self._authority.certificate_pem, encoding="ascii")
        for name in self._names:
            certificate = made[name] if name in made else made[FURTHER[name].node_of]
            self.known[name] = self._made(name, certificate)
        self._wire()
        self._up(FLEETS[""])

    def fleet(self, name: str) -> Inventory:
        """Has the hosts of that fleet up, and the services of all others stopped."""
        names = FLEETS[name]
        self._up([each for each in names if each not in self.machines])
        with ThreadPoolExecutor() as pool:
            list(
                pool.map(
                    lambda each: self.machines[each].serve("stop"), self.machines.keys() - self._stopped - {*names}
                )
            )
            list(pool.map(lambda each: self.machines[each].serve("start"), self._stopped & {*names}))
        self._stopped = self.machines.keys() - {*names}
        self._present = names
        self.ready()
        return self.inventory

    @property
    def inventory(self) -> Inventory:
        """Of the hosts that are present."""
        machines = [self.known[name].machine for name in self._present]
        return Inventory(
            servers=tuple(each for each in machines if isinstance(each, OctopusServer)),
            tentacles=tuple(each for each in machines if isinstance(each, Tentacle)),
        )

    def ready(self) -> None:
        """Waits until all services listen, and all pollers hold their connections."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda name: self.machines[name].ready(), self._present))

    def host(self, name: str) -> Host:
        """The router, or a machine."""
        return self.router if name == "router" else self.machines[name]

    def stop(self) -> None:
        """What namespaces do not end by themselves: nothing; but nobody waits for them."""
        for each in (*self.machines.values(), self.router):
            if each.process:
                each.process.kill()
        for each in (*self.machines.values(), self.router):
            if each.process:
                each.process.wait()
        self._holder.kill()
        self._holder.wait()
        _remove(self.groups)

    def _up(self, names: Sequence[str]) -> None:
        """Boots these, and waits for them."""
        new = [self.known[name] for name in names]
        keys = {each.name: self._keys(each) for each in new if isinstance(each, Machine)}
        for each in new:
            each.prepare([other for other in self.known.values() if other is not each], keys.get(each.name, {}))
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda each: each.boot(), new))
        for each in new:
            self.machines[each.name] = each
            self._cable(each)
        if new:
            self.dns("start")
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda each: each.begin(), new))
            list(pool.map(lambda each: each.ready(), new))

    def _made(self, name: str, certificate: KeyedCertificate) -> ProductHost:
        subnet, number = FLEET[name] if name in FLEET else (FURTHER[name].subnet, FURTHER[name].number)
        address, management = f"10.10.{SUBNETS[subnet]}.{number}", f"10.255.0.{number}"
        is_windows = name in FURTHER and FURTHER[name].windows
        transport = (
            WinRM(host=management, user=USER, password=SecretStr(PASSWORD), ca=self.folder / "ca.pem")
            if is_windows
            else SSH(
                host=management, user="root", key=self.folder / "login", known_hosts=self.folder / "known_hosts",
                ssh_config=Path("/dev/null"), agent=False,
            )
        )  # fmt: skip
        common = {
            "name": name, "dns_name": f"{name}.lab.test", "ip": address, "transport": transport,
            "os": OperatingSystem.WINDOWS if is_windows else OperatingSystem.LINUX,
        }  # fmt: skip
        machine: OctopusServer | Tentacle
        if name.startswith("octo"):
            machine = OctopusServer.model_validate(common | {"polling_ports": (10943,)})
        else:
            mode = Mode.LISTENING if name.startswith("web") else Mode.POLLING
            servers = FURTHER[name].servers if name in FURTHER else ("octo-1",)
            port = 10933 if mode is Mode.LISTENING else None
            machine = Tentacle.model_validate(common | {"mode": mode, "servers": servers, "port": port})
        whole = {"machine": machine, "address": address, "management": management, "certificate": certificate}
        if is_windows:
            assert self._authority is not None
            return WindowsHost(name, self.folder / name, authority=self._authority, **whole)  # type: ignore[arg-type]
        return Machine(name, self.folder / name, groups=self.groups, **whole)  # type: ignore[arg-type]

    def _keys(self, machine: Machine) -> dict[str, str]:
        """Of its SSH server, which is known from then on."""
        own = self.folder / f"{machine.name}.key"
        must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", machine.name, "-f", str(own))
        public = own.with_suffix(".key.pub").read_text(encoding="ascii")
        with (self.folder / "known_hosts").open("a", encoding="ascii") as known:
            known.write(f"{machine.management} {public}")
        login = (self.folder / "login.pub").read_text(encoding="ascii")
        return {"host": own.read_text(encoding="ascii"), "login": login}

    def _wire(self) -> None:
        """One bridge a subnet, in the router; the management's is here, where the survey runs."""
        must("ip", "link", "set", "lo", "up")
        must("ip", "link", "add", "mgmt", "type", "bridge")
        must("ip", "address", "add", "10.255.0.1/24", "dev", "mgmt")
        must("ip", "link", "set", "mgmt", "up")
        self.router.run("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 && ip link set lo up")
        for subnet, number in SUBNETS.items():
            self.router.run(
                f"ip link add name net-{subnet} type bridge; ip address add 10.10.{number}.1/24 dev net-{subnet}; "
                f"ip address add fd10:{number}::1/64 dev net-{subnet} nodad; ip link set net-{subnet} up"
            )
        self._connect(self.router, "mgmt", "10.255.0.2", None)
        must("ip", "route", "add", "10.10.0.0/16", "via", "10.255.0.2")

    def _cable(self, machine: ProductHost) -> None:
        """Its cables, addresses and routes."""
        _, _, number, last = machine.address.split(".")
        subnet = next(name for name, each in SUBNETS.items() if str(each) == number)
        self._connect(machine, "mgmt", machine.management, None)
        self._connect(machine, subnet, machine.address, f"fd10:{number}::{last}")
        machine.run(f"ip route add default via 10.10.{number}.1 && ip -6 route add default via fd10:{number}::1")

    def _connect(self, host: Host, net: str, address: str, address6: str | None) -> None:
        """A cable from the host's `eth0` (`mgmt0` for management) to the net's bridge."""
        inner, bridge = ("mgmt0", "mgmt") if net == "mgmt" else ("eth0", f"net-{net}")
        outer = f"{net}-{host.name}"[:15]
        where = os.getpid() if net == "mgmt" else self.router.pid
        enter = ("nsenter", "-t", str(where), "-n")
        must(*enter, "ip", "link", "add", outer, "type", "veth", "peer", "name", inner, "netns", str(host.pid))
        must(*enter, "ip", "link", "set", outer, "master", bridge, "up")
        six = f"ip address add {address6}/64 dev {inner} nodad; " if address6 else ""
        host.run(f"ip address add {address}/24 dev {inner}; {six}ip link set lo up; ip link set {inner} up")

    def dns(self, what: str, *legs: str, options: str = "") -> None:
        """Starts (anew) or stops the DNS servers of these subnets, all by default; hosts' records are set back."""
        for subnet in legs or tuple(SUBNETS):
            number = SUBNETS[subnet]
            pid, hosts = f"/mnt/router/dns-{subnet}.pid", f"/mnt/router/dns-{subnet}.hosts"
            self.router.run(
                f"if [ -e {pid} ]; then kill -9 $(cat {pid}); rm {pid}; fi; "
                f"while ss -Huln src 10.10.{number}.1 | grep -q :53; do sleep 0.02; done"
            )
            if what == "stop":
                continue
            records = "".join(f"{machine.address} {machine.name}.lab.test\n" for machine in self.known.values())
            Path(hosts).write_text(records, encoding="ascii")
            self.router.run(
                f"dnsmasq --conf-file=/dev/null --no-resolv --no-hosts --addn-hosts={hosts} --local=/lab.test/ "
                f"--bind-interfaces --listen-address=10.10.{number}.1 --pid-file={pid} --user=root --cache-size=0 {options}"
            )


def _control_groups() -> tuple[Path, subprocess.Popen[bytes]]:
    """A control group for this lab, and a process that holds it; empty ones of labs that were killed are removed."""
    top = Path("/mnt/groups")
    top.mkdir()
    must("mount", "-t", "cgroup2", "cgroup2", str(top))
    for left in top.glob("lab-of-hosts-*"):
        if not _is_held(left):
            _remove(left)
    while True:
        made = top / f"lab-of-hosts-{uuid.uuid4().hex[:8]}"
        holder = subprocess.Popen(["sleep", "infinity"])
        try:
            (made / "holder").mkdir(parents=True)
            (made / "holder" / "cgroup.procs").write_text(f"{holder.pid}", encoding="ascii")
        except FileNotFoundError:  # another lab, which starts just now, took it for one of those: once more
            holder.kill()
            holder.wait()
        except BaseException:
            holder.kill()
            holder.wait()
            raise
        else:
            return made, holder


def _is_held(group: Path) -> bool:
    """Whether the lab of that group still lives: hosts that start now have an empty group for a moment."""
    with contextlib.suppress(OSError):
        return bool((group / "holder" / "cgroup.procs").read_text(encoding="ascii").split())
    return False


def _remove(group: Path) -> None:
    """A control group with those below it, unless somebody is in one."""
    for folder, _, _ in os.walk(group, topdown=False):
        with contextlib.suppress(OSError):
            Path(folder).rmdir()


def quietly(*command: str) -> None:
    """A command that may fail: it sets back what need not be there."""
    subprocess.run(command, check=False, capture_output=True, timeout=30)
