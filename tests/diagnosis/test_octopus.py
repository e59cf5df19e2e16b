"""What Octopus's API adds to causes: two vantage points, of which one knows what the other forgot."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pytest_tentacle.diagnosis import diagnose
from pytest_tentacle.octopus.model import Evidence, MachineEvent
from support import NOW
from support.fleets.certificates import thumbprint

from .conftest import results_of

NEW = "C" * 40


def told(world, code):
    """The evidence of a cause."""
    fleet, results = results_of(world)
    (cause,) = [cause for cause in diagnose(fleet, results).causes if cause.code == code]
    return "\n".join(f"{item.source}: {item.text}" for item in cause.evidence)


class TestOldRegistration:
    @pytest.fixture
    def renewed(self, world):
        """The Tentacle has a new certificate, which its port does not present yet."""
        world["web-01"].settings["Tentacle.CertificateThumbprint"] = NEW
        return world

    def test_octopus_has_the_old_one(self, renewed):
        """Octopus's own word, and what its audit says of the thumbprint."""
        registration = renewed.register("web-01")
        event = MachineEvent(
            category="Modified",
            occurred=(NOW - timedelta(days=9)).isoformat(),
            message="",
            changed=("/Endpoint/Thumbprint",),
        )
        seen = Evidence(registration=registration.id, events=(event,))
        renewed.portal = renewed.portal.model_copy(update={"evidence": (seen,)})
        evidence = told(renewed, "TC4011")
        assert f"the server still has {thumbprint('web-01')}" in evidence
        assert "13 November 2026 03:04:05: its registration was changed in Octopus: /Endpoint/Thumbprint" in evidence

    def test_octopus_has_the_new_one(self, renewed):
        """Then the inventory alone is old: nothing is said of Octopus."""
        renewed.register("web-01", thumbprint=NEW)
        assert "the server still has" not in told(renewed, "TC4011")

    def test_not_asked(self, renewed):
        """Without the API nothing is assumed of it."""
        assert "Octopus, " not in told(renewed, "TC4011")


class TestThumbprintsScreen:
    def test_untrusted(self, world):
        """What Configuration > Thumbprints says stands beside what is trusted."""
        world["web-01"].trusted[0]["Thumbprint"] = NEW
        world.register("web-01")
        world.portal = world.portal.model_copy(update={"thumbprint": thumbprint("octopus")})
        assert f"Configuration > Thumbprints: the server's is {thumbprint('octopus')}" in told(world, "TC3211")
