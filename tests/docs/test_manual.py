"""The generated pages of the manual tell what the registries know, and lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pytest_tentacle.cli import main
from pytest_tentacle.manual import page, renumbered
from pytest_tentacle.manual import pages as made
from pytest_tentacle.sections import STEPS, checks_of, step_of
from pytest_tentacle.sections.catalogue import KINDS
from support.session.each import wrong_with

TOP = Path(__file__).parents[2]
COMMAND = "python3 scripts/dev.py docs"


@pytest.fixture(scope="module")
def manual() -> Any:
    """The module that makes the pages."""
    return made


@pytest.fixture(scope="module")
def pages(manual: Any) -> dict[str, str]:
    made: dict[str, str] = manual.pages()
    return made


class TestCommitted:
    """The pages are made where they are wanted; of what is generated, the report's schema alone is committed."""

    def test_the_schema_is_as_it_is_generated(self, manual: Any, pages: dict[str, str]) -> None:
        committed = ((TOP / "docs") / "report-schema.json").read_text(encoding="utf-8")
        assert committed == pages["report-schema.json"], f"run `{COMMAND}`"

    def test_twice_is_the_same(self, manual: Any, pages: dict[str, str]) -> None:
        """The order of sets does not show."""
        assert manual.pages() == pages


class TestPages:
    def test_each_problem_and_cause_has_one_and_stands_in_its_index(self, manual: Any, pages: dict[str, str]) -> None:
        for folder, kinds in (("problems", KINDS), ("causes", manual.CAUSES)):
            index = pages[f"{folder}/README.md"]
            assert not [kind.code for kind in kinds if f"{folder}/{kind.code}.md" not in pages], "without a page"
            assert not [kind.code for kind in kinds if f"]({kind.code}.md)" not in index], "not in the index"

    def test_links_lead_to_files_of_the_checkout_or_of_the_manual(self, manual: Any, pages: dict[str, str]) -> None:
        """The guide is the only place on the network that is named."""
        made = {((TOP / "docs") / name).resolve() for name in pages}
        dead = []
        for name, text in pages.items():
            for target in re.findall(r"\]\(([^)]+)\)", text) if name.endswith(".md") else ():
                if target.startswith("https://octopus.com/docs/"):
                    continue
                file = ((TOP / "docs") / name).parent.joinpath(target).resolve()
                if file not in made and not file.exists():
                    dead.append(f"{name}: {target}")
        assert not dead

    def test_a_problems_page_tells_all_that_the_registries_know(self, manual: Any, pages: dict[str, str]) -> None:
        """Guide, meaning, who finds it by what, what to do on either system, which causes explain it."""

        def look(kind: Any) -> None:
            page = pages[f"problems/{kind.code}.md"]
            assert step_of(kind.code).section.link in page
            assert f"`{kind.step}`" in page
            for check in checks_of(kind.step):
                if kind.code in check.codes:
                    assert f"`{check.name}`" in page
                    assert all(f"`{read}`" in page for read in check.reads)
            for line in (*kind.windows, *kind.linux):
                if line.startswith("$ "):
                    assert f"\n{line.removeprefix('$ ')}\n" in page
            for cause in manual.CAUSES:
                if kind.code in cause.needs:
                    assert f"(../causes/{cause.code}.md)" in page
            assert ("It is its own cause." in page) is kind.is_cause

        assert wrong_with(KINDS, look) == {}

    def test_each_step_names_a_test_of_the_guide(self, manual: Any) -> None:
        assert set(manual.guide_tests()) == {step.slug for step in STEPS}


class TestProse:
    """What the catalogue says reads the same as Markdown."""

    @pytest.mark.parametrize(
        ("text", "markdown"),
        [
            ("start <service> again", "start `<service>` again"),
            ("a < b, Octopus.Proxy.*, C:\\*", "a \\< b, Octopus.Proxy.\\*, C:\\\\\\*"),
            ("`owner` is None | `*`", "`owner` is None \\| `*`"),
            ("one ` alone", "one \\` alone"),
            ("SERVICE_PORT and _this_", "SERVICE_PORT and \\_this\\_"),
        ],
    )
    def test_is_escaped(self, manual: Any, text: str, markdown: str) -> None:
        assert manual.prose(text) == markdown


class TestExplain:
    """One page on the screen, from the package alone."""

    def test_each_code_has_one_without_dead_links(self) -> None:
        for kind in (*KINDS, *made.CAUSES):
            text = page(kind.code)
            assert text is not None
            assert text.startswith(f"# {kind.code}: ")
            assert not re.search(r"\]\((?!https://)", text), kind.code
            assert "<!--" not in text

    def test_prints_it(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["explain", "tt551"]) == 0
        shown = capsys.readouterr().out
        assert shown.startswith("# TT551: ")
        assert "## What to do on Windows" in shown

    def test_a_code_of_before_leads_to_todays(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert renumbered()["TC122"] == "TC1151"
        assert main(["explain", "TC122"]) == 0
        assert capsys.readouterr().out.startswith("TC122 is TC1151 by now.\n\n# TC1151: ")

    def test_what_is_no_code_is_said_and_nothing_else(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["explain", "TT551", "TT000", "x"]) == 2
        told = capsys.readouterr()
        assert not told.out
        assert (
            told.err
            == "pytest-tentacle explain: no problem or cause has the code TT000, x; codes look like TT205 or TC2021\n"
        )

    def test_wrong_usage(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit, match="2"):
            main([])
        assert "COMMAND" in capsys.readouterr().err
