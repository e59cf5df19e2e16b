"""The report as Markdown: for a CI's step summary, or as a ticket's text."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from pytest_tentacle.judging.result import accepted
from pytest_tentacle.survey.actions import ActionResult

from .build import plural
from .document import CauseReport, Report

MOST_CAUSES = 20
MOST_NAMES = 15
MOST_TIMELINES = 3
MOST_LOG_LINES = 20
_SPECIAL = re.compile(r"([\\`*_\[\]|~])")
_LEADING = re.compile(r"^(\d*)([-+#=.)])")
_ZERO_WIDTH = "\u200b"


def report_markdown(report: Report) -> str:
    """The Markdown text of a report. Far below the 1 MiB that a step summary may have."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    mark = {"healthy": "✅", "unhealthy": "❌", "incomplete": "❔"}[report.state]
    yield f"## {mark} {plain(report.verdict)}"
    yield ""
    yield " · ".join(f"{count:,} {outcome.value}" for outcome, count in report.counts.items() if count) or "no step ran"
    for note in report.provenance.notes:
        yield f"\n> {plain(note)}"
    if report.causes:
        yield "\n| Machines | What is wrong | Code |"
        yield "|--:|---|---|"
        for cause in report.causes[:MOST_CAUSES]:
            yield f"| {len(cause.machines):,} | {plain(cause.title)} | {_code(report, cause.code)} |"
        for cause in report.causes[:MOST_CAUSES]:
            yield from _cause(cause)
        if len(report.causes) > MOST_CAUSES:
            yield f"\nand {len(report.causes) - MOST_CAUSES} more causes: see the HTML report."
    yield from _actions(report)
    yield from _histories(report)
    yield from _changes(report)
    if report.not_looked_at:
        yield "\n### What could not be checked\n"
        for item in report.not_looked_at[:MOST_CAUSES]:
            advice = f" {plain(item.advice)}" if item.advice else ""
            yield f"- {plural(len(item.machines), 'machine')} ({_names(item.machines)}): {plain(item.reason)}.{advice}"
    if report.waived:
        yield "\n### What is waived\n"
        for waived in report.waived[:MOST_CAUSES]:
            who = f"{plural(len(waived.machines), 'machine')} ({_names(waived.machines)})"
            yield f"- {code(waived.code)} {plain(waived.title)}, {plain(accepted(waived.reason, waived.until))}: {who}"
    yield from _own_tests(report)
    yield ""
    digest = f" ({report.provenance.inventory_digest[:12]})" if report.provenance.inventory_digest else ""
    when = f"{report.started:%Y-%m-%d %H:%M:%S %Z}"
    who = f"pytest-tentacle {plain(report.version)}, {plain(report.title)}{digest}"
    yield f"<sub>{who}, {when}, {report.seconds:.1f} s</sub>"


def _code(report: Report, text: str) -> str:
    page = report.manual_page(text)
    return f"[{text}]({page})" if page else code(text)


def _actions(report: Report) -> Iterator[str]:
    """What was done, newest first; the log's extract of what did not go well."""
    if not report.actions:
        return
    yield "\n### What was done to machines\n"
    for action in report.actions[::-1][:MOST_CAUSES]:
        what = f" {code(action.what)}" if action.what else ""
        yield f"- {action.time:%Y-%m-%d %H:%M:%SZ}, {code(action.machine)}, {action.kind}{what}: {plain(action.told)}"
        yield f"  - {action.result.value}; by {plain(action.by) or 'somebody'}"
        if action.before or action.after:
            yield f"  - before: {plain(action.before) or 'not seen'}; after: {plain(action.after) or 'not seen'}"
        yield from (f"  - ran {code(command)}" for command in action.commands)
        if action.log and action.result is not ActionResult.DONE:
            yield "  - its log meanwhile:"
            yield from (f"    - {code(line)}" for line in action.log[-MOST_LOG_LINES:])
    if len(report.actions) > MOST_CAUSES:
        yield f"\nand {len(report.actions) - MOST_CAUSES} more: see the HTML report."


def _changes(report: Report) -> Iterator[str]:
    if report.comparison is None:
        return
    yield "\n### What changed\n"
    yield plain(report.comparison.sentence) + "\n"
    for word, changes in report.comparison.told:
        for change in changes[:MOST_CAUSES]:
            yield f"- {word}: {code(change.code)} {plain(change.title)}: {_names(change.machines)}"


def _histories(report: Report) -> Iterator[str]:
    """A line for each link with problems; the first few in full."""
    known = [each for machine in report.machines for each in machine.histories]
    if not known:
        return
    yield "\n### Since when, and what changed then\n"
    for number, history in enumerate(known[:MOST_CAUSES]):
        yield f"- {code(history.tentacle)} and {code(history.server)}: {plain(history.sentence)}"
        if number < MOST_TIMELINES:
            for line in history.lines:
                yield f"  - {line.when}, {line.kind}, {code(line.machine)}: {plain(line.text)} ({plain(line.source)})"
            yield from (f"  - not known: {plain(note)}" for note in history.notes)
    if len(known) > MOST_CAUSES:
        yield f"\nand {len(known) - MOST_CAUSES} further links: see the HTML report. Times are UTC."
    else:
        yield "\nTimes are UTC, by the clock of the machine that ran pytest."


def _own_tests(report: Report) -> Iterator[str]:
    failed = [test for test in report.own_tests if test.outcome in ("failed", "error")]
    if failed:
        yield "\n### Tests of your own that failed\n"
        yield from (f"- {code(test.name)}: {plain(test.message)}" for test in failed[:MOST_CAUSES])


def _cause(cause: CauseReport) -> Iterator[str]:
    cost = f"{cause.severity}, and fails no run" if cause.below_gate else str(cause.severity)
    cost += ", new" if cause.new_on and len(cause.new_on) == len(cause.machines) else ""
    yield f"\n### {plain(cause.title)} ({cost})\n"
    yield plain(cause.sentence)
    yield f"\n{plural(len(cause.machines), 'machine')}: {_names(cause.machines)}"
    for system, language, lines, effects in (
        ("Windows", "powershell", cause.remedy_windows, cause.effects_windows),
        ("Linux", "sh", cause.remedy_linux, cause.effects_linux),
    ):
        if lines:
            yield f"\nOn {system}:\n"
            yield from _remedy(lines, effects, language)
    if cause.unsure:
        yield f"\nNot certain: {plain(cause.unsure)}"
    if cause.since:
        yield f"\nSince when: {plain(cause.since)}"
    if cause.evidence:
        first = cause.evidence[0]
        yield f"\nHow we know: {plain(first.source)}: {code(first.text)}"
    if cause.link.startswith("https://"):
        yield f"\n[The guide on this]({cause.link})"


def _remedy(lines: Sequence[str], effects: Sequence[str], language: str) -> Iterator[str]:
    for line, effect in zip_longest(lines, effects, fillvalue=""):
        if line.startswith("$ "):
            fence = "`" * max(3, _longest_ticks(line) + 1)
            yield f"{fence}{language}\n{line[2:]}\n{fence}" + (f"\n*{plain(effect)}*" if effect else "")
        else:
            yield plain(line)


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(code(name) for name in names[:MOST_NAMES])
    return shown + (f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else "")


def plain(text: str) -> str:
    """Text that Markdown takes for nothing but text: one line, no markup, no mention, no link."""
    text = html.escape(" ".join(text.split()), quote=False)
    text = _LEADING.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", text))
    return re.sub(r"(?i)(\bhttps?:|\bftp:|\bwww|@|#(?=\d))", rf"\1{_ZERO_WIDTH}", text)


def code(text: str) -> str:
    """Text as inline code; its backticks cannot end it. A table's bar is escaped, since tables are cut first."""
    one_line = " ".join(text.split()).replace("|", "\\|")
    fence = "`" * (_longest_ticks(one_line) + 1)
    pad = " " if one_line.startswith("`") or one_line.endswith("`") or not one_line else ""
    return f"{fence}{pad}{one_line}{pad}{fence}"


def _longest_ticks(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
