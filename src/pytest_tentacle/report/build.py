"""From a run to the report: the one place where surveys, results and causes become what is shown."""

from __future__ import annotations

import ntpath
import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import metadata

from pytest_tentacle import __version__
from pytest_tentacle.diagnosis import FoldedCause
from pytest_tentacle.guide.effects import told
from pytest_tentacle.guide.severity import DEFAULT_GATE, Severity
from pytest_tentacle.inventory.model import Machine
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.judging.result import Outcome, OwnTest, Run, StepResult, accepted
from pytest_tentacle.judging.subject import Fleet
from pytest_tentacle.sections import STEPS, fleet_of
from pytest_tentacle.survey.actions import Action
from pytest_tentacle.survey.model import HostRecord
from pytest_tentacle.survey.scripts.shown import script_sha256

from .catalogue import title_of
from .document import (
    ActionView,
    CauseReport,
    EvidenceView,
    FactView,
    MachineView,
    OwnTestView,
    ProblemView,
    Provenance,
    RedactionView,
    Report,
    ResultView,
    StepView,
    WaivedProblemView,
    WaivedView,
)
from .facts import facts_of
from .histories import Histories, since
from .links import CONTROLLER, Looks
from .redaction.names import learn_surveys
from .redaction.redactor import Redactor
from .unknowns import fold_unknowns

WORST_FIRST = (Outcome.FAILED, Outcome.UNKNOWN, Outcome.BLOCKED, Outcome.NOTED, Outcome.WAIVED, Outcome.PASSED)

_OUR_WORDS = frozenset(
    {
        "steps",
        "counts",
        "machine_counts",
        "state",
        "severity",
        "confidence",
        "outcome",
        "role",
        "stage",
        "by",
        "step",
        "started",
        "surveyed",
        "time",
        "result",
        "when",
        "kind",
        "version",
    }
)
"""Fields that hold words and times of ours: no machine wrote them, and readers' programs rely on them."""

_SCRIPTS_OF = {
    "windows": "Windows",
    "constrained": "Windows in constrained language mode",
    "linux": "Linux",
}
_VERSIONS_OF = ("pytest", "pytest-html", "pywinrm", "paramiko")


_OWN_FAILURES = frozenset({"failed", "error"})


def build_report(
    run: Run, causes: Sequence[FoldedCause], redactor: Redactor | None = None, fleet: Fleet | None = None
) -> Report:
    """Everything that the sinks show, clean.

    Args:
        run: the run.
        causes: from a diagnosis, in any order.
        redactor: what every text goes through. With pseudonyms it is taught the names of this run here.
        fleet: the run's machines as they were judged; None: they are looked at anew.
    """
    redactor = redactor or Redactor()
    learn_surveys(redactor, run.surveys)
    report = _report(run, causes, fleet or fleet_of(run.surveys))
    already = Counter(redactor.summary())
    clean = redactor.model(report, _OUR_WORDS)
    removed = Counter(redactor.summary()) - already
    counts = RedactionView(pseudonyms=redactor.uses_pseudonyms, counts=dict(sorted(removed.items())))
    return clean.model_copy(update={"redaction": counts})


def _report(run: Run, causes: Sequence[FoldedCause], fleet: Fleet) -> Report:
    wanted = run.options.get("--fail-on")
    gate = Severity(wanted) if wanted in tuple(Severity) else DEFAULT_GATE
    ordered = sorted(causes, key=lambda cause: (-cause.severity.weight, -len(cause.machines)))
    of_machine: dict[str, list[int]] = {}
    for position, cause in enumerate(ordered):
        for name in cause.machines:
            of_machine.setdefault(name, []).append(position)
    results: dict[str, list[StepResult]] = {}
    for result in run.results:
        results.setdefault(result.machine, []).append(result)
    inventory = run.surveys.inventory
    records = {name: record for record in run.surveys.records for name in record.machines}
    looks, histories = Looks(fleet, results), Histories(fleet)

    def view(machine: Machine) -> MachineView:
        titles = [(position, ordered[position].title) for position in of_machine.get(machine.name, ())]
        own = results[machine.name]
        shown = _machine(machine, records.get(machine.name), own, looks, titles)
        shown = shown.model_copy(update={"histories": histories.of(machine.name, own)})
        fleet.let_go(machine.name)
        return shown

    views = tuple(view(machine) for machine in inventory.machines if machine.name in results)
    machine_counts = Counter(view.outcome for view in views)
    told = {view.name: view.histories for view in views}
    seen = {result.step for result in run.results}
    known = [
        StepView(slug=s.slug, title=s.title, section=s.section.title, link=s.section.link)
        for s in STEPS
        if s.slug in seen
    ]
    strange = sorted(seen - {step.slug for step in known})
    return Report(
        version=__version__,
        title=_title(run),
        verdict=_verdict(machine_counts, len(causes), interrupted=run.interrupted) + _of_own(run.own_tests),
        state=_state(machine_counts, interrupted=run.interrupted, own=run.own_tests),
        started=run.started,
        seconds=round(run.seconds, 1),
        interrupted=run.interrupted,
        counts=_every_outcome(Counter(result.outcome for result in run.results)),
        machine_counts=_every_outcome(machine_counts),
        steps=(*known, *(StepView(slug=slug, title=slug, section="", link="") for slug in strange)),
        causes=tuple(_cause(cause, gate, since(cause.machines, told)) for cause in ordered),
        not_looked_at=fold_unknowns(run.results, {machine.name: machine for machine in inventory.machines}, records),
        waived=_waived(run.results),
        machines=views,
        actions=tuple(map(_action, sorted(run.surveys.actions, key=lambda action: action.time))),
        own_tests=tuple(OwnTestView.model_validate(vars(test)) for test in run.own_tests),
        provenance=_provenance(run, records),
        redaction=RedactionView(pseudonyms=False, counts={}),
        manual=run.manual,
    )


def _action(action: Action) -> ActionView:
    looks = {name: look.words for name, look in (("before", action.before), ("after", action.after)) if look}
    plain = action.model_dump(exclude={"before", "after", "by"})
    return ActionView.model_validate(plain | looks | {"by": action.by.words})


def _every_outcome(counts: Counter[Outcome]) -> dict[Outcome, int]:
    return {outcome: counts[outcome] for outcome in Outcome}


def _title(run: Run) -> str:
    """What was looked at: the files, else the portal, else the machines of the command line."""
    inventory = run.surveys.inventory
    files = ", ".join(ntpath.basename(file) for file in inventory.files)
    return files or (inventory.portal.url if inventory.portal else run.options.get("--tentacle", "replay"))


def _of_own(tests: Sequence[OwnTest]) -> str:
    """What the verdict says of tests that are no steps of the guide."""
    failed = sum(test.outcome in _OWN_FAILURES for test in tests)
    return f" {plural(failed, 'test')} of your own failed." if failed else ""


def _state(counts: Counter[Outcome], *, interrupted: bool, own: Sequence[OwnTest] = ()) -> str:
    if counts[Outcome.FAILED] or any(test.outcome in _OWN_FAILURES for test in own):
        return "unhealthy"
    incomplete = counts[Outcome.UNKNOWN] or counts[Outcome.BLOCKED] or interrupted or not counts
    return "incomplete" if incomplete else "healthy"


def _verdict(counts: Counter[Outcome], causes: int, *, interrupted: bool) -> str:
    total = sum(counts.values())
    unhealthy = counts[Outcome.FAILED]
    dark = counts[Outcome.UNKNOWN] + counts[Outcome.BLOCKED]
    healthy = total - unhealthy - dark
    parts = []
    if unhealthy:
        why = f" ({plural(causes, 'cause')})" if causes else ""
        who = "The machine has" if total == 1 else f"{unhealthy:,} of {plural(total, 'machine')} {_have(unhealthy)}"
        parts.append(f"{who} problems{why}")
    if dark:
        of_all = "" if parts else f" of {plural(total, 'machine')}"
        parts.append(
            "The machine could not be fully checked" if total == 1 else f"{dark:,}{of_all} could not be fully checked"
        )
    if healthy and parts:
        parts.append(f"{healthy:,} {_be(healthy)} healthy")
    elif healthy:
        who = {1: "The machine is", 2: "Both machines are"}.get(total, f"All {total:,} machines are")
        parts.append(f"{who} healthy")
    apart = [(counts[Outcome.NOTED], "minor findings"), (counts[Outcome.WAIVED], "waived problems")]
    for count, what in apart:
        if count:
            parts[-1] += f", with {what}" if total == 1 else f", {count:,} of them with {what}"
    sentence = ". ".join(parts or ["No machine was checked"]) + "."
    return f"The run was interrupted. Until then: {sentence}" if interrupted else sentence


def plural(count: int, word: str) -> str:
    """`1 machine`, `2 machines`."""
    return f"{count:,} {word}" + ("" if count == 1 else "s")


def _have(count: int) -> str:
    return "has" if count == 1 else "have"


def _be(count: int) -> str:
    return "is" if count == 1 else "are"


def _machine(
    machine: Machine,
    record: HostRecord | None,
    results: Iterable[StepResult],
    looks: Looks,
    causes: Sequence[tuple[int, str]],
) -> MachineView:
    order = {step.slug: position for position, step in enumerate(STEPS)}
    views = tuple(_result(result) for result in sorted(results, key=lambda result: order.get(result.step, len(order))))
    worst = next(outcome for outcome in WORST_FIRST if any(view.outcome is outcome for view in views))
    return MachineView(
        name=machine.name,
        role="server" if getattr(machine, "role", "") == "server" else "tentacle",
        outcome=worst,
        summary=_summary(worst, views, [title for _, title in causes]),
        facts=facts_of(machine, record),
        results=views,
        links=looks.links(machine.name),
        certificates=looks.certificates(machine.name),
        causes=tuple(position for position, _ in causes),
        noise=(record.survey.noise or "") if record and record.survey else "",
    )


def _summary(worst: Outcome, results: Iterable[ResultView], titles: Iterable[str]) -> str:
    found = "; ".join(dict.fromkeys(titles))
    if worst in (Outcome.FAILED, Outcome.NOTED):
        return found or "; ".join(dict.fromkeys(problem.title for result in results for problem in result.problems))
    reasons = dict.fromkeys(result.reason for result in results if result.outcome is worst and result.reason)
    if worst is Outcome.WAIVED:
        waived = {f"{each.problem.title}, {accepted(each.reason, each.until)}" for each in _all_waived(results)}
        reasons = dict.fromkeys([*sorted(waived), *(() if waived else reasons)])
    return found or "; ".join(reasons)


def _result(result: StepResult) -> ResultView:
    return ResultView(
        step=result.step,
        outcome=result.outcome,
        problems=tuple(_problem(problem) for problem in result.problems),
        reason=result.reason,
        advice=result.advice,
        blocked_by=result.blocked_by,
        looked_at=result.looked_at,
        waived=tuple(
            WaivedProblemView(problem=_problem(each.problem), reason=each.reason, until=each.until)
            for each in result.waived
        ),
    )


def _problem(problem: Problem) -> ProblemView:
    return ProblemView(
        code=problem.code,
        title=title_of(problem.code),
        severity=problem.severity,
        expected=problem.expected,
        actual=problem.actual,
        same=_same(problem.expected, problem.actual),
        evidence=_evidence(problem.evidence),
    )


def _same(expected: str, actual: str) -> int:
    pairs = zip(expected, actual, strict=False)
    return next(
        (position for position, (one, other) in enumerate(pairs) if one != other), min(len(expected), len(actual))
    )


def _evidence(evidence: Iterable[Evidence]) -> tuple[EvidenceView, ...]:
    return tuple(EvidenceView(source=item.source, text=item.text) for item in evidence)


def _cause(cause: FoldedCause, gate: Severity, known_since: str) -> CauseReport:
    return CauseReport(
        code=cause.code,
        title=cause.title,
        sentence=cause.sentence,
        machines=tuple(cause.machines),
        confidence=cause.confidence,
        severity=cause.severity,
        below_gate=cause.severity.weight < gate.weight,
        evidence=_evidence(cause.evidence),
        remedy_windows=tuple(cause.remedy_windows),
        remedy_linux=tuple(cause.remedy_linux),
        effects_windows=_effects(cause.remedy_windows),
        effects_linux=_effects(cause.remedy_linux),
        link=cause.link,
        unsure=cause.unsure,
        since=known_since,
    )


def _effects(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(told(line[2:]) if line.startswith("$ ") else "" for line in lines)


def _all_waived(results: Iterable[ResultView]) -> Iterator[WaivedProblemView]:
    return (each for result in results for each in result.waived)


def _waived(results: Iterable[StepResult]) -> tuple[WaivedView, ...]:
    folded: dict[tuple[str, str, str], dict[str, None]] = {}
    for result in results:
        for each in result.waived:
            folded.setdefault((each.problem.code, each.reason, each.until), {})[result.machine] = None
    ordered = sorted(folded.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(
        WaivedView(code=code, title=title_of(code), reason=reason, until=until, machines=tuple(names))
        for (code, reason, until), names in ordered
    )


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    return tuple((name, metadata.version(name)) for name in _VERSIONS_OF)


def _provenance(run: Run, records: dict[str, HostRecord]) -> Provenance:
    inventory = run.surveys.inventory
    vantage = [server.name for server in inventory.servers if (found := records.get(server.name)) and found.survey]
    versions = [
        ("pytest-tentacle", __version__),
        ("Python", platform.python_version()),
        ("Runs on", platform.platform(terse=True)),
    ]
    if run.surveys.version != __version__:
        versions.insert(1, ("Surveys taken by pytest-tentacle", run.surveys.version))
    versions += _versions()
    if run.surveys.version == __version__:
        versions += [
            (f"Survey script for {words}, SHA-256", script_sha256(system)) for system, words in _SCRIPTS_OF.items()
        ]
    return Provenance(
        versions=tuple(FactView(name=name, value=value) for name, value in versions),
        inventory_files=inventory.files,
        inventory_digest=inventory.digest,
        options=tuple(FactView(name=name, value=value) for name, value in run.options.items()),
        vantage_points=(
            *vantage,
            "each surveyed machine, at its own port",
            *([CONTROLLER] if run.surveys.controller_probes else []),
        ),
        recorded=tuple(name for record in run.surveys.records if record.recorded for name in record.machines),
        notes=(*inventory.warnings, *run.notes),
        surveyed=run.surveys.taken_utc,
    )
