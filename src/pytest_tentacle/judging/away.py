"""A product that does not run on the host that is logged on to, and is well: in a container, or standing by.

Docker starts a docker-proxy for each published port, with the container's address in its arguments (moby,
cmd/docker-proxy), unless `userland-proxy` is false: then a DNAT rule leads there alone. Without root it is RootlessKit.
Podman takes rootlessport, slirp4netns or pasta; as root it binds each port itself, and gives the socket to conmon,
which accepts nothing, because a DNAT rule leads past it. Newer versions bind it without listening (libpod/oci_util.go),
so nobody is seen to listen at all.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pytest_tentacle.inventory.model import TENTACLE_PORT, Mode, OctopusServer, Tentacle
from pytest_tentacle.link import Failure, Probe
from pytest_tentacle.link.hosts import plain_address
from pytest_tentacle.packet_filter.model import FilterRule
from pytest_tentacle.survey.model import ClusterResource, Process, Service, ServiceState

from .attempts import Attempt, attempts_of
from .finding import Blocked, Evidence, Unknown
from .reading import FACTS
from .subject import Subject
from .thumbprints import as_thumbprint

NO_SYSTEMD = "this machine has no systemctl"
"""How the reason begins for which linux.sh reads no services there."""

_CONTAINER_OF_WINDOWS = "this is a container of Windows' own, which has no service of it"

AWAY_READS = ("fleet.away",)
"""What `away` reads: sections of several machines, which a check of one machine need not name each."""

FORWARDERS = {
    "docker-proxy": "Docker",
    "rootlesskit": "Docker",
    "rootlessport": "Podman",
    "containers-rootlessport": "Podman",
    "slirp4netns": "Podman",
    "pasta": "Podman",
    "pasta.avx2": "Podman",
    "conmon": "Podman",
}
"""Program -> for what it holds a port."""

_ARGUMENT = re.compile(r"(?:^|\s)-container-(?P<what>ip|port)[ =](?P<value>[0-9A-Fa-f.:]{1,45})(?=\s|$)")
_LEADS_TO = re.compile(r"(?P<host>\d{1,3}(?:\.\d{1,3}){3}|\[[0-9A-Fa-f:]{2,45}\])(?::\d{1,5})?(?=\s|$)")

_NEVER_STARTED = 1077
_QUIET_ENDS = (None, 0, _NEVER_STARTED)
"""Exit codes of a service that was stopped in order, or not started."""


def away(subject: Subject) -> Evidence | None:
    """Why nothing of the product is to be looked at on the machine's own host; None where it should run there.

    - The inventory says that it runs in a container.
    - The host knows neither instance nor service of it, and what answers on this host's own address or port is it; or
      the host publishes its port for a container, and nobody was seen to answer there who is another.
    - Its settings lie on the host, where no service runs it, the host publishes its port for a container, and what
      answers has its certificate.
    - Its host has no systemd, or is a container of Windows' own without a service of it; its own program holds the
      port, and what answers has its certificate: supervisord, s6, OpenRC or the container's entry point runs it.
    - Another node of its failover cluster runs it: one that the inventory says to be of the same cluster, or one by the
      same name or address, where the page with that one's certificate is shown; or the cluster itself says so.
    """
    subject.ledger.note_one(("fleet", "away"))
    if "away" not in subject.kept:
        with subject.ledger.watch():
            subject.kept["away"] = _away(subject)
    found: Evidence | None = subject.kept["away"]
    return found


def stands_by(subject: Subject) -> Subject | None:
    """The machine that runs what this one would take over: both are nodes of one failover cluster. None without one."""
    if away(subject) is None or subject.machine.container:
        return None
    with subject.ledger.watch(), contextlib.suppress(Unknown):
        return _active_node(subject, _own_services(subject))
    return None


def mode_of(subject: Subject) -> Mode | None:
    """The communication mode; that of a Tentacle away that shows its page is to listen, whatever settings it has."""
    if subject.mode is not None or away(subject) is None:
        return subject.mode
    with subject.ledger.watch():
        is_by_cluster = False
        with contextlib.suppress(Unknown):
            is_by_cluster = _run_elsewhere(subject, _own_services(subject)) is not None
        return Mode.LISTENING if _page(subject, anywhere=is_by_cluster) is not None else None


def _away(subject: Subject) -> Evidence | None:
    if subject.machine.container:
        return Evidence("inventory", f"{subject.name} runs in a container: its links are checked, but not its host")
    try:
        services = _own_services(subject)
        instances = [each for each in subject.read(FACTS.instances) if each.product == subject.product]
    except Unknown:
        return _run_without_systemd(subject)
    if (standing_by := _standing_by(subject, services)) is not None:
        return standing_by
    if services:
        return None
    return _in_a_container(subject, known=bool(instances)) or _run_without_a_service(subject, _CONTAINER_OF_WINDOWS)


def _run_without_systemd(subject: Subject) -> Evidence | None:
    survey = subject.known_survey
    reason = survey.services.unknown if survey else None
    if reason is None or not reason.startswith(NO_SYSTEMD):
        return None
    return _run_without_a_service(subject, NO_SYSTEMD)


def _run_without_a_service(subject: Subject, why: str) -> Evidence | None:
    """Where its own process is all that can be known: who would start it again, there is nobody to ask."""
    if not subject.is_tentacle:
        return None
    try:
        if why == _CONTAINER_OF_WINDOWS and not _is_container_of_windows(subject):
            return None
        page, own = _page(subject), as_thumbprint(subject.configured_thumbprint)
        listeners = subject.read(FACTS.listeners)
    except (Unknown, Blocked):
        return None
    if page is None or own is None or page.probe.thumbprint != own:
        return None
    ports = _ports_of(subject, known=True)
    process = next((each.owner for each in listeners if each.port in ports and _is_tentacle(each.owner)), None)
    if process is None:
        return None
    text = f"{why}, and {process.name} (PID {process.pid}) holds its port and answers: something else runs it"
    return Evidence(f"sockets of {subject.name}", text)


def _is_container_of_windows(subject: Subject) -> bool:
    """Whether we are logged on as a user whom Windows' containers alone have."""
    user = subject.read(FACTS.host).user or ""
    return user.rpartition("\\")[2].lower() in {"containeradministrator", "containeruser"}


def _is_tentacle(process: Process | None) -> bool:
    """Whether a process is Tentacle's own program, by itself or under `dotnet`."""
    if process is None:
        return False
    program = re.split(r"[/\\]", process.executable or process.name or "")[-1].removesuffix(".exe")
    return program == "Tentacle" or (program == "dotnet" and "Tentacle.dll" in (process.command_line or ""))


def _in_a_container(subject: Subject, *, known: bool) -> Evidence | None:
    page = _page(subject)
    published = next(filter(None, (published_port(subject, port) for port in _ports_of(subject, known=known))), None)
    if page is None:
        if known or published is None or _another_answers(subject):
            return None
        text = f"{published.words}, and the host has neither an instance nor a service of it: it runs in a container"
        return Evidence(published.source, text)
    what = "has neither an instance nor a service of it"
    if known:
        own = as_thumbprint(subject.configured_thumbprint)
        if published is None or own is None or page.probe.thumbprint != own:
            return None
        what = f"has its settings and no service of it ({published.words})"
    return Evidence(
        f"probe of {page.probe.host}:{page.probe.port} from {page.vantage}",
        f"it answers on this host, which {what}: it runs in a container",
    )


def _ports_of(subject: Subject, *, known: bool) -> tuple[int, ...]:
    """The host's ports that may lead to it, as declared and as its settings say; one that polls has none.

    A device before the host may show another port outside than the one that the host publishes.
    """
    machine = subject.machine
    if isinstance(machine, Tentacle):
        if machine.mode is Mode.POLLING:
            return ()
        ports = [machine.listens_on, machine.port or TENTACLE_PORT]
        if known:
            with contextlib.suppress(Unknown, Blocked):
                ports.append(subject.expected_port)
        return tuple(dict.fromkeys(port for port in ports if port is not None))
    return machine.polling_ports if isinstance(machine, OctopusServer) else ()


def _another_answers(subject: Subject) -> bool:
    """Whether a look met somebody else at its port: another page or certificate, or no TLS."""
    declared = as_thumbprint(subject.machine.thumbprint)
    for attempt in attempts_of(subject):
        probe = attempt.probe
        if attempt.listening is not subject.is_tentacle:
            continue
        if probe.page is not None and probe.page.error is None and not attempt.shows_page:
            return True
        if attempt.secured and declared is not None and probe.thumbprint not in {None, declared}:
            return True
        if probe.tls is not None and probe.tls.error is Failure.NOT_TLS:
            return True
    return False


def _standing_by(subject: Subject, services: tuple[Service, ...]) -> Evidence | None:
    """What tells that another node of its failover cluster runs it: that node, or else the cluster."""
    stands_by = f"{subject.name} stands by: its cluster starts it, and nobody else may"
    node = _active_node(subject, services)
    if node is not None:
        what = f"of cluster {subject.machine.cluster}" if subject.machine.cluster else "by the same name"
        return Evidence(f"services of {node.name} and {subject.name}", f"{node.name} {what} runs it, and {stands_by}")
    resource = _run_elsewhere(subject, services)
    if resource is None:
        return None
    told = f"{resource.owner} runs the cluster's resource {resource.resource}, and {stands_by}"
    return Evidence(f"cluster of {subject.name}", told)


def _own_services(subject: Subject) -> tuple[Service, ...]:
    return tuple(service for service in subject.read(FACTS.services) if service.product == subject.product)


def _run_elsewhere(subject: Subject, services: Iterable[Service]) -> ClusterResource | None:
    """The resource by which a failover cluster runs it on another node than this one, by the cluster's own word."""
    found = None
    for service in services:
        resource = service.cluster
        if service.state is not ServiceState.STOPPED or resource is None or resource.state != "online":
            return None
        owner = (resource.owner or "").lower()
        if not owner or owner == subject.read(FACTS.host).hostname.partition(".")[0].lower():
            return None
        found = resource
    return found


def _page(subject: Subject, *, anywhere: bool = False) -> Attempt | None:
    """A look of a peer's that shows its page, with its thumbprint as far as that is declared, on this very host."""
    declared = as_thumbprint(subject.machine.thumbprint)
    for attempt in attempts_of(subject):
        if attempt.shows_page and attempt.listening is subject.is_tentacle:
            as_declared = declared is None or attempt.probe.thumbprint == declared
            if as_declared and (anywhere or _is_here(attempt.probe, subject)):
                return attempt
    return None


def _is_here(probe: Probe, subject: Subject) -> bool:
    """Whether what answered is this host: at one of its addresses, or at a port that it listens on."""
    try:
        own = {plain_address(address) for address in subject.read(FACTS.host).addresses}
        if probe.connect is not None and plain_address(probe.connect.address or "") in own:
            return True
        if any(listener.port == probe.port for listener in subject.read(FACTS.listeners)):
            return True
        return published_port(subject, probe.port) is not None
    except Unknown:
        return False


def _active_node(subject: Subject, services: Iterable[Service]) -> Subject | None:
    own = tuple(services)
    by_hand = all(service.start_mode != "auto" for service in own)
    if any(service.state is not ServiceState.STOPPED or service.exit_code not in _QUIET_ENDS for service in own):
        return None
    for other in _other_nodes(subject):
        if not _runs(other):
            continue
        if subject.machine.cluster is not None:
            return other
        if own and by_hand and _shows_page_of(other, subject):
            return other
    return None


def _other_nodes(subject: Subject) -> Iterator[Subject]:
    """The machines of the same kind on other hosts that are declared to be the same cluster, or by the same name."""
    machine = subject.machine
    for name in subject.fleet.twins_of(machine):
        other = subject.fleet.subject(name)
        if other.machine.host_key != machine.host_key and isinstance(other.machine, Tentacle) is subject.is_tentacle:
            yield other


def _runs(other: Subject) -> bool:
    try:
        service = other.service
    except Unknown:
        return False
    return service is not None and service.state is ServiceState.RUNNING


def _shows_page_of(other: Subject, subject: Subject) -> bool:
    """Whether at this machine's name or address the page with the other's certificate is shown."""
    expected = as_thumbprint(other.expected_thumbprint)
    return expected is not None and any(
        attempt.shows_page and attempt.listening is subject.is_tentacle and attempt.probe.thumbprint == expected
        for attempt in attempts_of(subject)
    )


@dataclass(frozen=True)
class Published:
    """One published port.

    Attributes:
        source: where that was seen.
        words: who holds it, or what leads it on.
    """

    source: str
    words: str


def engine_of(process: Process | None) -> str | None:
    """`Docker` or `Podman`, where that is why the process holds a port; else None."""
    return FORWARDERS.get((process.name or "").lower()) if process is not None else None


def container_of(process: Process | None) -> str | None:
    """Address and port of the container, as docker-proxy was told; None where its arguments do not tell."""
    told = {found["what"]: found["value"] for found in _ARGUMENT.finditer((process and process.command_line) or "")}
    host = told.get("ip")
    if host is None or "port" not in told:
        return None
    return f"[{host}]:{told['port']}" if ":" in host else f"{host}:{told['port']}"


def published_port(subject: Subject, port: int | None) -> Published | None:
    """How the host publishes the port for a container; None where it does not, or nobody knows."""
    if port is None:
        return None
    return _by_program(subject, port) or _by_rule(subject, port)


def _by_program(subject: Subject, port: int) -> Published | None:
    try:
        listeners = subject.read(FACTS.listeners)
    except Unknown:
        return None
    for listener in listeners:
        if listener.port == port and listener.owner is not None and (engine := engine_of(listener.owner)):
            there = container_of(listener.owner)
            words = f"{engine}'s {listener.owner.name} holds port {port}" + (f" for {there}" if there else "")
            return Published(f"sockets of {subject.name}", words)
    return None


def _by_rule(subject: Subject, port: int) -> Published | None:
    try:
        filters = subject.read(FACTS.firewall).filters
    except Unknown:
        return None
    for chain in filters.chains if filters is not None else ():
        for rule in chain.rules:
            there = _LEADS_TO.search(rule.to or "") if rule.verdict == "divert" else None
            if there is not None and _is_of_port(rule, port):
                return Published(f"packet filter of {subject.name}", f"a rule leads port {port} on to {there[0]}")
    return None


def _is_of_port(rule: FilterRule, port: int) -> bool:
    return any(
        match.field == "tcp dport" and not match.negated and any(_holds(value, port) for value in match.values)
        for match in rule.matches
    )


def _holds(value: str, port: int) -> bool:
    first, _, last = value.partition("-")
    return first.isdecimal() and (last or first).isdecimal() and int(first) <= port <= int(last or first)
