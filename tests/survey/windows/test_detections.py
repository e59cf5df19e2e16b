"""What a survey sends meets no public detection rule, but for those that nobody can avoid who logs on from afar."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pytest_tentacle.survey.request import Request
from pytest_tentacle.survey.scripts.windows import COMMAND, windows_call

RULES: dict[str, list[dict[str, Any]]] = YAML(typ="safe").load(Path(__file__).with_name("detections.yaml"))

SENT = {
    "process_creation": COMMAND,
    "script_block": windows_call(Request()).stdin.decode("ascii"),
}

FORMER = (
    "powershell.exe -NoProfile -NonInteractive -EncodedCommand OgA6AEYAcgBvAG0AQgBhAHMAZQA2ADQAUwB0AHIAaQBuAGcA"
    + "A" * 900
)
"""The command line of before, in short: an example of what rules do find."""


def meets(rule: dict[str, Any], text: str) -> bool:
    text = text.lower()
    found = [
        any(word.lower() in text for word in rule["any"]) if "any" in rule else None,
        all(word.lower() in text for word in rule["all"]) if "all" in rule else None,
        bool(re.search(rule["re"], text, re.IGNORECASE)) if "re" in rule else None,
    ]
    return all(one for one in found if one is not None)


@pytest.mark.parametrize(
    ("kind", "rule"),
    [(kind, rule) for kind, rules in RULES.items() for rule in rules],
    ids=lambda value: value["rule"] if isinstance(value, dict) else value,
)
def test_rule(kind: str, rule: dict[str, Any]):
    """It is met only where the table says so, and then it is of a low level."""
    assert meets(rule, SENT[kind]) == ("known" in rule)
    assert "known" not in rule or rule["level"] == "low"


def test_rules_find_what_they_are_for():
    """The conditions do find the form of before."""
    assert sum(meets(rule, FORMER) for rule in RULES["process_creation"]) >= 4
    packed = "$s = New-Object IO.Compression.GzipStream ([Convert]::FromBase64String($t)); Get-SystemFact; curl x"
    assert sum(meets(rule, packed) for rule in RULES["script_block"]) >= 4
