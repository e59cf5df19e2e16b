"""The lab's network: a router between three subnets and the one for management, a DNS server on each of its legs.

    management 10.255.0.0/24: the survey's machine .1, the router .2, hosts .10 and up
    a          10.10.1.0/24:  servers
    b          10.10.2.0/24:  listening Tentacles
    c          10.10.3.0/24:  polling Tentacles

Each subnet has IPv6 as well, `fd10:<number>::/64`, with the same last number.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pytest_tentacle.inventory.model import SSH, Inventory, Mode, OctopusServer, OperatingSystem, Tentacle
from pytest_tentacle.link.certificate import make_certificate

from .host import Host, Machine, must

SUBNETS = {"a": 1, "b": 2, "c": 3}
FLEET = {
    "octo-1": ("a", 10), "web-1": ("b", 11), "web-2": ("b", 12), "poll-1": ("c", 21), "poll-2": ("c", 22),
}  # fmt: skip


class Network:
    """The hosts and what stands between them. Needs namespaces of its own (`support.namespaces`)."""

    def __init__(self) -> None:
        must("mount", "--make-rprivate", "/")
        must("mount", "-t", "tmpfs", "tmpfs", "/mnt")
        must("mount", "-t", "tmpfs", "tmpfs", "/dev/shm")  # squid's, which would outlive it
        self.folder = Path("/mnt")
        self.groups, self._holder = _control_groups()
        self.router = Host("router", self.folder / "router")
        self.machines: dict[str, Machine] = {}
        self.inventory = Inventory(servers=(), tentacles=())

    def start(self) -> None:
        """Everything, side by side."""
        self.router.folder.mkdir()
        self.router.start()
        self._keys()
        with ThreadPoolExecutor() as pool:
            certificates = list(pool.map(lambda name: make_certificate(f"Octopus {name}"), FLEET))
        for (name, (subnet, number)), certificate in zip(FLEET.items(), certificates, strict=True):
            address = f"10.10.{SUBNETS[subnet]}.{number}"
            self.machines[name] = Machine(
                name,
                self.folder / name,
                machine=self._declared(name, address, number),
                address=address,
                groups=self.groups,
                management=f"10.255.0.{number}",
                certificate=certificate,
            )
        machines = list(self.machines.values())
        for machine in machines:
            machine.prepare([other for other in machines if other is not machine], self._key_texts(machine.name))
        with ThreadPoolExecutor() as pool:
            list(pool.map(Machine.boot, machines))
        self._cable()
        self.ready()
        self.inventory = Inventory(
            servers=tuple(each.machine for each in machines if isinstance(each.machine, OctopusServer)),
            tentacles=tuple(each.machine for each in machines if isinstance(each.machine, Tentacle)),
        )

    def ready(self) -> None:
        """Waits until all services listen, and all pollers hold a connection."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(Machine.ready, self.machines.values()))

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

    def _declared(self, name: str, address: str, number: int) -> OctopusServer | Tentacle:
        transport = SSH(
            host=f"10.255.0.{number}",
            user="root",
            key=self.folder / "login",
            known_hosts=self.folder / "known_hosts",
            ssh_config=Path("/dev/null"),
            agent=False,
        )
        common = {
            "name": name, "dns_name": f"{name}.lab.test", "ip": address, "transport": transport,
            "os": OperatingSystem.LINUX,
        }  # fmt: skip
        if name.startswith("octo"):
            return OctopusServer.model_validate(common | {"polling_ports": (10943,)})
        mode = Mode.LISTENING if name.startswith("web") else Mode.POLLING
        port = 10933 if mode is Mode.LISTENING else None
        return Tentacle.model_validate(common | {"mode": mode, "servers": ("octo-1",), "port": port})

    def _keys(self) -> None:
        for name in ("login", *FLEET):
            must(
                "ssh-keygen",
                "-q",
                "-t",
                "ed25519",
                "-N",
                "",
                "-C",
                name,
                "-f",
                str(self.folder / name) + ("" if name == "login" else ".key"),
            )
        lines = []
        for name, (_, number) in FLEET.items():
            public = (self.folder / f"{name}.key.pub").read_text(encoding="ascii")
            lines.append(f"10.255.0.{number} {public}")
        (self.folder / "known_hosts").write_text("".join(lines), encoding="ascii")

    def _key_texts(self, name: str) -> dict[str, str]:
        return {
            "host": (self.folder / f"{name}.key").read_text(encoding="ascii"),
            "login": (self.folder / "login.pub").read_text(encoding="ascii"),
        }

    def _cable(self) -> None:
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
        for name, (subnet, number) in FLEET.items():
            machine = self.machines[name]
            self._connect(machine, "mgmt", machine.management, None)
            self._connect(machine, subnet, machine.address, f"fd10:{SUBNETS[subnet]}::{number}")
            gateway = SUBNETS[subnet]
            machine.run(f"ip route add default via 10.10.{gateway}.1 && ip -6 route add default via fd10:{gateway}::1")
        must("ip", "route", "add", "10.10.0.0/16", "via", "10.255.0.2")
        self.dns("start")

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
            records = "".join(f"{machine.address} {machine.name}.lab.test\n" for machine in self.machines.values())
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
