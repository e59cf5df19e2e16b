"""What a Tentacle's settings hold too much: servers that are no more, and damaged entries beside whole ones."""

from __future__ import annotations

from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.commands import AGAIN, KEEP, tentacle, when
from pytest_tentacle.guide.consequences import NAME_FAILURES, NO_CONNECTION
from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.finding import Blocked, Problem, Unknown
from pytest_tentacle.judging.links import polled_links
from pytest_tentacle.link.hosts import plain_host

_IN_LOGS = frozenset({"TT107", "TT108", "TT109", "TT110", "TT115", "TT131", "TT133"})
_REMOVE = tentacle('configure --instance "<instance>" --remove-trust "<configured>"', AGAIN)
_BY_HAND = (
    "Stop the service, copy <file>, take only that entry out of TrustedOctopusServers, start it. Do it when you "
    "restart it anyway: nothing waits for it, and no other entry may change."
)


def polls_an_undeclared_server(view: View, problem: Problem) -> Clue | None:
    """It is about an address that it polls beside those of all its declared servers."""
    host, subject = problem.facts.get("host"), view.subject
    if not isinstance(host, str) or problem.facts.get("server") is not None or subject.mode is not Mode.POLLING:
        return None
    try:
        links = polled_links(subject)
        trusted = subject.settings.trusted
    except (Unknown, Blocked):
        return None
    if any(link.server is not None and link.entry is None for link in links) or not view.peers:
        return None  # it may be meant for the declared server that no address leads to
    strange = [link.entry for link in links if link.server is None and link.entry]
    own = [entry for entry in strange if plain_host(entry.host) == plain_host(host)]
    if not own or any(link.entry and plain_host(link.entry.host) == plain_host(host) for link in links if link.server):
        return None
    gone = {entry.address for entry in own}
    kept = [entry.address for entry in trusted if entry.address and entry.address not in gone]
    keepable = all(entry.address for entry in trusted)
    facts = {"undeclared": host, "keep": ",".join(dict.fromkeys(kept)), "keepable": keepable}
    return Clue(facts={**facts, "unkeepable": not keepable})


def _is_spare(_view: View, problem: Problem) -> Clue | None:
    if problem.facts.get("spare") is not True:
        return None
    shown = str(problem.facts.get("configured") or "")
    plain = shown.isascii() and shown.isalnum()
    return Clue(facts={"removable": plain, "unremovable": not plain})


SPARE: tuple[CauseKind, ...] = (
    CauseKind(
        "TC5215",
        "A server that the inventory does not have is polled in vain",
        "{who} poll{s} {undeclared} besides {its} declared servers, and it does not answer: a server that was retired, "
        "or one that the inventory lacks.",
        NO_CONNECTION | NAME_FAILURES | {"TT527", "TT528", "TT107", "TT108", "TT110"},
        (
            "If that server is in use, declare it in the inventory, and see why it does not answer. If it was retired:",
            *when("keepable", "Take its address out (8.1.1713 and later); the declared servers are kept:", KEEP[0]),
            *when("unkeepable", _BY_HAND),
        ),
        (
            "If that server is in use, declare it in the inventory, and see why it does not answer. If it was retired:",
            *when("keepable", "Take its address out (8.1.1713 and later); the declared servers are kept:", KEEP[1]),
            *when("unkeepable", _BY_HAND),
        ),
        polls_an_undeclared_server,
        consequences=_IN_LOGS - {"TT107", "TT108", "TT110"},
        fold_by=("undeclared",),
        rank=15,
        told_apart_by=frozenset({"probes"}),
    ),
    CauseKind(
        "TC3222",
        "A damaged entry is left beside a whole one",
        "{who} trust{s} each declared server by a whole entry, and {has} a damaged one besides, which no server needs.",
        frozenset({"TT315", "TT322", "TT323"}),
        (
            "Nothing fails of it. Remove the entry at the next opportunity:",
            *when("removable", _REMOVE[0]),
            *when("unremovable", _BY_HAND),
        ),
        (
            "Nothing fails of it. Remove the entry at the next opportunity:",
            *when("removable", _REMOVE[1]),
            *when("unremovable", _BY_HAND),
        ),
        _is_spare,
        fold_by=("configured",),
        rank=5,
    ),
)
