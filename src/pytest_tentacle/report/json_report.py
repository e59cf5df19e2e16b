"""The report as JSON, and the schema that is published for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .document import Report

_MACHINES = '\n "machines": []'
"""Where they stand in a report without any: only what is its own stands one blank from the left."""


def report_pieces(report: Report) -> Iterator[str]:
    """The JSON report's text by and by, a machine at a time: all of thousands of machines would be in memory twice."""
    before, machines, after = report.model_copy(update={"machines": ()}).model_dump_json(indent=1).partition(_MACHINES)
    yield before + machines[:-1]
    for number, machine in enumerate(report.machines):
        yield ("," if number else "") + "\n  " + machine.model_dump_json(indent=1).replace("\n", "\n  ")
    yield ("\n " if report.machines else "") + "]" + after


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the JSON report."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Report.model_json_schema(mode="serialization"),
    }


def schema_text() -> str:
    """The schema as it stands in `docs/report-schema.json`."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
