"""Guide: Check for Zombie Child Processes Locking TCP Ports (Listening Tentacles)."""

from pytest_tentacle.sections import zombies
from pytest_tentacle.testing import step


@step("zombie-child-processes")
def test_zombie_child_processes(machine):
    """A zombie PowerShell.exe or Calamari.exe process that was launched by Tentacle may still hold the TCP port.

    Then the Tentacle fails to start: "A required communications port is already in use." Rebooting the machine, or
    killing the zombie process, fixes it. The port of a polled Octopus Server is looked at likewise.
    """
    machine.must_pass(zombies.nothing_left_over_holds_the_port)
