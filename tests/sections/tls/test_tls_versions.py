"""Each version of TLS tried on a link: when neither TLS 1.2 nor 1.3 gets through, and what is no verdict."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.link import By, Failure, Stage, TlsVersion, TlsVersions, VersionTrial
from pytest_tentacle.sections import fleet_of
from pytest_tentacle.survey.surroundings import TlsProtocol
from support.fleets.looks import declared

LINKS = {"web-01": ("octo-1", "web-01.example", 10933), "poll-01": ("poll-01", "octo-1.example", 10943)}
"""By Tentacle: who tries, and whom."""

WELL = "--++"
SIGNS: dict[str, dict[str, Any]] = {
    "+": {"cipher": "TLS_AES_256_GCM_SHA384"},
    "p": {"cipher": "ECDHE-RSA-AES256-SHA", "stage": Stage.PAGE, "error": Failure.TIMED_OUT},
    "-": {"stage": Stage.TLS, "error": Failure.PROTOCOL_VERSION},
    "s": {"stage": Stage.TLS, "error": Failure.NO_COMMON_CIPHER},
    "c": {"stage": Stage.TLS, "error": Failure.CLOSED},
    "r": {"stage": Stage.CONNECT, "error": Failure.REFUSED},
    "?": {"unavailable": "its openssl has no such option"},
}


def table(pattern: str, host: str, port: int, **fields: Any) -> TlsVersions:
    """A sign of `SIGNS` for each version, oldest first."""
    trials = tuple(
        VersionTrial(version=version, **SIGNS[sign]) for version, sign in zip(TlsVersion, pattern, strict=False)
    )
    return TlsVersions(**({"host": host, "port": port, "by": By.NAME} | fields), trials=trials)


class Scene:
    """The small fleet, each link tried: web-01's from octo-1, octo-1's from poll-01."""

    def __init__(self, around: Any, tools: Any) -> None:
        self.around, self.tools = around, tools
        self.tables: dict[str, tuple[TlsVersions, ...]] = {}
        self.from_here: dict[str, TlsVersions] = {}
        for name in LINKS:
            self.tried(name, WELL)

    def tried(self, name: str, pattern: str) -> None:
        self.tables[name] = (table(pattern, *LINKS[name][1:]),) if pattern else ()

    def look_fails(self, name: str, error: Failure = Failure.PROTOCOL_VERSION) -> None:
        """The one look, by name and by address, does not come through TLS either."""
        how = {"fails": "tls", "error": error}
        if name == "poll-01":
            self.around.world[name].drop(declared(name, "octo-1", "octo-1.example"))
        self.tools.across(self.around.world, "listening" if name == "web-01" else "polling", how, how)

    def judge(self, name: str) -> Any:
        surveys = self.around.fleet().surveys
        records = []
        for record in surveys.records:
            if record.machines[0] == "octo-1":
                record = record.model_copy(update={"peer_tls_versions": self.tables["web-01"]})  # noqa: PLW2901
            elif record.machines[0] == "poll-01" and record.survey:
                survey = record.survey.model_copy(update={"tls_versions": self.tables["poll-01"]})
                record = record.model_copy(update={"survey": survey})  # noqa: PLW2901
            records.append(record)
        made = {"records": tuple(records), "controller_tls_versions": self.from_here}
        return fleet_of(surveys.model_copy(update=made)).subject(name).result("schannel-and-tls")


@pytest.fixture
def scene(around: Any, tools: Any) -> Scene:
    return Scene(around, tools)


@pytest.mark.parametrize("name", LINKS)
class TestNothingNewEnough:
    @pytest.mark.parametrize(
        ("pattern", "newest"),
        [
            ("++--", "TLS 1.1"),
            ("+---", "TLS 1.0"),
            ("-p--", "TLS 1.1"),
            ("++cc", "TLS 1.1"),  # an old Schannel hangs up without an alert
            ("-+-?", "TLS 1.1"),
            ("----", None),
            ("ssss", None),
            ("??--", None),
            ("??-?", None),
        ],
    )
    def test_is_found(self, scene: Scene, name: str, pattern: str, newest: str | None) -> None:
        """With what each version answered as evidence."""
        scene.look_fails(name)
        scene.tried(name, pattern)
        result = scene.judge(name)
        assert result.outcome is Outcome.FAILED, result
        (problem,) = result.problems
        assert problem.code == "TT908"
        assert problem.facts["newest"] == newest
        vantage, host, port = LINKS[name]
        assert problem.facts | {"vantage": vantage, "server": "octo-1", "host": host, "port": port} == problem.facts
        assert problem.evidence[0].source == f"each version of TLS from {vantage}"
        for version in ("TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"):
            assert version in problem.evidence[0].text

    def test_where_the_look_spoke_an_old_version(self, scene: Scene, name: str) -> None:
        """A machine that still speaks TLS 1.0 by itself negotiates it: the link works, and Octopus will not."""
        world = scene.around.world
        for draft in world.drafts.values():
            for probes in (draft.own, draft.peer):
                probes[:] = [
                    one.model_copy(update={"tls": one.tls and one.tls.model_copy(update={"version": "TLSv1"})})
                    for one in probes
                ]
        scene.tried(name, "++--")
        assert [problem.code for problem in scene.judge(name).problems] == ["TT908"]

    def test_seen_from_elsewhere(self, scene: Scene, name: str) -> None:
        """What the machine that runs pytest met at the same port stands beside it."""
        scene.look_fails(name)
        scene.tried(name, "++--")
        end = "web-01" if name == "web-01" else "octo-1"
        scene.from_here[end] = table(WELL, *LINKS[name][1:])
        (problem,) = scene.judge(name).problems
        assert "TLS 1.3 gets through" in next(one.text for one in problem.evidence if "pytest" in one.source)

    def test_policies_that_explain_it_say_why(self, scene: Scene, name: str) -> None:
        """Their code is the better one; what was seen is its evidence."""
        scene.look_fails(name)
        scene.tried(name, "----")
        off = tuple(
            TlsProtocol(name=version, side="server", enabled=False) for version in ("TLS 1.0", "TLS 1.1", "TLS 1.2")
        )
        if name == "web-01":
            scene.around.change("web-01", "tls", protocols=off)
            scene.around.change("octo-1", "tls", build=17763)
        else:
            scene.around.change("poll-01", "tls", minimum="TLSv1.3")
            scene.around.change("octo-1", "tls", build=17763)
        (problem,) = scene.judge(name).problems
        assert problem.code in {"TT902", "TT903"}
        assert problem.evidence[0].source.startswith("each version of TLS")

    def test_policies_need_not_be_readable(self, scene: Scene, name: str) -> None:
        """What was seen is enough."""
        scene.look_fails(name)
        scene.tried(name, "----")
        other = "octo-1" if name == "web-01" else "poll-01"
        scene.around.sections[other]["tls"] = "no rights"
        found = [problem.code for problem in scene.judge(name).problems]
        assert found == ["TT908"]

    def test_what_stands_in_the_way_comes_first(self, scene: Scene, name: str) -> None:
        """A listening end that does not run itself explains whatever answers there."""
        scene.look_fails(name)
        scene.tried(name, "----")
        end = "web-01" if name == "web-01" else "octo-1"
        scene.around.world[end].service |= {"state": "stopped", "pid": None}
        result = scene.judge(name)
        assert result.problems == ()
        assert result.outcome is Outcome.BLOCKED
        assert result.blocked_by[1] == end


@pytest.mark.parametrize("name", LINKS)
class TestNoVerdict:
    @pytest.mark.parametrize("pattern", [WELL, "++++", "---+", "--+-", "??++", "??+?", "--cp", "--+c"])
    def test_one_that_is_needed_gets_through(self, scene: Scene, name: str, pattern: str) -> None:
        """The table is what was looked at."""
        scene.tried(name, pattern)
        result = scene.judge(name)
        assert result.outcome is Outcome.PASSED, result
        assert any(f"each version of TLS from {LINKS[name][0]}" in str(seen) for seen in result.looked_at)

    @pytest.mark.parametrize("pattern", ["cccc", "rrrr", "++??", "????", "--cc", "--rr", "-", ""])
    def test_what_says_nothing_of_versions(self, scene: Scene, name: str, pattern: str) -> None:
        """Hung up, not connected, not spoken by our side, or not there at all: other steps say what is wrong."""
        scene.look_fails(name, Failure.CLOSED)
        scene.tried(name, pattern)
        result = scene.judge(name)
        assert result.outcome is Outcome.PASSED, result

    def test_a_look_that_came_through(self, scene: Scene, name: str) -> None:
        """It negotiated TLS 1.3 a moment ago: the trials prove nothing."""
        scene.tried(name, "----")
        result = scene.judge(name)
        assert result.outcome is Outcome.PASSED, result
        assert any("negotiated TLSv1.3" in seen for seen in result.looked_at)

    def test_trials_of_another_port(self, scene: Scene, name: str) -> None:
        """They are about something else."""
        scene.look_fails(name)
        vantage, host, port = LINKS[name]
        scene.tables[name] = (table("----", host, port + 1), table("----", f"{vantage}.elsewhere", port))
        assert scene.judge(name).outcome is Outcome.PASSED


class TestOtherWays:
    def test_through_a_proxy(self, scene: Scene) -> None:
        """The direct way is not the one that is taken."""
        scene.look_fails("poll-01")
        scene.tried("poll-01", "++--")
        scene.around.world["poll-01"].settings |= {
            "Octopus.Server.Proxy.UseDefaultProxy": "false",
            "Octopus.Server.Proxy.ProxyHost": "proxy.example",
            "Octopus.Server.Proxy.ProxyPort": "3128",
        }
        result = scene.judge("poll-01")
        assert result.problems == ()
        assert any("TLS 1.1 gets through" in seen for seen in result.looked_at)

    def test_by_web_socket(self, scene: Scene) -> None:
        """There the portal's web server answers, by the rules of another program."""
        world = scene.around.world
        world["poll-01"].trusted[0]["Address"] = "wss://octo-1.example:443/OctopusComms"
        world["poll-01"].own = []
        scene.tables["poll-01"] = (table("++--", "octo-1.example", 443),)
        assert scene.judge("poll-01").problems == ()

    def test_without_settings(self, scene: Scene) -> None:
        """The declared node is what was tried."""
        scene.look_fails("poll-01")
        scene.tried("poll-01", "++--")
        world = scene.around.world
        world["poll-01"].config_error = "denied"
        assert [problem.code for problem in scene.judge("poll-01").problems] == ["TT908"]
        assert world["poll-01"].machine.mode is Mode.POLLING
