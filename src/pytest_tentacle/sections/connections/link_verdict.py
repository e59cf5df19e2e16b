"""One link's verdict: by name, then by address, and what the two say together (guide, "Check the Connections")."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pytest_tentacle.guide.consequences import LISTENS_ELSEWHERE, NO_PAGE_HERE, NO_PROCESS, NO_SETTINGS
from pytest_tentacle.judging.away import away
from pytest_tentacle.judging.check import Finding
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.link import Probe
from pytest_tentacle.link.hosts import plain_address

from .probe_verdict import LINK_CODES, NAME_NOT_RESOLVED, LinkFinding, describe, finding_of

DNS_ISSUE = "TT510"
ANOTHER_ADDRESS = "TT512"
VERDICT_CODES = (DNS_ISSUE, ANOTHER_ADDRESS, *LINK_CODES)
"""Every code that `judge_link` may yield."""

UNPROBED = "Run again, with a longer --machine-timeout if the survey says that time ran out."


@dataclass(frozen=True)
class Link:
    """One link to judge: who probed, who should answer, and the two ways of the guide.

    Attributes:
        machine: name of the Tentacle that the link belongs to.
        vantage: name of the machine that probed.
        end: the machine that should answer.
        product: whose page it shows.
        thumbprint: that it should present; None where nobody knows.
        by_name: the probe by DNS name.
        by_address: the probe by IP address.
        declared_ip: the address that the name should lead to; None where it is not declared.
    """

    machine: str
    vantage: str
    end: Subject | None
    product: Literal["tentacle", "server"]
    thumbprint: str | None
    by_name: Probe | None
    by_address: Probe | None
    declared_ip: str | None


def judge_link(link: Link) -> Iterator[Finding]:
    """The guide's way: by name; only if that fails, by address; and what the two say together."""
    if link.by_name is None and link.by_address is None:
        nothing = f"{link.vantage} did not probe the link of {link.machine}"
        yield standing_in_the_way(link.end) or Unknown(nothing, UNPROBED)
        return
    name = _look(link, link.by_name)
    if link.by_name is None or isinstance(name, Unknown):
        yield from _single(link, link.by_address if link.by_name is None else link.by_name)
    elif name is None:
        yield _seen(link, link.by_name)
    else:
        yield from _name_failed(link, name)


def _single(link: Link, probe: Probe | None) -> Iterator[Finding]:
    """The verdict of one probe alone."""
    match _look(link, probe):
        case LinkFinding() as finding:
            yield _blocked_or(link, finding)
        case Unknown() as unknown:
            yield standing_in_the_way(link.end) or unknown
        case None if probe is not None:
            yield _seen(link, probe)


def _name_failed(link: Link, name: LinkFinding) -> Iterator[Finding]:
    """What the guide concludes from a name that fails, and from the address that works or fails beside it."""
    address = _look(link, link.by_address)
    if name.code == NAME_NOT_RESOLVED and link.by_address is not None and address is None:
        yield _problem(link, DNS_ISSUE, name, f"{name.actual}, and by IP address the page is shown")
        return
    if name.code == NAME_NOT_RESOLVED:
        # No failure at the other end explains this one.
        yield _problem(link, NAME_NOT_RESOLVED, name, name.actual)
    elif link.by_name is not None and _leads_elsewhere(link.by_name, link):
        resolved = ", ".join(link.by_name.resolve.addresses) if link.by_name.resolve else "?"
        actual = f"the name leads to {resolved}, not to {link.declared_ip}: {name.actual}"
        yield _blocked_or(link, LinkFinding(ANOTHER_ADDRESS, actual, name.facts, name.evidence))
    else:
        yield _blocked_or(link, name)
        return
    if address is not None:
        yield from _single(link, link.by_address)


def _look(link: Link, probe: Probe | None) -> LinkFinding | Unknown | None:
    """What is wrong with a probe, or why it could not be made; None where all is well, or there is no probe."""
    if probe is None:
        return None
    try:
        return finding_of(probe, link.vantage, link.product, link.thumbprint)
    except Unknown as unknown:
        return unknown


def _seen(link: Link, probe: Probe) -> Evidence:
    return Evidence(f"probe from {link.vantage}", describe(probe))


def is_well(probe: Probe, vantage: str, product: Literal["tentacle", "server"], thumbprint: str | None) -> bool:
    """Whether the product's page came back, with this thumbprint where one is known."""
    try:
        return finding_of(probe, vantage, product, thumbprint) is None
    except Unknown:
        return False


def _leads_elsewhere(probe: Probe, link: Link) -> bool:
    """Whether a name leads neither to the declared address nor to another one of the same machine."""
    if probe.resolve is None or not probe.resolve.addresses or link.declared_ip is None:
        return False
    return _own_addresses(link).isdisjoint(plain_address(address) for address in probe.resolve.addresses)


def _own_addresses(link: Link) -> set[str | None]:
    declared = {plain_address(link.declared_ip or "")}
    try:
        return declared | {plain_address(each) for each in link.end.read("host").addresses} if link.end else declared
    except Unknown:
        return declared


def _blocked_or(link: Link, finding: LinkFinding) -> Problem | Blocked:
    """A failure of the listening end itself explains whatever its peers see, but for a name that does not resolve."""
    return standing_in_the_way(link.end) or _problem(link, finding.code, finding, finding.actual)


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


def _problem(link: Link, code: str, finding: LinkFinding, actual: str) -> Problem:
    other = link.by_address if link.by_name is not None else None
    more = (Evidence(f"probe from {link.vantage}", describe(other)),) if other is not None else ()
    first = link.by_name or link.by_address
    where = f"{first.host}:{first.port}" if first else "the link"
    return Problem(
        code,
        link.machine,
        expected=f"from {link.vantage}, https://{where} shows {_page(link)}",
        actual=actual,
        evidence=tuple(dict.fromkeys((*finding.evidence, *more))),
        facts=finding.facts | {"vantage": link.vantage, "server": _server(link), "declared_ip": link.declared_ip},
    )


def _page(link: Link) -> str:
    page = "the Tentacle's page" if link.product == "tentacle" else "the Octopus Server's page"
    return page + (f" with certificate {link.thumbprint}" if link.thumbprint else "")


def _server(link: Link) -> str | None:
    if link.product == "tentacle":
        return link.vantage
    return link.end.name if link.end else None
