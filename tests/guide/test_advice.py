"""Advice on what was not read fits the reason."""

from __future__ import annotations

import pytest

from pytest_tentacle.guide.advice import RIGHTS, advice_on


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("this machine has no systemctl, so its services cannot be read", "container"),
        ("systemctl show failed (exit code 1): System has not been booted with systemd", "container"),
        ("this machine has no openssl command", "Install"),
        ("this machine has none of the tools that show a packet filter", "Install"),
        ("WMI did not answer within 5 s (Win32_Service)", "does not answer"),
        ("netsh did not end in time", "does not answer"),
        ("the script's time budget was used up before events", "--machine-timeout"),
        ("not read: the session ended while it was at loading", "session"),
        ("the services could not be read, and so not their environment", "follows"),
        (
            "the service's environment was not read whole: its systemd does not show variables with a blank in their value",
            "systemctl cat",
        ),
        ("PowerShell runs in constrained language mode there, and cmdlets alone cannot read it", "full language mode"),
        ("not surveyed", "older version"),
        ("HRESULT 0x80041010,Get (CimException): Invalid class", "damaged"),
    ],
)
def test_what_rights_do_not_help(reason: str, word: str) -> None:
    assert word in advice_on(reason)
    assert "Administrators" not in advice_on(reason)


@pytest.mark.parametrize(
    "reason",
    [
        "access-denied: HRESULT 0x80041003,Get (CimException): Access denied",
        "nft failed (exit code 1): Operation not permitted",
        "the service's environment was not read whole: its environment file /etc/x may not be read",
        "something that nobody knows",
    ],
)
def test_what_needs_rights(reason: str) -> None:
    assert advice_on(reason) == RIGHTS
