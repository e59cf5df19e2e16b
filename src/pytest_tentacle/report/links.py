"""Every look that was taken at a machine's links, gathered from the surveys of both ends and our own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_tentacle.hiding import shorten
from pytest_tentacle.inventory.model import Inventory, Machine, Mode, Tentacle
from pytest_tentacle.link import Probe, Stage
from pytest_tentacle.survey.model import HostRecord
from pytest_tentacle.survey.store import Surveys

from .certificates import describe
from .document import STAGES, CertificateView, LaneView, LinkView, StageView

THUMBPRINT_SETTING = "Tentacle.CertificateThumbprint"

CONTROLLER = "here"
"""The machine that runs pytest, as a vantage point."""


class Looks:
    """An index of all probes of a run; made once, asked for each machine."""

    def __init__(self, surveys: Surveys) -> None:
        self._inventory: Inventory = surveys.inventory
        self._controller = surveys.controller_probes
        self._records: dict[str, HostRecord] = {name: record for record in surveys.records for name in record.machines}
        self._from_servers: dict[str, list[tuple[str, Probe]]] = {}
        servers = {server.name for server in surveys.inventory.servers}
        for record in surveys.records:
            vantage = next((name for name in record.machines if name in servers), record.machines[0])
            for probe in record.peer_probes:
                if probe.link.tentacle is not None:
                    looks = self._from_servers.setdefault(probe.link.tentacle, [])
                    looks.append((probe.link.server or vantage, probe))

    def links(self, machine: Machine) -> tuple[LinkView, ...]:
        """The links that the machine is the Tentacle of; for a server, the looks at its own ports."""
        record = self._records.get(machine.name)
        own = list(self._own(machine, record))
        ours = [(CONTROLLER, probe) for probe in self._controller.get(machine.name, ())]
        if isinstance(machine, Tentacle) and machine.mode is not Mode.POLLING:
            servers = ", ".join(machine.servers) or "Octopus Server"
            looks = [*self._from_servers.get(machine.name, []), *own, *ours]
            return self._link(servers, machine.name, "listening", looks, machine)
        if isinstance(machine, Tentacle):
            here = [(vantage, probe) for vantage, probe in own if probe.is_of_own_port]
            there = [(vantage, probe) for vantage, probe in [*own, *ours] if not probe.is_of_own_port]
            servers = ", ".join(machine.servers) or "Octopus Server"
            target = next((server for server in self._inventory.servers if server.name in machine.servers), None)
            return (
                *self._link(machine.name, servers, "polling", there, target),
                *self._link(machine.name, machine.name, "local", here, machine),
            )
        return self._link("Tentacles", machine.name, "polling", [*own, *ours], machine)

    def certificates(self, machine: Machine) -> tuple[CertificateView, ...]:
        """Each different certificate that was seen at the machine's links, once."""
        seen: dict[str, CertificateView] = {}
        record = self._records.get(machine.name)
        looks = [
            *self._own(machine, record),
            *self._from_servers.get(machine.name, []),
            *((CONTROLLER, probe) for probe in self._controller.get(machine.name, ())),
        ]
        for vantage, probe in looks:
            if probe.tls and probe.tls.certificate and probe.tls.certificate not in seen:
                seen[probe.tls.certificate] = describe(probe.tls, f"{probe.host}:{probe.port}", vantage)
        return tuple(seen.values())

    def _own(self, machine: Machine, record: HostRecord | None) -> Iterator[tuple[str, Probe]]:
        """The machine's own probes, without those that belong to another instance on its host."""
        if record is None or record.survey is None:
            return
        for probe in record.survey.probes:
            instance = probe.link.instance
            if instance is not None:
                if machine.instance and len(record.machines) > 1 and instance.lower() != machine.instance.lower():
                    continue
            elif probe.link.tentacle != machine.name:
                continue
            yield machine.name, probe

    def _link(
        self, source: str, target: str, mode: str, looks: Iterable[tuple[str, Probe]], peer: Machine | None
    ) -> tuple[LinkView, ...]:
        expected = self._expected(peer) if peer else None
        lanes = tuple(_lane(vantage, probe, expected) for vantage, probe in looks)
        if not lanes:
            return ()
        return (LinkView(source=source, target=target, port=lanes[0].port, mode=mode, lanes=lanes),)

    def _expected(self, peer: Machine) -> str | None:
        """The thumbprint that the peer should present: as declared, or else as its own configuration says."""
        if peer.thumbprint:
            return peer.thumbprint.upper()
        record = self._records.get(peer.name)
        instances = record.survey.instances.data or () if record and record.survey else ()
        for instance in instances:
            if peer.instance is None or instance.name.lower() == peer.instance.lower():
                found = instance.configuration.settings.get(THUMBPRINT_SETTING)
                if found:
                    return found.upper()
        return None


def _lane(vantage: str, probe: Probe, expected: str | None) -> LaneView:
    failed = probe.failed
    stages = []
    for name in STAGES:
        view = (
            _certificate(probe, expected) if name == "certificate" else _stage(name, probe, broken=failed is not None)
        )
        stages.append(view)
    return LaneView(
        vantage=vantage,
        by=probe.by.value,
        host=probe.host,
        port=probe.port,
        address=(probe.connect.address or "") if probe.connect else "",
        stages=tuple(stages) if not probe.unavailable or failed else (),
        unavailable=probe.unavailable or "",
    )


def _stage(name: str, probe: Probe, *, broken: bool) -> StageView:
    record = getattr(probe, Stage(name).value)
    if record is None:
        asked = broken or name in (Stage.CONNECT, Stage.TLS, Stage.PAGE)
        return StageView(stage=name, state="unreached" if asked else "unasked")
    detail = record.detail or ""
    if name == Stage.TLS and record.error is None:
        detail = " ".join(part for part in (record.version, record.cipher) if part)
    if name == Stage.PAGE and record.error is None and record.product is None:
        return StageView(
            stage="page",
            state="failed",
            ms=record.ms,
            error="not Octopus's page",
            detail=shorten(record.text or "", 200),
        )
    return StageView(
        stage=name,
        state="failed" if record.error else "ok",
        ms=record.ms,
        error=record.error.value if record.error else "",
        detail=detail,
    )


def _certificate(probe: Probe, expected: str | None) -> StageView:
    if probe.tls is None or probe.tls.error is not None or probe.thumbprint is None:
        return StageView(stage="certificate", state="unreached")
    if expected is None:
        return StageView(stage="certificate", state="unjudged", detail=f"presented {probe.thumbprint}")
    if probe.thumbprint == expected:
        return StageView(stage="certificate", state="ok", detail=probe.thumbprint)
    return StageView(
        stage="certificate",
        state="failed",
        error="other thumbprint",
        detail=f"expected {expected}, presented {probe.thumbprint}",
    )
