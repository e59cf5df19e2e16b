"""How script, request and document travel, and that what runs on the machine only reads."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import replace

import pytest

from pytest_tentacle.cli import main
from pytest_tentacle.link import By, LinkRef, Target
from pytest_tentacle.survey.answer import AnswerError, is_constrained, read_document
from pytest_tentacle.survey.model import SECTIONS, Section
from pytest_tentacle.survey.request import Request
from pytest_tentacle.survey.scripts.linux import linux_call
from pytest_tentacle.survey.scripts.shown import script_sha256
from pytest_tentacle.survey.scripts.windows import constrained_call, request_of, script, windows_call
from pytest_tentacle.transport.base import Answer

LOG_LINE = "2026-11-20 04:05:06.0057   2136      9 ERROR  "
READ_ONLY_STAND_INS = {
    "netsh.exe",  # whose arguments tests/survey/windows/test_waiting.py holds to `show`
    "Get-CimInstance",
    "Invoke-CimMethod",
    "Get-Service",
    "Get-Process",
    "Get-NetTCPConnection",
    "Get-NetIPAddress",
    "Find-NetRoute",
    "Get-NetNeighbor",
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
    def test_the_command_is_the_same_for_all(self):
        """Plain, short, and without anything of a request; script and request come on stdin, in ASCII."""
        call = windows_call(
            Request(targets=(Target(link=LinkRef(tentacle="secret-id"), host="h", port=1, by=By.NAME),))
        )
        assert call.command == windows_call(Request()).command
        assert len(call.command) <= 255
        assert not set(call.command) & set("$%`!^<>|")
        assert call.stdin.isascii()
        assert call.nonce != windows_call(Request()).nonce
        text = call.stdin.decode()
        assert text.startswith(script())
        assert hashlib.sha256(script().encode()).hexdigest() == script_sha256("windows")
        assert text[len(script()) :].count("'") == 2
        assert request_of(call.stdin)["targets"] == [{"link": {"asked": 0}, "host": "h", "port": 1, "by": "name"}]
        assert "secret-id" not in text

    @pytest.mark.parametrize("system", ["windows", "constrained", "linux"])
    def test_what_is_sent_can_be_seen(self, system, capsys):
        """`pytest-tentacle script` prints command line, hash and script; the hash is that of what it prints."""
        assert main(["script", system]) == 0
        command, digest, text = capsys.readouterr().out.split("\n", 2)
        made = {"windows": windows_call, "constrained": constrained_call, "linux": linux_call}
        call = made[system](Request())
        assert command == "# command line: " + call.command.replace(call.nonce, "<nonce>")
        assert text[:-1].encode() in call.stdin
        assert digest.endswith(hashlib.sha256(text[:-1].encode()).hexdigest())

    def test_behind_another_shell(self, cold_engine):
        """PowerShell as the login's default shell hands the command line on as it stands, and its stdin."""
        call = windows_call(Request(gather=False))
        inner = call.command.replace("powershell.exe", f"& '{cold_engine}'")
        done = subprocess.run(
            [cold_engine, "-NoProfile", "-Command", inner], input=call.stdin, capture_output=True, check=False
        )
        assert read_document(call, Answer(done.stdout, done.stderr, 0))["probes"] == []

    def test_noise_before_the_document(self, tentacle):
        """A profile's banner, warnings and errors do not matter, and are kept as noise."""
        tentacle.sections = {"host"}
        front = (
            "Write-Host 'Welcome to ACME -----SURVEY 00 BEGIN host json 2-----' -NoNewline; Write-Warning 'beware'; "
            "Write-Error 'oh no'; Write-Progress -Activity x; [Console]::Out.Write('no line end')"
        )
        run = tentacle.run(front=front)
        assert run.survey.host.data.hostname == "web-1"
        assert "Welcome to ACME" in run.document["noise"]

    def test_constrained_language(self, tentacle):
        """Under constrained language mode nothing runs, and the reason is told."""
        run = tentacle.run(front="$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'")
        with pytest.raises(AnswerError, match="constrained language"):
            _ = run.document
        assert is_constrained(run.call, Answer(run.completed.stdout, b"", run.completed.returncode))
        assert not (tentacle.folder / "commands.log").exists()

    def test_by_cmdlets_alone(self, tentacle, shapes, peer):
        """There a script of cmdlets answers half of the guide, and says of the other half that it could not."""
        server = peer()
        tentacle.put("Octopus/Logs/OctopusTentacle.txt", f"{LOG_LINE}one\n{LOG_LINE}two\n")
        tentacle.description["events"] = []
        request = Request(
            targets=(
                Target(link=LinkRef(tentacle="up"), host="127.0.0.1", port=server.port, by=By.ADDRESS),
                Target(link=LinkRef(tentacle="gone"), host="gone.lab", port=1, by=By.NAME),
            )
        )
        run = tentacle.run(
            request, front="$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'", call=constrained_call
        )
        survey = run.survey
        assert survey.host.data.shell.language_mode == "ConstrainedLanguage"
        (service,) = survey.services.data
        assert (service.product, service.instance, service.state, service.pid) == (
            "tentacle",
            "Tentacle",
            "running",
            2136,
        )
        (instance,) = survey.instances.data
        assert instance.configuration.settings["Tentacle.Services.PortNumber"] == "10933"
        assert shapes.secret not in run.completed.stdout.decode()
        (log,) = survey.logs.data
        assert [record.text for record in log.records] == ["one", "two"] or log.last_time
        (listener,) = survey.listeners.data
        assert (listener.port, listener.owner.name) == (10933, "Tentacle.exe")
        assert survey.disks.data
        known = {name for name in SECTIONS if getattr(survey, name).data is not None}
        assert known == {"host", "services", "instances", "logs", "listeners", "connections", "disks"}
        assert "constrained language mode" in survey.firewall.unknown
        up, gone = survey.probes
        assert up.connect.error is None
        assert up.page is None
        assert gone.connect is None
        assert "does not say why" in gone.unavailable

    def test_an_old_powershell(self, tentacle):
        """PowerShell below 4.0 is refused, with its version."""
        run = tentacle.run(front="$PSVersionTable.PSVersion = [version]'3.0'")
        lines = run.completed.stdout.decode().strip().split("\n")
        assert lines[0].strip() == f"-----SURVEY REFUSED {run.call.nonce} powershell-too-old-----"
        assert lines[1].strip().endswith("PowerShell 3.0")
        with pytest.raises(AnswerError, match=r"older than 4\.0"):
            _ = run.document

    def test_values_are_data(self, tentacle, tmp_path):
        """Quotes, subexpressions, umlauts and 4,000 characters come back as they were sent; nothing of it is executed."""
        bait = tmp_path / "executed"
        value = (
            f"'\"`\"$([IO.File]::WriteAllText('{bait}','x'));`n{{}}|& äöüß€🐙 </set> -----END SURVEY-----" + "x" * 4000
        )
        request = Request(
            targets=(Target(link=LinkRef(tentacle=value), host="gone.lab", port=1, by=By.NAME),),
            gather=False,
            probe_seconds=1,
        )
        (probe,) = tentacle.run(request).survey.probes
        assert probe.link.tentacle == value
        assert not bait.exists()

    def test_values_of_the_machine_are_data(self, machine, tmp_path):
        """The same holds for what stands in the machine's own files."""
        machine.sections = {"instances"}
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

    @pytest.mark.parametrize("share", [0.1, 0.5, 0.99, "request"])
    def test_cut_off_input(self, tentacle, share):
        """A script or request that did not arrive whole is not run, and told as such."""

        def cut(request: Request):
            call = windows_call(request)
            length = len(script()) if share == "request" else int(len(call.stdin) * share)
            return replace(call, stdin=call.stdin[:length])

        run = tentacle.run(call=cut)
        assert not (tentacle.folder / "commands.log").exists()
        with pytest.raises(AnswerError, match="whole request"):
            _ = run.document

    def test_a_failing_script(self, tentacle):
        """What breaks the script as a whole is told, too."""
        run = tentacle.run(front="Set-Alias -Name ConvertFrom-Json -Value Nonsense")
        assert "-----SURVEY REFUSED none script-failed-----" in run.completed.stdout.decode()
        with pytest.raises(AnswerError, match="broke off"):
            _ = run.document

    def test_no_word(self):
        """A shell that ends without a word may have been ended by a security product, and that is said."""
        with pytest.raises(AnswerError, match="security product"):
            read_document(windows_call(Request()), Answer(b"\r\n", b"", 1))


class TestReadOnly:
    def test_only_commands_that_read_were_run(self, tentacle):
        """All that was called of Windows on the whole way, fall-backs included, is in the list of what may be called."""
        tentacle.description["tasks"] = [{"name": "Octopus Watchdog Tentacle", "state": "ready"}]
        tentacle.description["services"][0]["account"] = "ACME\\svc"
        tentacle.run(Request(peers=("127.0.0.9",), probe_seconds=5.0, budget_seconds=200))
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
