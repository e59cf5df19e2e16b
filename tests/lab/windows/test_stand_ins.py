"""The stand-ins for Windows on the lab's machines: shaped as Windows' own objects, and noting every call."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pytest_tentacle.lab.windows.machine import prepare

MACHINE: dict[str, Any] = {
    "hostname": "a-machine-with-a-long-name",
    "os": "windows",
    "addresses": ["127.8.7.6"],
    "locale": "en",
    "services": [
        {
            "name": "OctopusDeploy Tentacle",
            "state": "failed",
            "start_mode": "auto",
            "account": "NT AUTHORITY\\NetworkService",
            "pid": 0,
            "command": "C:\\T\\Tentacle.exe run",
            "environment": {"TENTACLE_SERVICE_PORT": "1"},
        }
    ],
    "processes": [
        {
            "pid": 7,
            "parent_pid": 1,
            "name": "a.exe",
            "executable": None,
            "command_line": None,
            "started_utc": "2026-11-20T04:05:06Z",
        }
    ],
    "sockets": [
        {"address": "::", "port": 10933, "pid": 7, "state": "listen"},
        {
            "address": "127.0.0.1",
            "port": 10933,
            "pid": 7,
            "state": "close-wait",
            "remote_address": "127.0.0.1",
            "remote_port": 9,
        },
    ],
    "names": {"octo.lab": ["127.8.7.6"]},
    "denied": [],
}


@pytest.fixture
def ask(tmp_path: Path, engine: Path):
    """Runs code behind the prelude, parsed after it as the product's is, and gives what it prints as JSON."""

    def run(code: str, **changes: Any) -> Any:
        (tmp_path / "machine.json").write_text(json.dumps(MACHINE | changes), encoding="utf-8")
        prelude, environment = prepare(tmp_path)
        bait = "[Console]::In.ReadToEnd()"
        command = f"$ErrorActionPreference = 'Stop'; . '{prelude}'; & ([ScriptBlock]::Create({bait}))"
        completed = subprocess.run(
            [engine, "-NoProfile", "-NonInteractive", "-Command", command],
            input=f"ConvertTo-Json -Compress -Depth 4 -InputObject @(& {{ {code} }})".encode(),
            capture_output=True,
            env=os.environ | environment,
            timeout=60,
            check=False,
        )
        assert completed.returncode == 0, completed.stderr.decode()
        return json.loads(completed.stdout)

    return run


def types(command: str) -> str:
    return f"({command} | Select-Object -First 1).PSObject.Properties | ForEach-Object {{ $_.Name + ' ' + $(if ($null -eq $_.Value) {{ 'null' }} else {{ $_.Value.GetType().Name }}) }}"


class TestShapes:
    """Types as the notes on Windows' shapes give them; a wrong type here would let a script pass that Windows breaks."""

    def test_service(self, ask):
        """Win32_Service: uint32 numbers; a service that failed is Stopped with the number of a crash."""
        found = ask(types("Get-CimInstance -ClassName Win32_Service"))
        assert {
            "ProcessId UInt32",
            "ExitCode UInt32",
            "State String",
            "PathName String",
            "DelayedAutoStart Boolean",
        } <= set(found)
        assert ask("Get-CimInstance Win32_Service | ForEach-Object { $_.State, $_.ExitCode, $_.StartMode }") == [
            "Stopped",
            1067,
            "Auto",
        ]

    def test_process(self, ask):
        """Win32_Process: local DateTime, nulls without rights."""
        found = ask(types("Get-CimInstance -ClassName Win32_Process -Filter 'ProcessId = 7'"))
        assert {"ProcessId UInt32", "CreationDate DateTime", "ExecutablePath null", "CommandLine null"} <= set(found)
        own = "(Get-CimInstance Win32_Process -Filter 'ProcessId = 7')"
        assert ask(f"{own}.CreationDate.Kind.ToString(); {own}.CreationDate.ToUniversalTime().ToString('s')") == [
            "Local",
            "2026-11-20T04:05:06",
        ]

    def test_properties_that_were_not_asked_for_are_null(self, ask):
        """As with -Property on Windows."""
        assert ask(
            "(Get-CimInstance Win32_Process -Filter 'ProcessId = 7' -Property ProcessId) | ForEach-Object { $_.ProcessId; [bool]$_.Name }"
        ) == [7, False]

    def test_connection(self, ask):
        """MSFT_NetTCPConnection: uint16 ports, uint32 owner, state as a number."""
        found = ask(types("Get-NetTCPConnection"))
        assert {
            "State Byte",
            "LocalPort UInt16",
            "OwningProcess UInt32",
            "RemotePort UInt16",
            "CreationTime DateTime",
        } <= set(found)
        assert ask("Get-NetTCPConnection -LocalPort 10933 -State Listen | ForEach-Object { $_.LocalAddress }") == ["::"]

    def test_system(self, ask):
        """Win32_OperatingSystem: version and build are strings."""
        found = ask(types("Get-CimInstance Win32_OperatingSystem"))
        assert {"Version String", "BuildNumber String", "LastBootUpTime DateTime", "OSLanguage UInt32"} <= set(found)

    @pytest.mark.parametrize(
        ("command", "expected"),
        [
            ("Get-CimInstance Win32_Volume", {"Name String", "FreeSpace UInt64", "Capacity UInt64"}),
            ("Get-CimInstance Win32_LogicalDisk", {"DeviceID String", "FreeSpace UInt64", "Size UInt64"}),
            ("Get-NetConnectionProfile", {"NetworkCategory UInt32"}),
            (
                "Find-NetRoute -RemoteIPAddress 192.0.2.1 | Select-Object -Last 1",
                {"NextHop String", "InterfaceIndex UInt32"},
            ),
            ("Get-TlsCipherSuite", {"Name String", "Protocols UInt32[]"}),
            ("Get-ScheduledTask -TaskName Octo*", {"TaskName String", "State UInt32"}),
            (
                "Get-ScheduledTask -TaskName Octo* | ForEach-Object { Get-ScheduledTaskInfo -InputObject $_ }",
                {"LastTaskResult UInt32"},
            ),
            (
                "(Get-Acl -LiteralPath C:\\).GetAccessRules($true, $true, [string])",
                {"FileSystemRights Int32", "AccessControlType Int32", "IsInherited Boolean"},
            ),
            (
                "Get-WinEvent -MaxEvents 9 -FilterHashtable @{ProviderName='Schannel'; Id=36887; StartTime=[datetime]::Now.AddDays(-1)}",
                {"Id Int32", "TimeCreated DateTime"},
            ),
            (
                "Get-ItemProperty -LiteralPath HKLM:\\SOFTWARE\\X",
                {"Dword Int32", "Bytes Byte[]", "Texts String[]", "Text String"},
            ),
        ],
    )
    def test_surroundings(self, ask, command: str, expected: set[str]):
        """Types of what stands around the products; a registry DWORD is signed, bytes and texts are arrays of their own."""
        values = {"Dword": 0xFFFFFFFF, "Bytes": {"hex": "0aff"}, "Texts": ["a"], "Text": "b"}
        found = ask(
            types(command),
            tasks=[{"name": "Octopus Watchdog Tentacle", "state": "ready"}],
            events=[{"provider": "Schannel", "id": 36887, "data": {"AlertDesc": "70"}}],
            registry={"HKLM:\\SOFTWARE\\X": values},
        )
        assert expected <= set(found)

    def test_a_registry_number_is_signed(self, ask):
        """0xffffffff reads as -1, as on Windows."""
        own = {"HKLM:\\SOFTWARE\\X": {"Dword": 0xFFFFFFFF}}
        assert ask("(Get-ItemProperty -LiteralPath HKLM:\\SOFTWARE\\X).Dword", registry=own) == [-1]

    def test_filters(self, ask):
        """The WQL that the scripts use; anything else is refused loudly instead of giving everything."""
        assert ask("@(Get-CimInstance Win32_Service -Filter \"Name LIKE 'Octo%' OR PathName LIKE '%x%'\").Count") == [1]
        assert ask("@(Get-CimInstance Win32_Service -Filter \"Name = 'Spooler'\").Count") == [0]
        accounts = {".\\o'x": "S-1", ".\\y": "S-2", "B\\o'x": "S-3"}
        quoted = "(Get-CimInstance Win32_UserAccount -Filter \"LocalAccount = TRUE AND Name = 'o\\'x'\").SID"
        assert ask(quoted, accounts=accounts) == ["S-1"]
        assert ask("try { Get-CimInstance Win32_Service -Filter 'ProcessId > 3' } catch { 'refused' }") == ["refused"]


class TestFailures:
    def test_a_file_that_may_not_be_opened(self, ask, tmp_path):
        """`configuration` refuses the content, not the sight of it."""
        (tmp_path / "files" / "C").mkdir(parents=True)
        (tmp_path / "files" / "C" / "x").write_bytes(b"abc")
        code = "$i = Get-Item -LiteralPath C:\\x; $i.Length; try { $i.Open('Open', 'Read', 'Read') } catch { $_.Exception.GetBaseException().GetType().Name }"
        assert ask(code, denied=["configuration"]) == [3, "UnauthorizedAccessException"]


class TestLanguage:
    def test_german(self, ask):
        """Names of accounts, netstat's words and the texts of errors are German; states are not."""
        assert ask("(Get-CimInstance Win32_Service).StartName", locale="de") == ["NT-AUTORITÄT\\NETZWERKDIENST"]
        sid = "(New-Object Security.Principal.SecurityIdentifier 'S-1-5-18').Translate([Security.Principal.NTAccount]).Value"
        assert ask(sid, locale="de") == ["NT-AUTORITÄT\\SYSTEM"]
        lines = ask('& "$env:SystemRoot\\System32\\netstat.exe" -ano', locale="de")
        assert lines[1] == "Aktive Verbindungen"
        assert lines[5].split() == ["TCP", "[::]:10933", "[::]:0", "ABHÖREN", "7"]
        assert lines[6].split() == ["TCP", "127.0.0.1:10933", "127.0.0.1:9", "SCHLIESSEN_WARTEN", "7"]
        assert ask("(Get-CimInstance Win32_Service).State", locale="de") == ["Stopped"]


class TestMachine:
    def test_names(self, ask):
        """Names are machine.json's and nobody else's; localhost is the machine's own address."""
        assert ask("[Net.Dns]::GetHostAddressesAsync('octo.lab').Result | ForEach-Object { $_.ToString() }") == [
            "127.8.7.6"
        ]
        assert ask("[Net.Dns]::GetHostAddressesAsync('localhost').Result | ForEach-Object { $_.ToString() }") == [
            "127.8.7.6"
        ]
        code = (
            "$t = [Net.Dns]::GetHostAddressesAsync('example.org'); [int]$t.Exception.GetBaseException().SocketErrorCode"
        )
        assert ask(code) == [11001]

    def test_drive_c(self, ask, tmp_path):
        """files/C is drive C:, for cmdlets and for what is opened through them."""
        (tmp_path / "files" / "C" / "Octopus").mkdir(parents=True)
        (tmp_path / "files" / "C" / "Octopus" / "a.config").write_bytes(b"x")
        assert ask(
            "(Get-ChildItem -LiteralPath C:\\Octopus -Filter *.config).Name; Test-Path -LiteralPath C:\\gone"
        ) == ["a.config", False]

    def test_registry(self, ask):
        """Keys of every Windows, of the services, and those that machine.json adds, with their sub-keys."""
        service = "HKLM:\\SYSTEM\\CurrentControlSet\\Services\\OctopusDeploy Tentacle"
        assert ask(f"(Get-ItemProperty -LiteralPath '{service}') | ForEach-Object {{ $_.Start; $_.Environment }}") == [
            2,
            "TENTACLE_SERVICE_PORT=1",
        ]
        own = {"HKLM:\\SOFTWARE\\Octopus\\Tentacle\\Old": {"ConfigurationFilePath": "C:\\o"}}
        assert ask("(Get-ChildItem -LiteralPath HKLM:\\SOFTWARE\\Octopus\\Tentacle).PSChildName", registry=own) == [
            "Old"
        ]
        assert ask(
            "Test-Path -LiteralPath HKLM:\\SOFTWARE\\Octopus\\Tentacle\\Old; Test-Path -LiteralPath HKLM:\\x",
            registry=own,
        ) == [True, False]

    def test_environment(self, ask):
        """Windows' variables, and those that machine.json adds; the computer's name in its short form."""
        code = "$env:COMPUTERNAME, $env:ProgramData, $env:MORE"
        assert ask(code, environment={"MORE": "yes"}) == ["A-MACHINE-WITH-", "C:\\ProgramData", "yes"]

    def test_elevation(self, ask):
        """The survey's account is an administrator, unless that is denied."""
        code = "@([Security.Principal.WindowsIdentity]::GetCurrent().Groups | ForEach-Object { $_.Value }) -contains 'S-1-5-32-544'"
        assert ask(code) == [True]
        assert ask(code, denied=["elevation"]) == [False]

    def test_programs(self, ask, tmp_path):
        """What a service runs is there to be started, as slow and as failing as machine.json says; an own file stays."""
        command = "& (Get-Item -LiteralPath C:\\T\\Tentacle.exe).FullName help; $LASTEXITCODE"
        assert ask(command, loading={"exit_code": 3}) == ["Usage: Tentacle <command> [<options>]", 3]
        own = tmp_path / "files" / "C" / "T" / "Tentacle.exe"
        own.write_text("#!/bin/sh\necho mine\n")
        assert ask(command)[0] == "mine"

    def test_every_call_is_noted(self, ask, tmp_path):
        """One line of JSON for each call, with its arguments; what passes through to the engine is noted as well."""
        ask(
            "$null = Get-Service; $null = Get-ChildItem -LiteralPath C:\\; $null = & C:\\Windows\\System32\\netstat.exe -ano"
        )
        lines = [json.loads(line) for line in (tmp_path / "commands.log").read_text("utf-8").splitlines()]
        assert [line["command"] for line in lines] == ["Get-Service", "Get-ChildItem", "netstat.exe"]
        assert lines[1]["arguments"] == {"LiteralPath": "C:\\"}
