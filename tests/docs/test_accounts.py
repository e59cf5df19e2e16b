"""The scripts of the manual's page on accounts do what it says, and stop where a command fails."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "accounts.md"


def scripts(language: str) -> list[str]:
    """The page's scripts of a language, in its order."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


class Shell:
    """Runs a script in dash below a folder of the test's own; what needs root, or an account, is noted instead."""

    def __init__(self, folder: Path) -> None:
        self.top = folder / "top"
        self.log = folder / "log"
        self.bin = folder / "bin"
        for each in (self.top / "root", self.top / "etc/octopus", self.top / "home", self.bin):
            each.mkdir(parents=True)
        (self.top / "surveyor.pub").write_text("ssh-ed25519 AAAA surveyor\n")
        self.stand_in("useradd", "usermod", "setfacl", "id")
        real = shutil.which("install")
        self.program(
            "install", f'[ "$1" = -d ] && set -- "$@" || :; exec {real} $(echo "$@" | sed "s/-[og] [a-z]*//g")'
        )

    def program(self, name: str, body: str) -> None:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def stand_in(self, *names: str, fails: bool = False) -> None:
        for name in names:
            self.program(name, f'echo {name} "$@" >> {self.log}\nexit {int(fails)}')

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        below = re.sub(r"(?<![\w/])/(root|etc/octopus)", rf"{self.top}/\1", script).replace(
            "~surveyor", f"{self.top}/home"
        )
        return subprocess.run(
            ["dash", "-c", below], cwd=self.top, env={"PATH": f"{self.bin}:/usr/bin:/bin"}, capture_output=True,
            text=True, timeout=60, check=False,
        )  # fmt: skip

    def noted(self) -> list[str]:
        text = self.log.read_text() if self.log.exists() else ""
        return text.replace(str(self.top), "").splitlines()


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


class TestShell:
    def test_root_gets_the_key(self, shell: Shell) -> None:
        """Beside those that are there, in a file that nobody else may read."""
        keys = shell.top / "root/.ssh/authorized_keys"
        keys.parent.mkdir()
        keys.write_text("ssh-ed25519 BBBB admin\n")
        keys.chmod(0o644)
        done = shell.run(scripts("sh")[0])
        assert (done.returncode, done.stderr) == (0, "")
        assert keys.read_text().splitlines() == ["ssh-ed25519 BBBB admin", "ssh-ed25519 AAAA surveyor"]
        assert stat.S_IMODE(keys.stat().st_mode) == 0o600
        assert stat.S_IMODE(keys.parent.stat().st_mode) == 0o700

    def test_an_account_that_reads(self, shell: Shell) -> None:
        """It is made, reads the journal and Octopus's settings, and not the key that these are encrypted with."""
        (shell.top / "etc/octopus/machinekey").write_text("secret")
        shell.stand_in("id", fails=True)
        done = shell.run(scripts("sh")[1])
        assert (done.returncode, done.stderr) == (0, "")
        assert shell.noted() == [
            "id surveyor",
            "useradd --create-home --shell /bin/sh surveyor",
            "usermod --append --groups systemd-journal surveyor",
            "setfacl -R -m u:surveyor:rX /etc/octopus",
            "setfacl -x u:surveyor /etc/octopus/machinekey",
        ]
        assert (shell.top / "home/.ssh/authorized_keys").read_text() == "ssh-ed25519 AAAA surveyor\n"

    def test_a_second_time(self, shell: Shell) -> None:
        """An account that is there is not made again."""
        for _ in range(2):
            assert shell.run(scripts("sh")[1]).returncode == 0
        assert not [line for line in shell.noted() if line.startswith("useradd")]

    @pytest.mark.parametrize("command", ["usermod", "setfacl"])
    def test_what_fails_ends_it(self, shell: Shell, command: str) -> None:
        """No key is let in by half a script."""
        shell.stand_in(command, fails=True)
        assert shell.run(scripts("sh")[1]).returncode != 0
        assert not (shell.top / "home/.ssh").exists()


STAND_INS = """
function Enable-PSRemoting { param([switch]$Force) "Enable-PSRemoting Force=$Force" }
function Get-LocalGroupMember { param($Group) foreach ($name in $env:MEMBERS -split ';') { [pscustomobject]@{ Name = $name } } }
function Add-LocalGroupMember { param($Group, $Member) "Add $Member to $Group" }
function icacls { "icacls $args"; $global:LASTEXITCODE = [int]$env:FAILS }
$env:ProgramData = 'C:\\ProgramData'
"""


class TestPowerShell:
    @staticmethod
    def run(
        engine: Path, folder: Path, script: str, members: str = "", fails: int = 0
    ) -> subprocess.CompletedProcess[str]:
        file = folder / "script.ps1"
        settings = f"$env:MEMBERS = '{members}'\n$env:FAILS = '{fails}'\n"
        file.write_text(settings + STAND_INS + script, encoding="utf-8")
        return subprocess.run(
            [str(engine), "-NoProfile", "-NonInteractive", "-File", str(file)], capture_output=True, text=True,
            timeout=110, check=False,
        )  # fmt: skip

    def test_administrators(self, engine: Path, tmp_path: Path) -> None:
        """Remoting is set up, and the account joins the group."""
        done = self.run(engine, tmp_path, scripts("powershell")[0], r"CORP\other")
        assert done.stdout.splitlines() == ["Enable-PSRemoting Force=True", r"Add CORP\surveyor to Administrators"]

    def test_who_is_in_the_group_is_not_added_again(self, engine: Path, tmp_path: Path) -> None:
        """Add-LocalGroupMember ends with an error there."""
        done = self.run(engine, tmp_path, scripts("powershell")[0], r"CORP\other;CORP\surveyor")
        assert done.stdout.splitlines() == ["Enable-PSRemoting Force=True"]

    def test_readers(self, engine: Path, tmp_path: Path) -> None:
        """Two groups and two folders, with the right to read alone."""
        done = self.run(engine, tmp_path, scripts("powershell")[1])
        assert done.stdout.splitlines() == [
            r"Add CORP\surveyor to Remote Management Users",
            r"Add CORP\surveyor to Event Log Readers",
            r"icacls C:\ProgramData\Octopus /grant CORP\surveyor:(OI)(CI)RX",
            r"icacls C:\Octopus /grant CORP\surveyor:(OI)(CI)RX",
        ]

    def test_what_fails_ends_it(self, engine: Path, tmp_path: Path) -> None:
        """icacls raises nothing by itself."""
        done = self.run(engine, tmp_path, scripts("powershell")[1], fails=5)
        assert "could not give the right to read" in done.stdout + done.stderr
        assert done.stdout.count("icacls C:") == 1

    def test_they_keep_to_windows_powershell(self, analyzer: str, tmp_path: Path) -> None:
        """Nothing in them needs a later one than 5.1."""
        files = []
        for number, script in enumerate(scripts("powershell")):
            files.append(tmp_path / f"{number}.ps1")
            files[-1].write_text(script, encoding="ascii")
        done = subprocess.run([analyzer, *map(str, files)], capture_output=True, text=True, timeout=110, check=False)
        assert (done.stdout, done.returncode) == ("", 0)

    def test_there_are_two_of_each(self) -> None:
        """None is left out by the tests above."""
        assert [len(scripts("sh")), len(scripts("powershell"))] == [2, 2]
