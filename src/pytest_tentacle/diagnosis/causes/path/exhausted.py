"""The machine that connects has no port, or no memory, left for one more connection: nothing is lost on the way."""

from __future__ import annotations

from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.consequences import LOST_IN_LOGS
from pytest_tentacle.judging.finding import Problem

from .links import NO_ROUTE


def no_port_left(problem: Problem) -> bool:
    """Whether the connecting machine's own system said so."""
    return problem.facts.get("no_port_left") is True


def _exhausted(_: View, problem: Problem) -> Clue | None:
    return Clue(place=str(problem.facts.get("vantage"))) if no_port_left(problem) else None


EXHAUSTED: tuple[CauseKind, ...] = (
    CauseKind(
        "TC5223",
        "The connecting machine has no port left",
        "{vantage} cannot open one more connection to port {port} of {host}: its system has no port of its own, or no "
        "memory, left for it. A program there keeps too many connections, or the range of ports is too small.",
        frozenset({NO_ROUTE, "TT527"}),
        (
            "On {vantage}, find what holds so many connections, and the range of ports that connections may use:",
            "$ Get-NetTCPConnection | Group-Object State, OwningProcess -NoElement | Sort-Object Count -Descending",
            "$ netsh int ipv4 show dynamicport tcp",
        ),
        (
            "On {vantage}, find what holds so many connections, and the range of ports that connections may use:",
            "$ ss -s",
            "$ sysctl net.ipv4.ip_local_port_range",
            "$ sudo ss -tnp",
        ),
        _exhausted,
        consequences=LOST_IN_LOGS | {"TT147"},
        fold_by=("vantage",),
        rank=9,
    ),
)
