"""Guide: Schannel and TLS Configuration Mismatches."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.tentacle_step("schannel-and-tls")
def test_schannel_and_tls(judge: Callable[[], None]) -> None:
    """Octopus uses the best protocol that is available to both servers.

    Both ends need TLS 1.2 or 1.3 and a cipher suite in common, a Tentacle from 6.3 on .NET Framework 4.8. What the link
    really negotiated is told, and is stronger than any policy.
    """
    judge()
