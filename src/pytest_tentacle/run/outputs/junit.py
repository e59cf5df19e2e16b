"""pytest's JUnit file, brought to what CI systems make most of."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

from pytest_tentacle.files import write
from pytest_tentacle.judging.result import Outcome


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
