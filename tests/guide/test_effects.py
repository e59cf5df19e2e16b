"""What each printed command does: all of them are known, and a change says what follows from it."""

from __future__ import annotations

import pytest

from pytest_tentacle.diagnosis.causes import CAUSES
from pytest_tentacle.guide.commands import CLEAN_LINUX, CLEAN_WINDOWS, fitting
from pytest_tentacle.guide.effects import effect_of
from pytest_tentacle.sections.catalogue import KINDS

COMMANDS = sorted(
    {
        line.removeprefix("$ ")
        for lines in (
            *(lines for kind in (*KINDS, *CAUSES) for lines in (kind.windows, kind.linux)),
            CLEAN_WINDOWS,
            CLEAN_LINUX,
        )
        for line in fitting(lines, {})
        if line.startswith("$ ")
    }
)


class TestEveryCommand:
    """Of problems, causes and the last resort."""

    def test_is_known(self) -> None:
        """Whether it looks or changes; and what a change brings."""
        assert [command for command in COMMANDS if effect_of(command) is None] == []
        assert [command for command in COMMANDS if effect_of(command) == ("changes", "")] == []

    def test_none_asks(self) -> None:
        """Nothing that waits for an answer, opens an editor, or is not on every system of its kind."""
        asking = ("Read-Host", "curl.exe", "vi ", "nano ", "notepad", "configure-tentacle.sh", "passwd")
        assert [command for command in COMMANDS if any(word in command for word in asking)] == []

    def test_a_stopped_service_is_started_too(self) -> None:
        """`service --restart` does nothing to a stopped Windows service, and ends with 0."""
        assert [command for command in COMMANDS if "service --restart" in command] == []

    def test_no_port_is_opened_for_everybody(self) -> None:
        """A rule of Windows Firewall names the addresses that it is for."""
        opening = [command for command in COMMANDS if command.startswith("New-NetFirewallRule")]
        assert opening
        assert all("-RemoteAddress" in command for command in opening)

    @pytest.mark.parametrize(
        ("command", "kind"),
        [
            ("& 'C:\\Program Files\\O D\\Tentacle.exe' show-thumbprint --instance Tentacle", "looks"),
            (
                "& 'E:\\O''D\\Tentacle.exe' update-trust --instance Tentacle --oldThumbprint A --newThumbprint B",
                "changes",
            ),
            ("sudo /opt/octopus/tentacle/Tentacle configure --instance Tentacle --noListen False", "changes"),
            ("Get-Service -Name 'OctopusDeploy Tentacle'", "looks"),
        ],
    )
    def test_filled_in(self, command: str, kind: str) -> None:
        """With a machine's own paths and names as well."""
        found = effect_of(command)
        assert found is not None
        assert found[0] == kind

    def test_what_nobody_described(self) -> None:
        assert effect_of("Format-Volume -DriveLetter C") is None
