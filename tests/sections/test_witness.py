"""What is held against every code and check (`support/session/every_code.py`) is held, in one process and in several."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.sections import checks_of
from support.session.every_code import wrong_with
from support.session.witness import Notes, watch

CHECK = checks_of("zombie-child-processes")[0]

QUIET = ("-q", "-p", "no:cacheprovider")

DECLARES_TOO_LITTLE = """
from pytest_tentacle.sections import checks_of

(check,) = checks_of("zombie-child-processes")
object.__setattr__(check, "reads", check.reads - {"services"})
"""


@pytest.fixture
def notes() -> Notes:
    return Notes()


def problem(code: str, **facts: Any) -> Problem:
    return Problem(code, "web-01", "well", "ill", facts=facts)


class TestNotes:
    def test_a_test_that_does_not_pass_counts_for_nothing(self, notes: Notes) -> None:
        notes.looked(CHECK, "web-01", {("web-01", "services")}, [])
        notes.judged([problem("TT721")])
        notes.forget()
        notes.passed("the next one")
        assert notes.plain() == {"reads": {}, "clean": {}, "found": {}}

    def test_a_code_must_be_the_only_one_of_its_step(self, notes: Notes) -> None:
        notes.judged([problem("TT721"), problem("TT503")])
        notes.judged([problem("TT502"), problem("TT502")])
        notes.passed("test")
        assert set(notes.found) == {"TT502"}

    def test_placeholders_that_the_facts_leave_open_are_told(self, notes: Notes) -> None:
        notes.judged([problem("TT721", port=10933)])
        notes.passed("test")
        assert notes.found["TT721"]["test"] == ["pid"]

    @pytest.mark.parametrize("finding", [problem("TT721"), Unknown("no rights"), Blocked("TT503", "web-01")])
    def test_what_is_not_clean(self, notes: Notes, finding: Any) -> None:
        notes.looked(CHECK, "web-01", set(), [Evidence("a", "b"), finding])
        notes.passed("test")
        assert not notes.clean

    def test_reads_are_spelt_as_a_check_declares_them(self, notes: Notes) -> None:
        reads = {("web-01", "host"), ("octo-1", "host"), ("fleet", "thumbprints"), ("controller", "probes")}
        notes.looked(CHECK, "web-01", reads, [Evidence("a", "b")])
        notes.passed("test")
        assert notes.reads[CHECK.name] == {"host", "peer.host", "fleet.thumbprints", "controller.probes"}
        assert notes.clean[CHECK.name] == {"test"}

    def test_what_several_processes_saw_is_one(self, notes: Notes) -> None:
        for read, test in (("host", "one"), ("services", "other")):
            seen = Notes()
            seen.looked(CHECK, "web-01", {("web-01", read)}, [])
            seen.judged([problem("TT721", pid=7)])
            seen.passed(test)
            notes.add(seen.plain())
        assert notes.reads[CHECK.name] == {"host", "services"}
        assert notes.clean[CHECK.name] == set(notes.found["TT721"]) == {"one", "other"}


class TestWatch:
    @pytest.fixture(autouse=True)
    def watching(self, notes: Notes) -> Iterator[None]:
        end = watch(notes)
        yield
        end()

    def test_a_step_is_judged_as_without_it(self, notes: Notes, world: Any) -> None:
        """Reads and findings are noted; an Unknown passes through as well."""
        assert world.judge("zombie-child-processes", "web-01").outcome.value == "passed"
        notes.passed("test")
        assert notes.reads[CHECK.name] <= CHECK.reads
        assert notes.reads[CHECK.name]
        assert notes.clean[CHECK.name] == {"test"}
        world["web-01"].unknown["services"] = "no rights"
        assert world.judge("zombie-child-processes", "web-01").outcome.value == "unknown"
        notes.passed("other")
        assert notes.clean[CHECK.name] == {"test"}


class TestSentences:
    def test_a_read_that_is_not_declared_is_wrong_in_any_part_of_the_tests(self, notes: Notes) -> None:
        notes.looked(CHECK, "web-01", {("web-01", "disks")}, [])
        notes.passed("test")
        assert wrong_with(notes, whole=False) == [f"{CHECK.name} reads, and does not declare: disks"]

    def test_what_never_happened_is_wrong_if_all_tests_ran(self, notes: Notes) -> None:
        wrong = wrong_with(notes, whole=True)
        assert any(line.startswith(f"{CHECK.name} declares, and reads in no test: ") for line in wrong)
        assert any("makes the step zombie-child-processes fail by TT721 alone: write one" in line for line in wrong)
        assert f"TT721: no test that passes has a machine on which {CHECK.name} finds nothing wrong" in wrong

    def test_a_placeholder_that_stays_open_is_wrong(self, notes: Notes) -> None:
        notes.judged([problem("TT721")])
        notes.passed("test")
        assert "the facts of TT721 leave <pid> of its remedy open, in test" in wrong_with(notes, whole=True)

    def test_but_not_where_facts_were_taken_away(self, notes: Notes) -> None:
        notes.judged([problem("TT721")])
        notes.passed("tests/diagnosis/test_law.py::test_less_never_leads_elsewhere[TT721]")
        assert not any("the facts of TT721 leave" in line for line in wrong_with(notes, whole=True))


class TestSession:
    """Real sessions of pytest, over a part of the tests."""

    @pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
    def test_a_part_is_held_to_what_it_can_tell(self, run_pytest: Any, top: Path, tmp_path: Path, workers: Any) -> None:
        """It passes, though most codes did not fail in it; it fails where a check reads what it does not declare."""
        part = top / "tests" / "sections" / "zombies"
        done = run_pytest(*QUIET, *workers, part, cwd=top)
        assert done.returncode == 0, done.stdout + done.stderr
        (tmp_path / "declares_too_little.py").write_text(DECLARES_TOO_LITTLE, encoding="utf-8")
        path = {"PYTHONPATH": str(tmp_path)}
        done = run_pytest(*QUIET, *workers, "-p", "declares_too_little", part, cwd=top, environment=path)
        assert done.returncode == 1, done.stdout + done.stderr
        assert f"{CHECK.name} reads, and does not declare: " in done.stdout
        assert " failed" not in done.stdout
        assert re.search(r"passed, [1-9]\d* errors? in ", done.stdout.splitlines()[-1])
