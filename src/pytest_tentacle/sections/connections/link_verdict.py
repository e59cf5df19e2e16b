"""One link's verdict: by name, then by address, and what the two say together (guide, "Check the Connections")."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tentacle.guide.consequences import (
    INTERCEPTED,
    LISTENS_ELSEWHERE,
    NO_CONNECTION,
    NO_PAGE_HERE,
    NO_PROCESS,
    NO_SETTINGS,
    REFUSES,
)
from pytest_tentacle.judging.away import away
from pytest_tentacle.judging.check import Finding
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.links import Link, Way
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.judging.thumbprints import as_thumbprint
from pytest_tentacle.link import Failure, Probe
from pytest_tentacle.link.hosts import plain_address
from pytest_tentacle.survey.model import Listener, ServiceState

from .linux_filter import LinuxVerdict, verdict_of_way
from .probe_verdict import LINK_CODES, NAME_NOT_RESOLVED, LinkFinding, describe, facts_of, finding_of

DNS_ISSUE = "TT510"
HANGS = "TT505"
SILENCE, NO_WAY = "TT521", "TT522"
ANOTHER_ADDRESS = "TT512"
VERDICT_CODES = (DNS_ISSUE, ANOTHER_ADDRESS, *LINK_CODES)
"""Every code that `judge_link` may yield."""

_LOST = frozenset({Failure.TIMED_OUT, Failure.UNREACHABLE})
_COMES_AND_GOES = frozenset({"TT203", "TT204", "TT206"})
"""A process that is started again and again listens now and then."""

UNPROBED = "Run again, with a longer --machine-timeout if the survey says that time ran out."


def judge_link(link: Link, way: Way) -> Iterator[Finding]:
    """The guide's way: by name; only if that fails, by address; and what the two say together."""
    if way.by_name is None and way.by_address is None:
        nothing = f"{link.vantage.name} did not probe the link of {link.tentacle.name}"
        yield standing_in_the_way(link.end) or Unknown(nothing, UNPROBED)
        return
    name = _look(link, way.by_name)
    if way.by_name is None and link.is_named:
        yield Unknown(f"{link.vantage.name} did not look at the link of {link.tentacle.name} by name", UNPROBED)
    if way.by_name is None or isinstance(name, Unknown):
        yield from _single(link, way, way.by_address if way.by_name is None else way.by_name)
    elif name is None:
        twin = _leads_to_twin(way.by_name, link)
        yield _met_twin(link, way, way.by_name, twin) if twin else _seen(link, way.by_name)
    else:
        yield from _name_failed(link, way, name)


def _single(link: Link, way: Way, probe: Probe | None) -> Iterator[Finding]:
    """The verdict of one probe alone."""
    match _look(link, probe):
        case LinkFinding() as finding:
            yield _blocked_or(link, way, finding)
        case Unknown() as unknown:
            yield standing_in_the_way(link.end) or unknown
        case None if probe is not None:
            yield _seen(link, probe)


def _name_failed(link: Link, way: Way, name: LinkFinding) -> Iterator[Finding]:
    """What the guide concludes from a name that fails, and from the address that works or fails beside it."""
    address = _look(link, way.by_address)
    if name.code == NAME_NOT_RESOLVED and way.by_address is not None and address is None:
        yield _problem(link, way, DNS_ISSUE, name, f"{name.actual}, and by IP address the page is shown")
        return
    if name.code == NAME_NOT_RESOLVED:
        # No failure at the other end explains this one.
        yield _problem(link, way, NAME_NOT_RESOLVED, name, name.actual)
    elif way.by_name is not None and _leads_elsewhere(way.by_name, link):
        resolved = ", ".join(way.by_name.resolve.addresses) if way.by_name.resolve else "?"
        actual = f"the name resolves to {resolved}, not to {link.declared_ip}: {name.actual}"
        finding = LinkFinding(ANOTHER_ADDRESS, actual, name.facts, name.evidence)
        if _meet_different_ends(way):
            yield _problem(link, way, ANOTHER_ADDRESS, finding, actual)
        else:
            yield _led_elsewhere(link, way, finding)
    else:
        yield _blocked_or(link, way, _more_telling(name, address))
        if not (isinstance(address, LinkFinding) and _goes_another_way(way)):
            return
    if address is not None:
        yield from _single(link, way, way.by_address)


def _led_elsewhere(link: Link, way: Way, finding: LinkFinding) -> Problem | Blocked | Unknown:
    """What is said of a name that leads elsewhere, where nothing answers by either way, and the end is not well itself.

    A device that translates addresses passes its silence on; an address of nobody is as silent.
    """
    told = _blocked_or(link, way, finding)
    if not isinstance(told, Blocked) or finding.facts.get("error") not in _LOST:
        return told
    return Unknown(
        f"{finding.actual}. Whether that address leads to {told.machine} (NAT, a balancer), which would not answer "
        f"either ({told.code}), cannot be told",
        f"Compare the name's record with the addresses of {told.machine}, and run again once {told.code} is mended.",
    )


def _more_telling(name: LinkFinding, address: LinkFinding | Unknown | None) -> LinkFinding:
    """Of two looks at one address, the one that a router answered: it may limit what it answers (RFC 1812, 4.3.2.8)."""
    if not isinstance(address, LinkFinding) or (name.code, address.code) != (SILENCE, NO_WAY):
        return name
    same = plain_address(str(name.facts.get("address"))) == plain_address(str(address.facts.get("address")))
    return address if same else name


def _gets_through_at_times(way: Way) -> bool:
    """Whether of two looks at one address, a moment apart, the first got no answer and the second was answered.

    No rule, route or service tells a name from its address: what dropped the one drops now and then.
    """
    name, address = (each.connect if each else None for each in (way.by_name, way.by_address))
    if name is None or address is None or name.error is not Failure.TIMED_OUT or address.error is not None:
        return False
    return bool(name.address) and not _goes_another_way(way)


def _goes_another_way(way: Way) -> bool:
    """Whether the name led to another address than the one that was tried as well: each may fail for its own reason."""
    name, address = way.by_name, way.by_address
    if name is None or address is None or name.connect is None or address.connect is None:
        return False
    dialled = plain_address(name.connect.address or "")
    return dialled is not None and dialled != plain_address(address.connect.address or address.host)


def _meet_different_ends(way: Way) -> bool:
    """Whether the two looks came to another answer: what is wrong with the end does not explain both.

    Where the name led there by way of a NAT device, that would pass on what the end says.
    """
    name = way.by_name.connect if way.by_name else None
    address = way.by_address.connect if way.by_address else None
    answers = {None, Failure.REFUSED}
    return bool(name and address and name.error is not address.error and answers & {name.error, address.error})


def _look(link: Link, probe: Probe | None) -> LinkFinding | Unknown | None:
    """What is wrong with a probe, or why it could not be made; None where all is well, or there is no probe."""
    if probe is None:
        return None
    try:
        return _finding_of(link, probe)
    except Unknown as unknown:
        return unknown


def _seen(link: Link, probe: Probe) -> Evidence:
    return Evidence(f"probe from {link.vantage.name}", describe(probe))


def is_well(link: Link, probe: Probe) -> bool:
    """Whether the product's page came back, with the expected thumbprint where one is known."""
    try:
        return _finding_of(link, probe) is None
    except Unknown:
        return False


def _finding_of(link: Link, probe: Probe) -> LinkFinding | None:
    return finding_of(probe, link.vantage.name, link.product, link.expected_thumbprint)


def _leads_elsewhere(probe: Probe, link: Link) -> bool:
    """Whether a name leads neither to the declared address nor to another one of the same machine."""
    if probe.resolve is None or not probe.resolve.addresses or link.declared_ip is None:
        return False
    return _own_addresses(link).isdisjoint(plain_address(address) for address in probe.resolve.addresses)


def _leads_to_twin(probe: Probe, link: Link) -> Subject | None:
    """The other node whose addresses alone a node's name leads to: they share a certificate, and a page."""
    if not link.polls or link.end is None or not _leads_elsewhere(probe, link) or probe.resolve is None:
        return None
    found = {plain_address(each) for each in probe.resolve.addresses}
    twins = (node for node in link.tentacle.peers if node is not link.end)
    return next((node for node in twins if found <= set(node.known_addresses)), None)


def _met_twin(link: Link, way: Way, probe: Probe, twin: Subject) -> Problem:
    resolved = ", ".join(probe.resolve.addresses) if probe.resolve else "?"
    actual = (
        f"the name resolves to {resolved}, not to {link.declared_ip}: that is {twin.name}, which is polled in its place"
    )
    evidence = (Evidence(f"probe from {link.vantage.name}", describe(probe)),)
    return _problem(link, way, ANOTHER_ADDRESS, LinkFinding(ANOTHER_ADDRESS, actual, facts_of(probe), evidence), actual)


def _own_addresses(link: Link) -> set[str | None]:
    declared = {plain_address(link.declared_ip or "")}
    return declared | set(link.end.known_addresses) if link.end else declared


def _blocked_or(link: Link, way: Way, finding: LinkFinding) -> Problem | Blocked | Unknown:
    """A failure of the listening end itself explains whatever its peers see, but for a name that does not resolve.

    Nor does it explain who else answers them, nor what never came as far as the end (`_explains`).
    """
    standing, own = standing_in_the_way(link.end), _own_look(link.end)
    answered = finding.code in INTERCEPTED and _is_another(link.end, finding)
    if standing and not answered:
        if stranger := _taken_by_another(link, way, standing, finding):
            return stranger
        answered = not _explains(link, way, standing, finding)
    if answered:
        standing = None
    if finding.code in NO_CONNECTION and standing and standing.code == HANGS and own and own.connect:
        # The system takes connections for a process that hangs, until there are too many.
        standing = standing if own.connect.error else None
    later = runs_later(link.end) if link.end and standing is None and not answered else None
    return standing or later or _problem(link, way, finding.code, finding, finding.actual)


def _explains(link: Link, way: Way, standing: Blocked, finding: LinkFinding) -> bool:
    """Whether a failure of the end's own may be why its peers see what they see.

    A process that holds the port open serves it by the settings of its start, whatever became of the file since. And
    where nobody listens, Linux itself refuses: what is lost, or answered by a router, never came as far.
    """
    if standing.code in NO_SETTINGS and _is_held(link.end, finding):
        return False
    return standing.code not in REFUSES or not _is_lost_before(link, way, finding)


def _is_held(end: Subject | None, finding: LinkFinding) -> bool:
    """Whether the end's own service runs, and holds the port that was tried."""
    service = end.known_service if end is not None else None
    if end is None or service is None or service.pid is None or service.state is not ServiceState.RUNNING:
        return False
    return any(service.pid == each.pid for each in _listeners(end, finding) or ())


def _listeners(end: Subject, finding: LinkFinding) -> list[Listener] | None:
    """Who listens on the port that was tried, by the end's own account; None where that was not read."""
    try:
        return [each for each in end.read(FACTS.listeners) if each.port == finding.facts.get("port")]
    except Unknown:
        return None


def _own_rules(link: Link, way: Way, finding: LinkFinding) -> LinuxVerdict | None:
    """What the end's rules (Linux) do with a look at one of its own addresses; None: it was another's, or not read."""
    looks = (way.by_name, way.by_address)
    probe = next((each for each in looks if each is not None and each.host == finding.facts.get("host")), None)
    end = link.end
    if end is None or probe is None or probe.connect is None or away(end) is not None:
        return None
    try:
        own = {plain_address(each) for each in end.read(FACTS.host).addresses}
        if plain_address(probe.connect.address or probe.host) not in own:
            return None
        return verdict_of_way(end, link.vantage, probe, inbound=True)
    except Unknown:
        return None


def _is_lost_before(link: Link, way: Way, finding: LinkFinding) -> bool:
    """Whether a connection was lost though the end's own rules let it in: then it never came as far as its system."""
    if finding.code not in NO_CONNECTION or finding.facts.get("error") not in _LOST:
        return False
    verdict = _own_rules(link, way, finding)
    return verdict is not None and verdict.word == "open"


def _taken_by_another(link: Link, way: Way, standing: Blocked, finding: LinkFinding) -> Unknown | None:
    """Something takes connections for a machine of whose own programs none listens there: whose fault is not known."""
    end = link.end
    if end is None or finding.facts.get("stage") not in {"tls", "page"} or finding.code in INTERCEPTED:
        return None
    if _listeners(end, finding) != []:
        return None
    comes_and_goes = standing.code in _COMES_AND_GOES
    if comes_and_goes and not _taken_each_time(way):
        return None
    verdict = _own_rules(link, way, finding)
    if verdict is None or verdict.word != "open":
        return None
    port, doubt = finding.facts.get("port"), "Whether it passes them on to who listens cannot be told"
    if comes_and_goes:
        doubt = "Or its process does in the moments in which it runs, and ends before it answers"
    perhaps = "perhaps " if comes_and_goes else ""
    return Unknown(
        f"{perhaps}something on the way takes connections for {end.name} on port {port}, where nobody "
        f"listens on {end.name} itself ({standing.code}), and: {finding.actual}. {doubt}",
        "See what stands in between (a load balancer, a proxy, a firewall that answers), and run again once "
        f"{standing.code} is mended.",
    )


def _taken_each_time(way: Way) -> bool:
    """Whether both looks came as far as a connection: that a process which seldom runs took both may be, by chance."""
    looks = (way.by_name, way.by_address)
    return all(look is not None and look.connect is not None and look.connect.error is None for look in looks)


def _is_another(end: Subject | None, finding: LinkFinding) -> bool:
    """Whether something between answers: nobody listens on the machine, or whoever does has another certificate."""
    own, met = _own_look(end), finding.facts.get("thumbprint")
    if end is None or own is None or own.connect is None:
        return False
    known = {None, own.thumbprint, end.configured_thumbprint, as_thumbprint(end.machine.thumbprint)}
    return own.connect.error is Failure.REFUSED or met not in known


def _own_look(end: Subject | None) -> Probe | None:
    """The machine's own look at its port; None where there is none."""
    try:
        return end.local_probe if end is not None else None
    except (Blocked, Unknown):
        return None


def runs_later(end: Subject) -> Unknown | None:
    """Its service does not run yet, which is no fault: it was just started, or the machine was, a moment ago."""
    service = end.known_service
    if service is None or away(end) is not None or service.state in (ServiceState.RUNNING, ServiceState.UNKNOWN):
        return None
    return Unknown(
        f"service {service.name} on {end.name} does not run yet: see the step of the services",
        "Allow it three minutes, then run again.",
    )


def standing_in_the_way(end: Subject | None) -> Blocked | None:
    """What on the listening end's own machine explains whatever its peers see."""
    if end is None or away(end) is not None:
        return None
    standing = (
        end.first_problem(NO_SETTINGS, "communication-settings")
        or end.first_problem(NO_PROCESS, "services-running")
        or end.first_problem(LISTENS_ELSEWHERE, "communication-settings")
        or end.first_problem(NO_PAGE_HERE, "welcome-page-here")
    )
    return Blocked(standing.code, end.name, standing.actual) if standing else None


def _problem(link: Link, way: Way, code: str, finding: LinkFinding, actual: str) -> Problem:
    other = way.by_address if way.by_name is not None else None
    more = (Evidence(f"probe from {link.vantage.name}", describe(other)),) if other is not None else ()
    first = way.by_name or way.by_address
    where = f"{first.host}:{first.port}" if first else "the link"
    return Problem(
        code,
        link.tentacle.name,
        expected=f"from {link.vantage.name}, https://{where} shows {_page(link)}",
        actual=actual,
        evidence=tuple(dict.fromkeys((*finding.evidence, *more))),
        facts=finding.facts
        | {"vantage": link.vantage.name, "server": link.server_name, "declared_ip": link.declared_ip}
        | ({"lost_before": True} if _is_lost_before(link, way, finding) else {})
        | ({"at_times": True} if code == SILENCE and _gets_through_at_times(way) else {}),
    )


def _page(link: Link) -> str:
    page = "the Tentacle's page" if link.product == "tentacle" else "the Octopus Server's page"
    return page + (f" with certificate {link.expected_thumbprint}" if link.expected_thumbprint else "")
