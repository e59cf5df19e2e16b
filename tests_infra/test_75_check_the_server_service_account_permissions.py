"""Guide: Check the Server Service Account Permissions."""

from pytest_tentacle.sections import account
from pytest_tentacle.testing import step


@step("service-account-permissions")
def test_service_account_permissions(machine):
    """If the service runs as the Local System account, this is all right.

    If it runs as a specific user, make sure that the user has "full control" permission to the Octopus Home folder,
    recursively: on the Tentacle machine, and for polling Tentacles on the Octopus Server.
    """
    machine.must_pass(account.account_has_full_control)
