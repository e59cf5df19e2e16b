"""The catalogue of problems: every code is whole, belongs to one step, and is yielded by one check."""

from __future__ import annotations

import re

import pytest

from pytest_tentacle.guide.commands import fitting
from pytest_tentacle.guide.sections import GUIDE
from pytest_tentacle.sections import STEPS, TABLE, checks_of, step_of
from pytest_tentacle.sections.catalogue import CATALOGUE, KINDS, ProblemKind
from support.session.each import wrong_with

SECTIONS = {
    "identify-the-problem": "TT1",
    "services-running": "TT2",
    "communication-settings": "TT3",
    "tentacle-thumbprint": "TT4",
    "welcome-page-here": "TT50",
    "welcome-page-across": "TT5",
    "proxies-and-ssl-offloading": "TT60",
    "tentacle-ping": "TT64",
    "ip-addresses": "TT71",
    "zombie-child-processes": "TT72",
    "service-account-permissions": "TT80",
    "load-time": "TT81",
    "tentacle-certificate": "TT41",
    "local-firewall": "TT54",
    "connections-established": "TT55",
    "schannel-and-tls": "TT90",
    "machine-health": "TT97",
    "other-error-messages": "TT95",
}


class TestCatalogue:
    """Data that people will quote in tickets."""

    def test_codes_are_unique_and_in_order(self) -> None:
        """One code, one meaning."""
        codes = [kind.code for kind in KINDS]
        assert len(set(codes)) == len(codes), f"given twice: {sorted({one for one in codes if codes.count(one) > 1})}"
        assert codes == sorted(codes)
        assert len(CATALOGUE) == len(KINDS)

    def test_each_is_whole(self) -> None:
        """Code by section, title, meaning, and a remedy with a command for both systems."""

        def look(kind: ProblemKind) -> None:
            assert re.fullmatch(r"TT[1-9]\d\d", kind.code)
            assert kind.step in SECTIONS, f"say in SECTIONS how the codes of {kind.step} begin"
            assert kind.code.startswith(SECTIONS[kind.step])
            assert kind.step in {step.slug for step in STEPS}
            assert step_of(kind.code).section.link.startswith(GUIDE + "#")
            assert kind.title
            assert not kind.title.endswith(".")
            assert kind.meaning.endswith((".", ")"))
            for lines in (fitting(kind.windows, {}), fitting(kind.linux, {})):
                assert not lines[0].startswith("$ "), "words come first"
                assert any(line.startswith("$ ") for line in lines)
                assert all(line == line.strip() for line in lines)

        assert wrong_with(KINDS, look) == {}

    def test_titles_are_unique(self) -> None:
        """Two problems that read the same cannot be told apart in a report."""
        assert len({kind.title for kind in KINDS}) == len(KINDS)

    def test_commands_are_of_their_system(self) -> None:
        """Nobody is told to run sudo on Windows or a cmdlet on Linux."""

        def look(kind: ProblemKind) -> None:
            assert not [line for line in kind.windows if line.startswith("$ ") and ("sudo " in line or "/opt/" in line)]
            assert not [line for line in kind.linux if re.match(r"\$ .*(\$env:|\b(Get|Set|Start|Stop)-[A-Z])", line)]

        assert wrong_with(KINDS, look) == {}


class TestChecks:
    """The catalogue and the checks are two views of one thing."""

    def test_every_code_is_declared_by_a_check_of_its_step(self) -> None:
        """So that everybody knows where a code comes from. Two looks at one thing, such as two logs, may share codes."""
        declared = {code: step for step, row in TABLE.items() for check in row.checks for code in check.codes}
        nobody = sorted(set(CATALOGUE) - set(declared))
        assert not nobody, f"no check declares them: add them to the codes= of the check that yields them: {nobody}"
        unknown = sorted(set(declared) - set(CATALOGUE))
        assert not unknown, f"checks declare them, and no problems.py of a section has them: {unknown}"
        assert declared == {code: kind.step for code, kind in CATALOGUE.items()}

    def test_a_check_yields_codes_of_its_own_step(self) -> None:
        """The report's columns are steps."""
        for step, row in TABLE.items():
            for check in row.checks:
                assert {CATALOGUE[code].step for code in check.codes} <= {step}, check.name

    def test_every_step_has_checks(self) -> None:
        """A step without any would pass without a look."""
        for step in STEPS:
            assert checks_of(step.slug)
        with pytest.raises(LookupError, match="no step"):
            checks_of("no-such-step")
