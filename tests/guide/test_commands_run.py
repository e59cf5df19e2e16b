"""Every printed command, with hostile names in it, is parsed and run by the shells that it is meant for, against stand-ins."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pytest_tentacle.diagnosis import CAUSES
from pytest_tentacle.guide.commands import fitting
from pytest_tentacle.guide.placeholders import MEANINGS, PLACEHOLDER
from pytest_tentacle.guide.remedies import fill
from pytest_tentacle.sections.catalogue import CATALOGUE

HOSTILE = (
    "a`b",
    "$HOME$(id)",
    "O'Hara's",
    "two words",
    "a;reboot #",
    "Grüße",
    "a&b|c>d",
    "\u2018curly\u2019",
    "x\\",
    "Web[12]*?",
    "%TEMP%",
)
REFUSED = ('a"b', "a\nb", "-n", "a\u200eb")
NUMBERS = {"port": 10933, "pid": 7, "child": 8, "declared": 10943}
WORD = re.compile(r'"([^"]*)"')
PATTERN = re.compile(r"(?<!Set)-Service -Name $|NetFirewallRule .*-DisplayName $")
WILD = re.compile(r"([`*?\[\]])")
"""Where PowerShell takes a word for a pattern (Set-Service takes none), and what means more there than itself."""


def lines_for(system: str) -> list[str]:
    """All commands of all problems and causes, each once."""
    kinds = (*CATALOGUE.values(), *CAUSES)
    found = [line for kind in kinds for line in fitting(getattr(kind, system), {}) if line.startswith("$ ")]
    return list(dict.fromkeys(found))


def facts_of(value: str) -> dict[str, Any]:
    return dict.fromkeys(MEANINGS, value) | NUMBERS | {"installed": "999.0.0", "runs_as": None}


def words_in(line: str, value: str, system: str) -> list[str]:
    """The words of a command that hold hostile facts, as they must arrive."""
    facts = facts_of(value)
    found = [match for match in WORD.finditer(line) if set(PLACEHOLDER.findall(match[1])) - set(NUMBERS)]
    words = [PLACEHOLDER.sub(lambda match: str(facts[match[1]]), match[1]) for match in found]
    is_pattern = [PATTERN.search(line[: match.start()]) for match in found]
    if system == "windows":
        words = [word.rstrip("\\") if " " in word else word for word in words]
    return [WILD.sub(r"`\1", word) if wild else word for word, wild in zip(words, is_pattern, strict=True)]


# -- PowerShell ----------------------------------------------------------------------------------------------------------

SCRIPT = r"""
$results = foreach ($line in ([Console]::In.ReadToEnd() | ConvertFrom-Json)) {
    $tokens = $errors = $null
    $ast = [System.Management.Automation.Language.Parser]::ParseInput($line, [ref]$tokens, [ref]$errors)
    $texts = $ast.FindAll({ $args[0] -is [System.Management.Automation.Language.StringConstantExpressionAst] }, $true)
    $commands = $ast.FindAll({ $args[0] -is [System.Management.Automation.Language.CommandAst] }, $true)
    $inner = $ast.FindAll({ $args[0] -is [System.Management.Automation.Language.SubExpressionAst] }, $true)
    $calls = [System.Collections.Generic.List[object]]::new()
    if (-not $errors -and $line.StartsWith('& ')) {
        $name = $commands[0].GetCommandName()
        $body = { $calls.Add(@($args | ForEach-Object { "$_" })) }.GetNewClosure()
        $null = $ExecutionContext.InvokeProvider.Item.Set([string[]]@("function:$name"), $body, $true, $true)
        & ([scriptblock]::Create($line))
    }
    [pscustomobject]@{
        errors = @($errors | ForEach-Object { "$($_.Message)" })
        texts = @($texts | ForEach-Object { $_.Value })
        commands = @($commands).Count
        inner = @($inner).Count
        calls = @($calls)
    }
}
ConvertTo-Json -InputObject @($results) -Depth 5 -Compress
"""


def asked(engine: Path, lines: list[str]) -> list[dict[str, Any]]:
    """What PowerShell makes of the lines, by one call."""
    done = subprocess.run(
        [str(engine), "-NoProfile", "-NonInteractive", "-Command", SCRIPT],
        input=json.dumps(lines),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    return list(json.loads(done.stdout))


def test_powershell(engine: Path) -> None:
    """Each hostile text is one constant of its line, the line has no other commands than before, and a program gets it whole."""
    plain = [line for line in lines_for("windows") if "<" in line]
    rows = [(line, value) for line in plain for value in ("value", *HOSTILE)]
    filled = [fill((line,), "windows", facts_of(value))[0].removeprefix("$ ") for line, value in rows]
    wrong = []
    benign: dict[str, dict[str, Any]] = {}
    for (line, value), text, seen in zip(rows, filled, asked(engine, filled), strict=True):
        if value == "value":
            benign[line] = seen
        wanted = words_in(line, value, "windows")
        if seen["errors"]:
            wrong.append(f"{text}: {seen['errors']}")
        elif [word for word in wanted if word not in seen["texts"]]:
            wrong.append(f"{text}: {seen['texts']}")
        elif (seen["commands"], seen["inner"]) != (benign[line]["commands"], benign[line]["inner"]):
            wrong.append(f"{text}: it runs something else as well")
        elif text.startswith("& ") and seen["calls"] and [w for w in wanted[1:] if w not in seen["calls"][0]]:
            wrong.append(f"{text}: {seen['calls']}")
    assert wrong == []
    assert len(plain) > 60


PATHS = "file|log|path|executable|home|tentacle"
BY_PATTERN = re.compile(rf'(?:Get|Copy|Select|Split)-(?:Item|Content|Acl|ChildItem|String|Path)\b[^|;)]*"<(?:{PATHS})>')
NEWER = re.compile(r"Get-ItemPropertyValue|Get-Package|curl\.exe|Test-Connection .*-TcpPort|-SkipCertificateCheck")
"""What Windows PowerShell 4.0 does not have."""


@pytest.mark.parametrize(
    ("line", "is_found"),
    [
        ('$ Get-Item "<file>"', True),
        ('$ Get-Content -Tail 9 "<log>"', True),
        ('$ Get-Item -LiteralPath "<file>"', False),
    ],
)
def test_a_path_as_a_pattern_is_found(line: str, is_found: bool) -> None:
    assert taken_for_a_pattern(line) is is_found


def taken_for_a_pattern(line: str) -> bool:
    return any("-LiteralPath" not in found for found in BY_PATTERN.findall(line))


def test_powershell_of_old() -> None:
    """4.0 has each cmdlet, takes no path for a pattern, and says hello by TLS 1.2."""
    lines = lines_for("windows")
    assert [line for line in lines if taken_for_a_pattern(line)] == []
    assert [line for line in lines if NEWER.search(line)] == []
    secure = [
        line
        for line in lines
        if "AuthenticateAsClient" in line
        or ("Invoke-WebRequest" in line and "http:" not in line.replace("http://<proxy>", ""))
    ]
    assert secure
    assert [line for line in secure if "'Tls12'" not in line] == []


# -- sh ------------------------------------------------------------------------------------------------------------------

RECORDER = (
    '#!/bin/sh\n{ printf "%s\\n" BEGIN; for word in "${0##*/}" "$@"; do printf "%s\\n" "$word"; done; } >>"$RECORD"\n'
)
KEYWORDS = {"|", "||", "&&", ";", "<", ">"}


def test_sh(tmp_path: Path) -> None:
    """dash runs each line with stand-ins for what it calls: each hostile text arrives as one word."""
    plain = [line for line in lines_for("linux") if "<" in line]
    programs, record = tmp_path / "bin", tmp_path / "record"
    programs.mkdir()
    recorder = programs / "mark"
    recorder.write_text(RECORDER)
    recorder.chmod(0o755)
    wrong = []
    for value in HOSTILE:
        rows = []
        for line in plain:
            text = fill((line,), "linux", facts_of(value))[0].removeprefix("$ ")
            rows.append((text, words_in(line, value, "linux")))
            for word in _called(text):
                if "/" not in word and not (programs / word).exists():
                    (programs / word).symlink_to(recorder)
        record.write_text("")
        script = "\n".join(f"mark LINE {number}\n{text}" for number, (text, _) in enumerate(rows))
        environment = {"PATH": str(programs), "RECORD": str(record), "HOME": str(tmp_path)}
        subprocess.run(["/bin/dash", "-c", script], env=environment, capture_output=True, check=False, cwd=tmp_path)
        got = _recorded(record.read_text())
        wrong += [
            f"{text}: {got.get(number)}"
            for number, (text, wanted) in enumerate(rows)
            if [word for word in wanted if word not in got.get(number, ())]
        ]
    assert wrong == []
    assert len(plain) > 60
    assert sorted(each.name for each in tmp_path.iterdir()) == ["bin", "record"], "a line wrote something"


def _called(text: str) -> list[str]:
    """The words at which a command may stand: the first, and those behind a pipe or a semicolon."""
    words = shlex.split(text, posix=True)
    return [word for at, word in enumerate(words) if at == 0 or words[at - 1] in KEYWORDS]


def _recorded(text: str) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    number = -1
    for call in text.split("BEGIN\n"):
        words = call.splitlines()
        if words[:2] == ["mark", "LINE"]:
            number = int(words[2])
        else:
            found.setdefault(number, []).extend(words)
    return found


# -- what has no place in a command -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("system", ["windows", "linux"])
@pytest.mark.parametrize("value", REFUSED)
def test_is_left_out(system: str, value: str) -> None:
    """The placeholder stays, and nothing of the value."""
    for line in lines_for(system):
        (filled,) = fill((line,), system, facts_of(value))
        assert set(PLACEHOLDER.findall(filled)) == set(PLACEHOLDER.findall(line)) - set(NUMBERS)
        assert value == "-n" or value not in filled
