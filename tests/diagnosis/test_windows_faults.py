"""Faults of Windows machines, by the first thing that a person is told of them; they are in `support/windows_faults/`."""

from __future__ import annotations

import pytest

from support.windows_faults import TRUTHS, Truth, wrongs

AWAITED = {
    "another_machine_has_its_address": "events of TCP/IP are not read",
    "ports_of_a_poller_ran_out": "the look does not tell why it could not connect",
    "ports_of_the_server_ran_out": "the look does not tell why it could not connect",
    "rule_for_a_kind_of_interface": "conditions of rules are not told",
    "port_was_entered_as_the_remote_one": "conditions of rules are not told",
    "rule_for_another_service": "conditions of rules are not told",
    "rule_allows_secure_connections_alone": "conditions of rules are not told",
    "rule_for_another_address_of_its_own": "conditions of rules are not told",
    "connections_must_be_secured": "rules for connection security are not read",
    "rpc_took_the_port_at_boot": "nothing tells a part of Windows from another program",
    "answers_leave_by_the_other_card": "the way back is not compared with the address that is asked for",
    "proxy_of_a_variable": "whose the proxy is, is not told",
    "proxy_of_winhttp_alone": "WinHTTP's proxy is not compared with what the Tentacle uses",
    "controlled_folder_access": "rights that are there are not held against a refusal in the log",
    "keys_are_strongly_protected": "these words are not known",
}
"""What is judged wrongly as yet, and why."""


def _row(truth: Truth) -> object:
    marks = (
        [pytest.mark.xfail(strict=True, raises=AssertionError, reason=AWAITED[truth.id])] if truth.id in AWAITED else []
    )
    return pytest.param(truth, id=truth.id, marks=marks)


def test_what_is_awaited_is_there() -> None:
    """A mark for a fault that is gone, or was never there, says nothing."""
    assert set(AWAITED) <= {truth.id for truth in TRUTHS}


@pytest.mark.parametrize("truth", [_row(truth) for truth in TRUTHS])
def test_the_first_cause_is_the_truth_and_nobody_else_is_accused(truth: Truth) -> None:
    assert wrongs(truth) == [], truth.what
