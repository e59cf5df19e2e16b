"""Elliptic curves of two ends: no common one is a problem where all that they share needs one, and both are known."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tentacle.link import Failure
from pytest_tentacle.sections.tls.policy import plain_curve

DEAD = {"fails": "tls", "error": Failure.NO_COMMON_CIPHER}
ECDHE = ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384")
FIPS = ("NistP256", "NistP384")


def curves(around: Any, tools: Any, here: Any, there: Any, suites: tuple[str, ...] = ECDHE) -> list[str]:
    """The codes of web-01, whose link to octo-1 fails in the handshake, with these curves at both ends."""
    tools.across(around.world, "listening", DEAD, DEAD)
    around.change("web-01", "tls", curves=here, cipher_suites=suites)
    around.change("octo-1", "tls", curves=there, cipher_suites=suites)
    return around.codes("schannel-and-tls", "web-01")


class TestCurves:
    def test_none_in_common(self, around: Any, tools: Any) -> None:
        assert curves(around, tools, FIPS, ("curve25519",)) == ["TT907"]
        (problem,) = around.judge("schannel-and-tls", "web-01").problems
        assert problem.facts["server"] == "octo-1"
        assert "octo-1 has curve25519" in problem.actual

    @pytest.mark.parametrize(
        ("here", "there"),
        [
            (FIPS, ("prime256v1",)),
            (FIPS, ("P-384", "X25519")),
            (("curve25519",), ("x25519",)),
            (None, ("x25519",)),
            (FIPS, None),
            ((), ("x25519",)),
            (FIPS, ("x25519", "ffdhe2048")),
        ],
    )
    def test_one_in_common_or_not_known(self, around: Any, tools: Any, here: Any, there: Any) -> None:
        """Under either library's name; and a list that is not known, or holds other groups, says nothing."""
        assert curves(around, tools, here, there) == []

    def test_a_suite_that_needs_none(self, around: Any, tools: Any) -> None:
        """Two ends that share RSA key exchange come together without a curve."""
        suites = (*ECDHE, "TLS_RSA_WITH_AES_256_GCM_SHA384")
        assert curves(around, tools, FIPS, ("curve25519",), suites) == []

    def test_a_link_that_is_well_is_stronger(self, around: Any) -> None:
        around.change("web-01", "tls", curves=FIPS, cipher_suites=ECDHE)
        around.change("octo-1", "tls", curves=("curve25519",), cipher_suites=ECDHE)
        assert around.codes("schannel-and-tls", "web-01") == []

    def test_names_of_one_curve(self) -> None:
        assert {plain_curve(name) for name in ("NistP256", "prime256v1", "P-256", "secp256r1")} == {"secp256r1"}
        assert plain_curve("brainpoolP256r1") == "brainpoolp256r1"
