"""What Octopus's own API says, in the steps of the guide where a person would look for it."""

from __future__ import annotations

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.octopus.model import ConnectionLine, Evidence, MachineEvent, Node

SETTINGS, IDENTIFY, SERVICES = "communication-settings", "identify-the-problem", "services-running"


def saw(world, registration, **more):
    """Octopus was asked for one registration."""
    evidence = Evidence(registration=registration.id, **more)
    world.portal = world.portal.model_copy(update={"evidence": (*world.portal.evidence, evidence)})


class TestRegistration:
    def test_healthy(self, world):
        """A registration that is whole, of either mode, is evidence alone."""
        world.register("web-01")
        subscription = world.fleet().subject("poll-01").subscriptions[0].removeprefix("poll://")
        world.register("poll-01", uri=f"poll://{subscription.upper()}/", subscription=subscription)
        for name in ("web-01", "poll-01"):
            result = world.judge(SETTINGS, name)
            assert result.outcome is Outcome.PASSED
            assert any("Octopus" in text for text in result.looked_at)

    @pytest.mark.parametrize("name", ["web-01", "poll-01"])
    def test_unusable(self, world, name):
        """An address or a thumbprint that Octopus cannot use."""
        world.register(
            name, fault="its address in Octopus is missing: the registration is incomplete", subscription=None
        )
        (problem,) = world.judge(SETTINGS, name).problems
        assert problem.code == "TT331"
        assert "incomplete" in problem.actual

    def test_other_subscription(self, world):
        """Octopus has another one: it was deleted there, or registered anew on one side."""
        world.register("poll-01", uri="poll://other/", subscription="other")
        (problem,) = world.judge(SETTINGS, "poll-01").problems
        assert problem.code == "TT332"

    def test_registered_twice(self, world):
        """One of two registrations that fits is enough: the other one is stale, and harms nobody."""
        subscription = world.fleet().subject("poll-01").subscriptions[0].removeprefix("poll://")
        world.register("poll-01", uri="poll://other/", subscription="other")
        world.register("poll-01", uri=f"poll://{subscription}/", subscription=subscription)
        assert world.judge(SETTINGS, "poll-01").outcome is Outcome.PASSED

    def test_not_asked(self, world):
        """Without the API nothing is said."""
        assert not [text for text in world.judge(SETTINGS, "poll-01").looked_at if "Octopus," in text]


class TestHealth:
    def test_what_octopus_saw(self, world):
        """Its last health, events with their details and what they mean, the last lines of the Connectivity tab."""
        registration = world.register("web-01", health="Unavailable", health_summary="It was not reached.")
        saw(
            world,
            registration,
            events=(
                MachineEvent(
                    category="MachineUnavailable",
                    occurred="2026-11-29T10:00:00.000+00:00",
                    message="web-01 is unavailable",
                    details="System.Net.Sockets.SocketException (10061): No connection could be made because the "
                    "target machine actively refused it.",
                ),
                MachineEvent(
                    category="Modified", occurred="2026-11-28T00:00:00Z", message="m", changed=("/Endpoint/Thumbprint",)
                ),
            ),
            connection=(
                ConnectionLine(level="Info", text="opening", occurred="2026-11-29T09:59:59Z"),
                ConnectionLine(level="Error", text="refused", occurred="2026-11-29T10:00:00Z"),
            ),
        )
        result = world.judge(IDENTIFY, "web-01")
        told = "\n".join(result.looked_at)
        assert result.problems == ()
        assert "Unavailable; It was not reached." in told
        assert "MachineUnavailable (" in told
        assert "changed /Endpoint/Thumbprint" in told
        assert "Error: refused" in told
        assert "opening" not in told

    def test_what_could_not_be_read(self, world):
        """It is told, and is no verdict: the account's rights are no fault of the machine."""
        saw(world, world.register("web-01"), unread=("its events could not be read: EventView is missing",))
        result = world.judge(IDENTIFY, "web-01")
        assert result.problems == ()
        assert any("EventView" in text for text in result.looked_at)


class TestServer:
    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"operating_normally": True}, "operates normally"),
            ({"operating_normally": False, "health_description": "The cluster is read-only"}, "read-only"),
            ({}, "does not say whether"),
            ({"in_maintenance": True}, "maintenance mode"),
            ({"potential_clone": True}, "copy of another"),
            ({"stopped_spaces": ("Shop",)}, "no health check runs in Shop"),
            (
                {"nodes": (Node(name="OCTO-1", draining=True, running_tasks=3, task_cap=5),)},
                "draining its tasks, 3 of 5 tasks",
            ),
            ({"nodes": (Node(name="octo-1", offline=True),)}, "node octo-1: offline"),
        ],
    )
    def test_evidence(self, world, change, words):
        """Busy, draining and maintenance are told; none of them is a fault of a link."""
        world.register("web-01")
        world.portal = world.portal.model_copy(update=change)
        result = world.judge(SERVICES, "octo-1")
        assert result.outcome is Outcome.PASSED
        assert any(words in text for text in result.looked_at)
