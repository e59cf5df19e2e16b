"""The registry of causes: what people quote in tickets, and what must hold of each entry."""

from __future__ import annotations

import json
import re
from pathlib import Path
from string import Formatter

from pytest_tentacle.diagnosis import CAUSES, STAND_ALONE, CauseKind
from pytest_tentacle.diagnosis.from_problem import told
from pytest_tentacle.guide.placeholders import PLACEHOLDER
from pytest_tentacle.sections.catalogue import CATALOGUE
from support.session.each import wrong_with


class TestRegistry:
    """Data, checked as such."""

    def test_codes_and_titles_are_unique(self) -> None:
        """One code, one meaning; and two causes that read the same cannot be told apart."""
        assert len({kind.code for kind in CAUSES}) == len(CAUSES)
        assert len({kind.title for kind in CAUSES}) == len(CAUSES)
        assert len(CAUSES) >= 45

    def test_each_is_whole(self) -> None:
        """Code, title, sentence, remedies in words and, on some system, problems that exist."""

        def look(kind: CauseKind) -> None:
            if kind.code in CATALOGUE:
                assert kind.needs == {kind.code}, "its own cause"
            else:
                assert re.fullmatch(r"TC[1-9]\d{3}", kind.code)
                assert f"TT{kind.code[2:5]}" in kind.needs, (
                    "its number is that of a problem that it explains, and a digit"
                )
            assert kind.title
            assert not kind.title.endswith(".")
            assert kind.sentence.endswith((".", ")"))
            assert kind.needs
            assert not kind.explains - set(CATALOGUE), "codes that the catalogue of problems does not have"
            assert not kind.needs & (kind.consequences | kind.echoes)
            for lines in (kind.windows, kind.linux):
                assert not lines[0].startswith("$ "), "words come first"
                assert all(line == line.strip() for line in lines)

        assert wrong_with(CAUSES, look) == {}

    def test_commands(self) -> None:
        """Commands are of their system, and a fact stands in double quotes, or is a number."""

        def look(kind: CauseKind) -> None:
            assert not [line for line in kind.windows if line.startswith("$ ") and ("sudo " in line or "/opt/" in line)]
            assert not [line for line in kind.linux if re.match(r"\$ .*(\$env:|\b(Get|Set|Start|Stop)-[A-Z])", line)]
            for line in (*kind.windows, *kind.linux):
                if line.startswith("$ "):
                    bare = re.sub(r'"[^"]*"', "", line)
                    assert set(PLACEHOLDER.findall(bare)) <= {"port", "pid", "child", "declared"}, line

        assert wrong_with(CAUSES, look) == {}

    def test_templates(self) -> None:
        """Braces are well formed, and name a fact."""

        def look(kind: CauseKind) -> None:
            words = (line for line in (*kind.windows, *kind.linux) if not line.startswith("$ "))
            for text in (kind.sentence, *words):
                for _, name, spec, conversion in Formatter().parse(text):
                    assert name is None or name.isidentifier()
                    assert not spec
                    assert not conversion

        assert wrong_with(CAUSES, look) == {}

    def test_a_cause_chooses(self) -> None:
        """What explains one problem alone, whatever else was seen, is that problem: it needs no code of its own."""
        alone = [kind for kind in CAUSES if kind.code not in CATALOGUE and kind.match is told]
        rivals = {code: [kind for kind in CAUSES if code in kind.needs] for code in CATALOGUE}
        needless = [kind.code for kind in alone if all(rivals[code] == [kind] for code in kind.needs)]
        assert not needless, f"let their problems be their own cause (ProblemKind.sentence): {needless}"

    def test_every_old_code_leads_to_one_of_today(self, top: Path) -> None:
        """`docs/renumbered.json` is for tickets from before the numbers were made once and for all."""
        renumbered = json.loads((top / "docs" / "renumbered.json").read_text(encoding="utf-8"))
        today = {*CATALOGUE, *(kind.code for kind in CAUSES)}
        assert not {old: new for old, new in renumbered.items() if new not in today}
        assert list(renumbered) == sorted(renumbered)
        causes = [old for old in renumbered if old.startswith("TC")]
        assert len(causes) == 167, "as many as there were"
        assert all(re.fullmatch(r"TC\d{3}", old) for old in causes)
        assert not set(causes) & today
        problems = {old: new for old, new in renumbered.items() if old.startswith("TT")}
        assert len(problems) == 136
        assert all(old == new for old, new in problems.items()), "problems kept their numbers"

    def test_every_problem_has_a_cause(self) -> None:
        """By itself; or it is named, with a reason, among those that stand for themselves."""
        explained = {code for kind in CAUSES for code in kind.needs}
        without = set(CATALOGUE) - explained - set(STAND_ALONE)
        assert not without, f"write a cause that needs them, or name them in STAND_ALONE: {sorted(without)}"
        assert not explained & set(STAND_ALONE), "explained by now: take them out of STAND_ALONE"
        assert not set(STAND_ALONE) - set(CATALOGUE)
        assert all(STAND_ALONE.values())
