"""Hosts of the lab: those with systemd, sshd and a product's service, and plain network namespaces."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from pytest_tentacle.inventory.model import OctopusServer, Tentacle
from pytest_tentacle.lab.blueprint import LISTENING_STYLE, POLLING_STYLE, Blueprint, Trust, healthy
from pytest_tentacle.link.certificate import KeyedCertificate

HERE = Path(__file__).resolve().parent
SOURCES = HERE.parents[2] / "src"
PYTHON = Path(sys.prefix)
SECONDS = 60

_MASKED = (
    "systemd-tmpfiles-setup", "systemd-tmpfiles-setup-dev", "systemd-tmpfiles-clean", "systemd-sysusers",
    "systemd-binfmt", "systemd-modules-load", "systemd-sysctl", "systemd-remount-fs", "systemd-update-utmp",
    "systemd-random-seed", "systemd-udevd", "systemd-udev-trigger", "systemd-udev-settle", "systemd-hwdb-update",
    "systemd-journal-flush", "systemd-pcrphase-sysinit", "kmod-static-nodes", "dev-hugepages", "systemd-boot-update",
    "systemd-firstboot", "systemd-machine-id-commit", "systemd-ask-password-console",
)  # fmt: skip

_SSHD = """\
Port 22
ListenAddress {address}
HostKey /etc/lab/host_key
AuthorizedKeysFile /etc/lab/authorized_keys
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
StrictModes no
UseDNS no
PidFile none
MaxStartups 50
"""
_UNITS = {
    "lab.target": "[Unit]\nDefaultDependencies=no\nAllowIsolate=yes\nWants=lab-sshd.service dbus.socket {service}\n",
    "lab-sshd.service": (
        "[Unit]\nDefaultDependencies=no\nStartLimitIntervalSec=0\n[Service]\nRestartSec=300ms\nExecStart=/usr/sbin/sshd -D -f /etc/lab/sshd_config\nRestart=always\n"
    ),
    "{service}": (
        "[Unit]\nDescription=Octopus {name}\nDefaultDependencies=no\n[Service]\nType=simple\nUser=root\n"
        "WorkingDirectory=/etc/octopus\nExecStart={command}\nKillMode=process\nRestart=always\nRestartSec=5\n"
        "[Install]\nWantedBy=multi-user.target\n"
    ),
}
_PROGRAM = """\
#!/bin/sh
if [ "$1" = help ]; then echo 'Usage: Tentacle <command> [<options>]'; exit 0; fi
export PYTHONPATH=/lab/src PYTHONDONTWRITEBYTECODE=1
case "$1" in configure|update-trust) exec /lab/python/bin/python /lab/tests/commands.py "$@" ;; esac
exec /lab/python/bin/python /lab/tests/agent.py "$@"
"""


def must(*command: str, text: str | None = None) -> str:
    """Runs a command, gives what it prints. Raises RuntimeError with its words where it fails."""
    done = subprocess.run(command, input=text, text=True, capture_output=True, check=False, timeout=SECONDS)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)[:300]}: {(done.stderr or done.stdout).strip()[:500]}")
    return done.stdout


@dataclass
class Host:
    """A namespace of the network; `pid` is a process in it, from outside.

    Attributes:
        name: in the lab.
        folder: where what it holds lies, from outside.
        process: that keeps it alive.
    """

    name: str
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    pid: int = 0

    @property
    def inside(self) -> tuple[str, ...]:
        """What a command begins with that is to run in it."""
        return ("nsenter", "-t", str(self.pid), "-n")

    def run(self, command: str) -> str:
        """A command line for sh, in the host."""
        return must(*self.inside, "sh", "-ec", command)

    def start(self) -> None:
        """Only a network."""
        self.process = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        self.pid = self.process.pid
        wait(lambda: _namespace(self.pid) != _namespace("self"), f"{self.name}'s network")


@dataclass
class ProductHost(Host):
    """A host with an Octopus product, of either system.

    Attributes:
        machine: as the inventory declares it.
        address: in its subnet.
        management: where one logs on to it.
        certificate: of the product; nodes of one server share it.
        blueprint: what a healthy one of its kind has.
    """

    machine: OctopusServer | Tentacle = field(default=None)  # type: ignore[arg-type]
    address: str = ""
    management: str = ""
    certificate: KeyedCertificate = field(default=None)  # type: ignore[arg-type]
    blueprint: Blueprint = field(default=None)  # type: ignore[arg-type]

    def prepare(self, others: list[ProductHost], keys: dict[str, str]) -> None:
        """Its files, before it is booted; `keys` are those of its SSH server."""
        raise NotImplementedError

    def boot(self) -> None:
        """Starts it; `ready` waits for it."""
        raise NotImplementedError

    def begin(self) -> None:
        """What it serves, once it has its addresses."""

    def serve(self, what: str) -> None:
        """The product's service: `start` or `stop`."""
        raise NotImplementedError

    @property
    def ports(self) -> list[int]:
        """Those that it listens on where all is well."""
        return [self.blueprint.port] if self.blueprint.presents else []

    def ready(self) -> None:
        """Waits until it can be logged on to, listens where its product does, and holds each connection that it polls by."""
        polled = sum(trust.address is not None for trust in self.blueprint.trusts)

        def listens() -> bool:
            told = must(*self.inside, "ss", "-Hltn")
            polls = must(*self.inside, "ss", "-Htn", "state", "established", "dport", "=", ":10943")
            return all(f":{port} " in told for port in self.ports) and len(polls.splitlines()) >= polled

        wait(listens, f"the ports {self.ports} of {self.name}")

    def introduced(self, others: list[ProductHost]) -> list[ProductHost]:
        """Those of the other end; a Tentacle trusts its servers from then on."""
        mine = self.machine
        if isinstance(mine, OctopusServer):
            return [each for each in others if isinstance(each.machine, Tentacle) and mine.name in each.machine.servers]
        servers = [each for each in others if each.name in mine.servers]
        for server in servers:
            thumbprint = server.certificate.thumbprint
            if mine.mode is not None and mine.mode.value == "polling":
                # Nodes of one server are polled with one subscription; another server has given another one.
                apart = len({each.thumbprint for each in self.blueprint.trusts} - {thumbprint})
                subscription = f"poll://{mine.name.replace('-', '') + str(apart or ''):x<20.20}/"
                address = f"https://{server.name}.lab.test:10943"
                self.blueprint.trusts.append(Trust(thumbprint, POLLING_STYLE, address, subscription))
            elif thumbprint not in {each.thumbprint for each in self.blueprint.trusts}:
                self.blueprint.trusts.append(Trust(thumbprint, LISTENING_STYLE))
        return servers

    def agent(self, trusted: list[ProductHost], others: list[ProductHost]) -> dict[str, object]:
        """What the product's process is told (`agent.py`)."""
        pair = lambda one: {"certificate": one.certificate.certificate_pem, "key": one.certificate.key_pem}  # noqa: E731
        polled = [trust for trust in self.blueprint.trusts if trust.address]
        return {
            **pair(self),
            "product": self.blueprint.product,
            "trusted": [pair(each) for each in trusted],
            "known": [pair(each) for each in others if each not in trusted],
            "listen": ["::", self.blueprint.port] if self.blueprint.presents else None,
            "poll": [trust.address for trust in polled],
            "subscription": polled[0].subscription if polled else None,
            "subscriptions": {trust.address: trust.subscription for trust in polled},
        }


@dataclass
class Machine(ProductHost):
    """A host with systemd, sshd, and the service of an Octopus product."""

    groups: Path = Path()
    """The folder of control groups: each host's systemd has one of its own, or they would end each other's services."""

    @property
    def inside(self) -> tuple[str, ...]:
        return ("nsenter", "-t", str(self.pid), "-m", "-u", "-i", "-n", "-p")

    @property
    def service(self) -> str:
        return "octopusserver.service" if self.blueprint.is_server else "Tentacle.service"

    def prepare(self, others: list[ProductHost], keys: dict[str, str]) -> None:
        port = 10943 if isinstance(self.machine, OctopusServer) else 10933
        self.blueprint = healthy(self.machine, self.address, self.certificate, port)
        trusted = self.introduced(others)
        upper = self.folder / "upper"
        for name in ("upper", "work", "root"):
            (self.folder / name).mkdir(parents=True)
        kind = "OctopusServer" if self.blueprint.is_server else "Tentacle"
        config = f"/etc/octopus/default/{kind.lower()}-{kind}.config"
        command = self.blueprint.service["command"] if self.blueprint.service else ""
        self.blueprint.settings["Octopus.Home"] = "/etc/octopus/default"
        if not self.blueprint.is_server:
            self.blueprint.settings["Tentacle.Services.ListenIP"] = ""
        index = {"Name": kind, "ConfigurationFilePath": config}
        log = "OctopusServer.txt" if self.blueprint.is_server else "OctopusTentacle.txt"
        units = {
            _filled(name, self, kind, command): _filled(text, self, kind, command) for name, text in _UNITS.items()
        }
        files = {
            f"/etc/octopus/{kind}/Instances/{kind.lower()}.config": json.dumps(index),
            config: "\ufeff" + self.blueprint.xml(),
            f"/etc/octopus/default/Logs/{log}": "",
            "/opt/lab/support/__init__.py": "",
            "/opt/lab/support/remedies/__init__.py": "",
            "/opt/lab/support/remedies/commands.py": (HERE.parent / "remedies" / "commands.py").read_text(
                encoding="utf-8"
            ),
            "/etc/lab/agent.json": json.dumps(self.agent(trusted, others)),
            "/etc/lab/sshd_config": _SSHD.format(address=self.management),
            "/etc/lab/host_key": keys["host"],
            "/etc/lab/authorized_keys": keys["login"],
            "/etc/resolv.conf": f"nameserver {self.address.rpartition('.')[0]}.1\noptions timeout:1 attempts:1\n",
            "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
            "/etc/hostname": f"{self.name}\n",
            # What this machine's own root has there is no part of a host: a tool's start-up takes more CPU than a log-on.
            "/root/.bashrc": "",
            "/etc/machine-id": f"{abs(hash(self.name)):032x}"[-32:] + "\n",
            command.split()[0]: _PROGRAM,
            **{f"/etc/systemd/system/{name}": text for name, text in units.items()},
        }
        for path, text in files.items():
            place = upper / path.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        enabled = upper / "etc/systemd/system/multi-user.target.wants"
        enabled.mkdir()
        (enabled / self.service).symlink_to(f"/etc/systemd/system/{self.service}")
        (upper / "etc/lab/host_key").chmod(0o600)
        (upper / command.split()[0].lstrip("/")).chmod(0o755)
        for name in _MASKED:
            (upper / f"etc/systemd/system/{name}.{'mount' if name.startswith('dev-') else 'service'}").symlink_to(
                "/dev/null"
            )

    def boot(self) -> None:
        apart = ["unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child=KILL"]
        arguments = [str(HERE / "boot.sh"), str(self.folder), self.name, str(PYTHON), str(SOURCES)]
        group = self.groups / self.name
        group.mkdir()
        moved = ["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', str(group)]
        self.process = subprocess.Popen([*moved, *apart, "sh", *arguments], stdin=subprocess.DEVNULL)

        def found() -> bool:
            assert self.process is not None
            children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii")
            self.pid = int(children.split()[0]) if children.split() else 0
            return bool(self.pid) and "systemd" in Path(f"/proc/{self.pid}/comm").read_text(encoding="ascii")

        wait(found, f"process 1 of {self.name}")
        (self.folder / "pid").write_text(f"{self.pid}\n", encoding="ascii")

    @property
    def ports(self) -> list[int]:
        return [22, *super().ports]

    def serve(self, what: str) -> None:
        self.run(f"systemctl {what} {self.service}")


def _filled(text: str, machine: Machine, name: str, command: str) -> str:
    return text.replace("{service}", machine.service).replace("{command}", command).replace("{name}", name)


def _namespace(pid: object) -> Path:
    return Path(f"/proc/{pid}/ns/net").readlink()


def wait(until: object, what: str) -> None:
    ends = time.monotonic() + SECONDS
    while not until():  # type: ignore[operator]
        if time.monotonic() > ends:
            raise RuntimeError(f"{what} did not come up")
        time.sleep(0.05)
