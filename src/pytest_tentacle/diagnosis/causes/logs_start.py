"""What only a log tells of a process and its start (guide, "Identify the Problem")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_tentacle.diagnosis.kind import Confidence

from .commands import STARTLESS, UNANSWERED
from .from_problem import from_problem

if TYPE_CHECKING:
    from pytest_tentacle.diagnosis.kind import CauseKind

LOGS_START: tuple[CauseKind, ...] = (
    from_problem(
        "TC124",
        "TT111",
        "The port was taken when the service started",
        "According to the log, the port was in use when {who} started. Tentacle 8.0.0 to 8.1.61 says so for a minute "
        "or two after each restart.",
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
        "According to the log, the process of {who} trusts no server, or skips the entry of one. If its settings look "
        "right by now, it only wants a restart.",
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
)
