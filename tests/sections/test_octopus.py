"""What Octopus's own API says, in the steps of the guide where a person would look for it."""

from __future__ import annotations

import pytest

from pytest_tentacle.inventory.model import NoTransport
from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.link import Failure
from pytest_tentacle.octopus.model import (
    ConnectionLine,
    Discovery,
    Evidence,
    HealthTask,
    MachineEvent,
    Node,
    Policy,
)
from pytest_tentacle.survey.model import Unreachable
from pytest_tentacle.transport.base import ReachStage
from support.fleets.certificates import thumbprint
from support.fleets.whole import wide_fleet

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

    @pytest.mark.parametrize(
        ("policy", "words"),
        [
            ({"health_interval": 3600.0}, "Octopus checks its health every 60 min"),
            ({"health_interval": 90.0, "only_connectivity": True}, "every 1.5 min, the connection alone"),
            ({"health_schedule": "0 0 6 * * *"}, "by a schedule (0 0 6 * * *)"),
            ({"may_be_offline": True}, "may be old; that it is offline is no failure there"),
        ],
    )
    def test_how_old_its_word_may_be(self, world, policy, words):
        """By the machine policy, beside the health that Octopus tells."""
        world.register("web-01", policy="P-1")
        world.portal = world.portal.model_copy(update={"policies": (Policy(id="P-1", name="Rare", **policy),)})
        (told,) = (text for text in world.judge(IDENTIFY, "web-01").looked_at if "policy Rare" in text)
        assert f"{words} (Octopus, " in told

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
            ({"all_read_only": True}, "all of its nodes are read-only: no task runs"),
            ({"all_draining": True}, "all of its nodes are draining"),
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


class TestHealthCheck:
    def test_its_log(self, world):
        """The last health check's words of the machine, classified, with the node that ran it."""
        line = ConnectionLine(
            level="Error",
            text="An error occurred when sending a request to 'https://web-01:10933/', before the request could begin: "
            "The remote host at https://web-01:10933/ refused the connection, this may mean that",
            occurred="2026-11-29T10:00:00Z",
        )
        task = HealthTask(
            id="ServerTasks-7",
            state="Failed",
            started="",
            completed="2026-11-29T10:01:00Z",
            node="octo-1",
            lines=(line,),
        )
        saw(world, world.register("web-01"), task=task)
        told = "\n".join(world.judge(IDENTIFY, "web-01").looked_at)
        assert "ended 2026-11-29T10:01:00Z: Failed (Octopus, Default" in told
        assert "health check ServerTasks-7 on octo-1)" in told
        assert "Error (Nothing listens at that address" in told

    def test_busy(self, world):
        """A task that waits for another one is no fault of the link."""
        line = ConnectionLine(level="Warning", text="Cannot start this task yet. There is already another", occurred="")
        task = HealthTask(id="ServerTasks-7", state="Canceled", started="", completed="", lines=(line,))
        saw(world, world.register("web-01"), task=task)
        result = world.judge(IDENTIFY, "web-01")
        assert any("it was busy" in text for text in result.looked_at)

    def test_server_log(self, world):
        """Configuration > Diagnostics: what was trouble."""
        world.register("web-01")
        lines = (
            ConnectionLine(level="Info", text="all is well", occurred="2026-11-29T10:00:00Z"),
            ConnectionLine(level="Error", text="the disk is full", occurred="2026-11-29T10:00:00Z"),
        )
        world.portal = world.portal.model_copy(update={"server_log": lines})
        told = "\n".join(world.judge(IDENTIFY, "octo-1").looked_at)
        assert "Diagnostics" in told
        assert "the disk is full" in told
        assert "all is well" not in told


class TestThumbprints:
    def test_both_screens(self, world):
        """What is trusted beside Configuration > Thumbprints, what is presented beside Machine Settings."""
        world.register("web-01")
        world.portal = world.portal.model_copy(update={"thumbprint": thumbprint("octopus")})
        told = "\n".join(world.judge("tentacle-thumbprint", "web-01").looked_at)
        assert f"{thumbprint('octopus')}: web-01 trusts it" in told
        assert "its settings have the same; its own port presents the same" in told

    def test_others(self, world):
        """Others than Octopus's are named; no verdict comes of them here."""
        world.register("web-01", thumbprint="C" * 40)
        world.portal = world.portal.model_copy(update={"thumbprint": "B" * 40})
        told = "\n".join(world.judge("tentacle-thumbprint", "web-01").looked_at)
        assert f"web-01 does not trust it, but {thumbprint('octopus')}" in told
        assert f"its settings have another one, {thumbprint('web-01')}" in told


class TestConnections:
    ACROSS = "welcome-page-across"

    def test_way_and_waits(self, world):
        """Proxy, missing port and the policy's times are told."""
        world.register("web-01", port=443, has_port=False, proxy="proxy:3128", policy="P-1")
        policy = Policy(id="P-1", name="Slow", connect_seconds=10, retries=False)
        world.portal = world.portal.model_copy(update={"policies": (policy,)})
        told = "\n".join(world.judge(self.ACROSS, "web-01").looked_at)
        assert "no port in Octopus: the server uses 443) through the proxy proxy:3128" in told
        assert "it waits 10 s for a connection, and does not try again" in told

    def patience(self, world, name, looks, **policy):
        """What the step says where Octopus's machine policy is this, and each look's TLS took so many milliseconds."""
        world.register(name, policy="P-1")
        world.portal = world.portal.model_copy(update={"policies": (Policy(id="P-1", name="P", **policy),)})
        probes = world["octo-1"].peer if name == "web-01" else world[name].own
        others = {"web-02", "poll-02"}
        ours = [at for at, probe in enumerate(probes) if probe.link.tentacle not in others and not probe.is_of_own_port]
        for at, ms in zip(ours, looks, strict=True):
            probes[at] = probes[at].model_copy(update={"tls": probes[at].tls.model_copy(update={"ms": float(ms)})})
        return world.judge(self.ACROSS, name)

    @pytest.mark.parametrize(
        ("looks", "limit", "codes"),
        [
            ((10_050, 10_050), 10, ["TT536"]),
            ((9_900, 9_900), 10, []),
            ((20, 10_050), 10, []),
            ((10_050, 10_050), 60, []),
            ((10_050, 10_050), None, []),
        ],
    )
    def test_gives_up_first(self, world, looks, limit, codes):
        """Every look took longer than the policy lets the server wait; an older server does not tell its time."""
        result = self.patience(world, "web-01", looks, connect_seconds=limit)
        assert [problem.code for problem in result.problems] == codes
        if codes:
            assert result.problems[0].facts["limit"] == "10"

    @pytest.mark.parametrize(("stands", "codes"), [(True, []), (False, ["TT536"]), (None, [])])
    def test_request_for_a_poller_ends_first(self, stands, codes):
        """Where a connection stands, the request is fetched at once, however long the next one would take."""
        world = wide_fleet()
        if not stands:
            world.sections["poll-01"]["connections"] = () if stands is False else "refused"
        count = sum(not probe.is_of_own_port for probe in world["poll-01"].own)
        result = self.patience(world, "poll-01", (5_500,) * count, queue_seconds=5, connect_seconds=60)
        assert [problem.code for problem in result.problems] == codes
        assert ("whether one stands" in str(result.reason)) is (stands is None)

    def test_our_look_gave_up_sooner(self):
        """A time-out of ours is not yet one of Octopus's: how long that waits, and how to wait as long."""
        world = wide_fleet()
        world.register("web-01", policy="P-1")
        policy = Policy(id="P-1", name="P", connect_seconds=60)
        world.portal = world.portal.model_copy(update={"policies": (policy,)})
        slow = {"fails": "connect", "error": Failure.TIMED_OUT, "connect_ms": 5000}
        world.across("web-01", slow, slow)
        result = world.judge(self.ACROSS, "web-01")
        assert [problem.code for problem in result.problems] == ["TT521"]
        assert any("Octopus itself waits 60 s: --probe-timeout 60 does, too" in text for text in result.looked_at)

    @pytest.mark.parametrize(
        ("look", "outcome"),
        [
            ({"thumbprint": thumbprint("web-01")}, Outcome.PASSED),
            ({"thumbprint": "C" * 40}, Outcome.UNKNOWN),
            ({"error": "The remote host refused the connection"}, Outcome.UNKNOWN),
        ],
    )
    def test_server_that_nobody_can_log_on_to(self, world, look, outcome):
        """Octopus Cloud: the server's own look takes the place of ours; where it fails, that proves nothing."""
        world["octo-1"].declare(transport=NoTransport())
        world["octo-1"].unreachable = Unreachable(stage=ReachStage.CONNECT, summary="no log-on", advice="")
        registration = world.register("web-01")
        saw(world, registration, discovered=Discovery(host="web-01.example", port=10933, node="octo-1", **look))
        result = world.judge(self.ACROSS, "web-01")
        assert result.outcome is outcome
        assert "node octo-1" in f"{result.reason}{result.looked_at}"

    def test_without_a_look(self, world):
        """Without --discover it is as unknown as before."""
        world["octo-1"].unreachable = Unreachable(stage=ReachStage.CONNECT, summary="no log-on", advice="")
        saw(world, world.register("web-01"))
        assert world.judge(self.ACROSS, "web-01").outcome is Outcome.UNKNOWN
