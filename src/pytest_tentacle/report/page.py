"""The diagnosis page: one piece of HTML that stands on top of pytest-html's self-contained file.

Causes, counts and what a stranger must know are plain HTML; machines come as data, and a small script builds what is
looked at. The script makes elements and text nodes only: nothing that a machine sent is ever parsed as HTML.
"""

from __future__ import annotations

from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pytest_tentacle.judging.result import Outcome, accepted

from .blob import LARGE, page_data
from .build import WORST_FIRST, plural
from .document import Report

GLYPHS = {
    Outcome.PASSED: "✓",
    Outcome.FAILED: "✕",
    Outcome.UNKNOWN: "?",
    Outcome.BLOCKED: "⊘",
    Outcome.WAIVED: "≈",
    Outcome.NOTED: "◦",
}
_OPEN_CAUSES = 3
_NAMES_SHOWN = 8


def render_page(report: Report) -> str:
    """The page for `pytest_html_results_summary`, as one HTML string."""
    template = _environment().get_template("page.html.j2")
    return template.render(
        report=report,
        data=Markup(page_data(report)),  # noqa: S704  JSON without `<` and `&`
        style=Markup(_source("page.css")),  # noqa: S704  ours
        script=Markup(_source("page.js")),  # noqa: S704  ours
        glyphs=GLYPHS,
        order=WORST_FIRST,
        open_causes=_OPEN_CAUSES,
        names_shown=_NAMES_SHOWN,
        large=LARGE,
        plural=plural,
        accepted=accepted,
    )


def _source(name: str) -> str:
    environment = _environment()
    assert environment.loader is not None  # noqa: S101
    return environment.loader.get_source(environment, name)[0]


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("pytest_tentacle.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
