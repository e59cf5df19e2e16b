"""Guide, "Check the Connections": the welcome page on the machine itself, and who holds its port."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from pytest_tentacle.guide.consequences import NO_PROCESS, NO_SETTINGS, NOT_LISTENING
from pytest_tentacle.judging.attempts import ATTEMPT_READS, attempts_of
from pytest_tentacle.judging.away import AWAY_READS, container_of, engine_of
from pytest_tentacle.judging.check import Check, Finding, check
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.judging.thumbprints import as_thumbprint
from pytest_tentacle.link import Failure, Probe, Stage
from pytest_tentacle.link.hosts import plain_address
from pytest_tentacle.survey.model import Listener, Process, ServiceState

from .link_verdict import runs_later
from .linux_filter import on_loopback
from .probe_verdict import ANOTHER_PAGE, LinkFinding, describe, finding_of
from .reserved import HTTP_SYS_PID, excluded_range, served_urls

_CALAMARI = re.compile(r"calamari|octopus.{0,200}[\\/]work[\\/]", re.IGNORECASE)
"""What a Tentacle starts, and what may keep its socket, has one of these in its command line (guide, "Zombie Child
Processes"): Calamari itself, or a shell with a script in the Tentacle's folder Work."""

_BY_HAND = "Browse to it on the machine, as the guide says."
_NOT_OURS = frozenset({ANOTHER_PAGE, "TT529"})
_NO_PAGE = {Failure.PROTOCOL_VERSION.value: "TT508", Failure.NO_COMMON_CIPHER.value: "TT508"}
"""Answers of a live process: it says no to the TLS of its own machine. Whatever else keeps the page back is TT505."""


_SETTLED = timedelta(minutes=2)

HELD_BY_ANOTHER = frozenset({"TT502", "TT503", "TT507"})
"""Whoever answers at the port is not the service of this instance."""


@check(codes=tuple(sorted(HELD_BY_ANOTHER)), reads=("instances", "services", "listeners", "probes", "reservations"))
def port_is_held_by_the_service(subject: Subject) -> Iterator[Finding]:
    """Whoever listens on the port is the service of this very instance."""
    require_listening(subject)
    if _answers_as_itself(subject):
        yield Evidence(f"probe on {subject.name}", f"its own certificate answers on port {subject.expected_port}")
        return
    listeners = listeners_of(subject)
    if not listeners or any(is_own(subject, listener) for listener in listeners):
        for listener in listeners:
            yield Evidence(f"sockets of {subject.name}", listener_line(listener))
        return
    named = next((listener for listener in listeners if listener.pid is not None), None)
    if named is None:
        raise Unknown(
            f"{subject.name} does not tell which process listens on port {subject.expected_port}",
            "Survey with an account that may see it (Windows: local Administrators; Linux: root or sudo).",
        )
    zombie = named.owner is None or is_left_over(named.owner)
    urls = _urls_of(subject, named)
    served = Evidence(f"http.sys of {subject.name}", ", ".join(urls))
    yield Problem(
        "TT507" if urls else "TT503" if zombie else "TT502",
        subject.name,
        expected=f"port {named.port} is held by {_service_words(subject)}",
        actual=f"http.sys holds it for {', '.join(urls[:3])}" if urls else holder_words(named),
        evidence=(
            *(Evidence(f"sockets of {subject.name}", listener_line(listener)) for listener in listeners),
            *((served,) if urls else ()),
        ),
        facts=_own(subject)
        | {
            "port": named.port,
            "pid": named.pid,
            "process": named.owner.name if named.owner else None,
            "executable": named.owner.executable if named.owner else None,
            "engine": engine_of(named.owner),
            "container": container_of(named.owner),
            "child": next((child.pid for child in named.children), None),
            "url": urls[0] if urls else None,
        },
    )


@check(codes=("TT506",), reads=("host", "instances", "services", "listeners", "probes", "reservations"))
def port_is_not_excluded_from_use(subject: Subject) -> Iterator[Finding]:
    """Where nobody listens, Windows does not exclude the port from use: nothing could open it then (error 10013)."""
    require_listening(subject)
    port = subject.expected_port
    if port is None or _answers_as_itself(subject) or listeners_of(subject):
        return
    if subject.read(FACTS.host).os != "windows":
        return
    reservations = subject.read(FACTS.reservations)
    if reservations.excluded is None:
        raise Unknown(
            f"the ports that Windows excludes on {subject.name} were not read: {reservations.unread}", _BY_HAND
        )
    found = excluded_range(reservations, port)
    if found is None:
        yield Evidence(f"excluded ports of {subject.name}", f"port {port} is not among them")
        return
    shown = str(found.first) if found.first == found.last else f"{found.first} to {found.last}"
    yield Problem(
        "TT506",
        subject.name,
        expected=f"port {port} can be opened",
        actual=f"Windows excludes the ports {shown} from use, and nothing listens on {port}",
        evidence=(Evidence(f"excluded ports of {subject.name}", f"{found.first} to {found.last}"),),
        facts=_own(subject) | {"port": port, "first": found.first, "last": found.last},
    )


@check(
    codes=("TT501", "TT504", "TT505", "TT508"),
    reads=("host", "listeners", "reservations", "firewall", *AWAY_READS, *ATTEMPT_READS),
)
def page_is_shown_here(subject: Subject) -> Iterator[Finding]:
    """https://localhost:<port> on the machine itself shows the product's own welcome page."""
    require_listening(subject)
    port = subject.expected_port
    probe = subject.local_probe
    finding: LinkFinding | Unknown | None
    if probe is None:
        finding = Unknown(f"{subject.name} did not probe its own port {port}", _BY_HAND)
    elif probe.port != port:
        finding = Unknown(
            f"{subject.name} probed its port {probe.port}, but the service's environment makes it {port}", _BY_HAND
        )
    else:
        try:
            finding = finding_of(probe, subject.name, subject.product, None)
        except Unknown as unknown:
            finding = unknown
    if finding is None and probe is not None:
        yield Evidence(f"probe on {subject.name}", describe(probe))
        return
    _give_way(subject)
    _give_way_to_filter(subject, probe)
    if isinstance(finding, Unknown):
        raise finding
    if finding is not None and probe is not None and (device := tied_to(subject)):
        yield _seen_from_beyond(subject, device)
    elif finding is not None and probe is not None:
        problem = _page_problem(subject, probe, finding)
        silent = finding.facts.get("stage") == Stage.CONNECT and finding.facts.get("error") == Failure.TIMED_OUT
        closed = problem.code == "TT501" and _just_started(subject)
        shown = _shown_to_others(subject) if closed or (problem.code == "TT505" and silent) else None
        if shown is not None and closed:
            raise Unknown(
                f"nothing listened on port {probe.port} when {subject.name} was surveyed, and yet {shown} was then "
                "shown the page there: the service may just have started",
                "Run again in two minutes.",
            )
        if shown is not None:
            raise Unknown(
                f"its own look failed ({finding.actual}), and yet {shown} was shown the page there: what keeps "
                f"{subject.name} from connecting to itself is not known",
                "Look whether a security product keeps programs from opening connections.",
            )
        yield problem


def _page_problem(subject: Subject, probe: Probe, finding: LinkFinding) -> Problem:
    listeners: tuple[Listener, ...] = ()
    try:
        listeners = listeners_of(subject)
        sockets = "; ".join(map(listener_line, listeners)) or f"nothing listens on port {probe.port}"
    except Unknown as unknown:
        sockets = unknown.reason
    refused = finding.facts.get("stage") == Stage.CONNECT and finding.facts.get("error") == Failure.REFUSED
    answer = "TT504" if finding.code in _NOT_OURS else _NO_PAGE.get(str(finding.facts.get("error")), "TT505")
    return Problem(
        "TT501" if refused and not listeners else answer,
        subject.name,
        expected=f"https://{probe.host}:{probe.port} shows the page of {_product(subject)}",
        actual=finding.actual,
        evidence=(*finding.evidence, Evidence(f"sockets of {subject.name}", sockets)),
        facts=finding.facts | _own(subject),
    )


def _seen_from_beyond(subject: Subject, device: str) -> Evidence:
    """Of a port that the machine itself cannot reach. Raises Unknown where nobody else was shown its page."""
    shown = _shown_to_others(subject)
    if shown is None:
        raise Unknown(
            f"{subject.name} cannot look at its own port {subject.expected_port}: it takes only what comes by {device}",
            "Browse to it from a machine that is beyond that device.",
        )
    return Evidence(f"sockets of {subject.name}", f"only what comes by {device}; {shown} was shown the page there")


def tied_to(subject: Subject) -> str | None:
    """The device by which alone its port is reached, so that no look at localhost is; None where there is none."""
    try:
        devices = {each.device for each in listeners_of(subject)}
    except Unknown:
        return None
    return next(iter(devices)) if len(devices) == 1 and devices.isdisjoint({None, "lo"}) else None


def _shown_to_others(subject: Subject) -> str | None:
    """Who was shown the machine's page across a link: then its process does not hang."""
    return next(
        (attempt.vantage for attempt in attempts_of(subject) if attempt.link.end is subject and attempt.shows_page),
        None,
    )


def _just_started(subject: Subject) -> bool:
    """Whether the service had been started so lately that it need not have come as far as to listen."""
    service, clock = subject.known_service, subject.read(FACTS.host).clock_utc
    started = service.started_utc if service is not None else None
    return clock is not None and started is not None and clock - started < _SETTLED


def _own(subject: Subject) -> dict[str, object]:
    """What a command on the machine needs."""
    try:
        service = subject.service
    except (Unknown, Blocked):
        service = None
    return {"instance": subject.instance_name, "service": service.name if service else None}


def require_listening(subject: Subject) -> None:
    """Raises Blocked where the settings are missing or let nothing listen, Unknown where they are unknown."""
    if not subject.is_tentacle:
        subject.server_settings  # noqa: B018  raises
        return
    if subject.settings.no_listen:
        standing = subject.first_problem(NOT_LISTENING, "communication-settings")
        if standing:
            raise Blocked(standing.code, subject.name, "it listens on no port")
        raise Unknown(f"{subject.name} listens on no port, and nobody says that it polls", "Declare its mode.")
    if subject.expected_port is None:
        raise Blocked("TT311", subject.name, "there is no port number to look at")


def _give_way(subject: Subject) -> None:
    """Raises Blocked where another failure on this machine explains that there is no page."""
    standing = (
        subject.first_problem(NO_PROCESS, "services-running")
        or subject.first_problem(NO_SETTINGS | {"TT316"}, "communication-settings")
        or _own_finding(subject, port_is_held_by_the_service)
        or _own_finding(subject, port_is_not_excluded_from_use)
    )
    if standing:
        raise Blocked(standing.code, subject.name, standing.actual)
    if (later := runs_later(subject)) is not None:
        raise later


def _give_way_to_filter(subject: Subject, probe: Probe | None) -> None:
    """Raises Unknown where the machine's own rules keep even its own look out: that says nothing about the process.

    So it is where a rule that could not be judged may do so, and the look got no answer at all, or was refused by an
    open port.
    """
    if probe is None or probe.connect is None or probe.connect.error is None:
        return
    verdict = on_loopback(subject, probe)
    if verdict is None:
        return
    if verdict.word == "closed":
        raise Unknown(
            f"the packet filter of {subject.name} keeps its own look at port {probe.port} out: {verdict.words}",
            "Let loopback through (nft: iif lo accept), or browse there from elsewhere.",
        )
    if verdict.word == "unclear" and (
        probe.connect.error is Failure.TIMED_OUT or (verdict.rejects and _listens(subject))
    ):
        answer = "no answer" if probe.connect.error is Failure.TIMED_OUT else "no connection"
        raise Unknown(
            f"{subject.name} got {answer} from its own port {probe.port}, and its packet filter may be why: "
            f"{verdict.words}",
            "Let loopback through (nft: iif lo accept), or look whether that rule counts packets.",
        )


def _listens(subject: Subject) -> bool:
    """Whether somebody listens on the port: then a system refuses no connection, but by a rule."""
    try:
        return bool(listeners_of(subject))
    except Unknown:
        return False


def _own_finding(subject: Subject, check_of_this_step: Check) -> Problem | None:
    try:
        return next((found for found in check_of_this_step.look(subject) if isinstance(found, Problem)), None)
    except Unknown:
        return None


def _urls_of(subject: Subject, holder: Listener) -> tuple[str, ...]:
    """What http.sys serves on the port that its process holds; nothing where that is not known."""
    if holder.pid != HTTP_SYS_PID:
        return ()
    try:
        return served_urls(subject.read(FACTS.reservations), holder.port)
    except Unknown:
        return ()


def listeners_of(subject: Subject) -> tuple[Listener, ...]:
    """Who listens where the instance does: on its address, or on every address."""
    own = None
    if subject.is_tentacle and subject.settings.listen_ip:
        own = plain_address(subject.settings.listen_ip)
    every = {"0.0.0.0", "::"}
    fitting = (listener for listener in subject.read(FACTS.listeners) if listener.port == subject.expected_port)
    if own is None or own in every:
        return tuple(fitting)
    return tuple(listener for listener in fitting if plain_address(listener.address) in {own, *every, None})


def is_own(subject: Subject, listener: Listener) -> bool:
    """Whether it is the service's process, or one that the service's process started to do its work."""
    service = subject.service
    if service is None or service.state not in (ServiceState.RUNNING, ServiceState.STARTING, ServiceState.STOPPING):
        return False
    owner = listener.owner
    if service.pid is None:  # Windows without WMI: the executable has to do
        return owner is not None and bool(service.executable) and _same_file(owner.executable, service.executable)
    if listener.pid == service.pid:
        return True
    return owner is not None and owner.parent_pid == service.pid and not is_left_over(owner)


def is_left_over(owner: Process) -> bool:
    """A script or Calamari that a Tentacle started: nobody else makes them listen there."""
    return bool(_CALAMARI.search(f"{owner.name or ''} {owner.command_line or ''}"))


def _answers_as_itself(subject: Subject) -> bool:
    """The page with the instance's own certificate came back: then it is the Tentacle, however it was started."""
    expected = as_thumbprint(subject.configured_thumbprint or subject.machine.thumbprint)
    return expected is not None and subject.presented_here == expected


def _same_file(one: str | None, other: str | None) -> bool:
    return bool(one and other) and str(one).lower() == str(other).lower()


def holder_words(listener: Listener) -> str:
    """Who holds a socket, and what a vanished holder left behind."""
    if listener.owner is None:
        children = ", ".join(_process_words(child) for child in listener.children)
        left = f"; what it left behind: {children}" if children else ""
        return f"it is held by process {listener.pid}, which is gone{left}"
    return f"it is held by {_process_words(listener.owner)}"


def _process_words(process: Process) -> str:
    return f"{process.name or 'a process'} (pid {process.pid}" + (
        f", {process.executable})" if process.executable else ")"
    )


def listener_line(listener: Listener) -> str:
    """A socket and its holder, as evidence."""
    owner = _process_words(listener.owner) if listener.owner else f"pid {listener.pid or 'not shown'}"
    return f"{listener.address}:{listener.port} is held by {owner}"


def _service_words(subject: Subject) -> str:
    service = subject.service
    if service is None:
        return f"instance {subject.instance_name}"
    return f"service {service.name}" + (f" (pid {service.pid})" if service.pid else "")


def _product(subject: Subject) -> str:
    return "Tentacle" if subject.is_tentacle else "Octopus Server"
