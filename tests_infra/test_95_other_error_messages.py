"""Guide: Other Error Messages."""

from pytest_tentacle.sections import messages
from pytest_tentacle.testing import step


@step("other-error-messages")
def test_other_error_messages(machine):
    """Such as "unknown identity 'HTTP/1.0'", from a machine that expected its peer.

    Something on the way has answered with a web page of its own, mostly a firewall or a proxy.
    """
    machine.must_pass(
        messages.own_log_holds_no_such_message,
        messages.servers_logs_hold_no_such_message,
    )
