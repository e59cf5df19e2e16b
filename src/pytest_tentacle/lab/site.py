"""The lab as a whole: builds each machine from its blueprint, starts its servers, and stops and removes all of it."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pytest_tentacle.inventory.model import Inventory, Machine, Mode, NoTransport, OctopusServer, Transport
from pytest_tentacle.survey.store import Surveys

from .access import LabAccess
from .addresses import Addresses
from .blueprint import LISTENING_STYLE, PID, Blueprint, Trust, healthy
from .faults import FAULTS, Site, polling_trust
from .folder import write
from .halibut.listener import HalibutListener, LabCertificate, make_certificate
from .portal.of_lab import LabPortal, start_portal
from .recording import is_recorded
from .windows.powershell import VARIABLE, find_powershell

USER = "surveyor"


class LabError(Exception):
    """The lab cannot be started here: the text says why and what to do."""


class Lab:
    """One running lab. `start` gives the inventory as it is to be surveyed; `stop` leaves nothing behind."""

    def __init__(self, inventory: Inventory) -> None:
        if sys.platform != "linux":
            raise LabError(
                "The embedded lab needs Linux (its machines are loopback addresses). Your own inventory does not."
            )
        self.inventory = inventory
        self.password = secrets.token_urlsafe(12) + "'\"ö$(x)"
        self.powershell = find_powershell()
        self.blueprints: dict[str, Blueprint] = {}
        self.access: dict[str, LabAccess] = {}
        self._folder = Path(tempfile.gettempdir()) / f"pytest-tentacle-lab-{secrets.token_hex(8)}"
        self._listeners: list[Any] = []
        self._names: dict[str, str] = {}
        self._fresh: list[LabCertificate] = []
        self.portal: LabPortal | None = None
        """That of the server which the inventory's `lab: {portal: NAME}` names."""

    def start(self, names: Iterable[str]) -> Inventory:
        """Start the named machines. Raises LabError; then nothing runs."""
        try:
            return self._start(set(names))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop every server and remove the lab's folder."""
        for listener in [*self._listeners, *self.access.values(), *([self.portal.server] if self.portal else [])]:
            listener.stop()
        self._listeners.clear()
        self.access.clear()
        shutil.rmtree(self._folder, ignore_errors=True)

    def resolve(self, host: str, port: int, seconds: float) -> tuple[str, ...]:
        """The lab's names, for the controller's own looks: a `link.Resolver`."""
        del port, seconds
        if host in self._names:
            return (self._names[host],)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    def mark_recorded(self, surveys: Surveys) -> Surveys:
        """Say which hosts answered from a recording."""
        recorded = {name for name, access in self.access.items() if access.recorded}
        records = tuple(
            record.model_copy(update={"recorded": True}) if recorded.intersection(record.machines) else record
            for record in surveys.records
        )
        return surveys.model_copy(update={"records": records})

    @property
    def workers(self) -> int:
        """How many machines to survey at once: they all run on this one, and time out when it is overloaded."""
        return max(2, 3 * (os.cpu_count() or 1))

    def substitutes(self) -> dict[str, str]:
        """What is new at each start, by the mark that stands for it in a recording."""
        marks: dict[str, str] = {}
        for name, blueprint in self.blueprints.items():
            marks[f"@address:{name}@"] = blueprint.address
            if blueprint.outer != blueprint.address:
                marks[f"@outer:{name}@"] = blueprint.outer
            marks[f"@thumbprint:{name}@"] = blueprint.certificate.thumbprint
        for number, certificate in enumerate(self._fresh):
            marks[f"@fresh:{number}@"] = certificate.thumbprint
        return marks

    def folder(self, name: str) -> Path:
        """A machine's folder: `machine.json`, `files/`, `commands.log`."""
        return self._folder / name

    def _start(self, names: set[str]) -> Inventory:
        self._folder.mkdir(mode=0o700)
        addresses = Addresses()
        ports = {"tentacle": addresses.free_port(10933), "server": addresses.free_port(10943)}
        machines = list(self.inventory.machines)
        with ThreadPoolExecutor() as pool:
            certificates = list(pool.map(_certificate_for, machines))
        for machine, certificate in zip(machines, certificates, strict=True):
            port = ports[machine.role]
            self.blueprints[machine.name] = healthy(machine, addresses.take(), certificate, port)
        self._introduce()
        self._break(ports["server"])
        resolved = Inventory(
            servers=tuple(self._declare(server) for server in self.inventory.servers),
            tentacles=tuple(self._declare(tentacle) for tentacle in self.inventory.tentacles),
            files=self.inventory.files,
            digest=self.inventory.digest,
            is_lab=True,
        )
        for machine in resolved.machines:
            self._listen(self.blueprints[machine.name])
        self._serve_portal(resolved)
        surveyed = {one.name for one in resolved.machines if one.name in names and _can_be_logged_on_to(one)}
        self._require_powershell(surveyed)
        transports = {}
        authority = make_certificate("pytest-tentacle lab", authority=True)
        for machine in resolved.machines:
            blueprint = self.blueprints[machine.name]
            if machine.name not in surveyed:
                continue
            folder = self.folder(machine.name)
            write(blueprint, folder)
            access = LabAccess(
                blueprint,
                folder,
                login=(USER, self.password),
                authority=authority,
                powershell=self.powershell,
                substitutes=self.substitutes(),
            )
            self.access[machine.name] = access
            transports[machine.name] = access.start()
        return _with_transports(resolved, transports)

    def _serve_portal(self, resolved: Inventory) -> None:
        name = self.inventory.lab_settings.get("portal")
        if name is None:
            return
        if name not in {server.name for server in resolved.servers}:
            raise LabError(f"lab: portal: there is no server {name!r}")
        faults = {machine: str(options.get("fault", "")) for machine, options in self.inventory.lab_faults.items()}
        self.portal = start_portal(resolved, self.blueprints, str(name), self._folder, faults)

    def _require_powershell(self, surveyed: set[str]) -> None:
        if self.powershell is not None:
            return
        silent = [
            name
            for name, machine in self.blueprints.items()
            if name in surveyed and machine.is_windows and machine.answers and not machine.wrong_password
            if not is_recorded(name)
        ]
        if silent:
            raise LabError(
                f"These Windows machines of the lab have no recording and need a PowerShell: {', '.join(silent)}. "
                f"Name one by the environment variable {VARIABLE}, put `pwsh` on the PATH, or leave them out (--limit)."
            )

    def _introduce(self) -> None:
        """Let machines know each other: names, trust, addresses."""
        for tentacle in self.inventory.tentacles:
            own = self.blueprints[tentacle.name]
            for name in tentacle.servers:
                server = self.blueprints[name]
                thumbprint = server.certificate.thumbprint
                if tentacle.mode is Mode.POLLING:
                    own.trusts.append(polling_trust(server, thumbprint, tentacle.name))
                    own.sockets.append(_established(own, server))
                else:
                    own.trusts.append(Trust(thumbprint, LISTENING_STYLE))
                    own.heard_from.append(server.address)

    def _break(self, server_port: int) -> None:
        servers = {tentacle.name: tentacle.servers for tentacle in self.inventory.tentacles}
        site = Site(self._make_fresh, self.blueprints, server_port, servers)
        for name, options in self.inventory.lab_faults.items():
            for fault in _faults_of(options):
                if fault not in FAULTS:
                    raise LabError(f"{name}: the lab has no fault {fault!r}; it has {', '.join(sorted(FAULTS))}")
                FAULTS[fault](self.blueprints[name], site)
        self._hang_up()
        self._names = {f"{name}.lab": blueprint.outer for name, blueprint in self.blueprints.items()}
        for blueprint in self.blueprints.values():
            for name, address in self._names.items():
                blueprint.names.setdefault(name, [address])

    def _hang_up(self) -> None:
        """A poller holds no connection to a server that does not answer it."""
        away = {server.address for server in self.blueprints.values() if server.box or server.presents is None}
        for blueprint in self.blueprints.values():
            blueprint.sockets = [
                socket
                for socket in blueprint.sockets
                if socket["state"] != "established" or socket["remote_address"] not in away
            ]

    def _make_fresh(self, subject: str) -> LabCertificate:
        certificate = make_certificate(subject)
        self._fresh.append(certificate)
        return certificate

    def _declare(self, machine: Any) -> Any:
        """The machine as an inventory would declare it, the fault's lies included."""
        blueprint = self.blueprints[machine.name]
        update: dict[str, Any] = {
            "ip": blueprint.outer,
            "dns_name": f"{machine.name}.lab",
            "thumbprint": blueprint.certificate.thumbprint,
            "os": blueprint.os,
        }
        if isinstance(machine, OctopusServer):
            update["polling_ports"] = (blueprint.port,)
        elif machine.mode is Mode.LISTENING:
            update["port"] = blueprint.port
        return machine.model_copy(update={**update, **blueprint.declared})

    def _listen(self, blueprint: Blueprint) -> None:
        if blueprint.presents is not None:
            trusted = [other.certificate for other in self.blueprints.values()]
            self._keep(
                HalibutListener(
                    blueprint.address,
                    blueprint.port,
                    certificate=blueprint.presents,
                    product=blueprint.product,
                    trusted=trusted,
                    weak_key=blueprint.weak_key,
                )
            )
        if blueprint.foreign is not None:
            self._keep(blueprint.foreign(blueprint.address, blueprint.port))
        for start in blueprint.beside:
            self._keep(start())
        if blueprint.box is not None:
            box = blueprint.box(blueprint.outer, blueprint.port, blueprint.address)
            if box is not None:
                self._keep(box)

    def _keep(self, listener: Any) -> None:
        listener.start()
        self._listeners.append(listener)


def _faults_of(options: Mapping[str, Any]) -> list[str]:
    """What a machine's `lab:` names: one as `fault`, several as `faults`."""
    several = options.get("faults") or []
    return [fault for fault in (options.get("fault"), *several) if fault is not None]


def _established(tentacle: Blueprint, server: Blueprint) -> dict[str, Any]:
    """A poller's connection, as its host would list it."""
    return {
        "address": tentacle.address,
        "port": 49_800,
        "pid": PID,
        "state": "established",
        "remote_address": server.address,
        "remote_port": server.port,
    }


def _can_be_logged_on_to(machine: Machine) -> bool:
    return not isinstance(machine.transport, NoTransport)


def _certificate_for(machine: Machine) -> LabCertificate:
    return make_certificate("Octopus Server" if isinstance(machine, OctopusServer) else "Octopus Tentacle")


def _with_transports(inventory: Inventory, transports: Mapping[str, Transport]) -> Inventory:
    def apply(machine: Any) -> Any:
        return machine.model_copy(update={"transport": transports.get(machine.name, machine.transport)})

    return inventory.model_copy(
        update={
            "servers": tuple(apply(server) for server in inventory.servers),
            "tentacles": tuple(apply(tentacle) for tentacle in inventory.tentacles),
        }
    )
