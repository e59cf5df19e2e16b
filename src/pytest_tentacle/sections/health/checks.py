"""What besides the guide's own sections keeps a Tentacle from working: disk space, clocks, versions, left-overs."""

from __future__ import annotations

import ntpath
import posixpath
from collections.abc import Iterator
from datetime import timedelta

from pytest_tentacle.judging.attempts import TENTACLE_READS, attempts_of
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.sections.identify.index import ahead_of_ours
from pytest_tentacle.sections.portal import registrations_of
from pytest_tentacle.survey.surroundings import Disk

_MEBIBYTE = 1024 * 1024
LEAST_FREE = 550 * _MEBIBYTE
"""A Tentacle refuses work below 500 MB and a tenth (tentacle-facts 3.4 #39; in mebibytes, Issues#7962)."""

_LEAST_INODES = 50
"""No file can be made without one; a deployment makes more files than that."""
_CLOCKS_WORTH_A_WORD = timedelta(minutes=5)
_CLOCKS_APART = timedelta(days=1)
"""Time is not part of the protocol; only a fresh certificate, valid from yesterday, can be of the future for somebody
(tentacle-facts 3.4 #57)."""


@check(codes=("TT971", "TT975"), reads=("disks", "instances", "services"))
def disks_have_room(subject: Subject) -> Iterator[Finding]:
    """There is room on the volumes of Octopus Home and of the folder for applications, and they can be written to."""
    for disk in _own_disks(subject):
        if disk.read_only:
            whom = f" for the process of {disk.unit} alone" if disk.unit else ""
            yield Problem(
                "TT975",
                subject.name,
                expected=f"{disk.path} is mounted for reading and writing",
                actual=f"it is mounted read-only{whom}",
                evidence=(Evidence(f"disks of {subject.name}", f"{disk.path}: mounted with the option ro{whom}"),),
                facts={"path": disk.path, "instance": subject.instance_name, "for_whom": whom},
            )
            continue
        if disk.inodes != 0 and disk.free_inodes is not None and disk.free_inodes < _LEAST_INODES:
            yield _no_inodes(subject, disk)
            continue
        if disk.free_bytes is None:
            yield Evidence(f"disks of {subject.name}", f"{disk.path}: its free space cannot be read")
            continue
        free = f"{disk.free_bytes / _MEBIBYTE:,.0f} MiB"
        if disk.free_bytes >= LEAST_FREE:
            yield Evidence(f"disks of {subject.name}", f"{disk.path}: {free} free")
            continue
        yield Problem(
            "TT971",
            subject.name,
            expected=f"{LEAST_FREE // _MEBIBYTE} MiB free on {disk.path}",
            actual=f"{free} free",
            evidence=(Evidence(f"disks of {subject.name}", f"{disk.path}: {disk.free_bytes} bytes free"),),
            facts=_room(subject, disk, "space", "too little free space for a Tentacle to work"),
        )


def _no_inodes(subject: Subject, disk: Disk) -> Problem:
    counted = f"{disk.free_inodes} of {disk.inodes} inodes free"
    return Problem(
        "TT971",
        subject.name,
        expected=f"inodes for new files on {disk.path}",
        actual=counted,
        evidence=(Evidence(f"disks of {subject.name}", f"{disk.path}: {counted}"),),
        facts=_room(
            subject, disk, "inodes", "no inodes left, one of which each file needs, so nothing can be made on it"
        ),
    )


def _room(subject: Subject, disk: Disk, what: str, lack: str) -> dict[str, object]:
    kinds = {kind: kind == what for kind in ("space", "inodes")}
    return kinds | {"path": disk.path, "free": disk.free_bytes, "instance": subject.instance_name, "lack": lack}


@check(codes=("TT972",), reads=("host", "peer.host", *TENTACLE_READS))
def clocks_agree(subject: Subject) -> Iterator[Finding]:
    """The clocks of a Tentacle and its servers agree, as far as that matters."""
    if not subject.is_tentacle:
        return
    own = ahead_of_ours(subject)
    unseen: Unknown | None = None
    for server in subject.peers:
        other = ahead_of_ours(server)
        if own is None or other is None:
            continue
        apart = abs(own - other)
        source = f"clocks of {subject.name} and {server.name}"
        shown = f"{_duration(apart)} apart"
        attempts = [attempt for attempt in attempts_of(subject) if attempt.server == server.name]
        well = any(attempt.shows_page for attempt in attempts)
        if apart <= _CLOCKS_APART or well:
            told = shown if apart > _CLOCKS_WORTH_A_WORD else "they agree within five minutes"
            yield Evidence(source, told)
            continue
        if not attempts:
            unseen = unseen or Unknown(
                f"the clocks of {subject.name} and {server.name} are {shown}, and nobody looked at their link",
                "A link that works needs no clocks that agree. See why nobody looked, and run again.",
            )
            continue
        yield Problem(
            "TT972",
            subject.name,
            expected=f"the clocks of {subject.name} and {server.name} agree",
            actual=f"they are {shown}",
            evidence=(
                Evidence(subject.name, f"{_duration(abs(own))} {_way(own)} the machine that runs pytest"),
                Evidence(server.name, f"{_duration(abs(other))} {_way(other)} the machine that runs pytest"),
            ),
            facts={"server": server.name, "seconds": int(apart.total_seconds())},
        )
    if unseen is not None:
        raise unseen


@check(codes=(), reads=("watchdog", "left_overs"))
def left_overs_are_told(subject: Subject) -> Iterator[Finding]:
    """A disabled watchdog and what earlier installations left behind: evidence for who looks for a cause."""
    try:
        for task in subject.read(FACTS.watchdog):
            yield Evidence(f"scheduled tasks of {subject.name}", f"{task.name} is {task.state}")
    except Unknown as unknown:
        yield Evidence(f"scheduled tasks of {subject.name}", f"not read: {unknown.reason}")
    try:
        for left in subject.read(FACTS.left_overs):
            yield Evidence(f"left-overs on {subject.name}", f"{left.kind}: {left.where}")
    except Unknown as unknown:
        yield Evidence(f"left-overs on {subject.name}", f"not read: {unknown.reason}")


def _own_disks(subject: Subject) -> tuple[Disk, ...]:
    """Those of its own folders; all that were measured, where the folders are not known."""
    disks = subject.read(FACTS.disks)
    try:
        if subject.is_tentacle:
            home = subject.settings.home
            work = None if _is_worker_alone(subject) else subject.settings.application_directory
            folders: tuple[str | None, ...] = (home, _logs(home), work)
        else:
            home = subject.server_settings.home
            folders = (home, _logs(home))
    except (Unknown, Blocked):
        return disks
    found = {disk: None for folder in folders if folder for disk in [_below(folder, disks)] if disk is not None}
    return tuple(found) or disks


def _is_worker_alone(subject: Subject) -> bool:
    """Whether Octopus knows it as a worker and nothing else: packages are deployed to targets, and to no worker."""
    return {each.kind for each in registrations_of(subject)} == {"worker"}


def _logs(home: str | None) -> str | None:
    return f"{home.rstrip('/')}/Logs" if home and home.startswith("/") else None


def _below(folder: str, disks: tuple[Disk, ...]) -> Disk | None:
    """The innermost volume that a folder lies on."""
    wanted = _parts(folder)
    fitting = [disk for disk in disks if wanted[: len(_parts(disk.path))] == _parts(disk.path)]
    return max(fitting, key=lambda disk: len(_parts(disk.path)), default=None)


def _parts(path: str) -> tuple[str, ...]:
    if path.startswith("/"):
        return tuple(part for part in posixpath.normpath(path).split("/") if part)
    return tuple(part.lower() for part in ntpath.normpath(path).split("\\") if part)


def _duration(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:  # noqa: PLR2004  two hours
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 48 else f"{hours // 24} days"  # noqa: PLR2004  two days


def _way(offset: timedelta) -> str:
    return "ahead of" if offset > timedelta() else "behind"
