"""The step "Tentacle Ping": loss, flaps, slow stages, certificates and payload; and what is no verdict."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pytest_tentacle.guide.remedies import fill
from pytest_tentacle.judging import evaluate
from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.link import By, Certificate, Failure, PingAttempt, PingOrder, PingSeries, Stage
from pytest_tentacle.link.decoding import decode_text
from pytest_tentacle.sections import Fleet, applicable, checks_of, fleet_of
from pytest_tentacle.sections.ping.problems import PING

MACHINES = ("web-01", "poll-01")
WELL = "+" * 20


def attempts(
    pattern: str, certificates: str = "", lag: float = 3.0, **slow: tuple[int, float]
) -> tuple[PingAttempt, ...]:
    """`+` went well, `c` was closed at TLS, `t` timed out connecting, `r` was refused, `p` timed out waiting for the page."""
    made = []
    for number, sign in enumerate(pattern):
        times: dict[str, Any] = {"resolve": 1.0, "connect": 2.0, "tls": 9.0, "page": 3.0}
        for stage, (count, ms) in slow.items():
            if number < count:
                times[stage] = ms
        presented: int | None = int(certificates[number]) if certificates else 0
        failure: dict[str, Any] = {}
        if sign == "c":
            times |= {"page": None}
            failure, presented = {"stage": Stage.TLS, "error": Failure.CLOSED}, None
        elif sign == "t":
            times |= {"connect": 2000.0, "tls": None, "page": None}
            failure, presented = {"stage": Stage.CONNECT, "error": Failure.TIMED_OUT}, None
        elif sign == "r":
            times |= {"tls": None, "page": None}
            failure, presented = {"stage": Stage.CONNECT, "error": Failure.REFUSED}, None
        elif sign == "p":
            times |= {"page": 2000.0}
            failure = {"stage": Stage.PAGE, "error": Failure.TIMED_OUT}
        made.append(PingAttempt(at=number / 2, certificate=presented, lag=lag, **times, **failure))
    return tuple(made)


def spelt(seen: set[tuple[str, str]], own: str) -> set[str]:
    """What was read, as a check of this machine declares it."""
    whose = {own: "", "fleet": "fleet."}
    return {whose.get(machine, "peer.") + section for machine, section in seen}


class Scene:
    """The small fleet, each link pinged: web-01's from octo-1, octo-1's from poll-01."""

    def __init__(self, world: Any, certificates: tuple[Certificate, ...]) -> None:
        self.world = world
        self.pool = certificates
        self.order: PingOrder | None = PingOrder(count=20)
        self.series: dict[str, PingSeries | None] = {}
        for name in MACHINES:
            self.ping(name, WELL)

    def ping(
        self, name: str, pattern: str, certificates: str = "", slow: Any = None, lag: float = 3.0, **fields: Any
    ) -> None:
        host, port = ("web-01.example", 10933) if name == "web-01" else ("octo-1.example", 10943)
        made = attempts(pattern, certificates, lag, **(slow or {}))
        held = max((int(sign) for sign in certificates), default=0) + 1
        self.series[name] = PingSeries(
            **({"host": host, "port": port, "by": By.NAME, "wanted": 20} | fields),
            certificates=self.pool[:held],
            attempts=made,
        )

    def fleet(self) -> Fleet:
        surveys = self.world.surveys()
        records = []
        for record in surveys.records:
            held = {"octo-1": "web-01", "poll-01": "poll-01"}.get(record.machines[0])
            found = self.series.get(held or "")
            if found and held == "web-01":
                record = record.model_copy(update={"peer_pings": (found,)})  # noqa: PLW2901
            elif found and record.survey:
                record = record.model_copy(update={"survey": record.survey.model_copy(update={"pings": (found,)})})  # noqa: PLW2901
            records.append(record)
        return fleet_of(surveys.model_copy(update={"records": tuple(records), "ping": self.order}))

    def judge(self, name: str) -> Any:
        return self.fleet().subject(name).result("tentacle-ping")


@pytest.fixture
def scene(world: Any, real_certificate: str) -> Scene:
    return Scene(world, (decode_text(real_certificate), decode_text("QUFBQQ==")))


CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "TT641": ("TT641", {"pattern": "c" * 20}),
    "TT641-with-payload-at-another-stage": ("TT641", {"pattern": "t" * 20, "payload_bytes": 9000}),
    "TT642-one": ("TT642", {"pattern": "++++++++c+++++++++++"}),
    "TT642-outage": ("TT642", {"pattern": "++++++++tttt++++++++"}),
    "TT642-begins": ("TT642", {"pattern": "++++++++++++++++tttt"}),
    "TT643-third": ("TT643", {"pattern": "++c" * 6 + "++"}),
    "TT643-irregular": ("TT643", {"pattern": "++c++++ttt++++++++++"}),
    "TT644-resolve": ("TT644", {"pattern": WELL, "slow": {"resolve": (2, 1005.0)}}),
    "TT644-connect": ("TT644", {"pattern": WELL, "slow": {"connect": (3, 1030.0)}}),
    "TT644-tls": ("TT644", {"pattern": WELL, "slow": {"tls": (20, 1500.0)}}),
    "TT645": ("TT645", {"pattern": WELL, "certificates": "01" * 10}),
    "TT645-once": ("TT645", {"pattern": WELL, "certificates": "0" * 19 + "1"}),
    "TT646": ("TT646", {"pattern": "p" * 20, "payload_bytes": 9000}),
}


class TestEachCode:
    """One series, one problem."""

    @pytest.mark.parametrize("name", MACHINES)
    @pytest.mark.parametrize(("code", "series"), CASES.values(), ids=CASES)
    def test_is_found(self, scene: Scene, code: str, series: dict[str, Any], name: str) -> None:
        """The step fails with this code and no other, with evidence and all that its remedy needs."""
        scene.ping(name, **series)
        result = scene.judge(name)
        assert [problem.code for problem in result.problems] == [code], result
        problem = result.problems[0]
        assert problem.evidence
        assert "sent" in problem.evidence[0].text
        kind = next(kind for kind in PING if kind.code == code)
        for system in ("windows", "linux"):
            assert not re.findall(r"<[a-z_]+>", " ".join(fill(getattr(kind, system), system, problem.facts)))

    def test_every_code_has_a_case(self) -> None:
        """A code that nothing here makes fail is not tested."""
        assert {case[0] for case in CASES.values()} == {kind.code for kind in PING}

    def test_several_at_once(self, scene: Scene) -> None:
        """Loss, slowness and certificates are three things."""
        scene.ping("web-01", "++c" * 6 + "++", "01" * 10, slow={"connect": (3, 1030.0)})
        assert [problem.code for problem in scene.judge("web-01").problems] == ["TT643", "TT644", "TT645"]

    def test_the_rhythm_is_told(self, scene: Scene) -> None:
        """One of every three is a member of three."""
        scene.ping("web-01", "++c" * 6 + "++")
        (problem,) = scene.judge("web-01").problems
        assert problem.facts["period"] == 3
        assert "one of every 3" in problem.actual

    def test_the_certificates_are_told(self, scene: Scene) -> None:
        """Each with its thumbprint, how often, and whose it is."""
        scene.ping("web-01", WELL, "0" * 12 + "1" * 8)
        (problem,) = scene.judge("web-01").problems
        assert "12x (CN=www.example.com by CN=Inspection CA)" in problem.actual
        assert "2 certificates, 1 changes" in problem.actual


class TestWell:
    """What is no problem."""

    @pytest.mark.parametrize("name", MACHINES)
    def test_passes_with_its_numbers(self, scene: Scene, name: str) -> None:
        """Sent, lost, and each stage's least, median, 95 % and most."""
        result = scene.judge(name)
        assert result.outcome is Outcome.PASSED
        (line,) = result.looked_at
        assert "20 sent, 0 lost" in line
        assert "tls 9/9/9/9" in line

    def test_one_slow_attempt(self, scene: Scene) -> None:
        """A single one is chance, and is told all the same."""
        scene.ping("web-01", "+" * 10, slow={"connect": (1, 3050.0)}, wanted=10)
        result = scene.judge("web-01")
        assert result.outcome is Outcome.PASSED
        assert "connect 2/2/3050/3050" in result.looked_at[0]

    def test_slow_below_the_percentile(self, scene: Scene) -> None:
        """Two of sixty are less than one in twenty."""
        scene.ping("web-01", "+" * 60, slow={"connect": (2, 3050.0)}, wanted=60)
        assert scene.judge("web-01").outcome is Outcome.PASSED

    def test_a_busy_machine(self, scene: Scene) -> None:
        """Its own delay is not the link's, and is told; what is slow beyond it still is."""
        scene.ping("web-01", WELL, slow={"tls": (20, 1300.0)}, lag=400.0)
        result = scene.judge("web-01")
        assert result.outcome is Outcome.PASSED
        assert "400 ms late" in result.looked_at[0]
        scene.ping("web-01", WELL, slow={"tls": (20, 1500.0)}, lag=400.0)
        assert [problem.code for problem in scene.judge("web-01").problems] == ["TT644"]


class TestBlocked:
    """What something else explains."""

    @pytest.mark.parametrize("mode", ["listening", "polling"])
    def test_the_page_across_failed_already(self, scene: Scene, across: Any, mode: str) -> None:
        """All attempts fail, and so did the first look: its problem is the one to read."""
        refused = {"fails": "connect", "error": Failure.REFUSED}
        across(scene.world, mode, refused, refused)
        name = "web-01" if mode == "listening" else "poll-01"
        scene.ping(name, "t" * 20)
        result = scene.judge(name)
        assert (result.outcome, result.blocked_by) == (Outcome.BLOCKED, ("TT520", name))

    @pytest.mark.parametrize("mode", ["listening", "polling"])
    def test_a_first_look_that_met_the_bad_member(self, scene: Scene, across: Any, mode: str) -> None:
        """Some attempts go well: then the ping knows more than the first look did."""
        closed = {"fails": "tls", "error": Failure.CLOSED}
        across(scene.world, mode, closed, closed)
        name = "web-01" if mode == "listening" else "poll-01"
        scene.ping(name, "++c" * 6 + "++")
        assert [problem.code for problem in scene.judge(name).problems] == ["TT643"]

    def test_the_service_is_stopped(self, scene: Scene) -> None:
        """The listening end's own failure explains it."""
        scene.world["web-01"].service |= {"state": "stopped", "pid": None, "exit_code": 0}
        scene.ping("web-01", "t" * 20)
        assert scene.judge("web-01").blocked_by == ("TT202", "web-01")

    @pytest.mark.parametrize(
        ("pattern", "late", "found"),
        [("r" * 8, 2, True), ("r" * 8, 1, False), ("r" * 7 + "t", 2, False), ("r" * 8, 8, False)],
    )
    def test_late_refusals(self, scene: Scene, pattern: str, late: int, found: bool) -> None:
        """Nobody listens, and some refusals come late: the way may be slow, or something may say no but now and then.

        Where all of them are late, it is how the looking system tells of them (Windows).
        """
        scene.world["web-01"].service |= {"state": "stopped", "pid": None, "exit_code": 0}
        scene.ping("web-01", pattern, slow={"connect": (late, 1063.0)}, wanted=8)
        result = scene.judge("web-01")
        assert not result.problems
        assert result.outcome is (Outcome.UNKNOWN if found else Outcome.BLOCKED)
        assert ("2 of 8 refusals took 1000 ms or more, and others came at once" in result.reason) is found

    def test_the_service_is_stopped_and_nobody_pinged(self, scene: Scene) -> None:
        """As it explains why there is nothing to see."""
        scene.world["web-01"].service |= {"state": "stopped", "pid": None, "exit_code": 0}
        scene.series["web-01"] = None
        assert scene.judge("web-01").blocked_by == ("TT202", "web-01")


class TestUnknown:
    """Why nothing was seen."""

    @pytest.mark.parametrize("name", MACHINES)
    def test_not_pinged(self, scene: Scene, name: str) -> None:
        """There is no series of the link."""
        scene.series[name] = None
        result = scene.judge(name)
        assert result.outcome is Outcome.UNKNOWN
        assert "did not ping" in result.reason

    @pytest.mark.parametrize("name", MACHINES)
    def test_could_not_ping(self, scene: Scene, name: str) -> None:
        """No TLS client, no time: the reason is told."""
        scene.ping(name, "", unavailable="this machine has no TLS client")
        result = scene.judge(name)
        assert result.outcome is Outcome.UNKNOWN
        assert "no TLS client" in result.reason

    def test_no_attempt(self, scene: Scene) -> None:
        """Time ran out before the first."""
        scene.ping("web-01", "")
        assert "before the time ran out" in scene.judge("web-01").reason

    def test_the_server_was_not_reached(self, scene: Scene, unreachable: Any) -> None:
        """Nobody else is the vantage point."""
        scene.world["octo-1"].unreachable = unreachable
        assert scene.judge("web-01").outcome is Outcome.UNKNOWN

    def test_round_two_failed(self, scene: Scene) -> None:
        """With its own reason."""
        scene.series["web-01"] = None
        scene.world["octo-1"].peer_unknown = "the session broke"
        assert "the session broke" in scene.judge("web-01").reason

    def test_less_than_half(self, scene: Scene) -> None:
        """What was not done is no pass."""
        scene.ping("web-01", "+" * 9)
        result = scene.judge("web-01")
        assert result.outcome is Outcome.UNKNOWN
        assert "9 of 20" in result.reason

    def test_time_outs_of_a_busy_machine(self, scene: Scene) -> None:
        """They may be its own."""
        scene.ping("web-01", "++++++++tttt++++++++", lag=1500.0)
        result = scene.judge("web-01")
        assert result.outcome is Outcome.UNKNOWN
        assert "1.5 s late" in result.reason

    @pytest.mark.parametrize("name", MACHINES)
    def test_all_lost_and_no_first_look(self, scene: Scene, name: str) -> None:
        """That the link worked before was not seen."""
        scene.ping(name, "c" * 20)
        for draft in scene.world.drafts.values():
            draft.peer = []
            draft.own = [one for one in draft.own if one.is_of_own_port]
        result = scene.judge(name)
        assert result.outcome is Outcome.UNKNOWN
        assert "20 lost" in result.reason

    def test_a_web_socket(self, scene: Scene) -> None:
        """Neither its own port nor the polling port of a node is judged by such pings."""
        scene.world["poll-01"].trusted[0]["Address"] = "wss://octopus.example:443/OctopusComms"
        scene.ping("poll-01", "t" * 20)
        result = scene.judge("poll-01")
        assert result.outcome is Outcome.UNKNOWN
        assert "web socket" in result.reason

    def test_through_a_proxy(self, scene: Scene) -> None:
        """The direct way is not the one that it polls by."""
        prefix = "Octopus.Server.Proxy."
        scene.world["poll-01"].settings |= {
            f"{prefix}UseDefaultProxy": "false", f"{prefix}ProxyHost": "proxy.example", f"{prefix}ProxyPort": "3128",
        }  # fmt: skip
        scene.ping("poll-01", "++c" * 6 + "++")
        result = scene.judge("poll-01")
        assert result.outcome is Outcome.UNKNOWN
        assert "proxy.example" in result.reason

    def test_the_mode_is_not_known(self, scene: Scene) -> None:
        """Then nobody knows who pings whom."""
        scene.world["web-01"].declare(mode=None)
        scene.world["web-01"].config_error = "denied"
        assert scene.judge("web-01").outcome is Outcome.UNKNOWN


class TestWhoseLinks:
    """Which series belongs to which link."""

    def test_a_node_that_the_settings_do_not_name(self, scene: Scene) -> None:
        """It is judged by what is declared for it."""
        scene.world["poll-01"].config_error = "denied"
        scene.ping("poll-01", "++c" * 6 + "++")
        (problem,) = scene.judge("poll-01").problems
        assert problem.facts["server"] == "octo-1"

    def test_by_the_address_that_is_configured(self, scene: Scene) -> None:
        """Another spelling of the host is the same host."""
        scene.ping("poll-01", "++c" * 6 + "++", host="OCTO-1.example.")
        assert [problem.code for problem in scene.judge("poll-01").problems] == ["TT643"]


class TestApplies:
    """Only where it was asked for, and to Tentacles."""

    def test_only_where_the_survey_was_asked(self, scene: Scene) -> None:
        """Else there is nothing to judge."""
        assert [applicable("tentacle-ping", scene.fleet().subject(name)) for name in ("octo-1", *MACHINES)] == [
            False,
            True,
            True,
        ]
        scene.order = None
        assert not any(applicable("tentacle-ping", scene.fleet().subject(name)) for name in MACHINES)

    def test_reads_are_declared(self, scene: Scene) -> None:
        """All that it reads over these fleets, and nothing that it does not."""
        (check,) = checks_of("tentacle-ping")
        read: set[str] = set()
        for name in MACHINES:
            fleet = scene.fleet()
            with fleet.ledger.watch() as seen:
                list(evaluate.findings(check, fleet.subject(name)))
            read |= spelt(seen, name)
        assert read <= check.reads
        scene.ping("web-01", "c" * 20)
        fleet = scene.fleet()
        with fleet.ledger.watch() as seen:
            list(evaluate.findings(check, fleet.subject("web-01")))
        read |= spelt(seen, "web-01")
        scene.world["poll-01"].trusted[0]["Address"] = "https://10.9.9.9:10943/"
        fleet = scene.fleet()
        with fleet.ledger.watch() as seen:
            list(evaluate.findings(check, fleet.subject("poll-01")))
        read |= spelt(seen, "poll-01")
        assert read == check.reads
