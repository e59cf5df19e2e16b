"""The document of a survey script as a `Survey`: configuration files come as bytes and become settings."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from pydantic import ValidationError

from .answer import AnswerError
from .configuration import ConfigurationError, parse_settings
from .model import Survey


def ingest(document: dict[str, Any]) -> Survey:
    """Turns a script's document into a Survey. Raises AnswerError where it is not of the survey's shape."""
    resolved = dict(document)
    instances = resolved.get("instances")
    if isinstance(instances, dict) and isinstance(instances.get("data"), list):
        resolved["instances"] = {**instances, "data": [_instance(entry) for entry in instances["data"]]}
    try:
        return Survey.model_validate(resolved)
    except ValidationError as error:
        # The values themselves stay out: a document may hold what nobody expected in it.
        places = "; ".join(
            f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
            for problem in error.errors(include_input=False)[:5]
        )
        raise AnswerError(
            f"the machine's answer does not have the shape of a survey ({places})",
            "This is a defect of the survey script: please report it with the line above.",
        ) from None


def _instance(entry: Any) -> Any:
    if not isinstance(entry, dict) or not isinstance(entry.get("configuration"), dict):
        return entry
    configuration = dict(entry["configuration"])
    text = configuration.pop("text", None)
    if isinstance(text, str) and configuration.get("error") is None:
        try:
            configuration["settings"] = parse_settings(base64.b64decode(text, validate=True))
        except ConfigurationError as error:
            configuration.update(error=error.word, detail=error.detail)
        except (binascii.Error, ValueError):
            configuration.update(error="unreadable", detail="the file's bytes did not arrive as base64")
    return {**entry, "configuration": configuration}
