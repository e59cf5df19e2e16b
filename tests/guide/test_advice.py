"""Advice on what was not read fits the reason."""

from __future__ import annotations

import pytest

from pytest_tentacle.guide.advice import RIGHTS, advice_on


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("services of a: this machine has no systemctl, so its services cannot be read", "container"),
        ("services of a: systemctl show failed (exit code 1): System has not been booted with systemd", "container"),
        ("tls of a: this machine has no openssl command", "Install"),
        ("firewall of a: this machine has none of the tools that show a packet filter", "Install"),
        ("services of a: WMI did not answer within 5 s (Win32_Service)", "does not answer"),
        ("reservations of a: netsh did not end in time", "does not answer"),
        ("events of a: the script's time budget was used up before events", "--machine-timeout"),
        ("loading of a: not read: the session ended while it was at loading", "session"),
        ("proxies of a: the services could not be read, and so not their environment", "follows"),
        ("routes of a: not surveyed", "older version"),
        ("services of a: HRESULT 0x80041010,Get (CimException): Invalid class", "damaged"),
    ],
)
def test_what_rights_do_not_help(reason: str, word: str) -> None:
    assert word in advice_on(reason)
    assert "Administrators" not in advice_on(reason)


@pytest.mark.parametrize(
    "reason",
    [
        "services of a: access-denied: HRESULT 0x80041003,Get (CimException): Access denied",
        "firewall of a: nft failed (exit code 1): Operation not permitted",
        "policy of a: the service's environment file /etc/x may not be read",
        "disks of a: something that nobody knows",
    ],
)
def test_what_needs_rights(reason: str) -> None:
    assert advice_on(reason) == RIGHTS
