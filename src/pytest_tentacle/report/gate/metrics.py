"""The report as metrics for Prometheus' textfile collector."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_tentacle.report.document import Report


def report_metrics(report: Report) -> str:
    """The text of a `.prom` file (text exposition format 0.0.4)."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield from _metric(
        "tentacle_machines",
        "Machines of the last run, by their worst outcome.",
        [({"outcome": outcome.value}, count) for outcome, count in report.machine_counts.items()],
    )
    yield from _metric(
        "tentacle_steps",
        "Steps of the last run, by outcome.",
        [({"outcome": outcome.value}, count) for outcome, count in report.counts.items()],
    )
    yield from _metric(
        "tentacle_cause_machines",
        "Machines that have a cause.",
        [
            ({"code": cause.code, "title": cause.title, "number": str(number)}, len(cause.machines))
            for number, cause in enumerate(report.causes)
        ],
    )
    ages = (report.started - report.provenance.surveyed).total_seconds()
    yield from _metric("tentacle_run_timestamp_seconds", "When the run began.", [({}, report.started.timestamp())])
    yield from _metric("tentacle_survey_age_seconds", "How old the facts were.", [({}, max(0.0, ages))])
    yield from _metric("tentacle_run_duration_seconds", "How long the run took.", [({}, report.seconds)])
    yield from _metric("tentacle_run_interrupted", "1 if the run was interrupted.", [({}, int(report.interrupted))])


def _metric(name: str, explained: str, samples: Iterable[tuple[dict[str, str], float]]) -> Iterator[str]:
    yield f"# HELP {name} {explained}"
    yield f"# TYPE {name} gauge"
    for labels, value in samples:
        inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        yield f"{name}{{{inside}}} {value:.10g}" if inside else f"{name} {value:.10g}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
