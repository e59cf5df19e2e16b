"""Guide: Check the Server Service Account Permissions."""

from pytest_tentacle.sections import account
from pytest_tentacle.testing import step


@step("service-account-permissions")
def test_service_account_permissions(machine):
    """A service that runs as Local System has all rights that it needs.

    Any other account needs "full control" of the home folder and of all that lies below it: on the Tentacle's machine,
    and for polling Tentacles on the Octopus Server, too.
    """
    machine.must_pass(account.account_has_full_control, account.security_modules_let_it_work)
