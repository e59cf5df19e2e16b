"""Guide: Check the Load Time."""

from pytest_tentacle.sections import load_time
from pytest_tentacle.testing import step


@step("load-time")
def test_load_time(machine):
    """`Tentacle.exe help`, or `Octopus.Server.exe help`, is displayed immediately (< 1s).

    Without Internet access, Windows' check of code signing certificates for revocation may cause a pause during
    loading, which may prevent Octopus and Tentacles connecting.
    """
    machine.must_pass(load_time.help_is_shown_within_a_second)
