"""The step "Proxies and SSL offloading": settings that cannot be right, and what is only told."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome, StepResult
from pytest_tentacle.link import Failure
from pytest_tentacle.logs.model import LogFile, Startup
from pytest_tentacle.sections import Fleet, fleet_of
from pytest_tentacle.survey.model import Section
from pytest_tentacle.survey.surroundings import Proxy

POLLING, WEB = "Octopus.Server.Proxy.", "Octopus.Proxy."
USES = "Agent will use the octopus configured proxy at {} for server at https://octo-1.example:10943/"
SYSTEM = "Agent will use the configured system proxy at isa:8080 for server at https://octo-1.example:10943/"
NONE = "Agent will not use a proxy server"
OFF = Proxy(layer="wininet", account="LocalSystem", enabled=False)


def custom(prefix: str = POLLING, host: str = "proxy.example", port: str = "3128") -> dict[str, str]:
    return {f"{prefix}UseDefaultProxy": "false", f"{prefix}ProxyHost": host, f"{prefix}ProxyPort": port}


class Scene:
    """The small fleet, with what stands around its Tentacles."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.proxies: Any = (OFF,)
        self.says: tuple[str, ...] = ()
        self.logs: Any = None
        self.pid = 900

    def fleet(self) -> Fleet:
        startup = Startup(time="2026-11-22 03:00:00", number=1, pid=self.pid, proxies=self.says)
        log = LogFile(product="tentacle", instance="Tentacle", path="/etc/octopus/Logs/OctopusTentacle.txt")
        sections = {
            "proxies": self.proxies,
            "logs": self.logs or (log.model_copy(update={"startup": startup}),),
        }
        made: dict[str, Section[Any]] = {
            name: Section(unknown=data) if isinstance(data, str) else Section(data=data)
            for name, data in sections.items()
        }
        surveys = self.world.surveys()
        records = tuple(
            record.model_copy(update={"survey": record.survey.model_copy(update=made)}) for record in surveys.records
        )
        return fleet_of(surveys.model_copy(update={"records": records}))

    def judge(self, name: str = "poll-01") -> StepResult:
        return self.fleet().subject(name).result("proxies-and-ssl-offloading")


@pytest.fixture
def scene(world: Any) -> Scene:
    return Scene(world)


CASES = {
    "TT601-scheme": ("TT601", "poll-01", custom(host="http://proxy.example"), ()),
    "TT601-port": ("TT601", "poll-01", custom(host="proxy.example:3128"), ()),
    "TT601-url": ("TT601", "poll-01", custom(host="http://proxy.example:3128/"), ()),
    "TT601-blank": ("TT601", "poll-01", custom(host="proxy.example "), ()),
    "TT601-web": ("TT601", "web-01", custom(WEB, host="http://proxy.example:3128"), ()),
    "TT602-text": ("TT602", "poll-01", custom(port="http"), ()),
    "TT602-range": ("TT602", "web-01", custom(WEB, port="99999"), ()),
    "TT603-default": ("TT603", "poll-01", {f"{POLLING}ProxyHost": "proxy.example"}, ()),
    "TT603-web": ("TT603", "web-01", {f"{WEB}UseDefaultProxy": "true", f"{WEB}ProxyHost": "proxy.example"}, ()),
    "TT604": ("TT604", "poll-01", custom(host="OCTO-1.example", port="10943"), ()),
    "TT605-other": ("TT605", "poll-01", custom(), (USES.format("old.example:3128"),)),
    "TT605-none": ("TT605", "poll-01", custom(), (NONE,)),
    "TT605-switched-off": ("TT605", "poll-01", {f"{POLLING}UseDefaultProxy": "false"}, (SYSTEM,)),
    "TT605-default": ("TT605", "poll-01", {}, (USES.format("old.example:3128"),)),
}


INTERCEPTED: dict[str, dict[str, Any]] = {
    "TT529": {"fails": "tls", "error": Failure.NOT_TLS},
    "TT530": {"page": "other", "whose": "gateway"},
    "TT531": {"whose": "Corporate TLS Inspection"},
}


class TestEachCode:
    """One change, one problem."""

    @pytest.mark.parametrize(("code", "machine", "settings", "says"), CASES.values(), ids=CASES)
    def test_is_found(
        self, scene: Scene, code: str, machine: str, settings: dict[str, str], says: tuple[str, ...]
    ) -> None:
        """The step fails with this code and no other, with evidence."""
        scene.world[machine].settings.update(settings)
        scene.says = says
        result = scene.judge(machine)
        assert [problem.code for problem in result.problems] == [code], result
        problem = result.problems[0]
        assert problem.expected
        assert problem.actual
        assert problem.evidence

    def test_the_remedy_names_host_and_port_apart(self, scene: Scene) -> None:
        """What was written as a URL is taken apart for the person who corrects it."""
        scene.world["poll-01"].settings.update(custom(host="http://proxy.example:3128/", port="80"))
        facts = scene.judge().problems[0].facts
        assert (facts["host"], facts["port"], facts["command"]) == ("proxy.example", 3128, "polling-proxy")

    def test_by_the_environment(self, scene: Scene) -> None:
        """The host by a variable of the service alone: UseDefaultProxy is still true by default."""
        scene.world["poll-01"].service["environment"] = {"TENTACLE_POLLING_CUSTOM_PROXY_HOST": "proxy.example"}
        assert [problem.code for problem in scene.judge().problems] == ["TT603"]

    def test_a_password_in_the_host_is_not_told(self, scene: Scene) -> None:
        """Where a whole URL stands, a password may stand in it."""
        scene.world["poll-01"].settings.update(custom(host="http://me:hush@proxy.example:3128"))
        scene.says = (USES.format("http://me:hush@proxy.example:3128:80"),)
        assert "hush" not in repr(scene.judge())


class TestRight:
    """What is not wrong, or not known to be."""

    @pytest.mark.parametrize("machine", ["web-01", "poll-01"])
    def test_no_proxy(self, scene: Scene, machine: str) -> None:
        """A healthy Tentacle of either kind passes, and says what was looked at."""
        result = scene.judge(machine)
        assert result.outcome is Outcome.PASSED, result
        assert any("neither its account nor the machine" in line for line in result.looked_at)

    @pytest.mark.parametrize("host", ["proxy.example", "192.0.2.99", "2001:db8::9", "proxy_1"])
    def test_a_proxy(self, scene: Scene, host: str) -> None:
        """A bare name or address with a port, which the process said it uses."""
        scene.world["poll-01"].settings.update(custom(host=host))
        scene.says = (USES.format(f"{host}:3128"),)
        result = scene.judge()
        assert result.problems == (), result
        assert any(f"{host}:3128" in line for line in result.looked_at)

    def test_a_listening_tentacle_does_not_poll(self, scene: Scene) -> None:
        """Its proxy for polling is of no use, whatever stands there."""
        scene.world["web-01"].settings.update(custom(host="http://nonsense"))
        assert scene.judge("web-01").outcome is Outcome.PASSED

    def test_another_process_said_it(self, scene: Scene) -> None:
        """The last start in the log is not that of the process that runs now."""
        scene.world["poll-01"].settings.update(custom())
        scene.says, scene.pid = (NONE,), 77
        assert scene.judge().problems == ()

    @pytest.mark.parametrize("says", [(), (SYSTEM,)])
    def test_the_account_s_proxy(self, scene: Scene, says: tuple[str, ...]) -> None:
        """UseDefaultProxy: .NET Framework says so, .NET 8 says nothing; neither is a problem."""
        scene.proxies = (
            Proxy(layer="wininet", account="CORP\\svc", enabled=True, address="isa:8080", bypass="<local>"),
            Proxy(layer="winhttp", enabled=False, address="old:80"),
            Proxy(layer="environment", enabled=True, address="http://env:3128", pac="http://wpad/wpad.dat"),
        )
        scene.says = says
        result = scene.judge()
        assert result.outcome is Outcome.PASSED
        told = "\n".join(result.looked_at)
        assert "proxy isa:8080, not for <local> (Internet Options of CORP\\svc)" in told
        assert "proxy old:80, switched off (WinHTTP of the machine)" in told
        assert "by the script http://wpad/wpad.dat (environment of the machine)" in told
        assert "UseDefaultProxy is true" in told


class TestNotSeen:
    """What could not be looked at."""

    def test_proxies_unknown(self, scene: Scene) -> None:
        """Nobody knows what is set around it."""
        scene.proxies = "access denied"
        result = scene.judge()
        assert result.outcome is Outcome.UNKNOWN
        assert "access denied" in result.reason

    def test_logs_unknown(self, scene: Scene) -> None:
        """Nobody knows what the process runs with; a listening Tentacle's does not matter."""
        scene.logs = "access denied"
        assert scene.judge().outcome is Outcome.UNKNOWN
        assert scene.judge("web-01").outcome is Outcome.PASSED

    @pytest.mark.parametrize(("mode", "machine"), [("listening", "web-01"), ("polling", "poll-01")])
    def test_something_answers_on_the_way(self, scene: Scene, across: Any, mode: str, machine: str) -> None:
        """The step of the welcome page says what it is; this one points there."""
        for code, probe in INTERCEPTED.items():
            across(scene.world, mode, probe, probe)
            result = scene.judge(machine)
            assert result.outcome is Outcome.BLOCKED
            assert result.blocked_by == (code, machine)

    def test_no_file(self, scene: Scene) -> None:
        """Without settings there are none for a proxy."""
        scene.world["poll-01"].config_error = "empty"
        assert scene.judge().blocked_by == ("TT302", "poll-01")
