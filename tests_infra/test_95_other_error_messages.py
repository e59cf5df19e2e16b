"""Guide: Other Error Messages."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.tentacle_step("other-error-messages")
def test_other_error_messages(judge: Callable[[], None]) -> None:
    """Such as: Unable to process remote identity; unknown identity 'HTTP/1.0'.

    Then there is network infrastructure inserting a web page into the communication: most commonly firewalls and proxy
    servers.
    """
    judge()
