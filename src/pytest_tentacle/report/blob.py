"""The report's machines as the page's data: one compact JSON text, each string in it once.

A thousand machines say much the same words; with a table of strings the page of 16,000 results stays below a megabyte.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from pytest_tentacle.judging.result import Outcome, accepted

from .document import STAGES, HistoryView, LinkView, MachineView, ProblemView, Report, ResultView

LARGE = 200
"""Above this many machines, those that are well bring no pictures, and passed steps their outcome only."""

OUTCOMES = tuple(Outcome)
STATES = ("ok", "failed", "slow", "unreached", "unasked", "unjudged")
_FACTS, _CELLS = 4, 5
"""Their places in a machine's row."""
_SAFE = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def page_data(report: Report) -> str:
    """JSON that may stand inside a script element: it holds neither `<` nor `&`."""
    large = len(report.machines) > LARGE
    slugs = [step.slug for step in report.steps]
    machines = [
        _machine(machine, slugs, brief=large and machine.outcome is Outcome.PASSED, large=large)
        for machine in report.machines
    ]
    facts, cells = _told_once(machines)
    counts: Counter[str] = Counter()
    _count([machines, facts], counts)
    table = [text for text, _ in counts.most_common()]
    index = {text: position for position, text in enumerate(table)}
    data = {
        "s": table,
        "m": _indexed(machines, index),
        "f": _indexed(facts, index),
        "c": cells,
        "o": [outcome.value for outcome in OUTCOMES],
        "g": STAGES,
        "t": STATES,
        "steps": [[step.slug, step.title, step.link] for step in report.steps],
        "causes": [
            [cause.title, cause.code, anchor, len(cause.machines)]
            for cause, anchor in zip(report.causes, anchors_of(report), strict=True)
        ],
    }
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).translate(_SAFE)


def anchors_of(report: Report) -> list[str]:
    """The name of each cause's place in the page, the same in every run: its code; of several, a number behind it."""
    found: Counter[str] = Counter()
    anchors = []
    for cause in report.causes:
        name = re.sub(r"[^A-Za-z0-9]+", "-", cause.code)
        found[name] += 1
        anchors.append(name if found[name] == 1 else f"{name}-{found[name]}")
    return anchors


def _machine(machine: MachineView, slugs: list[str], *, brief: bool, large: bool) -> list[Any]:
    by_step = {result.step: result for result in machine.results}
    cells = [OUTCOMES.index(by_step[slug].outcome) if slug in by_step else -1 for slug in slugs]
    details = [
        [slugs.index(result.step), *_result(result)]
        for result in machine.results
        if not (result.outcome is Outcome.PASSED and (large or not result.looked_at))
    ]
    return [
        machine.name,
        machine.role,
        OUTCOMES.index(machine.outcome),
        machine.summary,
        [[fact.name, fact.value] for fact in machine.facts],
        cells,
        details,
        [] if brief else [_link(link) for link in machine.links],
        [
            [
                c.whose,
                c.seen_from,
                c.thumbprint,
                c.subject,
                c.issuer,
                c.valid_from,
                c.valid_to,
                c.key,
                c.signature,
                c.error,
            ]
            for c in machine.certificates
        ],
        list(machine.causes),
        machine.noise,
        [_history(history) for history in machine.histories],
    ]


def _history(history: HistoryView) -> list[Any]:
    lines = [[line.when, line.kind, line.machine, line.text, line.source] for line in history.lines]
    return [history.tentacle, history.server, history.sentence, lines, list(history.notes)]


def _result(result: ResultView) -> list[Any]:
    waived = [[*_problem(each.problem), accepted(each.reason, each.until)] for each in result.waived]
    return [
        [_problem(problem) for problem in result.problems],
        result.reason,
        result.advice,
        list(result.blocked_by or ()),
        list(result.looked_at),
        waived,
    ]


def _problem(problem: ProblemView) -> list[Any]:
    return [
        problem.code,
        problem.title,
        problem.expected,
        problem.actual,
        [[item.source, item.text] for item in problem.evidence],
        problem.severity.value,
    ]


def _link(link: LinkView) -> list[Any]:
    lanes = [
        [
            lane.vantage,
            lane.by,
            lane.host,
            lane.port,
            lane.address,
            [
                [STATES.index(stage.state), -1 if stage.ms is None else round(stage.ms), stage.error, stage.detail]
                for stage in lane.stages
            ],
            lane.unavailable,
        ]
        for lane in link.lanes
    ]
    return [link.source, link.target, link.port or 0, link.mode, lanes]


def _told_once(machines: list[list[Any]]) -> tuple[list[Any], list[Any]]:
    """The machines' facts and rows of outcomes, each different one once; in the machines stand their numbers."""
    facts: dict[tuple[str, ...], int] = {}
    cells: dict[tuple[int, ...], int] = {}
    for machine in machines:
        machine[_FACTS] = [facts.setdefault(tuple(fact), len(facts)) for fact in machine[_FACTS]]
        machine[_CELLS] = cells.setdefault(tuple(machine[_CELLS]), len(cells))
    return [list(fact) for fact in facts], [list(row) for row in cells]


def _count(value: Any, counts: Counter[str]) -> None:
    if isinstance(value, str):
        counts[value] += 1
    elif isinstance(value, list):
        for member in value:
            _count(member, counts)


def _indexed(value: Any, index: dict[str, int]) -> Any:
    """Each string becomes its position in the table; where a string stands, the page's script knows by the shape."""
    if isinstance(value, str):
        return index[value]
    return [_indexed(member, index) for member in value] if isinstance(value, list) else value
