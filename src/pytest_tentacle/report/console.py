"""The diagnosis on a terminal, in the manner of `linkerd check`: what is wrong, why, where to read on.

Every line says in words what its colour says; a terminal that cannot show the glyphs gets ASCII.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from typing import Any

from pytest_tentacle.judging.result import Outcome, StepResult, accepted

from .build import plural
from .catalogue import link_of, title_of
from .document import CauseReport, MachineView, Report, ResultView

Line = tuple[str, dict[str, Any]]
"""A line's text, and the markup that `TerminalReporter.write_line` takes."""

_GLYPHS = {
    Outcome.PASSED: "√",
    Outcome.FAILED: "\N{MULTIPLICATION SIGN}",
    Outcome.UNKNOWN: "?",
    Outcome.BLOCKED: "-",
    Outcome.WAIVED: "~",
    Outcome.NOTED: "!",
}
_ASCII = str.maketrans(
    {
        "√": "+",
        "\N{MULTIPLICATION SIGN}": "x",
        "…": "...",
        "→": "->",
        "\N{EN DASH}": "-",
        "—": "-",
        "“": '"',
        "”": '"',
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "·": ",",
    }
)
COLOURS: dict[Outcome, dict[str, bool]] = {
    Outcome.FAILED: {"red": True},
    Outcome.UNKNOWN: {"yellow": True},
    Outcome.BLOCKED: {"blue": True},
    Outcome.NOTED: {"cyan": True},
    Outcome.WAIVED: {"purple": True},
    Outcome.PASSED: {"green": True},
}
"""What `write_line` takes for each outcome, in the order in which a line counts them."""

_CAUSES = 10
_NAMES = 6
_LINES = 6
_REASONS = 8


def report_lines(report: Report, output: str = "short", *, encoding: str = "utf-8") -> list[Line]:
    """The diagnosis, line by line, for TerminalReporter.write_line: the worst is the nearest to the prompt.

    Args:
        report: the report.
        output: `short` tells causes, with the machines that share one folded; `full` adds each machine's verdict.
        encoding: the terminal's; glyphs that it lacks become ASCII.
    """
    shown = report.causes[:_CAUSES]
    lines = [
        *(_machines(report) if output == "full" else ()),
        *_notes(report),
        *_waived(report),
        *_dark(report),
        *_rest(report),
        *(line for cause in reversed(shown) for line in _cause(cause)),
    ]
    lines += _changes(report)
    lines += [("", {}), *_head(report)] if lines else _head(report)
    return [(_printable(text, encoding), markup) for text, markup in lines]


def explain(result: StepResult, clean: Callable[[str], str]) -> list[str]:
    """One step's result in a few lines, for a test's failure message; `clean` removes secrets, before anything else."""
    lines = []
    for problem in result.problems:
        lines += [
            f"{problem.code} {title_of(problem.code)} ({problem.severity.value})",
            f"    expected  {problem.expected}",
            f"    actual    {problem.actual}",
            *(f"    {item.source}: {item.text}" for item in problem.evidence),
            f"    see {link_of(problem.code)}",
        ]
    for each in result.waived:
        lines += [
            f"{each.problem.code} {title_of(each.problem.code)}",
            f"    {accepted(each.reason, each.until)}",
            f"    expected  {each.problem.expected}",
            f"    actual    {each.problem.actual}",
        ]
    if result.outcome is Outcome.BLOCKED and result.blocked_by:
        lines.append(f"blocked by {result.blocked_by[0]} on {result.blocked_by[1]}")
    if result.reason:
        lines.append(
            f"{'unknown' if result.outcome in (Outcome.UNKNOWN, Outcome.FAILED) else 'because'}: {result.reason}"
        )
    if result.advice:
        lines.append(f"    {result.advice}")
    return [_shown(clean(line)) for line in lines]


def _head(report: Report) -> Iterator[Line]:
    outcome = {"healthy": Outcome.PASSED, "unhealthy": Outcome.FAILED, "incomplete": Outcome.UNKNOWN}[report.state]
    yield f"{_GLYPHS[outcome]} {report.verdict}", {**COLOURS[outcome], "bold": True}
    if counted := ", ".join(f"{count} {kind.value}" for kind, count in report.counts.items() if count):
        yield f"  {counted}", {}


def _notes(report: Report) -> Iterator[Line]:
    for note in report.provenance.notes:
        yield f"note: {note}", {"yellow": True}


def _rest(report: Report) -> Iterator[Line]:
    """What is less urgent than the causes that are shown is in the report."""
    rest = len(report.causes) - _CAUSES
    if rest > 0:
        yield "", {}
        yield f"  and {plural(rest, 'more cause')}: see the report", {"yellow": True}


def _changes(report: Report) -> Iterator[Line]:
    """What changed since the run that this one is compared with; standing causes are counted only."""
    if report.comparison is None:
        return
    yield "", {}
    yield _one_line(report.comparison.sentence), {"bold": True}
    for word, changes in report.comparison.told:
        if word != "Standing":
            for change in changes[:_CAUSES]:
                yield f"  {word.lower()}: {_one_line(change.title)} [{change.code}]: {_names(change.machines)}", {}
            if len(changes) > _CAUSES:
                yield f"  {word.lower()}: and {len(changes) - _CAUSES} more in the report", {}


def _cause(cause: CauseReport) -> Iterator[Line]:
    yield "", {}
    outcome = Outcome.NOTED if cause.below_gate else Outcome.FAILED
    new = _new(cause)
    yield (
        f"{_GLYPHS[outcome]} {cause.title} [{cause.code}], {cause.severity}{f', {new}' if new else ''}",
        {**COLOURS[outcome], "bold": True},
    )
    yield f"    {plural(len(cause.machines), 'machine')}: {_names(cause.machines)}", {}
    yield f"    {_one_line(cause.sentence)}", {}
    if cause.evidence:
        first = cause.evidence[0]
        yield f"    how we know: {_one_line(first.source)}: {_one_line(first.text)}", {}
    if cause.since:
        yield f"    since when: {_one_line(cause.since)}", {}
    for system, remedy, effects in (
        ("Windows", cause.remedy_windows, cause.effects_windows),
        ("Linux", cause.remedy_linux, cause.effects_linux),
    ):
        for line, effect in list(zip_longest(remedy, effects, fillvalue=""))[:_LINES]:
            yield f"    {system}: {_one_line(line.removeprefix('$ '))}" + (f"   ({effect})" if effect else ""), {}
        if len(remedy) > _LINES:
            yield f"    {system}: and {len(remedy) - _LINES} more in the report", {}
    if cause.unsure:
        yield f"    not certain: {_one_line(cause.unsure)}", {"yellow": True}
    if cause.link:
        yield f"    see {cause.link}", {"cyan": True}


def _new(cause: CauseReport) -> str:
    if not cause.new_on:
        return ""
    return "new" if len(cause.new_on) == len(cause.machines) else f"new on {len(cause.new_on)}"


def _dark(report: Report) -> Iterator[Line]:
    for item in report.not_looked_at[:_REASONS]:
        yield "", {}
        yield f"{_GLYPHS[Outcome.UNKNOWN]} unknown: {_one_line(item.reason)}", {"yellow": True, "bold": True}
        yield f"    {plural(len(item.machines), 'machine')}: {_names(item.machines)}", {}
        if item.advice:
            yield f"    {_one_line(item.advice)}", {}
    rest = len(report.not_looked_at) - _REASONS
    if rest > 0:
        yield f"  and {plural(rest, 'more reason')} why something is unknown: see the report", {"yellow": True}


def _waived(report: Report) -> Iterator[Line]:
    for item in report.waived[:_REASONS]:
        yield "", {}
        head = f"{_GLYPHS[Outcome.WAIVED]} {item.title} [{item.code}]"
        yield f"{head} {_one_line(accepted(item.reason, item.until))}", COLOURS[Outcome.WAIVED]
        yield f"    {plural(len(item.machines), 'machine')}: {_names(item.machines)}", {}
    rest = len(report.waived) - _REASONS
    if rest > 0:
        yield f"  and {plural(rest, 'more waiver')}: see the report", COLOURS[Outcome.WAIVED]


def _machines(report: Report) -> Iterator[Line]:
    titles = {step.slug: step.title for step in report.steps}
    for machine in report.machines:
        yield "", {}
        yield _machine_head(machine)
        for result in machine.results:
            yield from _result(result, titles.get(result.step, result.step))


def _machine_head(machine: MachineView) -> Line:
    return f"{machine.name}: {machine.outcome.value}", {"bold": True, **COLOURS[machine.outcome]}


def _result(result: ResultView, title: str) -> Iterator[Line]:
    yield f"  {_GLYPHS[result.outcome]} {title}: {result.outcome.value}", COLOURS[result.outcome]
    for problem in result.problems:
        yield f"      {problem.code} {problem.title}", {}
        yield f"        expected  {_one_line(problem.expected)}", {}
        yield f"        actual    {_one_line(problem.actual)}", {}
        for item in problem.evidence:
            yield f"        {_one_line(item.source)}: {_one_line(item.text)}", {}
    for each in result.waived:
        yield f"      {each.problem.code} {each.problem.title}", {}
        yield f"        {_one_line(accepted(each.reason, each.until))}", COLOURS[Outcome.WAIVED]
        yield f"        expected  {_one_line(each.problem.expected)}", {}
        yield f"        actual    {_one_line(each.problem.actual)}", {}
    if result.blocked_by:
        yield f"      blocked by {result.blocked_by[0]} on {result.blocked_by[1]}", {}
    if result.reason:
        yield f"      {_one_line(result.reason)}", {}
    if result.advice:
        yield f"      {_one_line(result.advice)}", {}


def _names(names: Sequence[str]) -> str:
    rest = len(names) - _NAMES
    return ", ".join(names[:_NAMES]) + (f" and {rest} more" if rest > 0 else "")


def clean_line(text: str) -> str:
    """One line of a terminal, whoever wrote it: nothing in it steers the terminal, or begins another line."""
    return _one_line(text)


def _one_line(text: str) -> str:
    """One line without control characters: what a machine sent must not steer the terminal."""
    return _shown(" ".join(text.split()))


def _shown(text: str) -> str:
    if text.isprintable():  # nearly all
        return text
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _printable(text: str, encoding: str) -> str:
    safe = _shown(text)
    try:
        safe.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return safe.translate(_ASCII).encode("ascii", "replace").decode("ascii")
    return safe
