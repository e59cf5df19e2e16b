"""Surveys that are kept packed: nobody who reads them can tell, and what was worked out of them can be given up."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache

import pytest

from pytest_tentacle import packing
from pytest_tentacle.diagnosis import diagnose
from pytest_tentacle.judging.attempts import attempts_of
from pytest_tentacle.judging.result import Run, StepResult
from pytest_tentacle.report.build import build_report
from pytest_tentacle.report.json_report import report_pieces
from pytest_tentacle.report.links import Looks
from pytest_tentacle.report.redaction.names import learn_surveys
from pytest_tentacle.report.redaction.redactor import Redactor
from pytest_tentacle.sections import STEPS, applicable, fleet_of
from pytest_tentacle.survey import collector
from pytest_tentacle.survey.model import HostRecord
from pytest_tentacle.survey.store import Surveys, dumps, loads
from support.fleets.whole import wide_fleet
from support.fleets.world import small_fleet


def packed(surveys: Surveys) -> Surveys:
    """The same with every survey packed."""
    return surveys.model_copy(update={"records": tuple(record.packed() for record in surveys.records)})


@pytest.fixture(scope="module")
def troubled() -> Surveys:
    """A fleet with some faults: a stopped service, a host that nobody could log on to."""
    world = wide_fleet()
    world["web-01"].service["state"] = "stopped"
    world["web-02"].service["start_mode"] = "disabled"
    return loads(dumps(world.surveys()).encode(), "surveys")


@pytest.fixture
def few_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two surveys at once, so that all of them come and go."""
    monkeypatch.setattr(packing, "_unpacked", lru_cache(maxsize=2)(lambda each: each.read()))


def report_of(surveys: Surveys) -> tuple[list[StepResult], str]:
    """All verdicts, each machine given up once it is judged; and the report."""
    fleet = fleet_of(surveys)
    results = []
    for subject in fleet.subjects:
        if subject.record is not None:
            results += [subject.result(step.slug) for step in STEPS if applicable(step.slug, subject)]
            fleet.let_go(subject.name)
    run = Run(surveys, tuple(results), datetime(2026, 11, 30, tzinfo=UTC), 1.0, {})
    return results, "".join(report_pieces(build_report(run, diagnose(fleet, results).views(), fleet=fleet)))


class TestRecord:
    def test_it_reads_compares_copies_and_travels_like_the_plain_one(self) -> None:
        plain = small_fleet().surveys().records[0]
        record = plain.packed()
        assert record.is_packed
        assert not plain.is_packed
        assert record.survey == plain.survey
        assert dict(record) == dict(plain)
        assert record.model_dump() == plain.model_dump()
        assert record.model_dump_json(exclude_none=True) == plain.model_dump_json(exclude_none=True)
        assert HostRecord.model_validate_json(record.model_dump_json()) == plain
        assert record == plain.packed()
        assert pickle.loads(pickle.dumps(record)).survey == plain.survey
        copied = record.model_copy(update={"requests": 7})
        assert copied.is_packed
        assert (copied.requests, copied.survey) == (7, plain.survey)

    def test_one_without_a_survey_stays_as_it_is(self) -> None:
        plain = small_fleet().surveys().records[0].model_copy(update={"survey": None})
        assert plain.packed() is plain
        assert plain.survey is None

    def test_it_does_not_change(self) -> None:
        record = small_fleet().surveys().records[0].packed()
        with pytest.raises((AttributeError, ValueError)):
            record.survey = None

    def test_it_is_much_smaller(self) -> None:
        record = wide_fleet().surveys().records[0]
        text = record.survey.model_dump_json(exclude_none=True)
        assert len(vars(record.packed())["survey"]._text) < len(text) / 2


class TestVerdicts:
    @pytest.mark.usefixtures("few_unpacked")
    def test_verdicts_causes_and_report_are_the_same(self, troubled: Surveys) -> None:
        plain, told = report_of(troubled)
        same, same_told = report_of(packed(troubled))
        assert any(result.problems for result in plain)
        assert [replace(result) for result in same] == plain
        assert same_told == told

    def test_a_look_stands_once_in_the_report_however_often_it_is_unpacked(
        self, troubled: Surveys, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Two objects, but one look."""
        monkeypatch.setattr(packing, "_unpacked", lambda each: each.read())
        fleet, plain = fleet_of(packed(troubled)), fleet_of(troubled)
        assert len(Looks(plain).links("poll-01")[0].lanes) > 1
        for name in fleet.machines:
            assert Looks(fleet).links(name) == Looks(plain).links(name)
            assert len(attempts_of(fleet.subject(name))) == len(attempts_of(plain.subject(name)))

    @pytest.mark.usefixtures("few_unpacked")
    def test_a_survey_file_is_the_same(self, troubled: Surveys) -> None:
        assert dumps(packed(troubled)) == dumps(troubled)

    def test_its_names_are_learnt(self, troubled: Surveys) -> None:
        """Or a false name would be missing where a survey alone shows the real one."""
        found = []
        for surveys in (troubled, packed(troubled)):
            redactor = Redactor(pseudonyms=True, key=b"0" * 32)
            learn_surveys(redactor, surveys)
            found.append(redactor.mapping())
        assert found[0]
        assert found[0] == found[1]

    def test_what_was_worked_out_is_given_up_of_tentacles_alone(self, troubled: Surveys) -> None:
        fleet = fleet_of(packed(troubled))
        for name in ("web-01", "octo-1"):
            assert fleet.subject(name).service is not None
            fleet.let_go(name)
        assert not fleet.subject("web-01").kept
        assert fleet.subject("octo-1").kept
        plain = fleet_of(troubled)
        assert plain.subject("web-01").service is not None
        plain.let_go("web-01")
        assert plain.subject("web-01").kept


def test_small_fleets_are_not_packed() -> None:
    """It would cost them time for nothing: nobody runs out of memory there."""
    assert collector.PACKED_FROM >= 100
