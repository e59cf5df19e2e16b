"""Guide: Check the Server Service Account Permissions."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.tentacle_step("service-account-permissions")
def test_service_account_permissions(judge: Callable[[], None]) -> None:
    """If the service runs as the Local System account, this is all right.

    If it runs as a specific user, make sure that the user has "full control" permission to the Octopus Home folder,
    recursively: on the Tentacle machine, and for polling Tentacles on the Octopus Server.
    """
    judge()
