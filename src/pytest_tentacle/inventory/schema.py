"""The JSON Schema of inventory files, for editors: `python -m pytest_tentacle.inventory.schema` prints it."""

from __future__ import annotations

import json
import sys
from typing import Any

from .file_model import InventoryFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """The schema, made of the models that files are checked with."""
    return {"$schema": DIALECT, **_tidied(InventoryFile.model_json_schema())}


def _tidied(part: Any) -> Any:
    """Without what pydantic adds of its own: a title for each key, and null as the default of what may be left out."""
    if isinstance(part, list):
        return [_tidied(item) for item in part]
    if not isinstance(part, dict):
        return part
    kept = {key: value for key, value in part.items() if key != "title" and (key, value) != ("default", None)}
    return {key: _tidied(value) for key, value in kept.items()}


def schema_text() -> str:
    """The schema as it is committed."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.buffer.write(schema_text().encode())
