"""Why a process ended, as what it said last and when it began to say it tell (guide, "Identify the Problem")."""

from __future__ import annotations

from datetime import datetime, timedelta

from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.commands import START_LINUX, START_WINDOWS, when
from pytest_tentacle.guide.consequences import DOWN, ENDED
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.logs.model import LogFile
from pytest_tentacle.sections.versions import parsed

_OF_ITS_KEY = "database-key"
_ONE_UPGRADE = timedelta(days=1)
"""How long the first starts of a new version may take to be given up."""
_TIME = "%Y-%m-%d %H:%M:%S"


def _since_the_upgrade(view: View, problem: Problem) -> Clue | None:
    """No start of the new version came to last: it ended with the error from the first one on."""
    logs = view.survey.logs.data if view.survey else None
    log = next((each for each in logs or () if each.path == problem.facts.get("log")), None)
    if log is None or not view.codes & DOWN:
        return None
    versions = [(time, version) for time, version in zip(log.start_times, log.start_versions, strict=False) if version]
    if not versions:
        return None
    last = versions[-1][1]
    before = [version for _, version in versions if version != last]
    starts = [time for time, version in versions if version == last]
    if not before or (parsed(before[-1]) or ()) >= (parsed(last) or ()) or not _is_one_upgrade(starts, log):
        return None
    told = Evidence(f"log of {view.name}, {log.path}", f"{before[-1]} ran before; {last} started first at {starts[0]}")
    facts = {"before": before[-1], "version": last, "server": view.is_server, "tentacle_itself": not view.is_server}
    return Clue(facts=facts, evidence=(told,))


def _is_one_upgrade(starts: list[str], log: LogFile) -> bool:
    """Whether all starts of the new version lie within one upgrade: it never ran for long."""
    try:
        first, last = (datetime.strptime(time[:19], _TIME) for time in (starts[0], log.last_time or starts[-1]))  # noqa: DTZ007 - both are of one clock, whatever its zone
    except ValueError:
        return False
    return last - first <= _ONE_UPGRADE


def _with_another_key(_view: View, problem: Problem) -> Clue | None:
    return Clue() if problem.facts.get("signature") == _OF_ITS_KEY else None


_RELEASES = (
    "Look in the release notes and among Octopus's issues whether this is fixed in a later release, and install that. "
    "Otherwise go back to {before}:"
)
_BACK = (
    *when(
        "server",
        "An older server does not open a database that a newer one has upgraded: restore the backup from before the "
        "upgrade with it. Octopus support needs this log:",
    ),
    *when("tentacle_itself", "Settings, certificate and registration stay as they are. What it says:"),
)

ENDINGS: tuple[CauseKind, ...] = (
    CauseKind(
        "TC1291",
        "Since its upgrade the service ends with an error at each start",
        "{who} has not come through a start since its upgrade from {before} to {version}: the new version ends with an "
        "error that is not known here (it says: {words})",
        frozenset({"TT129"}),
        (_RELEASES, *_BACK, '$ Get-Content -Tail 200 -LiteralPath "<log>"', START_WINDOWS),
        (_RELEASES, *_BACK, '$ tail -n 200 "<log>"', START_LINUX),
        _since_the_upgrade,
        consequences=DOWN | {"TT501", "TT130"},
        fold_by=("before", "version"),
        rank=21,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC1431",
        "The embedded database was written with another master key",
        "The Octopus Server on {who} cannot read its embedded database (Raven, in Octopus 2): it is encrypted with "
        "another master key than the one in its settings, as after an installation over an older one (in its words: "
        "{words})",
        frozenset({"TT143"}),
        (
            (
                "Restore the configuration of the installation that wrote the database, or give the server that one's "
                "master key; without the key the database cannot be read, and a backup is imported into a new one. "
                "What it says:"
            ),
            '$ Get-Content -Tail 200 -LiteralPath "<log>"',
            START_WINDOWS,
        ),
        (
            "Octopus 2 runs on Windows only. What it says:",
            '$ tail -n 200 "<log>"',
            START_LINUX,
        ),
        _with_another_key,
        consequences=ENDED,
        rank=7,
        confidence=Confidence.LIKELY,
    ),
)
