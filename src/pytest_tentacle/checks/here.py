"""Guide, "Check the Connections": the welcome page on the machine itself, and who holds its port."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_tentacle.guide.outcome import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.link import Failure, Stage
from pytest_tentacle.survey.model import ServiceState
from pytest_tentacle.survey.targets import plain_address

from .check import check
from .links import ANOTHER_PAGE, describe, finding_of
from .services import STEP as SERVICES
from .services import STOPPING_CODES
from .settings import FILE_CODES, NOT_LISTENING_CODES
from .settings import STEP as SETTINGS
from .thumbprints import as_thumbprint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_tentacle.link import Probe
    from pytest_tentacle.survey.model import Listener, Process

    from .check import Finding
    from .links import LinkFinding
    from .subject import Subject

STEP = "welcome-page-here"

HERE_CODES = frozenset({"TT501", "TT502", "TT503", "TT504", "TT505"})
"""With one of these, what the peer sees on this machine's port is no news."""

_CALAMARI = re.compile(r"calamari|octopus.{0,200}[\\/]work[\\/]", re.IGNORECASE)
"""What a Tentacle starts, and what may keep its socket, has one of these in its command line (guide, "Zombie Child
Processes"): Calamari itself, or a shell with a script in the Tentacle's folder Work."""

_BY_HAND = "Browse to it on the machine, as the guide says."
_NOT_OURS = frozenset({ANOTHER_PAGE, "TT529"})


@check(STEP, codes=("TT502", "TT503"), reads=("instances", "services", "listeners", "probes"))
def port_holder(subject: Subject) -> Iterator[Finding]:
    """Whoever listens on the port is the service of this very instance."""
    _require_listening(subject)
    if _answers_as_itself(subject):
        yield Evidence(f"probe on {subject.name}", f"its own certificate answers on port {subject.expected_port}")
        return
    listeners = _listeners(subject)
    if not listeners or any(_is_own(subject, listener) for listener in listeners):
        for listener in listeners:
            yield Evidence(f"sockets of {subject.name}", _listener_line(listener))
        return
    named = next((listener for listener in listeners if listener.pid is not None), None)
    if named is None:
        raise Unknown(
            f"{subject.name} does not tell which process listens on port {subject.expected_port}",
            "Survey with an account that may see it (Windows: local Administrators; Linux: root or sudo).",
        )
    zombie = named.owner is None or _is_left_over(named.owner)
    yield Problem(
        "TT503" if zombie else "TT502",
        subject.name,
        expected=f"port {named.port} is held by {_service_words(subject)}",
        actual=_holder_words(named),
        evidence=tuple(Evidence(f"sockets of {subject.name}", _listener_line(listener)) for listener in listeners),
        facts={
            "instance": subject.instance_name,
            "port": named.port,
            "pid": named.pid,
            "process": named.owner.name if named.owner else None,
            "executable": named.owner.executable if named.owner else None,
            "children": tuple(child.pid for child in named.children),
        },
    )


@check(
    STEP,
    codes=("TT501", "TT504", "TT505"),
    reads=("instances", "services", "listeners", "probes"),
)
def page(subject: Subject) -> Iterator[Finding]:
    """https://localhost:<port> on the machine itself shows the product's own welcome page."""
    _require_listening(subject)
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
    if isinstance(finding, Unknown):
        raise finding
    if finding is not None and probe is not None:
        yield _page_problem(subject, probe, finding)


def _page_problem(subject: Subject, probe: Probe, finding: LinkFinding) -> Problem:
    listeners: tuple[Listener, ...] = ()
    try:
        listeners = _listeners(subject)
        sockets = "; ".join(map(_listener_line, listeners)) or f"nobody listens on port {probe.port}"
    except Unknown as unknown:
        sockets = unknown.reason
    refused = finding.facts.get("stage") == Stage.CONNECT and finding.facts.get("error") == Failure.REFUSED
    answer = "TT504" if finding.code in _NOT_OURS else "TT505"
    return Problem(
        "TT501" if refused and not listeners else answer,
        subject.name,
        expected=f"https://{probe.host}:{probe.port} shows the page of {_product(subject)}",
        actual=finding.actual,
        evidence=(*finding.evidence, Evidence(f"sockets of {subject.name}", sockets)),
        facts=finding.facts | {"instance": subject.instance_name},
    )


def _require_listening(subject: Subject) -> None:
    """Raises Blocked where the settings are missing or let nothing listen, Unknown where they are unknown."""
    if not subject.is_tentacle:
        subject.server_settings  # noqa: B018  raises
        return
    if subject.settings.no_listen:
        standing = subject.first_problem(NOT_LISTENING_CODES, SETTINGS)
        if standing:
            raise Blocked(standing.code, subject.name, "it listens on no port")
        raise Unknown(f"{subject.name} listens on no port, and nobody says that it polls", "Declare its mode.")
    if subject.expected_port is None:
        raise Blocked("TT311", subject.name, "there is no port number to look at")


def _give_way(subject: Subject) -> None:
    """Raises Blocked where another failure on this machine explains that there is no page."""
    standing = (
        subject.first_problem(STOPPING_CODES, SERVICES)
        or subject.first_problem(FILE_CODES | {"TT316"}, SETTINGS)
        or _foreign_holder(subject)
    )
    if standing:
        raise Blocked(standing.code, subject.name, standing.actual)
    try:
        service = subject.service
    except Unknown:
        return
    if service is not None and service.state is ServiceState.STARTING:
        raise Unknown(
            f"service {service.name} on {subject.name} was just starting", "Allow it 30 seconds, then run again."
        )


def _foreign_holder(subject: Subject) -> Problem | None:
    try:
        return next((found for found in port_holder.look(subject) if isinstance(found, Problem)), None)
    except Unknown:
        return None


def _listeners(subject: Subject) -> tuple[Listener, ...]:
    """Who listens where the instance does: on its address, or on every address."""
    own = None
    if subject.is_tentacle and subject.settings.listen_ip:
        own = plain_address(subject.settings.listen_ip)
    every = {"0.0.0.0", "::"}
    fitting = (listener for listener in subject.read("listeners") if listener.port == subject.expected_port)
    if own is None or own in every:
        return tuple(fitting)
    return tuple(listener for listener in fitting if plain_address(listener.address) in {own, *every, None})


def _is_own(subject: Subject, listener: Listener) -> bool:
    """Whether it is the service's process, or one that the service's process started to do its work."""
    service = subject.service
    if service is None or service.state not in (ServiceState.RUNNING, ServiceState.STARTING, ServiceState.STOPPING):
        return False
    owner = listener.owner
    if service.pid is None:  # Windows without WMI: the executable has to do
        return owner is not None and bool(service.executable) and _same_file(owner.executable, service.executable)
    if listener.pid == service.pid:
        return True
    return owner is not None and owner.parent_pid == service.pid and not _is_left_over(owner)


def _is_left_over(owner: Process) -> bool:
    """A script or Calamari that a Tentacle started: nobody else makes them listen there."""
    return bool(_CALAMARI.search(f"{owner.name or ''} {owner.command_line or ''}"))


def _answers_as_itself(subject: Subject) -> bool:
    """The page with the instance's own certificate came back: then it is the Tentacle, however it was started."""
    expected = as_thumbprint(subject.configured_thumbprint or subject.machine.thumbprint)
    return expected is not None and subject.presented_here == expected


def _same_file(one: str | None, other: str | None) -> bool:
    return bool(one and other) and str(one).lower() == str(other).lower()


def _holder_words(listener: Listener) -> str:
    if listener.owner is None:
        children = ", ".join(_process_words(child) for child in listener.children)
        left = f"; what it left behind: {children}" if children else ""
        return f"it is held by process {listener.pid}, which is gone{left}"
    return f"it is held by {_process_words(listener.owner)}"


def _process_words(process: Process) -> str:
    return f"{process.name or 'a process'} (pid {process.pid}" + (
        f", {process.executable})" if process.executable else ")"
    )


def _listener_line(listener: Listener) -> str:
    owner = _process_words(listener.owner) if listener.owner else f"pid {listener.pid or 'not shown'}"
    return f"{listener.address}:{listener.port} is held by {owner}"


def _service_words(subject: Subject) -> str:
    service = subject.service
    if service is None:
        return f"instance {subject.instance_name}"
    return f"service {service.name}" + (f" (pid {service.pid})" if service.pid else "")


def _product(subject: Subject) -> str:
    return "Tentacle" if subject.is_tentacle else "Octopus Server"
