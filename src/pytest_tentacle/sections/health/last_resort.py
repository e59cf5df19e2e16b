"""Guide, "Restart" and "Uninstall Tentacles": no step, but advice in the outcome of the last one."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tentacle.guide.commands import (
    CLEAN_LINUX,
    CLEAN_SLATE,
    CLEAN_WINDOWS,
    RESTART,
    RESTART_LINUX,
    RESTART_WINDOWS,
)
from pytest_tentacle.guide.remedies import fill
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Blocked, Evidence, Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject

_OF_A_TENTACLE = (
    "identify-the-problem",
    "services-running",
    "communication-settings",
    "tentacle-thumbprint",
    "welcome-page-across",
    "connections-established",
)
_OF_A_SERVER = ("identify-the-problem", "services-running")
_SOURCE = "last resort, once every other advice was followed"


@check(codes=(), reads=("host", "instances", "services", "left_overs"))
def last_resort_is_told(subject: Subject) -> Iterator[Finding]:
    """Where something failed, the guide's last advice, with its commands and what lies about from earlier times."""
    steps = _OF_A_TENTACLE if subject.is_tentacle else _OF_A_SERVER
    if not any(subject.problems_of(step) for step in steps):
        return
    try:
        linux = subject.read(FACTS.host).os == "linux"
        service = subject.service
    except (Unknown, Blocked):
        return  # earlier steps say what could not be read; a command for the wrong system is worse than none
    facts = subject.call_facts | ({"tentacle": service.executable} if service is not None else {})
    system = "linux" if linux else "windows"
    yield _advice(RESTART, fill((RESTART_LINUX if linux else RESTART_WINDOWS,), system, facts))
    if not subject.is_tentacle:
        return
    yield _advice(f"then {CLEAN_SLATE}", fill(CLEAN_LINUX if linux else CLEAN_WINDOWS, system, facts))
    yield Evidence(_SOURCE, f"left over from earlier installations, to be removed then: {_left_over(subject)}")


def _left_over(subject: Subject) -> str:
    try:
        found = subject.read(FACTS.left_overs)
    except Unknown as unknown:
        return f"not known, {unknown.reason}"
    return ", ".join(f"{left.where} ({left.kind})" for left in found) or "nothing was found"


def _advice(words: str, commands: tuple[str, ...]) -> Evidence:
    """Words and commands in one line."""
    shown = (command.removeprefix("$ ") for command in commands)
    return Evidence(_SOURCE, f"{words}: {'; '.join(f'`{command}`' for command in shown)}")
