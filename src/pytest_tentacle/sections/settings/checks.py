"""Guide, "Communication Settings": configuration file, mode, port, listening address."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from pytest_tentacle.inventory.model import Mode, OctopusServer, Tentacle
from pytest_tentacle.judging.attempts import ATTEMPT_READS, attempts_of
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.judging.thumbprints import as_thumbprint
from pytest_tentacle.link.hosts import plain_address
from pytest_tentacle.survey.configuration import TentacleSettings

LISTENING_STYLE = 1
POLLING_STYLE = 2


@check(codes=("TT301", "TT302", "TT303"), reads=("instances", "services"))
def configuration_is_readable(subject: Subject) -> Iterator[Finding]:
    """The configuration file is there and whole."""
    configuration = subject.instance.configuration
    try:
        settings = subject.file_settings
    except Blocked as block:
        yield Problem(
            block.code,
            subject.name,
            expected=f"{configuration.path} holds the settings",
            actual={"TT301": "there is no such file", "TT302": "the file is empty"}.get(
                block.code, f"the file is malformed: {configuration.detail or 'no settings can be read from it'}"
            ),
            evidence=(Evidence(configuration.path, f"{configuration.error}, {configuration.size or 0} bytes"),),
            facts=_facts(subject),
        )
        return
    error = subject.settings.trusted_error if subject.is_tentacle else None
    if error:
        yield Problem(
            "TT303",
            subject.name,
            expected="Tentacle.Communication.TrustedOctopusServers is a list",
            actual=error,
            evidence=(Evidence(configuration.path, error),),
            facts=_facts(subject),
        )
        return
    yield Evidence(configuration.path, f"{len(settings)} settings")


@check(codes=("TT310", "TT312"), reads=("instances", "services"))
def mode_is_as_declared(subject: Subject) -> Iterator[Finding]:
    """The Tentacle communicates in the mode that it is meant to."""
    if not isinstance(subject.machine, Tentacle):
        return
    settings = subject.settings
    declared = subject.machine.mode
    polling = [entry for entry in settings.trusted if entry.style == POLLING_STYLE]
    left_over = _only_listening(settings)
    seen = f"NoListen is {str(settings.no_listen).lower()}; {len(polling)} of {len(settings.trusted)} entries poll"
    evidence = (Evidence(subject.instance.configuration.path, seen),)
    if settings.no_listen and left_over and declared is not Mode.POLLING:
        yield Problem(
            "TT312",
            subject.name,
            expected="a Tentacle that trusts a server to connect to it listens (NoListen is false)",
            actual="NoListen is true, so it listens on no port",
            evidence=evidence,
            facts=_facts(subject),
        )
    elif declared is Mode.LISTENING and settings.no_listen:
        yield _other_mode(subject, "listening", "it only polls: NoListen is true", evidence)
    elif declared is Mode.POLLING and settings.trusted and not polling:
        yield _other_mode(subject, "polling", "it polls no server: it waits for servers to connect", evidence)
    else:
        word = subject.mode.value if subject.mode else "not known"
        yield Evidence(subject.instance.configuration.path, f"mode {word}: {seen}")


@check(codes=("TT311", "TT317"), reads=("instances", "services", "listeners", *ATTEMPT_READS))
def port_is_as_declared(subject: Subject) -> Iterator[Finding]:
    """The port is the one that the inventory declares."""
    machine = subject.machine
    path = subject.instance.configuration.path
    configured = subject.expected_port
    seen = f"port {configured}" if configured else "what stands for the port is no port number"
    if isinstance(machine, OctopusServer):
        if configured in machine.polling_ports:
            yield Evidence(path, seen)
            return
        if translated := _translated(subject, machine.polling_ports):
            yield translated
            return
        declared = " or ".join(map(str, machine.polling_ports))
        code, what = "TT317", f"polling Tentacles are served on port {declared}"
        facts = {"declared": machine.polling_ports[0] if machine.polling_ports else None}
    else:
        wanted = machine.listens_on or machine.port
        if subject.mode is Mode.POLLING or (configured and wanted in (None, configured)):
            yield Evidence(path, seen)
            return
        if configured and machine.listens_on is None and (translated := _translated(subject, (wanted,))):
            yield translated
            return
        code, what = "TT311", f"it listens on port {wanted or '1 to 65535'}"
        facts = {"declared": wanted}
    yield Problem(
        code,
        subject.name,
        expected=what,
        actual=seen,
        evidence=(Evidence(path, seen),),
        facts=_facts(subject) | {"port": configured} | facts,
    )


def _translated(subject: Subject, ports: tuple[int | None, ...]) -> Evidence | None:
    """A look of the other end's that shows its page, with its certificate, at a port that it does not listen on.

    Where its own process does listen there, it still runs by other settings: no translation.
    """
    expected = as_thumbprint(subject.expected_thumbprint)
    if _listens_on(subject, ports):
        return None
    for attempt in attempts_of(subject):
        own = attempt.listening is subject.is_tentacle and attempt.probe.port in ports
        if own and attempt.shows_page and expected is not None and attempt.probe.thumbprint == expected:
            return Evidence(
                f"probe of {attempt.probe.host}:{attempt.probe.port} from {attempt.vantage}",
                f"it leads to port {subject.expected_port} of {subject.name}: NAT, a balancer, or a container's port",
            )
    return None


def _listens_on(subject: Subject, ports: tuple[int | None, ...]) -> bool:
    """Whether the service's own process is seen to listen on one of these ports."""
    try:
        service = subject.service
        own = (listener for listener in subject.read(FACTS.listeners) if listener.port in ports)
        return any(listener.pid is None or (service and listener.pid == service.pid) for listener in own)
    except Unknown:
        return False


@check(codes=("TT316",), reads=("instances", "services", "host"))
def listening_address_is_the_machines_own(subject: Subject) -> Iterator[Finding]:
    """ListenIP, where it is set, is an address of the machine."""
    if not subject.is_tentacle or subject.settings.no_listen:
        return
    path = subject.instance.configuration.path
    text = subject.settings.listen_ip
    if text is None or text.lower() == "any":
        yield Evidence(path, "listens on every address")
        return
    address = plain_address(text)
    if address is not None and _every_or_loopback(address):
        yield Evidence(path, f"listens on {address}")
        return
    own = {plain_address(own) for own in subject.read(FACTS.host).addresses}
    if address is not None and not own:
        raise Unknown(
            f"the addresses of {subject.name} could not be read", "Look with `ipconfig /all` or `ip address`."
        )
    if address in own and address is not None:
        yield Evidence(path, f"listens on {address}, an address of the machine")
        return
    addresses = ", ".join(sorted(filter(None, own)))
    yield Problem(
        "TT316",
        subject.name,
        expected="ListenIP is an address of the machine" + (f": {addresses}" if addresses else ""),
        actual=f"ListenIP is {text}",
        evidence=(Evidence(path, f"Tentacle.Services.ListenIP = {text}"), Evidence(subject.name, f"has {addresses}")),
        facts=_facts(subject) | {"address": text},
    )


def _only_listening(settings: TentacleSettings) -> bool:
    """A server is trusted to connect that is not polled as well.

    `configure --trust` and `server-comms` leave an entry of each kind for one and the same server (tentacle-seen 4.1).
    """
    polled = {as_thumbprint(entry.thumbprint) for entry in settings.trusted if entry.style == POLLING_STYLE}
    return any(
        entry.style == LISTENING_STYLE and as_thumbprint(entry.thumbprint) not in polled for entry in settings.trusted
    )


def _other_mode(subject: Subject, expected: str, actual: str, evidence: tuple[Evidence, ...]) -> Problem:
    return Problem(
        "TT310",
        subject.name,
        expected=f"the Tentacle is {expected}",
        actual=actual,
        evidence=evidence,
        facts=_facts(subject)
        | {"declared": expected, "seen": actual}
        | {"to_listen": expected == "listening", "to_poll": expected == "polling"},
    )


def _every_or_loopback(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return parsed.is_unspecified or parsed.is_loopback


def _facts(subject: Subject) -> dict[str, object]:
    return {"instance": subject.instance_name, "file": subject.instance.configuration.path}
