"""What a run writes: where it may, found out before any machine is contacted; and what came of each view.

Each view is made and written on its own: one that fails says so, and the others stand.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from xml.etree import ElementTree as ET

import pytest

from pytest_tentacle.files import PRIVATE, require_replaceable, write
from pytest_tentacle.judging.result import Outcome, StepResult
from pytest_tentacle.survey.store import Surveys

T = TypeVar("T")

_PACKAGE = str(Path(__file__).parent.parent)


def check_writable(path: Path, option: str) -> None:
    """Find out before the survey what would else be found out after it. Raises pytest.UsageError."""
    try:
        require_replaceable(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}.part")
        os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE))
        beside.unlink()
    except (OSError, ValueError) as error:
        raise pytest.UsageError(
            f"{path} cannot be written: {getattr(error, 'strerror', None) or error}. Name a file in a folder that you "
            f"may write to: {option}."
        ) from None


def check_apart(outputs: Iterable[tuple[str, Path]], inputs: Iterable[tuple[str, Path]]) -> None:
    """Raises pytest.UsageError where an output is an input, or two outputs are one file.

    Args:
        outputs: what is written, each with the words for it, such as `--bundle`.
        inputs: what is read.
    """
    taken = {}
    for words, path in inputs:
        taken.update(dict.fromkeys(_identities(path), words))
    for words, path in outputs:
        for identity in _identities(path):
            if identity in taken:
                raise pytest.UsageError(
                    f"{words}: {path} is {taken[identity]} as well, which would be overwritten. Name another file."
                )
        taken.update(dict.fromkeys(_identities(path), f"the file of {words}"))


@dataclass(frozen=True)
class JunitCase:
    """A step as CI systems group and name it: machine, outcome, why it is unknown, and the codes of its problems."""

    machine: str
    outcome: Outcome
    reason: str
    codes: tuple[str, ...]


def polish_junit(path: Path, cases: Mapping[str, JunitCase], *, hide_host: bool, keep_properties: bool) -> None:
    """Bring pytest's JUnit file to what CI systems make most of; nothing to do where there is none. Raises OSError.

    Each step's class is its machine, an unknown says so, times are in UTC, and properties of a test case, which the
    schema of Jenkins' xUnit plugin does not know, are left out.

    Args:
        path: the file, as pytest has written it.
        cases: by a test's id (`web-01-services-running`), what it is.
        hide_host: take the name of the machine that ran pytest out.
        keep_properties: leave the properties where they are (`-o junit_family=xunit1`).
    """
    if not path.exists():
        return
    tree = ET.parse(path)  # noqa: S314  pytest wrote it, just now
    for suite in tree.iter("testsuite"):
        with contextlib.suppress(ValueError):
            started = datetime.fromisoformat(suite.get("timestamp", ""))
            suite.set("timestamp", started.astimezone(UTC).isoformat(timespec="seconds"))
        if hide_host:
            suite.set("hostname", "hidden")
    for element in tree.iter("testcase"):
        if not keep_properties:
            for properties in element.findall("properties"):
                element.remove(properties)
        found = re.search(r"\[(.+)\]$", element.get("name", ""))
        case = cases.get(found[1]) if found else None
        if case is not None:
            _polish(element, case)
    write(path, ET.tostring(tree.getroot(), encoding="utf-8", xml_declaration=True))


def _polish(element: ET.Element, case: JunitCase) -> None:
    element.set("classname", case.machine)
    for failure in element.findall("failure"):
        failure.set("type", " ".join(case.codes))
    for error in element.findall("error"):
        if case.outcome is Outcome.UNKNOWN:
            error.set("message", f"unknown: {case.reason}")
            error.set("type", "unknown")
    for skipped in element.findall("skipped"):
        if case.outcome is Outcome.BLOCKED:
            skipped.set("type", "blocked")
            skipped.text = None


def _identities(path: Path) -> list[object]:
    """What two names of one file have in common: where they lead to, and the file itself under whatever name."""
    found: list[object] = [os.path.normcase(os.path.realpath(path))]
    with contextlib.suppress(OSError, ValueError):
        status = path.stat()
        if status.st_ino:
            found.append((status.st_dev, status.st_ino))
    return found


class Failures:
    """What could not be made or written, by what it is: each is told, and makes the exit code 1."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}

    def __bool__(self) -> bool:
        """Whether anything failed."""
        return bool(self._told)

    def __iter__(self) -> Iterator[str]:
        """One sentence for each."""
        return iter(self._told.values())

    def attempt(self, what: str, make: Callable[..., T], *arguments: Any) -> T | None:
        """What `make` gives; None where it fails, which is noted. What failed before and works now is forgotten."""
        self._told.pop(what, None)
        try:
            return make(*arguments)
        except Exception as error:  # noqa: BLE001  whatever one view raises, the others are written
            self.note(what, error)
            return None

    def note(self, what: str, error: BaseException) -> None:
        """Note a failure. A fault of ours is told with its place, and without its words: they may quote a machine."""
        if isinstance(error, OSError):
            self._told[what] = f"{what} could not be written: {error.strerror or type(error).__name__}"
        elif isinstance(error, MemoryError):
            self._told[what] = f"{what} could not be written: this machine has not enough memory for it"
        else:
            self._told[what] = (
                f"{what} could not be made: {type(error).__name__} at {_place(error)}. This is a fault of "
                "pytest-tentacle: please report it, with the bundle."
            )


def _place(error: BaseException) -> str:
    """The last place of ours that an exception came by."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(_PACKAGE)]
    last = (ours or frames)[-1] if frames else None
    return f"{Path(last.filename).name}:{last.lineno}" if last else "an unknown place"


def plain_lines(results: Iterable[StepResult]) -> list[str]:
    """The verdicts in the plainest words, for a console on which the diagnosis itself cannot be shown."""
    lines = []
    for result in results:
        if result.outcome is not Outcome.PASSED:
            codes = ", ".join(problem.code for problem in result.problems)
            lines.append(f"{result.machine}: {result.step}: {result.outcome.value}" + (f" ({codes})" if codes else ""))
    return lines or ["every step passed"]


def recorded_notes(surveys: Surveys) -> list[str]:
    """What is to be told of machines of the lab that did not run the real script."""
    recorded = [name for record in surveys.records if record.recorded for name in record.machines]
    return recorded and [
        (
            "No PowerShell was found: the lab's Windows machines answered from recordings "
            f"({', '.join(recorded)}). Put `pwsh` on the PATH to run the real script."
        )
    ]
