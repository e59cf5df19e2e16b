"""Guide: Check for Zombie Child Processes Locking TCP Ports (Listening Tentacles)."""

from pytest_tentacle.sections import zombies
from pytest_tentacle.testing import step


@step("zombie-child-processes")
def test_zombie_child_processes(machine):
    """What an earlier Tentacle started, PowerShell.exe or Calamari.exe, may have outlived it and still hold its port.

    Then the Tentacle cannot start: "A required communications port is already in use." Ending that process frees the
    port, and so does a reboot. The port of a polled Octopus Server is looked at likewise.
    """
    machine.must_pass(zombies.nothing_left_over_holds_the_port)
