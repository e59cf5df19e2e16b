"""A Windows host: a network namespace with the lab's WinRM server and the product's process, and an `/etc` of its own.

In scenarios `/etc/lab/service start|stop` is the product's service, `/etc/lab/winrm start|stop` that of WinRM, and what
`/etc/lab/changes.json` holds is laid over `machine.json` (see `pytest_tentacle.lab.windows.machine`).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from pytest_tentacle.inventory.model import OctopusServer
from pytest_tentacle.lab.blueprint import healthy
from pytest_tentacle.lab.folder import write
from pytest_tentacle.lab.windows.powershell import VARIABLE, find_powershell
from pytest_tentacle.link.certificate import KeyedCertificate, make_certificate
from support.engines import COLD
from support.hosts.host import SOURCES, ProductHost, wait

HERE = Path(__file__).resolve().parent
USER, PASSWORD = "surveyor", "lab's \u00f6wn"
PORTS = (5985, 5986)

_BOOT = """
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$0/etc,workdir=$0/work" /etc
exec sleep infinity
"""
_PROGRAM = """\
#!/bin/sh
export PYTHONPATH={sources} PYTHONDONTWRITEBYTECODE=1
case "$1" in
start) setsid {python} {program} run </dev/null >/etc/lab/{name}.log 2>&1 & echo $! >/etc/lab/{name}.pid ;;
stop) kill $(cat /etc/lab/{name}.pid) && rm /etc/lab/{name}.pid ;;
esac
"""


@dataclass
class WindowsHost(ProductHost):
    """A host that is logged on to by WinRM.

    Attributes:
        authority: that issued its WinRM certificate.
    """

    authority: KeyedCertificate = field(default=None)  # type: ignore[arg-type]

    @property
    def inside(self) -> tuple[str, ...]:
        return ("nsenter", "-t", str(self.pid), "-n", "-m")

    @property
    def ports(self) -> list[int]:
        return [*PORTS, *super().ports]

    def prepare(self, others: list[ProductHost], keys: dict[str, str]) -> None:
        del keys
        cold = os.environ.get(COLD)  # one that tests keep for many questions is not of this host's namespaces
        engine = Path(cold) if cold else find_powershell()
        if engine is None:
            raise RuntimeError(f"Windows hosts of the lab need a PowerShell: name one by {VARIABLE}")
        port = 10943 if isinstance(self.machine, OctopusServer) else 10933
        self.blueprint = healthy(self.machine, self.address, self.certificate, port)
        trusted = self.introduced(others)
        if not self.blueprint.is_server:
            self.blueprint.settings["Tentacle.Services.ListenIP"] = ""
        folder = self.folder / "machine"
        write(self.blueprint, folder)
        shutil.copy(folder / "machine.json", folder / "healthy.json")
        own = self.folder / "etc" / "lab"
        own.mkdir(parents=True)
        (self.folder / "work").mkdir()
        certificate = make_certificate(self.name, issuer=self.authority, names=[self.management])
        files = {
            "agent.json": json.dumps(self.agent(trusted, others)),
            "winrm.pem": certificate.certificate_pem + certificate.key_pem,
            "host.json": json.dumps({"folder": str(folder), "engine": str(engine), "users": {USER: PASSWORD}}),
            "../resolv.conf": f"nameserver {self.address.rpartition('.')[0]}.1\noptions timeout:1 attempts:1\n",
            "../hosts": "127.0.0.1 localhost\n::1 localhost\n",
            "service": self._program("agent", HERE.parent / "agent.py"),
            "winrm": self._program("winrm", HERE / "served.py"),
        }
        for name, text in files.items():
            (own / name).write_text(text, encoding="utf-8")
        for name in ("service", "winrm"):
            (own / name).chmod(0o755)

    def boot(self) -> None:
        self.process = subprocess.Popen(["unshare", "--net", "--mount", "sh", "-ec", _BOOT, str(self.folder)])
        self.pid = self.process.pid
        comm = Path(f"/proc/{self.pid}/comm")
        wait(lambda: comm.read_text(encoding="ascii") == "sleep\n", f"{self.name}'s namespaces")

    def begin(self) -> None:
        self.run("/etc/lab/winrm start; /etc/lab/service start")

    def serve(self, what: str) -> None:
        self.run(f"/etc/lab/service {what}")

    @staticmethod
    def _program(name: str, program: Path) -> str:
        return _PROGRAM.format(sources=SOURCES, python=sys.executable, program=program, name=name)
