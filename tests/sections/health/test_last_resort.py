"""Restart and uninstall: advice in the outcome of the last step, where an earlier one failed."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tentacle.sections import STEPS
from pytest_tentacle.survey.surroundings import LeftOver

STOPPED = {"state": "stopped", "pid": None, "exit_code": 0}


def told(around: Any, name: str) -> str:
    return "\n".join(around.judge("machine-health", name).looked_at)


class TestLastResort:
    def test_is_of_the_last_step(self) -> None:
        assert STEPS[-1].slug == "machine-health"

    @pytest.mark.parametrize("name", ["octo-1", "web-01", "poll-01"])
    def test_not_where_all_is_well(self, around: Any, name: str) -> None:
        """Nobody is told to tear down what works."""
        assert "last resort" not in told(around, name)

    def test_windows(self, around: Any) -> None:
        """Restart first, then the clean slate, with the exact commands and what was found."""
        around.world["web-01"].service |= STOPPED
        around.sections["web-01"]["left_overs"] = (LeftOver(kind="folder", where="C:\\Octopus.old"),)
        text = told(around, "web-01")
        assert "Restart-Service -Name 'OctopusDeploy Tentacle'" in text
        assert "service --stop --uninstall --instance Tentacle" in text
        assert "delete-instance --instance Tentacle" in text
        assert "C:\\Octopus.old (folder)" in text
        assert text.index("Restart-Service") < text.index("delete-instance") < text.index("Octopus.old (folder)")
        assert "systemctl" not in text

    def test_a_second_instance_keeps_the_program(self, around: Any) -> None:
        """What is removed is the instance, and the program stays."""
        around.world["web-01"].service |= STOPPED
        around.world["web-01"].declare(instance="Tentacle")
        around.world["web-01"].instances = ["Tentacle", "Blue"]
        text = told(around, "web-01")
        assert "delete-instance --instance Tentacle" in text
        assert "Uninstall-Package" not in text

    def test_instances_that_could_not_be_read(self, around: Any) -> None:
        """The advice is told all the same; the program stays, since it may be another instance's."""
        around.world["web-01"].service |= STOPPED
        around.world["web-01"].unknown["instances"] = "access is denied"
        text = told(around, "web-01")
        assert "Restart-Service -Name 'OctopusDeploy Tentacle'" in text
        assert "delete-instance --instance Tentacle" in text
        assert "Uninstall-Package" not in text

    def test_linux(self, around: Any) -> None:
        around.world["poll-01"].trusted = []
        text = told(around, "poll-01")
        assert "sudo systemctl restart Tentacle.service" in text
        assert "delete-instance --instance Tentacle" in text
        assert "nothing was found" in text
        assert "Restart-Service" not in text

    def test_a_server_is_restarted_and_never_removed(self, around: Any) -> None:
        around.world["octo-1"].service |= STOPPED
        text = told(around, "octo-1")
        assert "Restart-Service -Name OctopusDeploy" in text
        assert "delete-instance" not in text

    def test_left_overs_that_could_not_be_read(self, around: Any) -> None:
        around.world["web-01"].service |= STOPPED
        around.sections["web-01"]["left_overs"] = "access is denied"
        assert "not known, left_overs of web-01: access is denied" in told(around, "web-01")

    def test_not_where_the_system_is_not_known(self, around: Any) -> None:
        """A command for the wrong system is worse than none."""
        around.world["web-01"].service |= STOPPED
        around.world["web-01"].unknown["host"] = "it could not be read"
        assert "last resort" not in told(around, "web-01")
