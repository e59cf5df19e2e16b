"""The step "Load time": what is slow, what fails, and what the measurement does not tell."""

from __future__ import annotations

from datetime import timedelta
from importlib.resources import files
from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome, StepResult
from pytest_tentacle.link import By, Failure
from pytest_tentacle.sections import Fleet, fleet_of
from pytest_tentacle.sections.load_time import checks as loading
from pytest_tentacle.survey.model import Section
from pytest_tentacle.survey.surroundings import Event, Loading, LoadTime, Revocation
from support import NOW
from support.fleets.looks import from_server
from support.fleets.world import probe

EXECUTABLE = r"C:\Program Files\Octopus Deploy\Tentacle\Tentacle.exe"
BROKEN_OFF_WINDOWS = "it did not end within 20 seconds"
BROKEN_OFF_LINUX = "help did not answer within its time of 20004 ms"
UNREACHABLE = Revocation(account="LocalSystem", enabled=True, reachable=False)


def time(**values: Any) -> LoadTime:
    common: dict[str, Any] = {
        "product": "tentacle",
        "executable": EXECUTABLE,
        "cold_ms": 640,
        "warm_ms": 310,
        "exit_code": 0,
    }
    return LoadTime(**(common | values))


def late_start(days: float) -> Event:
    """The service manager waited in vain for a service."""
    return Event(source="service-control-manager", id=7009, time_utc=NOW - timedelta(days=days), data={})


def broken_off(error: str, **values: Any) -> LoadTime:
    return time(**({"cold_ms": None, "warm_ms": None, "exit_code": None, "error": error} | values))


CASES = {
    "TT811-warm": ("TT811", time(cold_ms=6500, warm_ms=5000), ()),
    "TT811-and-revocation": ("TT811", time(cold_ms=26000, warm_ms=5200), (UNREACHABLE,)),
    "TT811-windows": ("TT811", broken_off(BROKEN_OFF_WINDOWS), ()),
    "TT811-linux": ("TT811", broken_off(BROKEN_OFF_LINUX), ()),
    "TT811-second": ("TT811", broken_off("it did not end within 4 seconds", cold_ms=900), ()),
    "TT812": ("TT812", time(cold_ms=15400), (UNREACHABLE,)),
    "TT813-clr": ("TT813", time(exit_code=-532462766), ()),
    "TT813-unsigned": ("TT813", time(exit_code=0xC0000005), ()),
    "TT813-abort": ("TT813", time(exit_code=134), ()),
    "TT813-parts-missing": ("TT813", time(exit_code=43), ()),
    "TT813-as-administrator": ("TT813", time(exit_code=100), ()),
}

WELL = {
    "fast": (time(), ()),
    "cold-disk": (time(cold_ms=4800), (UNREACHABLE,)),
    "reachable": (time(cold_ms=15000), (UNREACHABLE.model_copy(update={"reachable": True}),)),
    "reach-not-known": (time(cold_ms=15000), (UNREACHABLE.model_copy(update={"reachable": None}),)),
    "not-checked": (time(cold_ms=15000), (UNREACHABLE.model_copy(update={"enabled": False}),)),
    "another-account": (time(cold_ms=15000), (UNREACHABLE.model_copy(update={"account": "somebody"}),)),
}

DOUBTFUL = {
    "little-time": broken_off("it did not end within 3 seconds"),
    "no-time": broken_off("no time was left for it"),
    "not-started": broken_off("it cannot be started: Permission denied"),
    "once": time(warm_ms=None),
}


class Scene:
    """The small fleet, with the load time of one machine's program."""

    def __init__(self, world: Any) -> None:
        self.world = world
        world["web-01"].service["account"] = "LocalSystem"

    def fleet(self, found: Any, machine: str = "web-01", events: tuple[Event, ...] | None = None) -> Fleet:
        section: Section[Any] = Section(unknown=found) if isinstance(found, str) else Section(data=found)
        more = {} if events is None else {"events": Section(data=events)}
        surveys = self.world.surveys()
        records = tuple(
            record.model_copy(update={"survey": record.survey.model_copy(update={"loading": section} | more)})
            if machine in record.machines
            else record
            for record in surveys.records
        )
        return fleet_of(surveys.model_copy(update={"records": records}))

    def judge(self, found: Any, machine: str = "web-01", events: tuple[Event, ...] | None = None) -> StepResult:
        return self.fleet(found, machine, events).subject(machine).result("load-time")


@pytest.fixture
def scene(world: Any) -> Scene:
    return Scene(world)


class TestEachCode:
    """One change, one problem."""

    @pytest.mark.parametrize(("code", "measured", "revocation"), CASES.values(), ids=CASES)
    def test_is_found(self, scene: Scene, code: str, measured: LoadTime, revocation: tuple[Revocation, ...]) -> None:
        """The step fails with this code and no other, with evidence."""
        result = scene.judge(Loading(times=(measured,), revocation=revocation))
        assert [problem.code for problem in result.problems] == [code], result
        problem = result.problems[0]
        assert "1000 ms" in problem.expected
        assert problem.evidence

    def test_of_a_server(self, scene: Scene) -> None:
        """For polling Tentacles the guide has Octopus.Server.exe measured, on the server."""
        slow = time(product="server", executable=r"C:\O\Octopus.Server.exe", warm_ms=6500)
        result = scene.judge(Loading(times=(time(), slow)), "octo-1")
        assert [problem.code for problem in result.problems] == ["TT811"]
        assert "Octopus.Server.exe" in result.problems[0].expected

    @pytest.mark.parametrize("cost", ["nothing", "a start", "an old start", "a link", "the service"])
    def test_slow_and_what_it_costs(self, scene: Scene, cost: str) -> None:
        """Between the guide's second and five of them, it is told; it fails where a start or a link may wait for it."""
        draft = scene.world["web-01"]
        if cost == "the service":
            draft.service |= {"state": "stopped", "pid": None}
        if cost == "a link":
            for by in (By.NAME, By.ADDRESS):
                scene.world["octo-1"].replace(
                    from_server("web-01", by), probe(fails="connect", error=Failure.TIMED_OUT)
                )
        days = {"a start": 0.5, "an old start": 30}.get(cost)
        events = () if days is None else (late_start(days),)
        result = scene.judge(Loading(times=(time(cold_ms=2600, warm_ms=1250),)), events=events)
        assert [each.code for each in result.problems] == (
            ["TT811"] if cost in {"a start", "a link", "the service"} else []
        )
        assert cost not in {"nothing", "an old start"} or "it costs nothing" in " ".join(result.looked_at)

    def test_the_service_s_own_program(self, scene: Scene) -> None:
        """Of several that are installed, the one that the service runs counts."""
        other = time(executable=r"D:\Old\Tentacle.exe", warm_ms=9000)
        assert scene.judge(Loading(times=(other, time()))).outcome is Outcome.PASSED


class TestWell:
    """Nothing is wrong, or not known to be."""

    @pytest.mark.parametrize(("measured", "revocation"), WELL.values(), ids=WELL)
    def test_passes(self, scene: Scene, measured: LoadTime, revocation: tuple[Revocation, ...]) -> None:
        """A slow first load alone is no finding: a cold disk does that, too."""
        result = scene.judge(Loading(times=(measured,), revocation=revocation))
        assert result.outcome is Outcome.PASSED, result
        assert any("310 ms" in line for line in result.looked_at)

    def test_the_setting_is_told(self, scene: Scene) -> None:
        """The guide's own advice is about it."""
        found = Revocation(account="LocalSystem", enabled=True, detail="Windows' default")
        result = scene.judge(Loading(times=(time(),), revocation=(found,)))
        assert any("on (Windows' default)" in line for line in result.looked_at)


class TestNotSeen:
    """What could not be measured."""

    @pytest.mark.parametrize("measured", DOUBTFUL.values(), ids=DOUBTFUL)
    def test_is_unknown(self, scene: Scene, measured: LoadTime) -> None:
        """With the reason."""
        result = scene.judge(Loading(times=(measured,)))
        assert result.outcome is Outcome.UNKNOWN, result
        assert "Tentacle.exe" in result.reason

    def test_the_survey_s_account_may_be_to_blame(self, scene: Scene) -> None:
        """An error that is no crash, as seen by somebody without rights."""
        scene.world["web-01"].host["elevated"] = False
        assert scene.judge(Loading(times=(time(exit_code=100),))).outcome is Outcome.UNKNOWN
        assert scene.judge(Loading(times=(time(exit_code=139),))).outcome is Outcome.FAILED

    def test_section_unknown(self, scene: Scene) -> None:
        """Nothing was measured at all."""
        assert "access denied" in scene.judge("access denied").reason

    def test_not_measured(self, scene: Scene) -> None:
        """A program that is there, and no time of it; without a service there is none to measure."""
        assert scene.judge(Loading()).outcome is Outcome.UNKNOWN
        scene.world["web-01"].without_service = True
        assert scene.judge(Loading()).blocked_by == ("TT201", "web-01")


class TestScripts:
    """The words by which a call that was broken off is told are those of the survey's own scripts."""

    @pytest.mark.parametrize(
        ("script", "words", "spelt"),
        [
            ("windows/machine/loading.ps1", "it did not end within {0:0} seconds", BROKEN_OFF_WINDOWS),
            (
                "linux/machine/surroundings.sh",
                "help did not answer within its time of ${passed:-some} ms",
                BROKEN_OFF_LINUX,
            ),
        ],
    )
    def test_are_the_same(self, script: str, words: str, spelt: str) -> None:
        """Whoever changes the one has to change the other."""
        text = files("pytest_tentacle.survey.scripts").joinpath(*script.split("/")).read_text("utf-8")
        assert words in text
        assert loading.OUT_OF_TIME.fullmatch(spelt)


class TestRevocationLists:
    """The check for revoked certificates as the reason why the first load takes long."""

    WAITS = Revocation(account="LocalSystem", enabled=True, reachable=False, detail="Windows' default; timed-out")

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({}, "TT812"),
            ({"enabled": False}, "TT811"),
            ({"reachable": True}, "TT811"),
            ({"reachable": None}, "TT811"),
            ({"enabled": None}, "TT811"),
        ],
    )
    def test_a_first_load_that_is_broken_off(self, scene: Scene, change: dict[str, Any], code: str) -> None:
        """Windows waits for 15 seconds and more: longer than a first load is waited for."""
        broken = time(cold_ms=None, warm_ms=None, exit_code=None, error=BROKEN_OFF_WINDOWS)
        found = self.WAITS.model_copy(update=change)
        result = scene.judge(Loading(times=(broken,), revocation=(found,)))
        assert [problem.code for problem in result.problems] == [code], result

    def test_only_of_the_service_s_account(self, scene: Scene) -> None:
        broken = time(cold_ms=None, warm_ms=None, exit_code=None, error=BROKEN_OFF_WINDOWS)
        other = self.WAITS.model_copy(update={"account": "CORP\\other"})
        result = scene.judge(Loading(times=(broken,), revocation=(other,)))
        assert [problem.code for problem in result.problems] == ["TT811"]
