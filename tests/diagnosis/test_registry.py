"""The registry of causes: what people quote in tickets, and what must hold of each entry."""

from __future__ import annotations

import re
from string import Formatter
from typing import Any

import pytest

from pytest_tentacle.diagnosis import CAUSES, STAND_ALONE
from pytest_tentacle.diagnosis.remedies import PLACEHOLDER
from pytest_tentacle.sections.catalogue import CATALOGUE

LINES = [pytest.param(kind, id=kind.code) for kind in CAUSES]


class TestRegistry:
    """Data, checked as such."""

    def test_codes_and_titles_are_unique(self) -> None:
        """One code, one meaning; and two causes that read the same cannot be told apart."""
        assert len({kind.code for kind in CAUSES}) == len(CAUSES)
        assert len({kind.title for kind in CAUSES}) == len(CAUSES)
        assert len(CAUSES) >= 45

    @pytest.mark.parametrize("kind", LINES)
    def test_each_is_whole(self, kind: Any) -> None:
        """Code, title, sentence, remedies in words and, on some system, problems that exist."""
        assert re.fullmatch(r"TC[1-9]\d\d", kind.code)
        assert kind.title
        assert not kind.title.endswith(".")
        assert kind.sentence.endswith((".", ")"))
        assert kind.needs
        assert not kind.explains - set(CATALOGUE), "codes that the catalogue of problems does not have"
        assert not kind.needs & (kind.also | kind.echoes)
        for lines in (kind.windows, kind.linux):
            assert not lines[0].startswith("$ "), "words come first"
            assert all(line == line.strip() for line in lines)

    @pytest.mark.parametrize("kind", LINES)
    def test_commands(self, kind: Any) -> None:
        """Commands are of their system, and a fact stands in double quotes, or is a number."""
        assert not [line for line in kind.windows if line.startswith("$ ") and ("sudo " in line or "/opt/" in line)]
        assert not [line for line in kind.linux if re.match(r"\$ .*(\$env:|\b(Get|Set|Start|Stop)-[A-Z])", line)]
        for line in (*kind.windows, *kind.linux):
            if line.startswith("$ "):
                bare = re.sub(r'"[^"]*"', "", line)
                assert set(PLACEHOLDER.findall(bare)) <= {"port", "pid", "child", "declared"}, line

    @pytest.mark.parametrize("kind", LINES)
    def test_templates(self, kind: Any) -> None:
        """Braces are well formed, and name a fact."""
        for text in (kind.sentence, *(line for line in (*kind.windows, *kind.linux) if not line.startswith("$ "))):
            for _, name, spec, conversion in Formatter().parse(text):
                assert name is None or name.isidentifier()
                assert not spec
                assert not conversion

    def test_every_problem_has_a_cause(self) -> None:
        """By itself; or it is named, with a reason, among those that stand for themselves."""
        explained = {code for kind in CAUSES for code in kind.needs}
        without = set(CATALOGUE) - explained - set(STAND_ALONE)
        assert not without, f"write a cause that needs them, or name them in STAND_ALONE: {sorted(without)}"
        assert not explained & set(STAND_ALONE), "explained by now: take them out of STAND_ALONE"
        assert not set(STAND_ALONE) - set(CATALOGUE)
        assert all(STAND_ALONE.values())
