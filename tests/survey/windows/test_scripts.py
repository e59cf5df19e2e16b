"""What stands in the PowerShell files, without running them as a survey: for 5.1, and with nothing that changes a machine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

import pytest_tentacle
from pytest_tentacle.survey.scripts import windows

PACKAGE = Path(pytest_tentacle.__file__).parent
SCRIPTS = sorted(PACKAGE.rglob("*.ps1"))

ALLOWED_COMMANDS = {
    # reads of the machine
    "Get-CimInstance", "Get-Service", "Get-Process", "Get-NetTCPConnection", "Get-NetIPAddress", "Get-ItemProperty",
    "Find-NetRoute", "Get-NetNeighbor",
    "Get-ChildItem", "Get-Item", "Test-Path", "Get-Acl", "Get-LocalGroupMember", "Get-NetConnectionProfile",
    "Get-TlsCipherSuite", "Get-TlsEccCurve", "Get-Variable", "Invoke-CimMethod", "Get-ScheduledTask", "Get-ScheduledTaskInfo", "Get-WinEvent",
    "$env:SystemRoot\\System32\\netstat.exe",
    # the language's own tools
    "ConvertFrom-Json", "ConvertTo-Json", "ForEach-Object", "New-Object", "Select-Object", "Set-Variable", "Sort-Object",
    "Where-Object",
}  # fmt: skip

ALLOWED_INDIRECT = {
    "$Begin",
    "$Read",
    "$WaitingStarts[$name]",
    "$section.Read",
    "([ScriptBlock]::Create($Text))",
}
"""Script blocks of ours that are called by a variable."""

FORBIDDEN_MEMBERS = re.compile(
    r"^(Write(All\w+|Line)|Append\w*|Create(Text|Directory|SubKey)?|Delete\w*|Move\w*|Set(Value|Attributes|AccessControl)|Kill|"
    r"Start|Stop|OpenWrite|Invoke\w*)$"
)


@cache
def parsed(engine: Path, text: str) -> dict[str, list[str]]:
    """All commands, called members and defined functions, as the engine's own parser sees them."""
    code = """
$text = [Console]::In.ReadToEnd()
$tokens = $errors = $null
$ast = [Management.Automation.Language.Parser]::ParseInput($text, [ref]$tokens, [ref]$errors)
$commands = $ast.FindAll({ $args[0] -is [Management.Automation.Language.CommandAst] }, $true)
$names = @($commands | ForEach-Object { if ($_.GetCommandName()) { $_.GetCommandName() } else { $_.CommandElements[0].Extent.Text.Trim('"') } })
$members = @($ast.FindAll({ $args[0] -is [Management.Automation.Language.InvokeMemberExpressionAst] }, $true) | ForEach-Object { $_.Member.Extent.Text })
$functions = @($ast.FindAll({ $args[0] -is [Management.Automation.Language.FunctionDefinitionAst] }, $true) | ForEach-Object { $_.Name })
$redirections = @($ast.FindAll({ $args[0] -is [Management.Automation.Language.FileRedirectionAst] }, $true) | ForEach-Object { $_.Extent.Text })
ConvertTo-Json -Compress @{ names = $names; members = $members; functions = $functions; redirections = $redirections; errors = @($errors | ForEach-Object { $_.Message }) }
"""
    completed = subprocess.run(
        [engine, "-NoProfile", "-NonInteractive", "-Command", code],
        input=text.encode(),
        capture_output=True,
        check=True,
        timeout=60,
    )
    return json.loads(completed.stdout)


class TestReadOnly:
    def test_every_command_may_be_called(self, engine):
        """No command but our own functions and those of the list; nothing is written to a file."""
        found = parsed(engine, windows.script())
        assert found["errors"] == []
        called = {name for name in found["names"] if not name.startswith("{")}  # the script is one block
        assert called - set(found["functions"]) - ALLOWED_COMMANDS - ALLOWED_INDIRECT == set()
        assert found["redirections"] == []
        # It makes a runspace aside; it starts a product's `help`, and ends it when it takes too long; a group's members are
        # asked of the machine's directory.
        assert {member for member in found["members"] if FORBIDDEN_MEMBERS.match(member)} == {
            "Create",
            "Invoke",
            "InvokeMember",
            "Start",
            "Kill",
        }
        assert re.findall(r"\.InvokeMember\('(\w+)', (\S+),", windows.script()) == [
            ("objectSid", "[Reflection.BindingFlags]::GetProperty")
        ]
        assert re.findall(r"\.Invoke\('(\w+)'\)", windows.script()) == ["Members"]

    def test_cmdlets_alone(self, engine):
        """What runs in constrained language mode only reads as well, and calls no method that this mode forbids."""
        found = parsed(engine, windows.constrained_script() + " '{}'")
        assert found["errors"] == []
        called = {name for name in found["names"] if not name.startswith("{")}
        own = {"Get-Content", "Get-Date", "Test-NetConnection", "Write-Output"}
        assert called - set(found["functions"]) - ALLOWED_COMMANDS - ALLOWED_INDIRECT == own
        assert found["redirections"] == []
        assert set(found["members"]) == {"ToUniversalTime"}

    def test_the_list_holds_nothing_superfluous(self, engine):
        """What the list allows is called somewhere."""
        assert set(parsed(engine, windows.script())["names"]) >= ALLOWED_COMMANDS

    def test_only_help_and_netsh_that_shows_are_started(self):
        """One place starts programs, for two callers: `help` of a product's own program, and netsh, which shows.

        It ends no other process.
        """
        parts = {
            path.stem: path.read_text("utf-8") for path in (PACKAGE / "survey" / "scripts" / "windows").rglob("*.ps1")
        }
        starting = [name for name, text in parts.items() if "Process]::Start(" in text or "ProcessStartInfo" in text]
        assert starting == ["programs"]
        assert parts["programs"].count("Process]::Start(") == 1
        assert re.findall(r"(\S+)\.Kill\(", parts["programs"]) == ["$Program.Process"]
        calls = {
            name: re.findall(r"Start-Program -Item (.*?) -Arguments (.*?)[)}]", text) for name, text in parts.items()
        }
        assert {name: found for name, found in calls.items() if found} == {
            "loading": [("$Item -By $By", "'help'")],
            "reservations": [("$netsh", "$NetshQuestions[$name] ")],
        }
        questions = re.search(r"\$NetshQuestions = @\{(.*?)\n\}", parts["reservations"], re.DOTALL)
        assert re.findall(r"'([^']*)'", questions[1]) == [
            "interface ipv4 show excludedportrange protocol=tcp",
            "http show servicestate view=requestq verbose=no",
        ]

    def test_bytes_sent_are_those_of_the_link_client(self):
        """The probes send what `link.wire` lists and nothing else; tests of the probes see the same on the wire."""
        text = (PACKAGE / "survey" / "scripts" / "windows" / "looks" / "link.ps1").read_text("utf-8")
        sent = [line for line in text.splitlines() if "$CrLf" in line or "${CrLf}" in line]
        sent = [line.strip() for line in sent if "IndexOf" not in line]
        assert len(sent) == 4
        assert sum("('A' * $Payload) + $CrLf" in line for line in sent) == 1
        assert sum('"MX' in line for line in sent) == 2
        get = '"GET / HTTP/1.1${CrLf}Host: ${name}:$($Record.port)${CrLf}Connection: close$CrLf$line$CrLf"'
        assert sent.count(get) == 1


class TestForm:
    def test_every_part_goes_into_the_script(self):
        """The folder of parts and the list of parts are the same."""
        folder = PACKAGE / "survey" / "scripts" / "windows"
        assert {path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.ps1")} == {
            *windows.PARTS,
            "survey",
            "constrained",
        }
        assert "# <parts>" not in windows.script()

    def test_no_name_is_given_twice(self):
        """All parts share one scope, where the later of two functions or variables would stand for both; case is nothing there."""
        names = re.findall(r"^(?:function\s+|\$)([\w-]+)(?=\s*[={])", windows.script(), re.MULTILINE)
        counted = Counter(map(str.lower, names))
        assert len(counted) > 200
        assert [name for name, times in counted.items() if times > 1] == []

    def test_ascii(self):
        """PowerShell 5.1 reads a file without BOM in the machine's code page: only ASCII is the same in all."""
        assert [path.name for path in SCRIPTS if not path.read_bytes().isascii()] == []


class TestAnalyzer:
    def test_strict(self):
        """Every PowerShell file of the product passes the analyzer with the profiles of PowerShell 5.1."""
        analyzer = os.environ.get("PYTEST_TENTACLE_ANALYZER") or shutil.which("analyze")
        if not analyzer:
            pytest.fail("no analyzer: set PYTEST_TENTACLE_ANALYZER to its path")
        assert len(SCRIPTS) >= 30
        completed = subprocess.run(
            [analyzer, "--strict", *map(str, SCRIPTS)], capture_output=True, text=True, timeout=110, check=False
        )
        assert completed.stdout == ""
        assert completed.returncode == 0
