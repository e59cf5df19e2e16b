"""A machine or a process has no port, memory or file left for one more connection: nothing is lost on the way."""

from __future__ import annotations

import re
from dataclasses import replace

from pytest_tentacle.diagnosis.from_problem import told
from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.commands import RESTART_LINUX, STATE_WINDOWS
from pytest_tentacle.guide.consequences import ACROSS, LOST_IN_LOGS, UNANSWERED, UNCONNECTED
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.judging.finding import Problem

from .links import NO_ROUTE


def no_port_left(problem: Problem) -> bool:
    """Whether the connecting machine's own system said so."""
    return problem.facts.get("no_port_left") is True


def _exhausted(_: View, problem: Problem) -> Clue | None:
    return Clue(place=str(problem.facts.get("vantage"))) if no_port_left(problem) else None


_NO_FILE = re.compile(r"Too many open files(?P<system> in system)?", re.IGNORECASE)
"""In the words of Linux, which Tentacle's runtime speaks there: a connection is a file as well."""
_OF_WHOM = {True: "all programs of the machine together", False: "its process"}
_RAISE = (
    "See the limit, and whose connections there are. Where one other end holds hundreds, they leak: upgrade both ends "
    "(Tentacles before 5.0.3 and servers of 2020 and before did this). Otherwise raise LimitNOFILE= in the unit "
    "(systemctl edit; 524288 is what systemd allows by itself), for all programs fs.file-max, then restart it:"
)


def _no_file_left(view: View, problem: Problem) -> Clue | None:
    found = _NO_FILE.search(str(problem.facts.get("words") or ""))
    if found is None:
        return None
    clue = told(view, problem)
    return replace(
        clue, facts=clue.facts | {"whose": _OF_WHOM[found["system"] is not None]}, place=clue.facts["vantage"]
    )


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
    CauseKind(
        "TC1471",
        "The process may open no further file or connection",
        "According to the log of {vantage}, {whose} may open no further file, and each connection is one: as many are "
        "open as the limit allows. (In its words: {words})",
        frozenset({"TT147"}),
        ("This concerns Linux only. See its state:", STATE_WINDOWS),
        (
            _RAISE,
            '$ systemctl show "<service>" --property=LimitNOFILE',
            "$ cat /proc/sys/fs/file-nr",
            "$ sudo ss -tnp",
            RESTART_LINUX,
        ),
        _no_file_left,
        consequences=UNCONNECTED | UNANSWERED | {"TT128", "TT131", "TT505"},
        echoes=ACROSS,
        fold_by=("vantage",),
        rank=17,
        confidence=Confidence.LIKELY,
    ),
)
