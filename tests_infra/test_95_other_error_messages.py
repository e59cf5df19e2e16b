"""Guide: Other Error Messages."""

from pytest_tentacle.sections import messages
from pytest_tentacle.testing import step


@step("other-error-messages")
def test_other_error_messages(machine):
    """Such as: Unable to process remote identity; unknown identity 'HTTP/1.0'.

    Then there is network infrastructure inserting a web page into the communication: most commonly firewalls and proxy
    servers.
    """
    machine.must_pass(
        messages.own_log_holds_no_such_message,
        messages.servers_logs_hold_no_such_message,
    )
