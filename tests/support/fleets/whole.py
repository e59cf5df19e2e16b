"""A fleet of which everything was surveyed, so that nothing is unknown: the checks' small one, with all that stands around."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from pytest_tentacle.inventory.model import SSH, Mode, WinRM
from pytest_tentacle.link import By
from pytest_tentacle.logs.lines import moment
from pytest_tentacle.logs.model import LogFile
from pytest_tentacle.packet_filter.firewall import Firewall, FirewallProfile, FirewallRule
from pytest_tentacle.sections import Fleet, fleet_of
from pytest_tentacle.survey.model import HostRecord, Section, Service, Unreachable
from pytest_tentacle.survey.surroundings import (
    Access,
    AccessControl,
    AccessEntry,
    Connection,
    Disk,
    Loading,
    LoadTime,
    OwnName,
    Permissions,
    PrivateKey,
    Product,
    ProxyConnect,
    Reservations,
    Revocation,
    Route,
    ServiceAccount,
    TlsPolicy,
)
from pytest_tentacle.transport.base import ReachStage
from support import NOW
from support.logs import read_log

from .certificates import thumbprint
from .failures import REFUSED, STOPPED
from .looks import OWN_PORT, SERVERS_OWN_PORT, also_from, declared, from_server, polled
from .once import record_once
from .world import Draft, World, probe

SYSTEM = "S-1-5-18"
_TIME = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.MULTILINE)
DAYS = timedelta(days=3)
ROOM = 20 * 1024**3
VERSION = "9.1.3268"
LINUX_EXECUTABLE = "/opt/octopus/tentacle/Tentacle"
SERVER_EXECUTABLE = r"C:\Program Files\Octopus Deploy\Octopus\Octopus.Server.exe"
WINDOWS_SUITES = ("TLS_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_RSA_WITH_AES_256_CBC_SHA")
LINUX_SUITES = ("TLS_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384")
LISTEN = "listen://[::]:10933/             91  "
SERVER_LISTEN = "listen://[::]:10943/             91  "
POLL = "https://octo-1.example:10943/        12  "


@lru_cache(maxsize=4096)
def line(ago: timedelta | float, level: str, text: str, pid: int) -> str:
    """A line of a log, so many seconds (or so long) before the survey."""
    at = NOW - (ago if isinstance(ago, timedelta) else timedelta(seconds=ago))
    return f"{at:%Y-%m-%d %H:%M:%S}.0057 {pid:>6}      9 {level:>5}  {text}\n"


def started(pid: int, *more: str, ago: timedelta | float = DAYS, version: str = VERSION) -> str:
    """What an agent writes when it starts."""
    own = ["=" * 80, f"Tentacle version {version} ({version}) instance Tentacle", "==== RunAgentCommand ====", *more]
    return "".join(line(ago, "INFO", text, pid) for text in own)


LISTENS = "Agent listening on: [::]:10933"


@lru_cache(maxsize=2048)
def _read_once(text: str, zone: timedelta, product: str, instance: str, path: str) -> LogFile:
    """A log as its machine's zone has it, written to the end; most machines of most fleets say the same."""
    log = read_log(_shifted(text, zone).encode(), product=product, instance=instance, path=path)
    last = moment(log.last_time or "")
    assert last is not None
    return log.model_copy(update={"modified_utc": last.replace(tzinfo=UTC) - zone})


def _section(data: Any) -> Section[Any]:
    return Section(unknown=data) if isinstance(data, str) else Section(data=data)


class Whole(World):
    """Drafts as of the checks' tests, and of each machine all other sections: `sections[machine][section]` is the data.

    A text instead of the data is the reason why the section is unknown. `logs[machine]` is the text of its log.
    """

    thumbprint = staticmethod(thumbprint)

    def __init__(self) -> None:
        super().__init__()
        self.sections: dict[str, dict[str, Any]] = {}
        self.logs: dict[str, str] = {}
        self.early_logs: dict[str, tuple[LogFile, ...]] = {}
        """Those of before home is known."""
        self.more_services: dict[str, tuple[Service, ...]] = {}
        self.without_log: set[str] = set()
        self.strangers: set[str] = set()
        """Servers that are no nodes of the first one's: each has a certificate of its own."""
        self._usual: dict[str, tuple[dict[str, Any], dict[str, Section[Any]]]] = {}
        self.zones: dict[str, timedelta] = {}
        """How far ahead of UTC the log of a machine is."""

    def add_server(self, name: str, ip: str) -> Any:
        draft = super().add_server(name, ip)
        draft.service |= {"account": "LocalSystem", "executable": SERVER_EXECUTABLE}
        self._furnish(name, ip)
        self.logs[name] = line(DAYS, "INFO", "Octopus Server version 2026.1", 1000)
        return draft

    def add_other_server(self, name: str, ip: str) -> Any:
        """Another Octopus Server, with a certificate of its own."""
        self.strangers.add(name)
        draft = self.add_server(name, ip)
        draft.declare(thumbprint=thumbprint(name))
        draft.replace(SERVERS_OWN_PORT, probe(port=10943, page="server", whose=name))
        return draft

    def whose(self, server: str) -> str:
        """Whose certificate a server has: nodes of one Octopus Server have the same."""
        return server if server in self.strangers else "octopus"

    def add_listening(self, name: str, ip: str, server: str = "octo-1") -> Any:
        draft = super().add_listening(name, ip, server)
        draft.service["account"] = "LocalSystem"
        self._furnish(name, ip)
        self.logs[name] = started(2136, LISTENS) + self.visit(name, server)
        return draft

    def add_polling(self, name: str, ip: str, server: str = "octo-1") -> Any:
        draft = super().add_polling(name, ip, server)
        draft.service |= {"account": "root", "executable": LINUX_EXECUTABLE}
        self._furnish(name, ip)
        self.sections[name]["connections"] = (self.connection(name, server),)
        self.logs[name] = self.polls_at_start(name) + self.secured(name, server)
        return draft

    def join(self, name: str, server: str) -> None:
        """One more server of a Tentacle's: a node of the first one, or another server altogether."""
        draft, node = self[name], self[server].machine
        draft.declare(servers=(*draft.machine.servers, server))
        if draft.machine.mode is Mode.LISTENING:
            first = self[draft.machine.servers[0]]
            if server in self.strangers:
                draft.trusted.append({**draft.trusted[0], "Thumbprint": thumbprint(server)})
            self[server].peer += also_from(server, first.peer, name)
            self.logs[name] += self.visit(name, server)
            return
        host = f"{server}.example"
        more = {"Address": f"https://{host}:10943/", "Thumbprint": thumbprint(self.whose(server))}
        if server in self.strangers:
            more["SubscriptionId"] = f"poll://{server}xx{name}xxxx/"
        draft.trusted.append({**draft.trusted[0], **more})
        common: dict[str, Any] = {"port": 10943, "page": "server", "whose": self.whose(server)}
        number = len(draft.trusted) - 1
        by_name = {"by": By.NAME, "addresses": (node.ip,), **common}
        draft.own += [
            probe(host, look=polled(number), **by_name),
            probe(host, look=declared(name, server, host), **by_name),
            probe(node.ip, by=By.ADDRESS, look=declared(name, server, node.ip), **common),
        ]
        self.sections[name]["connections"] += (self.connection(name, server),)
        self.logs[name] = self.polls_at_start(name)
        for each in draft.machine.servers:
            self.logs[name] += self.secured(name, each)

    def through_proxy(self, name: str, host: str = "proxy.example", port: int = 3128) -> None:
        """A poller with a proxy that works: its connections go there."""
        keys = {"UseDefaultProxy": "false", "ProxyHost": host, "ProxyPort": str(port)}
        self[name].settings |= {f"Octopus.Server.Proxy.{key}": value for key, value in keys.items()}
        self.logs[name] = self.polls_at_start(name, proxy=f"{host}:{port}")
        for server in self[name].machine.servers:
            self.logs[name] += self.secured(name, server)
        to_it = {"remote_address": "192.0.2.250", "remote_port": port}
        held = self.sections[name]["connections"]
        self.sections[name]["connections"] = tuple(each.model_copy(update=to_it) for each in held)
        shown = probe(page="server", whose="octopus")
        way = {"instance": "Tentacle", "proxy": f"{host}:{port}", "port": 10943, "status": 200, "ms": 3.0}
        self.sections[name]["proxy_connects"] = tuple(
            ProxyConnect(host=f"{server}.example", tls=shown.tls, page=shown.page, **way)
            for server in self[name].machine.servers
        )

    def behind_nat(self, name: str, own: str) -> None:
        """The declared address is a NAT device's; the machine itself has another one, and knows no other."""
        self[name].host["addresses"] = (own,)
        self.sections[name]["own_names"] = (OwnName(name=self[name].machine.dns_name, addresses=(own,)),)

    def second_instance(self, name: str) -> None:
        """Another instance on the host, which the inventory does not mean: of its own name, port and process."""
        draft = self[name]
        draft.declare(instance="Tentacle")
        draft.instances = ["Tentacle", "Blue"]
        self.more_services[name] = (
            Service(**(draft.service | {"name": "OctopusDeploy Tentacle: Blue", "instance": "Blue", "pid": 3333})),
        )

    def visit(self, name: str, server: str, ago: float = 600) -> str:
        """The lines of a server that connects and is let in."""
        peer = f"[::ffff:{self[server].machine.ip}]:50000"
        return line(ago, "INFO", f"{LISTEN}Accepted TCP client: {peer}", 2136) + line(
            ago, "INFO", f"{LISTEN}Client at {peer} authenticated as {thumbprint(self.whose(server))}", 2136
        )

    def polls_at_start(self, name: str, ago: timedelta | float = DAYS, proxy: str | None = None) -> str:
        """What a polling agent says when it starts."""
        said = []
        for entry in self[name].trusted:
            where = f"for server at {entry['Address']}"
            said += [
                f"Agent will use the octopus configured proxy at {proxy} {where}"
                if proxy
                else f"Agent configured to use the system proxy, but no system proxy is configured {where}",
                (
                    f"Agent will poll Octopus Server at {entry['Address']} for subscription {entry['SubscriptionId']} "
                    f"expecting thumbprint {entry['Thumbprint']}"
                ),
                "Starting 1 polling connections",
            ]
        return started(900, *said, "Agent will not listen on any TCP ports", ago=ago)

    def secured(self, name: str, server: str, ago: timedelta | float = DAYS) -> str:
        """A polling agent's TLS connection."""
        words = (
            f"https://{server}.example:10943/        12  Secure connection established. Server at "
            f"[::ffff:{self[server].machine.ip}]:10943 identified by thumbprint: {thumbprint(self.whose(server))}, using protocol "
            "Tls13"
        )
        return line(ago, "INFO", words, 900)

    def connection(self, name: str, server: str, state: str = "established", pid: int = 900, port: int = 50000) -> Any:
        """A polling Tentacle's connection to a server."""
        return _connection(self[name].machine.ip or "192.0.2.99", port, self[server].machine.ip, state, pid)

    def say(self, name: str, level: str, text: str, ago: float = 60) -> None:
        """One more record at the end of a machine's log."""
        pid = {"web": 2136, "pol": 900, "oct": 1000}[name[:3]]
        self.logs[name] += line(ago, level, text, pid)

    def change(self, name: str, section: str, **values: Any) -> None:
        """Other values in a section that is one object."""
        self.sections[name][section] = self.sections[name][section].model_copy(update=values)

    def across(
        self,
        name: str,
        by_name: dict[str, Any] | None,
        by_address: dict[str, Any] | None = None,
        server: str = "octo-1",
    ) -> None:
        """Other probes of a machine's link, from the end that connects; None leaves one as it is."""
        draft = self[name]
        if draft.machine.mode is Mode.LISTENING:
            vantage, host, ip = self[server], draft.machine.dns_name, draft.machine.ip
            looks = [from_server(name, By.NAME, server)], [from_server(name, By.ADDRESS, server)]
            common: dict[str, Any] = {"port": 10933, "whose": name}
        else:
            node = self[server].machine
            vantage, host, ip = draft, node.dns_name, node.ip
            looks = [polled(0), declared(name, server, host)], [declared(name, server, ip)]
            common = {"port": 10943, "whose": "octopus", "page": "server"}
        for look in looks[0] if by_name is not None else ():
            made = probe(host, by=By.NAME, **({"addresses": (ip,)} | common | (by_name or {})))
            vantage.replace(look, made)
        for look in looks[1] if by_address is not None else ():
            vantage.replace(look, probe(ip, by=By.ADDRESS, **(common | (by_address or {}))))

    def both(self, name: str, how: dict[str, Any], server: str = "octo-1") -> None:
        """The link fails alike by name and by address; a poller has no connection then."""
        self.across(name, how, how, server)
        if self[name].machine.mode is Mode.POLLING:
            self.sections[name]["connections"] = ()

    def down(self, name: str, **service: Any) -> None:
        """The service does not run, so nobody listens, and nobody gets an answer."""
        draft = self[name]
        draft.service |= STOPPED | service
        self.shut(name)
        self.sections[name]["connections"] = ()

    def shut(self, name: str) -> None:
        """Nobody listens on the port, and whoever connects is refused."""
        draft = self[name]
        draft.listeners = []
        if draft.product == "server":
            draft.replace(SERVERS_OWN_PORT, probe(port=10943, **REFUSED))
            for other in self.drafts.values():
                if other.product == "tentacle" and other.machine.mode is Mode.POLLING:
                    self.both(other.machine.name, REFUSED, name)
        elif draft.machine.mode is Mode.LISTENING:
            draft.replace(OWN_PORT, probe(**REFUSED))
            for server in draft.machine.servers:
                self.both(name, REFUSED, server)

    def dark(self, name: str) -> None:
        """We cannot log on to it."""
        self[name].unreachable = Unreachable(stage=ReachStage.CONNECT, summary="no answer", advice="See why.")

    def _record(self, draft: Draft) -> HostRecord:
        """All sections are known. Machines that are alike in all that it is made of share one record, over all fleets."""
        name = draft.machine.name
        made_of = (
            draft, self.sections[name], self.logs[name], self.zones.get(name), self.early_logs.get(name),
            self.more_services.get(name), name in self.without_log, self._ends(name),
        )  # fmt: skip
        return record_once(made_of, lambda: self._finished(draft.record()))

    def fleet(self) -> Fleet:
        return fleet_of(self.surveys())

    def _finished(self, record: HostRecord) -> HostRecord:
        if record.survey is None:
            return record
        (name,) = record.machines
        usual, ready = self._usual.get(name, ({}, {}))
        made = {
            section: ready[section] if section in usual and data is usual[section] else _section(data)
            for section, data in self.sections[name].items()
        }
        logs = () if name in self.without_log else (self._log(name), *self.early_logs.get(name, ()))
        made.setdefault("logs", Section(data=logs))
        if self.sections[name]["routes"] == ():
            made["routes"] = Section(data=self._ways(name))
        more = self.more_services.get(name)
        if more:
            made["services"] = Section(data=(*(record.survey.services.data or ()), *more))
        return record.model_copy(update={"survey": record.survey.model_copy(update=made)})

    def _ways(self, name: str) -> tuple[Route, ...]:
        """It has a way to the other end of each of its links, as far as that is declared with an address."""
        own = self[name].machine.ip
        common = {"via": "192.0.2.254", "device": "eth0", "source": own, "neighbour": "reachable"}
        return tuple(Route.model_validate({"peer": ip, "address": ip, **common}) for ip in self._ends(name) if ip)

    def _ends(self, name: str) -> list[str | None]:
        servers = getattr(self[name].machine, "servers", ())
        return [
            draft.machine.ip
            for other, draft in self.drafts.items()
            if other in servers or name in getattr(draft.machine, "servers", ())
        ]

    def _log(self, name: str) -> LogFile:
        draft = self[name]
        zone = self.zones.get(name, timedelta())
        instance = draft.machine.instance or draft.instance
        return _read_once(self.logs[name], zone, draft.product, instance, f"/logs/{name}.txt")

    def private_key(self, name: str, **other: Any) -> PrivateKey:
        """Of a machine's certificate, which Local System may read; `other` is different."""
        return _private_key(self[name].instance, name, **other)

    def _furnish(self, name: str, ip: str) -> None:
        """All the sections that the checks' drafts do not have, of a machine that is well."""
        draft = self[name]
        windows = draft.os == "windows"
        draft.host |= {
            "addresses": (ip, "fe80::1"),
            "boot_utc": NOW - DAYS,
            "dotnet_release": 533320 if windows else None,
        }
        executable = draft.service["executable"] if windows or draft.product == "server" else LINUX_EXECUTABLE
        self._usual[name] = _furniture(
            draft.os, draft.product, draft.instance, name, ip, draft.machine.dns_name, draft.service["name"], executable
        )
        self.sections[name] = dict(self._usual[name][0])


@lru_cache(maxsize=256)
def _connection(own: str, port: int, server: str, state: str, pid: int) -> Connection:
    return Connection(
        local_address=own, local_port=port, remote_address=server, remote_port=10943, state=state, pid=pid
    )


@lru_cache(maxsize=256)
def _furniture(
    system: str, product: str, instance: str, name: str, ip: str, dns_name: str, service: str, executable: str
) -> tuple[dict[str, Any], dict[str, Section[Any]]]:
    """The data of sections of a machine that is well, and the sections: made once for the machines of all fleets."""
    windows = system == "windows"
    port = 10943 if product == "server" else 10933
    account = "LocalSystem" if windows else "root"
    rights: dict[str, Any] = {"account": account, "sid": SYSTEM if windows else None}
    home = "C:\\Octopus" if windows else "/etc/octopus/Tentacle"
    profile = FirewallProfile(name="Domain", enabled=True, inbound="block", local_rules=True, active=True)
    data: dict[str, Any] = {
        "connections": (),
        "firewall": Firewall(
            engine="windows",
            running=True,
            profiles=(profile,),
            rules=(FirewallRule(name="Octopus", action="allow", ports=(str(port),)),),
        )
        if windows
        else Firewall(engine="none", running=False),
        "proxies": (),
        "permissions": (
            Permissions(
                instance=instance,
                product=product,
                home=home,
                access=(Access(path=home, owner="root", group="root", mode=0o755),),
                looked_at=1,
                **rights,
            ),
        ),
        "service_accounts": (
            ServiceAccount(
                service=service,
                account=account,
                sid=SYSTEM if windows else "0",
                process_sid=SYSTEM if windows else "0",
            ),
        ),
        **({} if windows else {"access_control": AccessControl(selinux="disabled")}),
        "private_keys": (_private_key(instance, name),) if windows and product == "tentacle" else (),
        "loading": Loading(
            times=(LoadTime(product=product, executable=executable, cold_ms=640, warm_ms=310, exit_code=0),),
            revocation=(Revocation(account=account, enabled=True, reachable=True),) if windows else (),
        ),
        "tls": TlsPolicy(library="Schannel", build=20348, cipher_suites=WINDOWS_SUITES, fips=False)
        if windows
        else TlsPolicy(library="OpenSSL 3.0.15 3 Sep 2024", cipher_suites=LINUX_SUITES, fips=False),
        "events": (),
        "disks": (Disk(path="C:\\" if windows else "/", free_bytes=ROOM, size_bytes=2 * ROOM),),
        "products": (Product(product=product, version=VERSION, path=executable),),
        "watchdog": (),
        "left_overs": (),
        "reservations": Reservations(excluded=(), http_sys=()),
        "own_names": (OwnName(name=dns_name, addresses=(ip,)),),
        "proxy_connects": (),
        "routes": (),
    }
    return data, {section: Section(data=each) for section, each in data.items()}


def _private_key(instance: str, name: str, **other: Any) -> PrivateKey:
    held = AccessEntry(sid=SYSTEM, mask=0x1F01FF)
    path = r"C:\ProgramData\Microsoft\Crypto\RSA\MachineKeys\52ab417621a9d74c73e3e0f1bc374e0a_6f1d3b8c"
    key: dict[str, Any] = {
        "instance": instance, "account": "LocalSystem", "sid": SYSTEM, "thumbprint": thumbprint(name),
        "stored": True, "has_key": True, "access": Access(path=path, owner=SYSTEM, entries=(held,)),
    }  # fmt: skip
    return PrivateKey(**(key | other))


def _shifted(text: str, by: timedelta) -> str:
    """A log whose machine is in another zone."""
    if not by:
        return text
    return _TIME.sub(lambda found: f"{datetime.fromisoformat(found[0]) + by:%Y-%m-%d %H:%M:%S}", text)


def wide_fleet() -> Whole:
    """octo-1; web-01 and web-02 listen, poll-01 and poll-02 poll; each pair in a subnet of its own, all of them well."""
    made = Whole()
    made.add_server("octo-1", "192.0.2.10")
    made.add_listening("web-01", "198.51.100.1")
    made.add_listening("web-02", "198.51.100.2")
    made.add_polling("poll-01", "203.0.113.1")
    made.add_polling("poll-02", "203.0.113.2")
    return made


def make_linux(world: Whole, name: str) -> None:
    """Turns a listening Tentacle into one on Linux."""
    draft = world[name]
    draft.os = "linux"
    draft.machine = draft.machine.model_copy(update={"transport": SSH(host=draft.machine.transport.host)})
    draft.service |= {"name": "Tentacle.service", "account": "root", "executable": LINUX_EXECUTABLE}
    draft.service |= {"restarts": 0, "detail": "running / success", "arguments": "agent --instance Tentacle"}
    world._furnish(name, draft.machine.ip)


def make_windows(world: Whole, name: str) -> None:
    """Turns a polling Tentacle into one on Windows."""
    draft = world[name]
    draft.os = "windows"
    draft.machine = draft.machine.model_copy(update={"transport": WinRM(host=draft.machine.transport.host)})
    for key in ("restarts", "detail"):
        draft.service.pop(key)
    draft.service |= {
        "name": "OctopusDeploy Tentacle",
        "account": "LocalSystem",
        "executable": r"C:\Program Files\Octopus Deploy\Tentacle\Tentacle.exe",
        "arguments": 'run --instance="Tentacle"',
    }
    held = world.sections[name]["connections"]
    world._furnish(name, draft.machine.ip)
    world.sections[name]["connections"] = held
