"""A configuration file that is gone, empty or damaged (guide, "Communication Settings")."""

from __future__ import annotations

from pytest_tentacle.diagnosis.kind import CauseKind, Clue, Confidence, whenever
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.consequences import (
    DOWN,
    FILE_LINUX,
    FILE_WINDOWS,
    STARTLESS,
    UNANSWERED,
    UNTRUSTED,
    tentacle,
)
from pytest_tentacle.judging.finding import Evidence, Problem

_BROKEN = DOWN | UNANSWERED | STARTLESS | {"TT124", "TT123"}
_RESTORE = (
    "Restore the file from a backup of this very machine (its certificate is encrypted for it), then start the "
    "service; without a backup, set the instance up again. To see what is there:"
)
_LITTLE = 100 * 2**20
"""Bytes; Tentacle refuses to write with less than 1 MB, and a deployment needs 500 MB (tentacle-facts 3.4, 39)."""


def _full_disk(view: View) -> Evidence | None:
    disks = view.survey.disks.data if view.survey else None
    for disk in disks or ():
        if disk.free_bytes is not None and disk.free_bytes < _LITTLE:
            return Evidence(f"disks of {view.name}", f"{disk.path} has {disk.free_bytes // 2**20} MB left")
    return None


def _filled_up(view: View, _problem: Problem) -> Clue | None:
    full = _full_disk(view)
    return Clue(evidence=(full,)) if full else None


def _emptied(view: View, _problem: Problem) -> Clue | None:
    if _full_disk(view):
        return None
    known = view.survey is not None and view.survey.disks.data is not None
    return Clue(unsure="" if known else "Look whether a disk of {who} is full: a full one empties the file.")


def _cut(view: View, problem: Problem) -> Clue | None:
    return Clue() if not _full_disk(view) and "list" not in problem.expected else None


def _trust_list(_view: View, problem: Problem) -> Clue | None:
    return Clue() if "list" in problem.expected else None


CONFIGURATION_FILE: tuple[CauseKind, ...] = (
    CauseKind(
        "TC301",
        "The configuration file is gone",
        "The configuration file of {who} is gone, so the service cannot start.",
        frozenset({"TT301"}),
        (_RESTORE, FILE_WINDOWS),
        (_RESTORE, *FILE_LINUX),
        whenever,
        also=_BROKEN,
        rank=10,
    ),
    CauseKind(
        "TC302",
        "A full disk destroyed the configuration file",
        "The disk of {who} is full, and the configuration file was destroyed when it was written.",
        frozenset({"TT302", "TT303"}),
        ("Make room first. " + _RESTORE, "$ Get-PSDrive -PSProvider FileSystem", FILE_WINDOWS),
        ("Make room first. " + _RESTORE, *reversed(FILE_LINUX)),
        _filled_up,
        also=_BROKEN | {"TT125", "TT971"},
        rank=5,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC303",
        "The configuration file is empty",
        "The configuration file of {who} holds nothing, so the service cannot start: a full disk leaves such a file.",
        frozenset({"TT302"}),
        ("Look at the room on the disk. " + _RESTORE, "$ Get-PSDrive -PSProvider FileSystem", FILE_WINDOWS),
        ("Look at the room on the disk. " + _RESTORE, *reversed(FILE_LINUX)),
        _emptied,
        also=_BROKEN,
        rank=10,
    ),
    CauseKind(
        "TC304",
        "The configuration file is damaged",
        "The configuration file of {who} is cut off or is no XML, so the service cannot start.",
        frozenset({"TT303"}),
        (_RESTORE, FILE_WINDOWS),
        (_RESTORE, *FILE_LINUX),
        _cut,
        also=_BROKEN,
        rank=10,
    ),
    CauseKind(
        "TC305",
        "The list of trusted servers is damaged",
        "The list of trusted servers in the settings of {who} cannot be read: it was edited by hand, or by a script.",
        frozenset({"TT303"}),
        (
            "Register the Tentacle again; or empty the list, then trust its servers anew:",
            *tentacle('configure --instance "<instance>" --reset-trust')[0],
        ),
        (
            "Register the Tentacle again; or empty the list, then trust its servers anew:",
            *tentacle('configure --instance "<instance>" --reset-trust')[1],
        ),
        _trust_list,
        also=_BROKEN | UNTRUSTED,
        rank=10,
    ),
)
