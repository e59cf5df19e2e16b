"""A product that does not run on the host that is logged on to, and is well: in a container, or standing by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_tentacle.inventory.model import Mode, Tentacle
from pytest_tentacle.link import Probe
from pytest_tentacle.link.hosts import plain_address
from pytest_tentacle.survey.model import Service, ServiceState

from .attempts import Attempt, attempts_of
from .finding import Evidence, Unknown
from .reading import FACTS
from .subject import Subject
from .thumbprints import as_thumbprint

AWAY_READS = ("fleet.away",)
"""What `away` reads: sections of several machines, which a check of one machine need not name each."""

_NEVER_STARTED = 1077
_QUIET_ENDS = (None, 0, _NEVER_STARTED)
"""Exit codes of a service that was stopped in order, or not started."""


def away(subject: Subject) -> Evidence | None:
    """Why nothing of the product is to be looked at on the machine's own host; None where it should run there.

    - The inventory says that it runs in a container.
    - The host knows neither instance nor service of it, and what answers on this host's own address or port is it.
    - Another node of its failover cluster runs it: one that the inventory says to be of the same cluster, or one by the
      same name or address, where the page with that one's certificate is shown.
    """
    subject.ledger.note({("fleet", "away")})
    if "away" not in subject.kept:
        with subject.ledger.watch():
            subject.kept["away"] = _away(subject)
    found: Evidence | None = subject.kept["away"]
    return found


def stands_by(subject: Subject) -> Subject | None:
    """The machine that runs what this one would take over: both are nodes of one failover cluster. None without one."""
    if away(subject) is None or subject.machine.container:
        return None
    with subject.ledger.watch():
        return _active_node(subject, _own_services(subject))


def mode_of(subject: Subject) -> Mode | None:
    """The communication mode; that of a Tentacle away that shows its page is to listen, whatever settings it has."""
    if subject.mode is not None or away(subject) is None:
        return subject.mode
    with subject.ledger.watch():
        return Mode.LISTENING if _page(subject) is not None else None


def _away(subject: Subject) -> Evidence | None:
    if subject.machine.container:
        return Evidence("inventory", f"{subject.name} runs in a container: its links are checked, but not its host")
    try:
        services = _own_services(subject)
        instances = [each for each in subject.read(FACTS.instances) if each.product == subject.product]
    except Unknown:
        return None
    node = _active_node(subject, services)
    if node is not None:
        what = f"of cluster {subject.machine.cluster}" if subject.machine.cluster else "by the same name"
        return Evidence(
            f"services of {node.name} and {subject.name}",
            f"{node.name} {what} runs it, and {subject.name} stands by: its cluster starts it, and nobody else may",
        )
    if services or instances:
        return None
    page = _page(subject)
    if page is None:
        return None
    return Evidence(
        f"probe of {page.probe.host}:{page.probe.port} from {page.vantage}",
        "it answers on this host, which has neither an instance nor a service of it: it runs in a container",
    )


def _own_services(subject: Subject) -> tuple[Service, ...]:
    return tuple(service for service in subject.read(FACTS.services) if service.product == subject.product)


def _page(subject: Subject) -> Attempt | None:
    """A look of a peer's that shows its page, with its thumbprint as far as that is declared, on this very host."""
    declared = as_thumbprint(subject.machine.thumbprint)
    for attempt in attempts_of(subject):
        if attempt.shows_page and attempt.listening is subject.is_tentacle:
            as_declared = declared is None or attempt.probe.thumbprint == declared
            if as_declared and _is_here(attempt.probe, subject):
                return attempt
    return None


def _is_here(probe: Probe, subject: Subject) -> bool:
    """Whether what answered is this host: at one of its addresses, or at a port that it listens on."""
    try:
        own = {plain_address(address) for address in subject.read(FACTS.host).addresses}
        if probe.connect is not None and plain_address(probe.connect.address or "") in own:
            return True
        return any(listener.port == probe.port for listener in subject.read(FACTS.listeners))
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
