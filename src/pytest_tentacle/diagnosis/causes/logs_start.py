"""What only a log tells of a process and its start (guide, "Identify the Problem")."""

from __future__ import annotations

from dataclasses import replace

from pytest_tentacle.diagnosis.kind import CauseKind, Clue, Confidence
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.consequences import DOWN, STARTLESS, UNANSWERED
from pytest_tentacle.judging.finding import Problem

from .from_problem import from_problem, told
from .process import trusts_as_before


def _without_a_server(view: View, problem: Problem) -> Clue | None:
    if trusts_as_before(view, problem) is not None:
        return None
    settings = "Look at the settings of {who}: where they trust the server by now, the service only wants a restart."
    return replace(told(view, problem), unsure=settings)


_FATAL = {"TT118": frozenset({"proxy-host-form", "web-proxy-settings"}), "TT120": frozenset({"web-socket-unsupported"})}
"""Signatures of settings with which a process does not come through its start, among those of links."""


def ends_the_start(view: View, problem: Problem) -> bool:
    """Whether it is one of settings that keep the process from starting, and none runs."""
    return problem.facts.get("signature") in _FATAL[problem.code] and bool(view.codes & DOWN)


def _ended(view: View, problem: Problem) -> Clue | None:
    return told(view, problem) if ends_the_start(view, problem) else None


LOGS_START: tuple[CauseKind, ...] = (
    from_problem(
        "TC124",
        "TT111",
        "The port was taken when the service started",
        "According to the log, the port was in use when {who} last started, and no start since then came to its end.",
        also=STARTLESS | {"TT203", "TT202", "TT501"},
        rank=25,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC125",
        "TT134",
        "The process may not listen where it should",
        "According to the log, {who} cannot listen on the configured address or port: the address is not the "
        "machine's, or the system reserves the port.",
        also=STARTLESS | {"TT203", "TT202", "TT501"},
        rank=25,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC126",
        "TT122",
        "The certificate's private key cannot be used",
        "According to the log, the service of {who} cannot use its certificate's private key: its account may not "
        "read it, or it is gone.",
        also=STARTLESS | {"TT203", "TT202", "TT501", "TT505", "TT113", "TT112"},
        rank=20,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC127",
        "TT123",
        "The configuration was made on another machine",
        "According to the log, {who} cannot decrypt {its} configuration: it was copied from another machine, or the "
        "machine's identity changed (a clone, a new machine-id).",
        also=STARTLESS | {"TT203", "TT202", "TT501", "TT403", "TT122"},
        rank=10,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC128",
        "TT124",
        "The agent met a missing or damaged configuration",
        "According to the log, {who} could not read {its} configuration at the last start.",
        also=STARTLESS | {"TT203", "TT202", "TT501"},
        rank=20,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC129",
        "TT125",
        "The disk is too full to work",
        "According to the log, {who} wanted for space on the disk.",
        also=STARTLESS | {"TT203", "TT302", "TT303"},
        rank=15,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC130",
        "TT126",
        "The service's account lacks rights on a folder",
        "According to the log, the service of {who} may not read or write {path}.",
        also=STARTLESS | {"TT203", "TT202"},
        fold_by=("path",),
        rank=20,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC131",
        "TT127",
        "The running process has no server to work with",
        "According to the log, the process of {who} trusts no server, or skips the entry of one.",
        match=_without_a_server,
        rank=40,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC132",
        "TT128",
        "The listening socket is in trouble",
        "According to the log, {who} cannot accept connections: handles or memory run out, or a security product "
        "interferes.",
        also=UNANSWERED | {"TT505"},
        rank=25,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC133",
        "TT130",
        "The agent hangs in its start",
        "The process of {who} began to start and never said that it listens, nor that it will not.",
        also=frozenset({"TT204", "TT501", "TT505"}),
        rank=25,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC139",
        "TT118",
        "The proxy's settings keep the process from starting",
        "According to the log, the settings of {who} hold a proxy that cannot be one, such as a host with http:// in "
        "front of it, and the process does not come through its start.",
        match=_ended,
        also=DOWN | STARTLESS,
        echoes=UNANSWERED,
        rank=15,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC141",
        "TT120",
        "The program cannot poll by web socket",
        "According to the log, {who} {is} set to poll by web socket, which the program cannot do there, and the "
        "process does not come through its start.",
        match=_ended,
        also=DOWN | STARTLESS,
        echoes=UNANSWERED,
        rank=15,
        confidence=Confidence.LIKELY,
    ),
)
