"""A small fleet made by hand: one server, one listening Windows Tentacle, one polling Linux Tentacle, all of them well."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from pytest_tentacle.inventory.model import SSH, Inventory, Mode, OctopusServer, Tentacle, WinRM
from pytest_tentacle.judging.result import StepResult
from pytest_tentacle.link import By, Connected, Failure, LinkRef, Page, Probe, Resolved, Secured, Tried
from pytest_tentacle.link.decoding import decode_text
from pytest_tentacle.link.hosts import plain_address
from pytest_tentacle.octopus.model import Portal, Registration
from pytest_tentacle.sections import Fleet, fleet_of
from pytest_tentacle.survey.model import (
    ConfigurationFile,
    Host,
    HostRecord,
    Instance,
    Listener,
    Section,
    Service,
    Shell,
    Survey,
    Unreachable,
)
from pytest_tentacle.survey.store import Surveys
from pytest_tentacle.survey.surroundings import OwnName, ProxyConnect, Reservations
from support import NOW

from .certificates import certificate, thumbprint
from .looks import OWN_PORT, SERVERS_OWN_PORT, Look, declared, from_server, polled

PAGES = {
    "tentacle": "HTTP/1.0 200 OK\r\n\r\n<h1>Octopus Tentacle configured successfully</h1>",
    "server": "HTTP/1.0 200 OK\r\n\r\n<title>Octopus Server configured successfully</title>",
    "other": "HTTP/1.1 200 OK\r\n\r\n<title>Welcome to nginx!</title>",
}
STAGES = ("resolve", "connect", "tls", "page")


@lru_cache(maxsize=4096)
def probe(
    host: str = "localhost",
    port: int = 10933,
    by: By = By.LOCAL,
    *,
    page: str = "tentacle",
    whose: str = "web-01",
    der: str | None = None,
    addresses: tuple[str, ...] | None = None,
    fails: str | None = None,
    error: Failure = Failure.OTHER,
    look: Look | None = None,
    tried: tuple[Tried, ...] = (),
    connect_ms: float = 1,
    lag_ms: float | None = 0,
    resolve_ms: float = 1,
    detail: str = "in the system's own words",
) -> Probe:
    """A probe that goes well, or fails at a stage."""
    if look is not None and by is By.LOCAL:
        by = look.by or (By.ADDRESS if plain_address(host) else By.NAME)
    address = (addresses or (host if by is By.ADDRESS else "127.0.0.1",))[0]
    records: dict[str, Any] = {
        "resolve": None if by is By.ADDRESS else Resolved(ms=resolve_ms, addresses=addresses or (address,)),
        "connect": Connected(ms=connect_ms, address=address, tried=tried, lag_ms=lag_ms),
        "tls": Secured(
            ms=1, version="TLSv1.3", cipher="TLS_AES_256_GCM_SHA384", certificate=decode_text(der or certificate(whose))
        ),
        "page": Page(ms=1, text=PAGES[page], length=1216),
    }
    if fails:
        kinds = {"resolve": Resolved, "connect": Connected, "tls": Secured, "page": Page}
        own: dict[str, Any] = {"ms": 1}
        if fails == "connect":
            own = {"ms": connect_ms, "lag_ms": lag_ms, "address": address, "tried": tried}
        records[fails] = kinds[fails](error=error, detail=detail, **own)
        for later in STAGES[STAGES.index(fails) + 1 :]:
            records[later] = None
    link = look.link if look else LinkRef()
    return Probe(link=link, host=host, port=port, by=by, **records)


def _subscription(name: str) -> str:
    """Everyone's own; the first poller's is the one that the log samples name."""
    own = hashlib.sha256(name.encode()).hexdigest()[:20]
    return f"poll://{'abcdefghij0123456789' if name == 'poll-01' else own}/"


def running(name: str, product: str, pid: int, **more: Any) -> dict[str, Any]:
    """A service that is well, since three days."""
    common = {"state": "running", "start_mode": "auto", "started_utc": NOW - timedelta(days=3)}
    return {"name": name, "product": product, "pid": pid, **common, **more}


_NOTHING_RESERVED = Reservations(excluded=(), http_sys=())


@dataclass
class Draft:
    """One machine, to be changed before the surveys are built."""

    machine: Tentacle | OctopusServer
    os: str
    settings: dict[str, str]
    service: dict[str, Any]
    trusted: list[dict[str, Any]] = field(default_factory=list)
    host: dict[str, Any] = field(default_factory=dict)
    listeners: list[dict[str, Any]] = field(default_factory=list)
    instances: list[str] = field(default_factory=list)
    config_error: str | None = None
    config_modified: datetime | None = None
    own: list[Probe] = field(default_factory=list)
    peer: list[Probe] = field(default_factory=list)
    peer_unknown: str | None = None
    own_names: list[OwnName] | None = None
    reservations: Reservations = _NOTHING_RESERVED
    proxy_connects: list[ProxyConnect] = field(default_factory=list)
    unknown: dict[str, str] = field(default_factory=dict)
    unreachable: Unreachable | None = None
    without_service: bool = False
    unnamed: bool = False

    @property
    def product(self) -> str:
        return "tentacle" if isinstance(self.machine, Tentacle) else "server"

    @property
    def instance(self) -> str:
        return "Tentacle" if self.product == "tentacle" else "OctopusServer"

    def declare(self, **values: Any) -> None:
        """Change the inventory's entry."""
        self.machine = self.machine.model_copy(update=values)

    def replace(self, look: Look, new: Probe) -> None:
        """Put another probe instead of one."""
        for probes in (self.own, self.peer):
            place = look.place_in(probes)
            if place is not None:
                old = probes[place]
                by = old.by if new.by is By.LOCAL else new.by
                probes[place] = new.model_copy(update={"link": old.link, "by": by})
                return
        raise KeyError(look)

    def drop(self, look: Look) -> None:
        """A probe that was not made."""
        for probes in (self.own, self.peer):
            place = look.place_in(probes)
            if place is not None:
                del probes[place]

    def record(self) -> HostRecord:
        common: dict[str, Any] = {
            "host_key": self.machine.host_key,
            "machines": (self.machine.name,),
            "taken_utc": NOW,
            "seconds": 1.0,
            "peer_unknown": self.peer_unknown,
            "peer_probes": tuple(self.peer),
        }
        if self.unreachable:
            return HostRecord(**common, unreachable=self.unreachable)
        return HostRecord(**common, survey=self._survey())

    def _own_names(self) -> list[OwnName]:
        """Its names lead to its address."""
        machine = self.machine
        return [
            OwnName(name=name, addresses=(machine.ip or "192.0.2.1",))
            for name in (machine.name, machine.dns_name)
            if name
        ]

    def _survey(self) -> Survey:
        settings = dict(self.settings)
        if self.product == "tentacle":
            settings.setdefault("Tentacle.Communication.TrustedOctopusServers", json.dumps(self.trusted))
        file = ConfigurationFile(
            path=rf"C:\Octopus\{self.instance}.config"
            if self.os == "windows"
            else f"/etc/octopus/{self.instance}.config",
            settings={} if self.config_error else settings,
            error=self.config_error,
            modified_utc=self.config_modified,
        )
        names = self.instances or [self.instance]
        host = Host(
            os=self.os,
            shell=Shell(name="powershell" if self.os == "windows" else "sh"),
            **(
                {"hostname": self.machine.name, "elevated": True, "addresses": (self.machine.ip or "192.0.2.1",)}
                | {"clock_utc": NOW}
                | self.host
            ),
        )
        sections: dict[str, Any] = {
            "host": host,
            "services": () if self.without_service else (Service(**self.service),),
            "instances": tuple(
                Instance(product=self.product, name=name, unnamed=self.unnamed, configuration=file)
                for name in names
                if name != "-"
            ),
            "listeners": tuple(Listener(**listener) for listener in self.listeners),
            "own_names": tuple(self._own_names() if self.own_names is None else self.own_names),
            "reservations": self.reservations,
            "proxy_connects": tuple(self.proxy_connects),
        }
        made = {
            name: Section(unknown=self.unknown[name]) if name in self.unknown else Section(data=data)
            for name, data in sections.items()
        }
        return Survey(**made, probes=tuple(self.own))


@lru_cache(maxsize=256)
def _server(name: str, ip: str) -> OctopusServer:
    own: dict[str, Any] = {"name": name, "dns_name": f"{name}.example", "ip": ip, "transport": WinRM(host=ip)}
    return OctopusServer(**own, thumbprint=thumbprint("octopus"))


@lru_cache(maxsize=256)
def _listening(name: str, ip: str, server: str) -> Tentacle:
    own: dict[str, Any] = {"name": name, "dns_name": f"{name}.example", "ip": ip, "transport": WinRM(host=ip)}
    return Tentacle(**own, mode=Mode.LISTENING, port=10933, thumbprint=thumbprint(name), servers=(server,))


@lru_cache(maxsize=256)
def _polling(name: str, ip: str, server: str) -> Tentacle:
    own: dict[str, Any] = {"name": name, "dns_name": f"{name}.example", "ip": ip, "transport": SSH(host=ip)}
    return Tentacle(**own, mode=Mode.POLLING, thumbprint=thumbprint(name), servers=(server,))


class World:
    """A fleet of drafts."""

    def __init__(self) -> None:
        self.drafts: dict[str, Draft] = {}
        self.controller: dict[str, tuple[Probe, ...]] = {}
        self.portal: Portal | None = None

    def __getitem__(self, name: str) -> Draft:
        return self.drafts[name]

    def add_server(self, name: str, ip: str) -> Draft:
        """A healthy Octopus Server node on Windows."""
        draft = Draft(
            machine=_server(name, ip),
            os="windows",
            settings={"Octopus.Communications.ServicesPort": "10943"},
            service=running("OctopusDeploy", "server", 1000),
            listeners=[
                {"address": "::", "port": 10943, "pid": 1000, "owner": {"pid": 1000, "name": "Octopus.Server.exe"}}
            ],
        )
        draft.own = [probe(port=10943, page="server", whose="octopus", look=SERVERS_OWN_PORT)]
        self.drafts[name] = draft
        return draft

    def add_listening(self, name: str, ip: str, server: str = "octo-1") -> Draft:
        """A healthy listening Tentacle on Windows."""
        draft = Draft(
            machine=_listening(name, ip, server),
            os="windows",
            settings={
                "Tentacle.Services.PortNumber": "10933",
                "Tentacle.Services.NoListen": "false",
                "Tentacle.CertificateThumbprint": thumbprint(name),
            },
            service=running(
                "OctopusDeploy Tentacle",
                "tentacle",
                2136,
                instance="Tentacle",
                executable=r"C:\Program Files\Octopus Deploy\Tentacle\Tentacle.exe",
                arguments='run --instance="Tentacle"',
            ),
            trusted=[{"Thumbprint": thumbprint("octopus"), "CommunicationStyle": 1, "Address": None}],
            listeners=[{"address": "::", "port": 10933, "pid": 2136, "owner": {"pid": 2136, "name": "Tentacle.exe"}}],
        )
        draft.own = [probe(whose=name, look=OWN_PORT)]
        self.drafts[name] = draft
        self[server].peer += [
            probe(f"{name}.example", by=By.NAME, whose=name, addresses=(ip,), look=from_server(name, By.NAME, server)),
            probe(ip, by=By.ADDRESS, whose=name, look=from_server(name, By.ADDRESS, server)),
        ]
        return draft

    def add_polling(self, name: str, ip: str, server: str = "octo-1") -> Draft:
        """A healthy polling Tentacle on Linux."""
        node = self[server].machine
        host = f"{server}.example"
        draft = Draft(
            machine=_polling(name, ip, server),
            os="linux",
            settings={"Tentacle.Services.NoListen": "true", "Tentacle.CertificateThumbprint": thumbprint(name)},
            service=running(
                "Tentacle.service", "tentacle", 900, instance="Tentacle", restarts=0, detail="running / success"
            ),
            trusted=[
                {
                    "Thumbprint": thumbprint("octopus"),
                    "CommunicationStyle": 2,
                    "Address": f"https://{host}:10943/",
                    "SubscriptionId": _subscription(name),
                }
            ],
        )
        common: dict[str, Any] = {"port": 10943, "page": "server", "whose": "octopus"}
        assert node.ip
        draft.own = [
            probe(host, by=By.NAME, addresses=(node.ip,), look=polled(0), **common),
            probe(host, by=By.NAME, addresses=(node.ip,), look=declared(name, server, host), **common),
            probe(node.ip, by=By.ADDRESS, look=declared(name, server, node.ip), **common),
        ]
        self.drafts[name] = draft
        return draft

    def _record(self, draft: Draft) -> HostRecord:
        return draft.record()

    def surveys(self) -> Surveys:
        """What the drafts come to."""
        machines = [draft.machine for draft in self.drafts.values()]
        return Surveys(
            version="0",
            taken_utc=NOW,
            inventory=Inventory(
                servers=tuple(machine for machine in machines if isinstance(machine, OctopusServer)),
                tentacles=tuple(machine for machine in machines if isinstance(machine, Tentacle)),
                portal=self.portal,
            ),
            records=tuple(map(self._record, self.drafts.values())),
            controller_probes=self.controller,
        )

    def register(self, name: str, /, **registration: Any) -> Registration:
        """Octopus's API was asked, and knows a Tentacle: healthy, unless said otherwise."""
        machine = self[name].machine
        assert isinstance(machine, Tentacle)
        number = len(self.portal.registrations) + 1 if self.portal else 1
        mode = "polling" if machine.mode is Mode.POLLING else "listening"
        given = {
            "id": f"Machines-{number}", "name": name, "kind": "target", "space": "Default", "space_id": "Spaces-1",
            "mode": mode, "uri": f"https://{name}.example:10933/", "host": f"{name}.example", "port": 10933,
            "thumbprint": thumbprint(name), "health": "Healthy",
            "link": f"https://octopus.example/app#/Spaces-1/infrastructure/machines/Machines-{number}/settings",
        }  # fmt: skip
        found = Registration(**{**given, **registration})
        portal = self.portal or Portal(
            url="https://octopus.example", version="2026.3.1", spaces=("Default",), taken_utc=NOW
        )
        self.portal = portal.model_copy(update={"registrations": (*portal.registrations, found)})
        self[name].machine = machine.model_copy(update={"registrations": (*machine.registrations, found.id)})
        return found

    def fleet(self) -> Fleet:
        """The drafts, ready to be judged."""
        return fleet_of(self.surveys())

    def judge(self, step: str, name: str) -> StepResult:
        """A step's result on a machine."""
        return self.fleet().subject(name).result(step)


LINK_PROBES = {
    "listening": ("octo-1", (from_server("web-01", By.NAME), from_server("web-01", By.ADDRESS))),
    "polling": (
        "poll-01",
        (polled(0), declared("poll-01", "octo-1", "192.0.2.10")),
    ),
}


def small_fleet() -> World:
    """octo-1, web-01 (listening, Windows) and poll-01 (polling, Linux), all of them well."""
    made = World()
    made.add_server("octo-1", "192.0.2.10")
    made.add_listening("web-01", "192.0.2.20")
    made.add_polling("poll-01", "192.0.2.30")
    return made


def across(world: World, mode: str, by_name: dict[str, Any] | None, by_address: dict[str, Any] | None = None) -> None:
    """Replaces both probes of a link; None leaves one as it is."""
    machine, looks = LINK_PROBES[mode]
    host, ip = ("web-01.example", "192.0.2.20") if mode == "listening" else ("octo-1.example", "192.0.2.10")
    common: dict[str, Any] = (
        {"port": 10933, "whose": "web-01"}
        if mode == "listening"
        else {"port": 10943, "whose": "octopus", "page": "server"}
    )
    if by_name is not None:
        world[machine].replace(looks[0], probe(host, by=By.NAME, **({"addresses": (ip,)} | common | by_name)))
    if by_address is not None:
        world[machine].replace(looks[1], probe(ip, by=By.ADDRESS, **(common | by_address)))
