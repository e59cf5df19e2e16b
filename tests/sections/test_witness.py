"""The witness of `test_every_code.py` counts what it should, and nothing else."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from pytest_tentacle.judging.check import REGISTRY
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown

CHECK = REGISTRY["zombie-child-processes"][0]


@pytest.fixture(scope="module")
def witness(top: Path) -> Any:
    spec = importlib.util.spec_from_file_location("witness_under_test", top / "tests" / "sections" / "witness.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def notes(witness: Any) -> Any:
    return witness.Notes()


def problem(code: str, **facts: Any) -> Problem:
    return Problem(code, "web-01", "well", "ill", facts=facts)


class TestNotes:
    def test_a_test_that_does_not_pass_counts_for_nothing(self, notes: Any) -> None:
        notes.looked(CHECK, "web-01", {("web-01", "services")}, [])
        notes.judged((problem("TT721"),))
        notes.forget()
        notes.passed("the next one")
        assert json.loads(notes.dump()) == {"reads": {}, "clean": {}, "found": {}}

    def test_a_code_must_be_the_only_one_of_its_step(self, notes: Any) -> None:
        notes.judged((problem("TT721"), problem("TT503")))
        notes.judged((problem("TT502"), problem("TT502")))
        notes.passed("test")
        assert set(notes.found) == {"TT502"}

    def test_placeholders_that_the_facts_leave_open_are_told(self, notes: Any) -> None:
        notes.judged((problem("TT721", port=10933),))
        notes.passed("test")
        assert notes.found["TT721"]["test"] == ["pid"]

    @pytest.mark.parametrize("finding", [problem("TT721"), Unknown("no rights"), Blocked("TT503", "web-01")])
    def test_what_is_not_clean(self, notes: Any, finding: Any) -> None:
        notes.looked(CHECK, "web-01", set(), [Evidence("a", "b"), finding])
        notes.passed("test")
        assert not notes.clean

    def test_reads_are_spelt_as_a_check_declares_them(self, notes: Any) -> None:
        reads = {("web-01", "host"), ("octo-1", "host"), ("fleet", "thumbprints"), ("controller", "probes")}
        notes.looked(CHECK, "web-01", reads, [Evidence("a", "b")])
        notes.passed("test")
        assert notes.reads[CHECK.name] == {"host", "peer.host", "fleet.thumbprints", "controller.probes"}
        assert notes.clean[CHECK.name] == {"test"}


class TestWatch:
    def test_the_watched_check_finds_and_reads_the_same(self, witness: Any, notes: Any, world: Any) -> None:
        """An Unknown passes through as well, and an outer watch still sees what was read."""
        from dataclasses import replace

        world["poll-01"].unknown["services"] = "no rights"
        fleet = world.fleet()
        watched = replace(CHECK)
        witness.watch(watched, notes)
        with fleet.ledger.watch() as reads:
            assert list(watched.look(fleet.subject("web-01"))) == list(CHECK.look(fleet.subject("web-01")))
        assert {section for _, section in reads} == set(CHECK.reads)
        world["web-01"].unknown["listeners"] = "no rights"
        with pytest.raises(Unknown, match="no rights"):
            list(watched.look(world.fleet().subject("web-01")))
        notes.passed("test")
        assert notes.reads[CHECK.name] == set(CHECK.reads)
