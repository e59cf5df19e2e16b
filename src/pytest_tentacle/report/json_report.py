"""The report as JSON, and the schema that is published for it."""

from __future__ import annotations

import json
from typing import Any

from .document import Report


def report_json(report: Report) -> str:
    """The JSON report's text."""
    return report.model_dump_json(indent=1)


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the JSON report."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Report.model_json_schema(mode="serialization"),
    }


def schema_text() -> str:
    """The schema as it stands in `docs/report-schema.json`."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
