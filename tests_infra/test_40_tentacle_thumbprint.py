"""Guide: Check the Tentacle Thumbprint."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.tentacle_step("tentacle-thumbprint")
def test_tentacle_thumbprint(judge: Callable[[], None]) -> None:
    """Verify that the Tentacle's thumbprint is the one that the Octopus Server has on record for the machine.

    That is: configuration, certificate on the port and inventory agree, and no other machine has the same.
    """
    judge()


@pytest.mark.tentacle_step("tentacle-certificate")
def test_tentacle_certificate(judge: Callable[[], None]) -> None:
    """The certificate behind the thumbprint is one that today's TLS libraries take, and its private key can be used.

    An RSA key of 2048 bits or more and a signature with SHA-256; and no two machines poll with one subscription.
    """
    judge()
