"""Held against what the checks did in all other tests of this folder: each code fails and passes, each read is declared.

Nothing lists the tests: they are run once more with a witness (`witness.py`), and what counts is what happened in those
that passed.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pytest_tentacle.judging.check import REGISTRY, Check
from pytest_tentacle.logs.signatures import codes as codes_of_logs
from pytest_tentacle.sections.catalogue import CATALOGUE

CHECKS = {check.name: check for checks in REGISTRY.values() for check in checks}

ONLY_A_PERSON_KNOWS = {
    "TT105": {"thumbprint"},  # the log tells that we are not trusted, not by which certificate we should be
    "TT119": {"proxy"},  # a proxy that refuses does not name itself
    "TT120": {"host", "port"},
    "TT127": {"thumbprint"},  # nobody is trusted yet
    "TT133": {"address"},
    "TT313": {"portal", "key", "address"},
    "TT503": {"child"},
    "TT602": {"port"},  # what stands for it is no port
    "TT608": {"user", "password"},
}
"""By code, placeholders of its remedy that no survey fills in."""


@pytest.fixture(scope="module")
def witnessed(run_pytest: Any, top: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `witness.py` wrote down."""
    here = top / "tests" / "sections"
    file = tmp_path_factory.mktemp("witness") / "witnessed.json"
    run = run_pytest(
        *("-q", "-p", "witness", "-p", "no:cacheprovider", "--continue-on-collection-errors", "--tb=line"),
        *(here, top / "tests" / "judging", f"--ignore={here / 'test_every_code.py'}"),
        cwd=top,
        environment={
            "PYTHONPATH": os.pathsep.join(filter(None, (str(here), os.environ.get("PYTHONPATH")))),
            "TENTACLE_WITNESS": str(file),
        },
    )
    assert file.exists(), f"the tests of the checks cannot be run:\n{run.stdout[-3000:]}\n{run.stderr[-2000:]}"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def declaring(code: str) -> list[Check]:
    return [check for check in CHECKS.values() if code in check.codes]


@pytest.mark.parametrize("code", CATALOGUE)
class TestEachCode:
    """A code that nothing makes fail, or that is found in healthy machines, helps nobody."""

    def test_fails_by_itself(self, witnessed: dict[str, Any], code: str) -> None:
        """Some test makes its step fail by just this problem."""
        assert witnessed["found"].get(code), (
            f"no test in tests/sections that passes makes the step {CATALOGUE[code].step} fail by {code} alone: write one"
        )

    def test_passes(self, witnessed: dict[str, Any], code: str) -> None:
        """In some test a check that could yield it looks at a machine to the end, and finds nothing."""
        checks = [check.name for check in declaring(code)]
        assert checks, f"no check declares {code}: name it in the codes= of a check of {CATALOGUE[code].step}"
        assert any(witnessed["clean"].get(check) for check in checks), (
            f"no test in tests/sections that passes has a machine on which {' or '.join(checks)} finds nothing wrong"
        )

    def test_its_remedy_can_be_filled_in(self, witnessed: dict[str, Any], code: str) -> None:
        """By the problem's facts, in each of its tests; what stays a placeholder only a person can know.

        What is found in a log has the facts that its text tells: there one text that tells them all is enough.
        """
        cases = witnessed["found"].get(code, {})
        left = {name: test for test, names in cases.items() for name in names}
        if code in codes_of_logs():
            left = {name: test for name, test in left.items() if all(name in names for names in cases.values())}
        allowed = ONLY_A_PERSON_KNOWS.get(code, set())
        open_ones = {name: test for name, test in left.items() if name not in allowed}
        assert not open_ones, f"the facts of {code} leave placeholders of its remedy open (in this test): {open_ones}"
        assert not cases or allowed == set(left), f"filled in by now: take {code} out of ONLY_A_PERSON_KNOWS"


@pytest.mark.parametrize("name", CHECKS)
class TestEachCheck:
    def test_reads_what_it_declares(self, witnessed: dict[str, Any], name: str) -> None:
        """Over all tests together: nothing else, and nothing less."""
        read, declared = set(witnessed["reads"].get(name, ())), set(CHECKS[name].reads)
        assert read == declared, (
            f"{name} reads, and does not declare: {sorted(read - declared)}; "
            f"declares, and reads in no test: {sorted(declared - read)}"
        )
