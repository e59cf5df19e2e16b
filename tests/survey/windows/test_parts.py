"""Surveys of some sections alone (`support/surveys`): they say what the whole says, and nothing of the rest."""

from __future__ import annotations

import re

import pytest

from pytest_tentacle.survey.scripts.windows import script
from support.surveys.parts import closed
from support.surveys.windows import NEEDS

BODIES = dict(re.findall(r"^function ([\w-]+) \{\n(.*?)^\}", script(), re.MULTILINE | re.DOTALL))
STARTS = re.findall(
    r"Name = '(\w+)'; Read = \{ ([\w-]+) \}|^    (\w+) +=  ?\{ (Start-[\w-]+) \}", script(), re.MULTILINE
)
NOTED = r"\$Survey\.Cache\['(?!lag')([\w ]+)'\]"
"""What a section notes for others; `lag` is how late the latest looks were themselves."""


def calls_of(*names: str) -> set[str]:
    """The functions of the script that these call, and themselves."""
    found: set[str] = set()
    left = list(names)
    while left:
        one = left.pop()
        if one in BODIES and one not in found:
            found.add(one)
            left += re.findall(r"[A-Z]\w+-\w+", BODIES[one])
    return found


def test_what_a_section_reads_of_others_is_known() -> None:
    """By the script's text: who reads what another section noted runs behind it, and behind nothing else."""
    readers: dict[str, list[str]] = {"probes": ["Get-ProbeTarget", "Invoke-Probing"]}
    for section, function, waiting, start in STARTS:
        readers.setdefault(section or waiting, []).append(function or start)
    assert readers.keys() == NEEDS.keys()
    calls = {section: calls_of(*functions) for section, functions in readers.items()}
    writers: dict[str, set[str]] = {}
    for function, body in BODIES.items():
        for name in re.findall(NOTED + " = ", body):
            writers.setdefault(name, set()).add(function)
    needs = {}
    for section, called in calls.items():
        text = "\n".join(BODIES[function] for function in called)
        read = {*re.findall(NOTED, text), *re.findall(r"Get-KnownList '(\w+)'", text)}
        foreign = {name for name in read if not writers[name] & called}
        needs[section] = tuple(other for other in calls if any(writers[name] & calls[other] for name in foreign))
    assert {section: closed([section], needs) for section in needs} == {
        section: closed([section], NEEDS) for section in NEEDS
    }


def test_a_part_says_the_same_as_the_whole(healthy_run, tentacle) -> None:
    """Word for word; what was left out cannot be looked at, and was not run."""
    _, whole = healthy_run
    tentacle.sections = {"firewall", "own_names", "disks"}
    part = tentacle.run()
    for name in tentacle.sections:
        assert part.document[name] == whole.document[name], name
    assert part.document["tls"] == {"unknown": "left out by the test"}
    with pytest.raises(AssertionError, match="left tls out"):
        _ = part.survey.tls
    with pytest.raises(AssertionError, match="left probes out"):
        _ = part.survey.probes
    assert part.document["probes"] == []
    called = {call["command"] for call in tentacle.commands()}
    assert "Get-NetIPAddress" in called
    assert called.isdisjoint({"netsh.exe", "Get-TlsCipherSuite", "Get-WinEvent", "Get-ScheduledTask"})
