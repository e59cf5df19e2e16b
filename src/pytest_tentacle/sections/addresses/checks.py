"""Guide, "Check the IP Address": the address that a peer uses, the machine's own ones, and those that it listens on."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_tentacle.guide.consequences import NOWHERE_TO_POLL
from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.away import AWAY_READS, mode_of
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.links import Link, links_from_servers, mode_not_known, no_server_declared, polled_links
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.link import By, Probe, Stage
from pytest_tentacle.link.hosts import plain_address
from pytest_tentacle.sections.connections.link_verdict import (
    ANOTHER_ADDRESS,
    DNS_ISSUE,
    UNPROBED,
    VERDICT_CODES,
    is_well,
    standing_in_the_way,
)
from pytest_tentacle.sections.connections.linux_filter import route_to
from pytest_tentacle.sections.connections.probe_verdict import NAME_NOT_RESOLVED, describe
from pytest_tentacle.survey.model import Listener
from pytest_tentacle.survey.targets import names_of

from .subnets import subnet_of

_BY_HAND = "Look with `ipconfig /all` or `ip address` on the machine, and compare."


@dataclass(frozen=True)
class _Use:
    """How one end uses an address of the other."""

    link: Link
    probe: Probe

    @property
    def vantage(self) -> Subject:
        """The machine that connects."""
        return self.link.vantage

    @property
    def end(self) -> Subject | None:
        """The machine that should answer; None where an address is no declared machine's."""
        return self.link.end

    @property
    def addresses(self) -> tuple[str, ...]:
        """What the name gives, or the address itself, in their shortest form."""
        found = self.probe.resolve.addresses if self.probe.resolve else (self.probe.host,)
        return tuple(filter(None, map(plain_address, found)))

    @property
    def answers(self) -> bool:
        """Whether the right machine answers there."""
        return is_well(self.link, self.probe)


@check(
    codes=("TT711", "TT712", "TT713"),
    reads=(
        "host",
        "instances",
        "listeners",
        "probes",
        "routes",
        "services",
        "peer.host",
        "peer.instances",
        "peer.listeners",
        "peer.peer_probes",
        "peer.probes",
        "peer.routes",
        "peer.services",
        *AWAY_READS,
    ),
)
def used_address_is_the_machines_own(subject: Subject) -> Iterator[Finding]:
    """What answers at the address that the connecting end uses, or else whose address it is and who listens on it."""
    uses: Iterator[_Use | Finding]
    match mode_of(subject):
        case Mode.LISTENING:
            uses = _by_servers(subject)
        case Mode.POLLING:
            uses = _of_servers(subject)
        case None:
            raise mode_not_known(subject)
    told: set[tuple[str, object]] = set()
    for use in uses:
        if not isinstance(use, _Use):
            yield use
            continue
        for finding in _judge(subject, use):
            if isinstance(finding, Problem):
                key = (finding.code, finding.facts["address"])
                if key in told:
                    continue
                told.add(key)
            yield finding


def _by_servers(subject: Subject) -> Iterator[_Use | Finding]:
    """The addresses of a listening Tentacle that its servers use: by name, then the declared one."""
    links = links_from_servers(subject)
    if not links:
        raise no_server_declared(subject)
    for link in links:
        try:
            probes = link.looks
        except Unknown as unknown:
            yield standing_in_the_way(subject) or unknown
            continue
        if not probes:
            yield standing_in_the_way(subject) or Unknown(
                f"{link.vantage.name} did not probe the link of {subject.name}", UNPROBED
            )
        yield from (_Use(link, probe) for probe in probes)


def _of_servers(subject: Subject) -> Iterator[_Use | Finding]:
    """The addresses of its servers that a polling Tentacle uses: those in its own settings."""
    settings = subject.settings
    proxy = settings.polling_proxy
    if proxy.host and not proxy.use_default:
        yield Evidence(subject.instance.configuration.path, f"the proxy {proxy.host} looks the server's name up")
        return
    named = [link for link in polled_links(subject) if link.entry]
    links = [link for link in named if not link.is_web_socket]
    if named and not links:
        portal = named[0].entry.address if named[0].entry else ""
        yield Evidence(subject.instance.configuration.path, f"{portal} leads to the portal's web server")
        return
    if not links:
        standing = subject.first_problem(NOWHERE_TO_POLL, "communication-settings")
        if standing is not None:
            raise Blocked(standing.code, subject.name, "there is no server to poll")
        raise Unknown(f"{subject.name} polls no address that could be looked at", UNPROBED)
    for link in links:
        if link.entry_probe is not None:
            yield _Use(link, link.entry_probe)
            continue
        address = link.entry.address if link.entry else ""
        yield standing_in_the_way(link.end) or Unknown(f"{subject.name} did not probe {address}", UNPROBED)


def _judge(subject: Subject, use: _Use) -> Iterator[Finding]:
    """Only where nobody takes the connection is the address to blame.

    An address that is declared for the machine may be a NAT device's, where a firewall is as likely: no problem of
    this step. A neighbour of its own addresses is none: then the machine has been given another one. Whoever answers it
    in another way is found with the welcome page across the link, and so is a name that leads nowhere, or elsewhere
    than the inventory says.
    """
    if use.answers:
        yield Evidence(f"probe from {use.vantage.name}", describe(use.probe) + _not_its_own(use))
        return
    if use.probe.page is None and use.probe.failed is None:
        yield Unknown(f"{use.vantage.name} did not probe {use.probe.host}: {use.probe.unavailable}", UNPROBED)
        return
    block = standing_in_the_way(use.end)
    if block is None and _listens_beside(use):
        yield from _compare(subject, use)
        return
    by_name = frozenset({DNS_ISSUE, NAME_NOT_RESOLVED, ANOTHER_ADDRESS}) if use.probe.resolve else frozenset()
    codes = by_name if _failed_to_connect(use.probe) else frozenset(VERDICT_CODES)
    across = _across(subject, use, codes)
    if block is None and across is not None:
        block = Blocked(across.code, across.machine, across.actual)
    if block is not None:
        yield block
        return
    if not _failed_to_connect(use.probe):
        yield Evidence(f"probe from {use.vantage.name}", describe(use.probe))
        return
    if use.addresses and all(map(_is_link_local, use.addresses)):
        yield _problem(subject, use, "TT713", "the address that is used is one that a router passes on")
        return
    yield from _compare(subject, use)


def _listens_beside(use: _Use) -> bool:
    """Whether something else took the connection: the end has the address that is used, and listens on others alone."""
    end, taken = use.end, use.probe.connect is not None and use.probe.connect.error is None
    if end is None or not taken or use.probe.thumbprint in {use.link.expected_thumbprint} - {None}:
        return False
    try:
        own, bound = _own_addresses(end, use.vantage), _bound(end, use.probe.port)
    except Unknown:
        return False
    way = _came_by(end, use.vantage)
    return own.issuperset(use.addresses) and bool(bound) and not any(_cover(bound, each, way) for each in use.addresses)


def _bound(end: Subject, port: int) -> list[Listener]:
    """Who listens on a port there. Raises Unknown where that was not read."""
    return [each for each in end.read(FACTS.listeners) if each.port == port]


def _came_by(end: Subject, vantage: Subject) -> str | None:
    """The device by which the other end's packets come, as its own way back tells; None where that is not known."""
    way = route_to(end, vantage)
    return way.device if way is not None and way.device != "lo" else None


def _across(subject: Subject, use: _Use, codes: frozenset[str]) -> Problem | None:
    """What the welcome page across this very link says; a Tentacle may have links to other servers."""
    server = use.vantage if use.end is subject else use.end
    found = (problem for problem in subject.problems_of("welcome-page-across") if problem.code in codes)
    return next((one for one in found if server is None or one.facts["server"] in (server.name, None)), None)


def _compare(subject: Subject, use: _Use) -> Iterator[Finding]:
    """The address against those of the machine that should answer, and those that it listens on."""
    end = use.end
    if end is None:
        yield Unknown(f"nobody knows whose address {use.probe.host} should be", "Declare the server's names.")
        return
    try:
        own = _own_addresses(end, use.vantage)
        if not own:
            raise Unknown(f"the addresses of {end.name} could not be read", _BY_HAND)  # noqa: TRY301  told with others
        if own.isdisjoint(use.addresses):
            vouched = declared_addresses(end).intersection(use.addresses)
            neighbours = {subnet_of(address) for address in own if not ipaddress.ip_address(address).is_loopback}
            if vouched and neighbours.isdisjoint(map(subnet_of, vouched)):
                words = f"{', '.join(vouched)} is declared for it, and none of its own addresses: NAT"
                yield Evidence(f"inventory, {end.name}", words)
                return
            yield _problem(
                subject,
                use,
                "TT711",
                f"the address that is used is one of {end.name}",
                Evidence(end.name, f"has {', '.join(sorted(own))}"),
            )
            return
        bound = _bound(end, use.probe.port)
    except Unknown as unknown:
        yield Unknown(f"{use.probe.host} does not answer, and {unknown.reason}", unknown.advice)
        return
    way = _came_by(end, use.vantage)
    if bound and not any(_cover(bound, address, way) for address in use.addresses):
        where = ", ".join(dict.fromkeys(map(_bound_words, bound)))
        yield _problem(
            subject,
            use,
            "TT712",
            f"{end.name} listens on the address that is used",
            Evidence(f"sockets of {end.name}", f"port {use.probe.port} is open on {where}"),
            bound=where,
        )
        return
    yield Evidence(end.name, f"has the address that {use.vantage.name} uses: {', '.join(use.addresses)}")


def _problem(subject: Subject, use: _Use, code: str, expected: str, *more: Evidence, **facts: object) -> Problem:
    addresses = ", ".join(use.addresses)
    literal = use.probe.by is By.ADDRESS
    return Problem(
        code,
        subject.name,
        expected=expected,
        actual=f"{use.vantage.name} uses {addresses}" + ("" if literal else f", which {use.probe.host} leads to"),
        evidence=(Evidence(f"probe from {use.vantage.name}", describe(use.probe)), *more),
        facts={
            "instance": subject.instance_name,
            "vantage": use.vantage.name,
            "server": use.vantage.name if use.end is subject else use.end.name if use.end else None,
            "host": use.probe.host,
            "port": use.probe.port,
            "address": addresses,
            **facts,
        },
    )


def _own_addresses(end: Subject, vantage: Subject) -> set[str]:
    """The machine's addresses; the loopback ones as well for whoever is on the same host."""
    own = {plain_address(address) or address for address in end.read(FACTS.host).addresses}
    return own | {"127.0.0.1", "::1"} if own and end.machine.host_key == vantage.machine.host_key else own


def declared_addresses(end: Subject) -> set[str]:
    """The addresses by which somebody says that it is to be reached, of a NAT device perhaps; we log on by one."""
    hosts = [end.machine.ip, getattr(end.machine.transport, "host", None), *(host for host, _ in names_of(end.machine))]
    return {address for host in hosts if host and (address := plain_address(host))}


def _not_its_own(use: _Use) -> str:
    """A note for an address that answers as it should and yet is not the machine's: NAT, or a balancer's."""
    if use.end is None:
        return ""
    try:
        own = _own_addresses(use.end, use.vantage)
    except Unknown:
        return ""
    foreign = [address for address in use.addresses if address not in own]
    return f"; {', '.join(foreign)} is none of {use.end.name}'s own addresses (NAT?)" if own and foreign else ""


def _cover(bound: list[Listener], address: str, device: str | None) -> bool:
    """Whether one of these takes what comes to an address, by this device."""
    return any(_covers(each, address) for each in bound if device is None or each.device in {None, device})


def _covers(listener: Listener, address: str) -> bool:
    own = plain_address(listener.address) or listener.address
    every = (own == "::" and not (listener.six_alone and ":" not in address)) or (
        own == "0.0.0.0" and ":" not in address
    )
    return every or address == own


def _bound_words(listener: Listener) -> str:
    own = plain_address(listener.address) or listener.address
    if listener.device:
        return f"{own}, by {listener.device} alone"
    return f"{own}, IPv6 alone" if listener.six_alone else own


def _failed_to_connect(probe: Probe) -> bool:
    return probe.failed is not None and probe.failed[0] is Stage.CONNECT


def _is_link_local(address: str) -> bool:
    return ipaddress.ip_address(address).is_link_local
