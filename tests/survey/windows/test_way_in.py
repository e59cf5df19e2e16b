"""How script, request and document travel, and that what runs on the machine only reads."""

from __future__ import annotations

import base64

import pytest

from pytest_tentacle.link import By, Target
from pytest_tentacle.survey.answer import AnswerError
from pytest_tentacle.survey.model import Section
from pytest_tentacle.survey.request import Request
from pytest_tentacle.survey.scripts.windows import windows_call

READ_ONLY_STAND_INS = {
    "netsh.exe",  # whose arguments tests/survey/windows/test_waiting.py holds to `show`
    "Get-CimInstance",
    "Get-Service",
    "Get-Process",
    "Get-NetTCPConnection",
    "Get-NetIPAddress",
    "Get-ItemProperty",
    "Get-ChildItem",
    "Get-Item",
    "Test-Path",
    "Get-Acl",
    "Get-LocalGroupMember",
    "Get-NetConnectionProfile",
    "Get-TlsCipherSuite",
    "Get-TlsEccCurve",
    "Get-ScheduledTask",
    "Get-ScheduledTaskInfo",
    "Get-WinEvent",
    "netstat.exe",
}


class TestWayIn:
    def test_the_command_fits(self):
        """The command line has less than 8,191 characters, and nothing in it but constants and the nonce."""
        call = windows_call(Request(targets=(Target(id="secret-id", host="h", port=1, by=By.NAME),)))
        assert len(call.command) < 8191
        code = base64.b64decode(call.command.split()[-1]).decode("utf-16-le")
        assert "secret-id" not in code
        assert call.nonce in code
        assert call.nonce != windows_call(Request()).nonce
        assert all(line.isascii() for line in call.stdin.splitlines())
        assert len(call.stdin.splitlines()) == 2

    def test_noise_before_the_document(self, tentacle):
        """A profile's banner, warnings and errors do not matter, and are kept as noise."""
        front = (
            "Write-Host 'Welcome to ACME -----BEGIN SURVEY 00 gzip-----' -NoNewline; Write-Warning 'beware'; "
            "Write-Error 'oh no'; Write-Progress -Activity x; [Console]::Out.Write('no line end')"
        )
        run = tentacle.run(front=front)
        assert run.survey.host.data.hostname == "web-1"
        assert "Welcome to ACME" in run.document["noise"]

    def test_constrained_language(self, tentacle):
        """Under constrained language mode the bootstrap says so, and nothing else happens."""
        run = tentacle.run(front="$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'")
        marker = f"-----SURVEY REFUSED {run.call.nonce} constrained-language-----"
        assert run.completed.stdout.decode().strip() == marker
        assert run.completed.stderr == b""
        with pytest.raises(AnswerError, match="constrained language"):
            _ = run.document
        assert not (tentacle.folder / "commands.log").exists()

    def test_an_old_powershell(self, tentacle):
        """PowerShell below 5.1 is refused, with its version."""
        run = tentacle.run(front="$PSVersionTable.PSVersion = [version]'4.0'")
        lines = run.completed.stdout.decode().split("\n")
        assert lines[0].strip() == f"-----SURVEY REFUSED {run.call.nonce} powershell-too-old-----"
        assert lines[1].strip() == "PowerShell 4.0"
        with pytest.raises(AnswerError, match=r"older than 5\.1"):
            _ = run.document

    def test_values_are_data(self, tentacle, tmp_path):
        """Quotes, subexpressions, umlauts and 4,000 characters come back as they were sent; nothing of it is executed."""
        bait = tmp_path / "executed"
        value = (
            f"'\"`\"$([IO.File]::WriteAllText('{bait}','x'));`n{{}}|& äöüß€🐙 </set> -----END SURVEY-----" + "x" * 4000
        )
        request = Request(
            targets=(Target(id=value, host="gone.lab", port=1, by=By.NAME),), gather=False, probe_seconds=1
        )
        (probe,) = tentacle.run(request).survey.probes
        assert probe.id == value
        assert not bait.exists()

    def test_values_of_the_machine_are_data(self, machine, tmp_path):
        """The same holds for what stands in the machine's own files."""
        bait = tmp_path / "executed"
        value = f"'\"$([IO.File]::WriteAllText('{bait}','x')) äöü🐙" + "y" * 4000
        machine.add_instance("Tentacle", machine.settings | {"Octopus.Home": value})
        (instance,) = machine.run().survey.instances.data
        assert instance.configuration.settings["Octopus.Home"] == value
        assert not bait.exists()

    def test_without_gathering(self, tentacle):
        """The second round asks for probes alone: no section is read, and each says why."""
        run = tentacle.run(Request(gather=False))
        assert not (tentacle.folder / "commands.log").exists()
        document = run.document
        sections = [name for name, value in run.survey if isinstance(value, Section)]
        assert len(sections) > 15
        assert {name: document[name] for name in sections} == {name: {"unknown": "not asked for"} for name in sections}

    @pytest.mark.parametrize("lost", [(0, 6000), (1, 20), (0, 0)])
    def test_cut_off_input(self, tentacle, lost: tuple[int, int]):
        """A script or request that did not arrive whole is not run, and refused with a word of its own."""
        line, kept = lost

        def cut(request: Request):
            call = windows_call(request)
            lines = call.stdin.splitlines()
            lines[line] = lines[line][:kept]
            return type(call)(call.command, b"\n".join(lines), call.nonce)

        run = tentacle.run(call=cut)
        assert f"-----SURVEY REFUSED {run.call.nonce} request-cut-off-----" in run.completed.stdout.decode()
        assert not (tentacle.folder / "commands.log").exists()
        with pytest.raises(AnswerError, match="whole request"):
            _ = run.document

    def test_a_failing_script(self, tentacle):
        """What breaks the script as a whole is told, too."""
        run = tentacle.run(
            front="function Write-Document { throw 'no way out' }; Set-Alias -Name ConvertFrom-Json -Value Nonsense"
        )
        assert f"-----SURVEY REFUSED {run.call.nonce} script-failed-----" in run.completed.stdout.decode()


class TestReadOnly:
    def test_only_commands_that_read_were_run(self, tentacle):
        """All that was called of Windows on the whole way, fall-backs included, is in the list of what may be called."""
        tentacle.description["tasks"] = [{"name": "Octopus Watchdog Tentacle", "state": "ready"}]
        tentacle.description["services"][0]["account"] = "ACME\\svc"
        tentacle.run()
        tentacle.description["services"] = []
        tentacle.description["registry"] = {"HKLM:\\SOFTWARE\\Octopus\\OctopusServer": {"InstallLocation": "C:\\gone"}}
        tentacle.deny("cim", "sockets", "addresses")
        tentacle.run()
        called = {call["command"] for call in tentacle.commands()}
        assert called == READ_ONLY_STAND_INS

    def test_nothing_is_left_behind(self, tentacle):
        """The machine's files are the same before and after."""

        def files():
            return {path: path.read_bytes() for path in (tentacle.folder / "files").rglob("*") if path.is_file()}

        tentacle.run(Request(gather=False))  # the lab puts the product's program there
        before = files()
        tentacle.run()
        assert files() == before
        assert any(path.suffix == ".exe" for path in before)
