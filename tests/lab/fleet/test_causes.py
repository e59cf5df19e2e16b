"""What the diagnosis says over whole lab runs, all steps and both ends: each machine's designed causes, and no other."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pytest_tentacle.diagnosis import Diagnosis, diagnose
from pytest_tentacle.guide.placeholders import PLACEHOLDER
from pytest_tentacle.sections import STEPS, applicable, fleet_of
from pytest_tentacle.survey import store

RUNS = {"lab": "real_run", "lab-logs": "log_run", "lab-guide": "guide_run"}
"""Each inventory, and the fixture that surveys it. Judged anew here, since a run may have had some of the steps only."""

ROWS = [
    pytest.param(name, machine, tuple(codes.split()), id=machine if name == "lab" else f"{name}-{machine}")
    for name in RUNS
    for machine, codes in YAML(typ="safe").load(Path(__file__).with_name(f"{name}.causes.yaml")).items()
]


@dataclass(frozen=True)
class Judged:
    """A lab as all steps judge it. `told` maps a machine to the codes of its causes, and of what none of them explains."""

    diagnosis: Diagnosis
    machines: frozenset[str]
    told: dict[str, tuple[str, ...]]


@pytest.fixture(scope="session")
def judged(request) -> dict[str, Judged]:
    """By inventory; each is surveyed when it is first asked for."""

    class Kept(dict):
        def __missing__(self, name: str) -> Judged:
            self[name] = judge(request.getfixturevalue(RUNS[name]).folder / "surveys.json")
            return self[name]

    return Kept()


def judge(path: Path) -> Judged:
    fleet = fleet_of(store.load(path))
    results = [one.result(step.slug) for one in fleet.subjects for step in STEPS if applicable(step.slug, one)]
    diagnosis = diagnose(fleet, results)
    told = {
        name: tuple(sorted((*(found.kind.code for found in one.causes), *(left.code for left in one.unexplained))))
        for name, one in diagnosis.machines.items()
    }
    return Judged(diagnosis, frozenset(fleet.machines), told)


class TestCauses:
    @pytest.mark.parametrize(("name", "machine", "codes"), ROWS)
    def test_just_the_designed_ones(self, judged, name: str, machine: str, codes: tuple[str, ...]):
        """None is swallowed by another, none is told twice, and nothing stays unexplained that has a cause."""
        assert judged[name].told.get(machine, ()) == codes

    @pytest.mark.parametrize("name", RUNS)
    def test_every_machine_is_designed(self, judged, name: str):
        assert {row.values[1] for row in ROWS if row.values[0] == name} == judged[name].machines

    @pytest.mark.parametrize("name", ["lab", "lab-guide"])
    def test_the_report_says_the_same(self, judged, request, name: str):
        """The run itself, which had all steps: cause by cause, the same machines; the gravest stand first."""
        (path,) = (request.getfixturevalue(RUNS[name]).folder / "reports").glob("*.json")
        written = json.loads(path.read_text(encoding="utf-8"))["causes"]
        views = sorted(
            judged[name].diagnosis.views(),
            key=lambda one: (-one.severity.weight, -len(one.machines)),
        )
        assert [(one["code"], one["machines"]) for one in written] == [(one.code, list(one.machines)) for one in views]


class TestWords:
    """What is said of them."""

    @pytest.mark.parametrize("name", RUNS)
    def test_every_fact_is_known(self, judged, name: str):
        """No sentence has a hole, and no word of a remedy."""
        for cause in judged[name].diagnosis.causes:
            words = [line for line in (*cause.remedy_windows, *cause.remedy_linux) if not line.startswith("$ ")]
            for text in (cause.sentence, cause.unsure, *words):
                assert "?" not in text, cause.code
                assert "{" not in text, cause.code

    @pytest.mark.parametrize("name", RUNS)
    def test_what_to_put_in_is_told(self, judged, name: str):
        """Each placeholder that is left in a command is explained in words before it."""
        for cause in judged[name].diagnosis.views():
            for remedy in (cause.remedy_windows, cause.remedy_linux):
                explained: set[str] = set()
                for line in remedy:
                    names = set(PLACEHOLDER.findall(line))
                    assert not line.startswith("$ ") or names <= explained, (cause.code, line)
                    explained |= names

    @pytest.mark.parametrize("name", RUNS)
    def test_one_line_for_one_thing(self, judged, name: str):
        """No two lines of a report say the same of the same machines."""
        lines = defaultdict(list)
        for cause in judged[name].diagnosis.views():
            lines[cause.sentence].append(cause.code)
        assert {sentence: codes for sentence, codes in lines.items() if len(codes) > 1} == {}
