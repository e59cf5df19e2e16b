"""Whatever a survey runs on a lab machine is on a list of what only reads, and leaves the machine's files as they were."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_tentacle.inventory.model import SSH, Inventory, Mode, OctopusServer, OperatingSystem, Tentacle, WinRM
from pytest_tentacle.lab.linux import machine as linux_machine
from pytest_tentacle.lab.site import Lab
from pytest_tentacle.survey.collector import Plan, collect
from pytest_tentacle.survey.store import Surveys

Call = tuple[str, list[str] | dict[str, str]]

LINUX = {
    "Octopus.Server": "help",
    "Tentacle": "help",
    "awk": r"(-F \\t |-v \w+=[^=]*? )*[^-].*",
    "base64": "",
    "cat": "(/.+)?",
    "curl": r"-q -sS -k -v .* https://\S+/|-q -s -m 1 --noproxy \* -o /dev/null http://[0-9a-fA-F.:\[\]]+:9/",
    "date": r"\+%s(%N)?|\+%z",
    "df": "-P[ik]( /.*)+",
    "dpkg-query": r"-W -f \$\{db:Status-Status\} \$\{Version\}\\n tentacle",
    "firewall-cmd": "--state|--list-all-zones",
    "getent": "(ahosts|passwd) [^-].*",
    "grep": r"-lE /Tentacle\|/Octopus\\\.Server( \S+)+|-c (-e \^target -e \^polled|\.)|-a ( /\S+)+|-a -h -E \^.*( /\S*var/log/\S+)+",
    "gzip": "-c",
    "head": r"-c \d+|-n \d+",
    "hostname": "-f|-I",
    "id": "(-(Gn|u|un) [^-].*)?",
    "ip": r"-o addr|-o route get [0-9a-fA-F.:]+( from [0-9a-fA-F.:]+( ipproto tcp [sd]port \d+)?)?|neigh show|(-6 )?rule show|-o link show|xfrm policy|xfrm state count",
    "iptables-save": "-c",
    "ip6tables-save": "-c",
    "ls": "(-[dpA] )?(/.*)",
    "netstat": "-[al]?tnp",
    "nft": "list ruleset",
    "nslookup": "[^-].*",
    "od": "-An -v -tx1( -N20 /.*)?",
    "openssl": r"version|ciphers -s -stdname|s_client -help|s_client -brief -state -ign_eof -no-CAfile -no-CApath "
    r"(-msg -msgfile /dev/fd/5 |-proxy \S+ )(-servername \S+ )?-connect \S+",
    "ps": "-ww -eo pid=,ppid=,user:32=,lstart=,args=",
    "readlink": r"/proc/\d+/exe|/etc/localtime",
    "rpm": r"-q --qf \S+ %\{VERSION\}\\n tentacle",
    "sed": r"s/\^/(name|neighbour|file|package) /|-n s/[^;]*/p",
    "ss": "-H -(tanp|ltnp)",
    "stat": "-L -c (%U %G %a %n|%s %Y( %n)?|%Y %n)( /.*)+",
    "systemctl": r"list-units --all --type=service --plain --no-legend --no-pager --full"
    r"|show --no-pager( -p [A-Za-z,]+)+ -- .*|show --no-pager -p UnitPath -p Environment",
    "tail": r"-c \d+ /.*|-n \d+",
    "tc": r"qdisc show|filter show dev \S+ (ingress|egress|parent [0-9a-f]+:)",
    "true": "",
    "uname": "-nm",
}
"""What may run on Linux, and the shape of all its arguments, separated by blanks; `timeout` may start these alone."""

_READ = {"ErrorAction"}
WINDOWS: dict[str, set[str]] = {
    "Get-Acl": _READ | {"LiteralPath"},
    "Get-ChildItem": _READ | {"Filter", "Force", "LiteralPath"},
    "Get-CimInstance": _READ | {"ClassName", "Filter", "Namespace", "OperationTimeoutSec", "Property"},
    "Get-Item": _READ | {"Force", "LiteralPath"},
    "Get-ItemProperty": _READ | {"ErrorVariable", "LiteralPath", "Name"},
    "Get-LocalGroupMember": _READ | {"SID"},
    "Get-NetConnectionProfile": _READ,
    "Invoke-CimMethod": _READ | {"MethodName", "OperationTimeoutSec", "ProcessId"},
    "Find-NetRoute": _READ | {"RemoteIPAddress"},
    "Get-NetIPAddress": _READ,
    "Get-NetNeighbor": _READ,
    "Get-NetTCPConnection": _READ | {"LocalPort", "RemotePort", "State"},
    "Get-Process": _READ | {"Id"},
    "Get-ScheduledTask": _READ | {"TaskName"},
    "Get-ScheduledTaskInfo": _READ | {"InputObject"},
    "Get-Service": _READ | {"Name"},
    "Get-TlsCipherSuite": _READ,
    "Get-TlsEccCurve": _READ,
    "Get-WinEvent": _READ | {"FilterHashtable", "LogName", "MaxEvents", "ProviderName"},
    "Test-Path": _READ | {"LiteralPath"},
    "netsh.exe": {"arguments"},
    "netstat.exe": {"arguments"},
}
"""What may be called on Windows, and with which parameters."""

PROGRAMS = {"netsh.exe": "(interface ipv4|http) show .*", "netstat.exe": "-ano.*"}
"""The whole arguments of Windows' own programs."""


def may_run(command: str, arguments: list[str] | dict[str, str]) -> bool:
    """Whether a recorded call is on the list."""
    if isinstance(arguments, dict):
        shape = PROGRAMS.get(command)
        known = command in WINDOWS and set(arguments) <= WINDOWS[command]
        if arguments.get("MethodName", "GetOwnerSid") != "GetOwnerSid":
            return False
        return known and (shape is None or re.fullmatch(shape, arguments.get("arguments", "")) is not None)
    if command == "timeout":
        if arguments[:2] != ["-k", "1"] or not arguments[2].isdecimal():
            return False
        return may_run(arguments[3].rsplit("/", 1)[-1], arguments[4:])
    return command in LINUX and re.fullmatch(LINUX[command], " ".join(arguments), re.DOTALL) is not None


def calls(folder: Path) -> list[Call]:
    """What a machine's commands noted, whatever its system."""
    if (folder / "bin").exists():
        return list(linux_machine.called(folder))
    lines = (folder / "commands.log").read_text(encoding="utf-8").splitlines()
    return [(entry["command"], entry["arguments"]) for entry in map(json.loads, lines)]


def files(folder: Path) -> dict[str, tuple[object, ...]]:
    """Each file and folder of a machine with its mode, content and time of change, but for the record of the calls."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            path.lstat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None,
        )
        for path in [folder, *folder.rglob("*")]
        if path.name != "commands.log" and path != folder
    }


class _Silent:
    def __getattr__(self, _name: str) -> Any:
        return lambda *_arguments, **_options: None


class SurveyedLab:
    """A lab of one machine of each kind, surveyed once with every command recorded."""

    def __init__(self, lab: Lab, inventory: Inventory) -> None:
        names = [machine.name for machine in inventory.machines]
        self.folders = {name: lab.folder(name) for name in names}
        self.before = {name: files(folder) for name, folder in self.folders.items()}
        plan = Plan(workers=4, machine_timeout=90, probe_seconds=10, resolve=lab.resolve)
        self.surveys: Surveys = collect(inventory, names, plan, _Silent())
        self.after = {name: files(folder) for name, folder in self.folders.items()}


def _tentacle(name: str, system: OperatingSystem, mode: Mode) -> Tentacle:
    transport = WinRM(host=name) if system is OperatingSystem.WINDOWS else SSH(host=name)
    return Tentacle(name=name, os=system, mode=mode, servers=("octo",), transport=transport)


@pytest.fixture(scope="module")
def surveyed(engine: Path) -> Iterator[SurveyedLab]:
    """A server, and a listening and a polling Tentacle on either system, behind real WinRM and SSH."""
    prepare = linux_machine.prepare
    inventory = Inventory(
        servers=(OctopusServer(name="octo", os=OperatingSystem.WINDOWS, transport=WinRM(host="octo")),),
        tentacles=tuple(
            _tentacle(f"{system.value}-{mode.value}", system, mode)
            for system in OperatingSystem
            for mode in (Mode.LISTENING, Mode.POLLING)
        ),
        is_lab=True,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTEST_TENTACLE_POWERSHELL", str(engine))
        patch.setattr(linux_machine, "prepare", lambda folder, **_options: prepare(folder, record=True))
        lab = Lab(inventory)
        try:
            yield SurveyedLab(lab, lab.start([machine.name for machine in inventory.machines]))
        finally:
            lab.stop()


class TestSurvey:
    def test_every_machine_was_surveyed(self, surveyed: SurveyedLab):
        """Else there would be nothing to hold: each answered, and called what only its system has."""
        assert {record.machines: record.unreachable for record in surveyed.surveys.records} == {
            (name,): None for name in surveyed.folders
        }
        for name, folder in surveyed.folders.items():
            expected = {"systemctl", "ss", "openssl"} if name.startswith("linux") else {"Get-CimInstance", "netsh.exe"}
            assert expected <= {command for command, _ in calls(folder)}

    def test_the_server_probed_its_tentacles(self, surveyed: SurveyedLab):
        """Round 2 is held as well."""
        (server,) = (record for record in surveyed.surveys.records if record.machines == ("octo",))
        assert len(server.peer_probes) >= 2

    def test_every_command_is_on_the_list(self, surveyed: SurveyedLab):
        """Names and arguments of all that ran, on every machine."""
        ran = [(name, *call) for name, folder in surveyed.folders.items() for call in calls(folder)]
        assert [call for call in ran if not may_run(*call[1:])] == []

    def test_no_file_changed(self, surveyed: SurveyedLab):
        """No file appeared, went, or has another content, mode or time; what Windows' engine and shells need lies elsewhere."""
        for name, before in surveyed.before.items():
            after = surveyed.after[name]
            assert {path for path in {*before, *after} if before.get(path) != after.get(path)} == set(), name
            assert any(path.endswith(".config") for path in before)


class TestTheListItself:
    @pytest.mark.parametrize(
        ("command", "arguments"),
        [
            ("rm", ["-rf", "/etc/octopus"]),
            ("systemctl", ["restart", "Tentacle"]),
            ("systemctl", ["show", "--no-pager", "-p", "Id"]),
            ("timeout", ["-k", "1", "5", "systemctl", "stop", "Tentacle"]),
            ("timeout", ["-k", "1", "5", "/opt/octopus/tentacle/Tentacle", "configure", "--trust=AB"]),
            ("timeout", ["5", "true"]),
            ("Tentacle", ["show-thumbprint"]),
            ("nft", ["flush", "ruleset"]),
            ("sed", ["-i", "s/a/b/", "/etc/octopus/x.config"]),
            ("sed", ["-n", "s/a/b/w /tmp/x"]),
            ("awk", ["-f", "/tmp/program"]),
            ("awk", ["-i", "inplace", "{ print }", "/etc/passwd"]),
            ("gzip", ["/etc/octopus/x.config"]),
            ("date", ["-s", "2026-01-01"]),
            ("openssl", ["req", "-new", "-keyout", "/tmp/x"]),
            ("curl", ["-o", "/tmp/x", "https://octo/"]),
            ("hostname", ["other"]),
            ("Invoke-CimMethod", {"MethodName": "Terminate", "ProcessId": "2136"}),
            ("Restart-Service", {"Name": "OctopusDeploy Tentacle"}),
            ("Set-ItemProperty", {"LiteralPath": "HKLM:\\SOFTWARE\\X"}),
            ("Get-CimInstance", {"ClassName": "Win32_Service", "CimSession": "other"}),
            ("netsh.exe", {"arguments": "http delete urlacl url=https://+:10933/"}),
            ("netsh.exe", {}),
        ],
        ids=lambda value: value if isinstance(value, str) else " ".join(value)[:40],
    )
    def test_what_changes_something_is_not_on_it(self, command: str, arguments: list[str] | dict[str, str]):
        """A change, a file to be written, an option that nobody thought of."""
        assert not may_run(command, arguments)

    def test_a_forbidden_command_is_noticed(self, tmp_path: Path):
        """From the run on a machine, over the record, to the verdict."""
        (tmp_path / "machine.json").write_text(json.dumps({"hostname": "web-7", "os": "linux"}), encoding="utf-8")
        environment = linux_machine.prepare(tmp_path)
        script = "uname -nm; timeout -k 1 5 systemctl stop Tentacle; sed -i s/web/WEB/ machine.json; date -u"
        subprocess.run(
            [tmp_path / "bin" / "sh", "-c", script], env=environment, cwd=tmp_path, capture_output=True, check=False
        )
        assert [call for call in calls(tmp_path) if not may_run(*call)] == [
            ("timeout", ["-k", "1", "5", "systemctl", "stop", "Tentacle"]),
            ("systemctl", ["stop", "Tentacle"]),
            ("sed", ["-i", "s/web/WEB/", "machine.json"]),
            ("date", ["-u"]),
        ]

    def test_a_changed_file_is_noticed(self, tmp_path: Path):
        """Content, mode, a new file, a lost one; not the record of the calls."""
        for name in ("content", "mode", "lost"):
            (tmp_path / name).write_text("as it was", encoding="utf-8")
        before = files(tmp_path)
        (tmp_path / "content").write_text("AS IT WAS", encoding="utf-8")
        (tmp_path / "mode").chmod(0o700)
        (tmp_path / "lost").unlink()
        (tmp_path / "new").touch()
        (tmp_path / "commands.log").touch()
        after = files(tmp_path)
        assert {name for name in {*before, *after} if before.get(name) != after.get(name)} == {
            "content", "mode", "lost", "new",
        }  # fmt: skip
