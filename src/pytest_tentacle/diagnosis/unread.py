"""What was not read, and might name another cause: then a cause that only fits is no more than possible.

Fewer facts may make a cause less certain, and never lead to another one. So a cause is held against its rivals: those
that explain the same problem, by facts of their own. Where these facts were not read, a rival was not ruled out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from typing import Final

from pytest_tentacle.guide.consequences import NO_CONNECTION
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.finding import Problem
from pytest_tentacle.link import By, Failure, Stage
from pytest_tentacle.logs.signatures import SIGNATURES
from pytest_tentacle.sections import STEPS
from pytest_tentacle.survey.model import SECTIONS

from .causes import CAUSES
from .kind import CauseKind, Found
from .view import View

_LOOKS: Final = {"probes": "its own looks", "peer_probes": "its looks at Tentacles"}
_WORDS: Final = _LOOKS | {
    "own_names": "own names",
    "left_overs": "left-overs",
    "proxy_connects": "proxy connections",
    "access_control": "denials by SELinux and AppArmor",
}
_COMPARED: Final = {"fleet.addresses": "fleet.host"}
"""What checks call by another name, and what it rests on."""
_OF_LINKS: Final = frozenset({"probes", "peer.probes", "peer.peer_probes", "connections", "proxies"})
_NAMED = 4


def held_against_unread(view: View, found: Found) -> Found:
    """The cause, no more than possible where facts were not read by which another one would have been found."""
    if found.seen or (found.confidence is Confidence.POSSIBLE and found.unsure):
        return found
    causing = [problem for problem in found.problems if problem.code in found.kind.needs]
    missing_ones = [set(_unread(view, found.kind, problem)) for problem in causing]
    if not all(missing_ones):
        return found
    missing = set().union(*missing_ones)
    doubt = f"Not read: {_told(missing)}. That may point to another cause."
    return replace(
        found,
        confidence=Confidence.POSSIBLE,
        unsure=f"{found.unsure} {doubt}" if found.unsure else doubt,
    )


def _unread(view: View, kind: CauseKind, problem: Problem) -> Iterator[tuple[str, str]]:
    """Machine and section of what a rival rests on and was not read."""
    yield from _untried(view, problem)
    if problem.code == "TT505" and problem.facts.get("stage") == Stage.CONNECT and "firewall" in view.unread:
        yield view.name, "firewall"  # rules may drop even what does not leave the machine
    for read in _reads_of_rivals(kind.code, problem.code):
        whose, _, section = read.rpartition(".")
        if whose == "fleet":
            yield from ((name, section) for name in view.scene.unread_anywhere(section) if _tells(view, name, section))
            continue
        for name in _ends(view, problem) if whose == "peer" else (view.name,):
            if section in view.scene.view(name).unread:
                yield name, section


def _tells(view: View, name: str, section: str) -> bool:
    """Whether what one machine of the fleet saw could tell of a way to a server: who listens looks at itself alone."""
    return section != "probes" or view.scene.view(name).subject.mode is not Mode.LISTENING


def _untried(view: View, problem: Problem) -> Iterator[tuple[str, str]]:
    """A name leads to several addresses, one of them failed, and nobody tried another one.

    Or nothing answered by name, and nobody tried the declared address: a router may have said why. Or who answered at
    an address may go by the name that a client says (RFC 6066, 3), and nobody said it.
    """
    yield from _unnamed(view, problem)
    resolved, vantage, end = problem.facts.get("resolved"), view.vantage_of(problem), view.end(problem)
    if problem.code not in NO_CONNECTION or end is None or (vantage, end.name) in view.scene.reach.by_address:
        return
    declared = problem.facts.get("declared_ip")
    if isinstance(resolved, tuple) and len(resolved) > 1:
        yield vantage, f"looks at the other addresses of {problem.facts.get('host')}"
    elif problem.facts.get("by") == By.NAME and declared and problem.facts.get("error") == Failure.TIMED_OUT:
        yield vantage, f"looks at {declared}"


def _unnamed(view: View, problem: Problem) -> Iterator[tuple[str, str]]:
    """By whom nothing was said: a server has the name that the inventory declares, a poller what its settings say."""
    end, vantage = view.end(problem), view.vantage_of(problem)
    if end is None or problem.facts.get("by") != By.ADDRESS or vantage != view.server_of(problem):
        return
    name = end.subject.machine.dns_name if problem.facts.get("stage") in {Stage.TLS, Stage.PAGE} else None
    if name and (vantage, end.name) not in view.scene.reach.by_name:
        yield vantage, f"looks at {name}"


def _ends(view: View, problem: Problem) -> tuple[str, ...]:
    """The other end of a problem's link, or all of them."""
    server = view.server_of(problem)
    return (server,) if server in view.peers else view.peers


@cache
def _reads_of_rivals(code: str, problem: str) -> frozenset[str]:
    """What the other causes of a problem rest on: sections, as checks declare them."""
    found: set[str] = set()
    for rival in CAUSES:
        if rival.code == code or problem not in rival.explains:
            continue
        found |= rival.told_apart_by
        if problem not in rival.needs:
            found.update(*(_reads_of(each) for each in rival.needs))
    return frozenset(_COMPARED.get(each, each) for each in found if _is_section(_COMPARED.get(each, each)))


def _reads_of(code: str) -> frozenset[str]:
    """What a problem rests on. Of a machine's own troubles a log tells, and no look or connection tells another one."""
    reads = _reads_by_code()[code]
    return reads - _OF_LINKS if code in _troubles_of_hosts() else reads


@cache
def _troubles_of_hosts() -> frozenset[str]:
    """Codes that logs tell of a machine alone, and never of a link."""
    roles: defaultdict[str, set[str]] = defaultdict(set)
    for signature in SIGNATURES:
        if signature.code:
            roles[signature.code].add(signature.role)
    return frozenset(code for code, found in roles.items() if found == {"host"})


def _is_section(read: str) -> bool:
    whose, _, section = read.rpartition(".")
    return whose in {"", "peer", "fleet"} and (section in SECTIONS or section in _LOOKS)


@cache
def _reads_by_code() -> dict[str, frozenset[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for step in STEPS:
        for check in step.checks:
            for code in check.codes:
                found[code] |= check.reads
    return defaultdict(frozenset, {code: frozenset(reads) for code, reads in found.items()})


def _told(missing: Iterable[tuple[str, str]]) -> str:
    """`logs and firewall of web-01, routes of octo-1`."""
    by_machine: defaultdict[str, list[str]] = defaultdict(list)
    for machine, section in sorted(missing):
        by_machine[machine].append(_WORDS.get(section, section))
    told = [f"{_listed(sections)} of {machine}" for machine, sections in by_machine.items()]
    more = f"; and of {len(told) - _NAMED} more machines" if len(told) > _NAMED else ""
    return "; ".join(told[:_NAMED]) + more


def _listed(words: list[str]) -> str:
    if len(words) > _NAMED:
        return f"{', '.join(words[:_NAMED])} and {len(words) - _NAMED} more"
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
