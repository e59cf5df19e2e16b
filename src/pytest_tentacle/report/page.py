"""The diagnosis page: one piece of HTML that stands on top of pytest-html's self-contained file.

Causes, counts, the matrix and what a reader must know of the run are plain HTML. The machines' details come as data,
and a small script builds what is opened: it makes elements and text nodes, so nothing that a machine sent is ever
parsed as HTML.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pytest_tentacle.guide.severity import Severity
from pytest_tentacle.judging.result import Outcome, accepted

from .blob import LARGE, anchors_of, page_data
from .build import WORST_FIRST, plural
from .catalogue import meaning_of, title_of
from .document import MachineView, Report

GLYPHS = {
    Outcome.PASSED: "✓",
    Outcome.FAILED: "✕",
    Outcome.UNKNOWN: "?",
    Outcome.BLOCKED: "⊘",
    Outcome.WAIVED: "≈",
    Outcome.NOTED: "◦",
}
MACHINE_WORDS = {
    Outcome.PASSED: "healthy",
    Outcome.FAILED: "with problems",
    Outcome.UNKNOWN: "not fully checked",
    Outcome.BLOCKED: "blocked by another machine",
    Outcome.WAIVED: "with waived problems only",
    Outcome.NOTED: "with minor findings only",
}
"""What a machine is called by its worst outcome."""

SEVERITY_WORDS = {
    Severity.OUTAGE: "outage",
    Severity.DEGRADED: "degraded",
    Severity.WILL_FAIL: "will fail later",
    Severity.HYGIENE: "hygiene",
}
_SCRIPTS = ("elements.js", "picture.js", "history.js", "page.js")
"""In the order in which they name each other."""

_OPEN_CAUSES = 3
_NAMES_SHOWN = 8
_BRIEF_PRINT = 12
"""With more causes than that, paper has no pictures and no evidence but the first."""

_STATIC_ROWS = 150
"""Rows of the matrix that stand in the page without script; of the other machines, name and outcome."""


def render_page(report: Report) -> str:
    """The page for `pytest_html_results_summary`, as one HTML string."""
    template = environment().get_template("page.html.j2")
    return template.render(
        report=report,
        data=Markup(page_data(report)),  # noqa: S704  JSON without `<` and `&`
        style=Markup(_source("page.css") + _source("history.css")),  # noqa: S704  ours
        script=Markup("".join(map(_source, _SCRIPTS))),  # noqa: S704  ours
        glyphs=GLYPHS,
        order=WORST_FIRST,
        open_causes=_OPEN_CAUSES,
        names_shown=_NAMES_SHOWN,
        large=LARGE,
        plural=plural,
        accepted=accepted,
        anchors=anchors_of(report),
        rows=[_row(machine, report) for machine in _worst_first(report)[:_STATIC_ROWS]],
        unshown=_by_outcome(_worst_first(report)[_STATIC_ROWS:]),
        codes=_codes(report),
        machine_words=MACHINE_WORDS,
        severity_words=SEVERITY_WORDS,
        brief_print=_BRIEF_PRINT,
        sparkline=_sparkline,
    )


@dataclass(frozen=True)
class _Row:
    """A machine of the matrix, as it stands in the page: outcome and codes of each step, empty where none applies."""

    name: str
    server: bool
    cells: list[tuple[Outcome | None, str]]
    causes: tuple[int, ...]
    summary: str


def _row(machine: MachineView, report: Report) -> _Row:
    results = {result.step: result for result in machine.results}
    cells: list[tuple[Outcome | None, str]] = []
    for step in report.steps:
        result = results.get(step.slug)
        codes = " ".join(dict.fromkeys(problem.code for problem in result.problems)) if result else ""
        cells.append((result.outcome if result else None, codes))
    return _Row(machine.name, machine.role == "server", cells, machine.causes, machine.summary)


def _sparkline(counts: tuple[int, ...]) -> str:
    """The points of a small line, 60 by 14, one for each run."""
    most = max(counts) or 1
    step = 60 / max(len(counts) - 1, 1)
    return " ".join(f"{position * step:.1f},{13 - 12 * count / most:.1f}" for position, count in enumerate(counts))


def _worst_first(report: Report) -> list[MachineView]:
    return sorted(report.machines, key=lambda machine: WORST_FIRST.index(machine.outcome))


def _by_outcome(machines: Iterable[MachineView]) -> list[tuple[Outcome, list[str]]]:
    found: dict[Outcome, list[str]] = {}
    for machine in machines:
        found.setdefault(machine.outcome, []).append(machine.name)
    return list(found.items())


def _codes(report: Report) -> dict[str, tuple[str, str]]:
    """Title and meaning of each code that the report names and the manual knows."""
    problems = (problem for machine in report.machines for result in machine.results for problem in result.problems)
    waived = (waived.code for waived in report.waived)
    named = sorted({*(cause.code for cause in report.causes), *(problem.code for problem in problems), *waived})
    return {code: (title_of(code), meaning) for code in named if (meaning := meaning_of(code))}


def _source(name: str) -> str:
    made = environment()
    assert made.loader is not None  # noqa: S101
    return made.loader.get_source(made, name)[0]


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The page's templates."""
    made = Environment(
        loader=PackageLoader("pytest_tentacle.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["capitalize_first"] = lambda text: text[:1].upper() + text[1:]
    return made
