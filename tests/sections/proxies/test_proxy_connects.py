"""CONNECT through the configured proxy: what its answer means, and what nobody may conclude from it."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.link import Failure
from pytest_tentacle.link.model import Secured
from pytest_tentacle.logs.model import LogFile
from pytest_tentacle.survey.surroundings import ProxyConnect

POLLING = "Octopus.Server.Proxy."
LOG = LogFile(product="tentacle", instance="Tentacle", path="/etc/octopus/Logs/OctopusTentacle.txt")
CUSTOM = {f"{POLLING}UseDefaultProxy": "false", f"{POLLING}ProxyHost": "proxy.example", f"{POLLING}ProxyPort": "3128"}


def row(status: int | None = None, error: str | None = None, host: str = "octo-1.example", **more: Any) -> ProxyConnect:
    detail = f"HTTP/1.1 {status} Said" if status else None
    common = {"instance": "Tentacle", "proxy": "proxy.example:3128", "host": host, "port": 10943, "ms": 12.0}
    return ProxyConnect(**(common | {"status": status, "error": error, "detail": detail} | more))


@pytest.fixture
def scene(around: Any) -> Any:
    """poll-01 polls through proxy.example:3128; what the log and the account say does not contradict."""
    around.world["poll-01"].settings.update(CUSTOM)
    around.sections["poll-01"]["logs"] = (LOG,)
    return around


def judge(scene: Any, *rows: ProxyConnect) -> Any:
    scene.world["poll-01"].proxy_connects = list(rows)
    return scene.judge("proxies-and-ssl-offloading", "poll-01")


CASES = {
    "no name": ("TT606", row(error="name-not-found")),
    "refused": ("TT606", row(error="refused")),
    "silent": ("TT606", row(error="timed-out")),
    "closes": ("TT606", row(error="closed")),
    "speaks something else": ("TT606", row(error="not-http", detail="SSH-2.0-OpenSSH_9.2")),
    "forbidden": ("TT607", row(403)),
    "method": ("TT607", row(405)),
    "redirect": ("TT607", row(302)),
    "credentials": ("TT608", row(407)),
    "a page in the tunnel's place": (
        "TT607",
        row(200, content_type="text/html", tls=Secured(ms=3, error=Failure.CLOSED)),
    ),
    "bad gateway": ("TT609", row(502)),
    "time-out there": ("TT609", row(504)),
}


class TestEachCode:
    @pytest.mark.parametrize(("code", "found"), CASES.values(), ids=CASES)
    def test_is_found(self, scene: Any, code: str, found: ProxyConnect) -> None:
        result = judge(scene, found)
        (problem,) = result.problems
        assert problem.code == code, result
        assert (problem.facts["host"], problem.facts["port"]) == ("proxy.example", 3128)
        assert (problem.facts["proxy"], problem.facts["target"]) == ("proxy.example:3128", "octo-1.example:10943")
        assert len(problem.evidence) == 1

    def test_targets_with_one_failure_are_one_problem(self, scene: Any) -> None:
        result = judge(scene, row(403), row(403, host="octo-2.example"))
        (problem,) = result.problems
        assert "octo-1.example:10943, octo-2.example:10943" in problem.expected
        assert len(problem.evidence) == 2

    def test_it_answers_for_another_server(self, scene: Any) -> None:
        """Then it is there, and it is its own way to this server that is silent."""
        (problem,) = judge(scene, row(200), row(error="timed-out", host="octo-2.example")).problems
        assert (problem.code, problem.facts["target"]) == ("TT609", "octo-2.example:10943")


class TestRight:
    def test_content_beside_a_tunnel(self, scene: Any) -> None:
        """What the answer says of content counts for nothing where TLS comes through (RFC 9110, 9.3.6)."""
        assert judge(scene, row(200, content_type="text/html", tls=Secured(ms=3, version="TLSv1.3"))).problems == ()

    def test_it_lets_through(self, scene: Any) -> None:
        result = judge(scene, row(200, detail="HTTP/1.0 200 Connection established"))
        assert result.outcome is Outcome.PASSED, result
        assert any("200 Connection established after 12 ms" in line for line in result.looked_at)

    @pytest.mark.parametrize("status", [407, 403, 503])
    def test_with_a_user_configured(self, scene: Any, status: int) -> None:
        """We sent no credentials, the Tentacle does: its answer tells nothing."""
        scene.world["poll-01"].settings[f"{POLLING}ProxyUsername"] = "svc"
        result = judge(scene, row(status))
        assert result.outcome is Outcome.PASSED, result
        assert any(str(status) in line for line in result.looked_at)

    def test_with_a_user_it_must_be_there_all_the_same(self, scene: Any) -> None:
        scene.world["poll-01"].settings[f"{POLLING}ProxyUsername"] = "svc"
        assert [problem.code for problem in judge(scene, row(error="refused")).problems] == ["TT606"]

    def test_the_account_s_proxy_is_not_judged(self, scene: Any) -> None:
        """What UseDefaultProxy comes to depends on the Tentacle's .NET; nothing was asked."""
        scene.world["poll-01"].settings = {
            key: value for key, value in scene.world["poll-01"].settings.items() if "Proxy" not in key
        }
        scene.world["poll-01"].unknown["proxy_connects"] = "not surveyed"
        assert judge(scene).outcome is Outcome.PASSED

    @pytest.mark.parametrize(
        ("key", "value", "code"),
        [
            ("ProxyHost", "http://proxy.example", "TT601"),
            ("ProxyPort", "many", "TT602"),
            ("UseDefaultProxy", "true", "TT603"),
            ("ProxyHost", "octo-1.example", "TT604"),
        ],
    )
    def test_a_setting_that_is_wrong_says_enough(self, scene: Any, key: str, value: str, code: str) -> None:
        settings = scene.world["poll-01"].settings
        settings |= {f"{POLLING}{key}": value} | ({f"{POLLING}ProxyPort": "10943"} if code == "TT604" else {})
        assert [problem.code for problem in judge(scene, row(error="closed")).problems] == [code]

    def test_a_listening_one_does_not_poll(self, scene: Any) -> None:
        web = scene.world["web-01"]
        web.settings.update(CUSTOM)
        web.proxy_connects = [row(403)]
        scene.sections["web-01"]["logs"] = (LOG,)
        assert scene.judge("proxies-and-ssl-offloading", "web-01").outcome is Outcome.PASSED


class TestNotSeen:
    def test_section_unknown(self, scene: Any) -> None:
        scene.world["poll-01"].unknown["proxy_connects"] = "time ran out"
        result = judge(scene)
        assert result.outcome is Outcome.UNKNOWN
        assert "time ran out" in result.reason

    def test_not_asked(self, scene: Any) -> None:
        """Another instance's answer is none of this one's."""
        result = judge(scene, row(403, instance="Other"))
        assert result.outcome is Outcome.UNKNOWN
        assert "proxy.example:3128" in result.reason

    def test_a_failure_without_a_name(self, scene: Any) -> None:
        """A route that is missing, a filter of the machine's own: in the system's words only."""
        result = judge(scene, row(error="other", detail="No route to host"))
        assert result.outcome is Outcome.UNKNOWN
        assert "No route to host" in result.reason
