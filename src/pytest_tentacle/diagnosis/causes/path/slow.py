"""A way that works, and takes long (guide, "Check the Connections")."""

from __future__ import annotations

from typing import Final

from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.consequences import LOST_IN_LOGS, UNANSWERED, UNCONNECTED
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.link import Probe

_QUICKER: Final = 3
"""So many times quicker is a look at somebody else that shows that the looking machine itself is not slow."""

_FOLLOWS = UNANSWERED | LOST_IN_LOGS | UNCONNECTED | {"TT521", "TT528", "TT536", "TT641", "TT642", "TT643", "TT644"}
_WINDOWS = ('$ Test-NetConnection "<host>" -TraceRoute', '$ pytest-tentacle ping "<host>" --port <port> --count 20')
_LINUX = ('$ tracepath "<host>"', '$ pytest-tentacle ping "<host>" --port <port> --count 20')
_MEASURE = "From {vantage}, measure the path, and look for loss and load on it:"


def _quick_look(view: View, problem: Problem) -> Probe | None:
    """A look of the same machine at somebody else that connected much sooner; None: there is none to compare with."""
    vantage, end = view.vantage(problem), view.end(problem)
    record = vantage.subject.record if vantage is not None else None
    if record is None:
        return None
    slow = float(problem.facts.get("ms") or 0)
    looks = (*(record.survey.probes if record.survey else ()), *record.peer_probes)
    for look in looks:
        its_end = look.link.tentacle if look.link.vantage.value == "server" else look.link.server
        if look.is_of_own_port or look.connect is None or look.connect.error or look.connect.ms is None:
            continue
        if end is not None and its_end != end.name and look.connect.ms * _QUICKER <= slow:
            return look
    return None


def _is_single(view: View, problem: Problem) -> bool:
    """Whether there was one look, though the end has both a name and an address: a second one may be much quicker."""
    end = view.end(problem)
    machine = end.subject.machine if end is not None else None
    return machine is not None and bool(machine.dns_name and machine.ip) and len(problem.evidence) == 1


def _slow_way(view: View, problem: Problem) -> Clue | None:
    quick = _quick_look(view, problem)
    if quick is None or quick.connect is None or quick.connect.ms is None:
        return None
    seen = Evidence(
        f"probe from {problem.facts.get('vantage')}",
        f"to {quick.host}:{quick.port} the same script connected in {quick.connect.ms:.0f} ms",
    )
    place = str(problem.facts.get("vantage"))
    if not _is_single(view, problem):
        return Clue(evidence=(seen,), place=place)
    return Clue(
        evidence=(seen,),
        confidence=Confidence.POSSIBLE,
        unsure="{vantage} looked at {host} once: run again with --ping-count to tell the path from {vantage} itself.",
        place=place,
    )


def _slow_somewhere(view: View, problem: Problem) -> Clue | None:
    if _quick_look(view, problem) is not None:
        return None
    return Clue(
        unsure="{vantage} looked at nobody else to compare with, and may be slow itself: run again with --ping-count "
        "when it is less busy.",
        place=str(problem.facts.get("vantage")),
    )


SLOW_WAYS: tuple[CauseKind, ...] = (
    CauseKind(
        "TC5351",
        "The path between two machines is slow",
        "From {vantage} to {host}:{port} a connection takes a second or longer ({times}), while {vantage} connects "
        "elsewhere at once: packets are lost on this path, or it is overloaded.",
        frozenset({"TT535"}),
        (_MEASURE, *_WINDOWS),
        (_MEASURE, *_LINUX),
        _slow_way,
        consequences=_FOLLOWS,
        fold_by=("server", "vantage"),
        rank=27,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5352",
        "Connections are slow because of the path or of the machine that opens them",
        "From {vantage} to {host}:{port} a connection takes a second or longer ({times}): packets are lost on the "
        "path, it is overloaded, or {vantage} itself is.",
        frozenset({"TT535"}),
        (_MEASURE, *_WINDOWS),
        (_MEASURE, *_LINUX),
        _slow_somewhere,
        consequences=_FOLLOWS,
        fold_by=("server", "vantage"),
        rank=27,
        confidence=Confidence.POSSIBLE,
    ),
)
