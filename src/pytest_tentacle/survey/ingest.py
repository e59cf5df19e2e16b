"""The document of a survey script as a `Survey`.

Configuration files and logs come as bytes, and become settings and records.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Any

from pydantic import ValidationError

from pytest_tentacle.logs.reader import resolve_log

from .answer import AnswerError
from .configuration import ConfigurationError, parse_settings
from .model import Survey

LOG_LIMIT = 8_000_000
"""Bytes that a packed log may have once unpacked; scripts send 2 MB at most."""

_GZIP = b"\x1f\x8b"
_DAMAGED = "-"
"""No base64, and so a log that is unreadable."""


def ingest(document: dict[str, Any]) -> Survey:
    """Turns a script's document into a Survey. Raises AnswerError where it is not of the survey's shape."""
    resolved = dict(document)
    instances = resolved.get("instances")
    if isinstance(instances, dict) and isinstance(instances.get("data"), list):
        resolved["instances"] = {**instances, "data": [_instance(entry) for entry in instances["data"]]}
    logs = resolved.get("logs")
    if isinstance(logs, dict) and isinstance(logs.get("data"), list):
        resolved["logs"] = {**logs, "data": [_log(entry) for entry in logs["data"]]}
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


def _log(entry: Any) -> Any:
    """A log with its records. Its text may come packed (gzip within base64), as it is by far the largest part."""
    if not isinstance(entry, dict):
        return entry
    return resolve_log(
        {name: _unpacked(value) if name in {"text", "older"} else value for name, value in entry.items()}
    )


def _unpacked(text: Any) -> Any:
    """The same bytes as base64 without gzip; what is not packed, or is damaged, as it is."""
    if not isinstance(text, str):
        return text
    try:
        data = base64.b64decode(text, validate=True)
        if not data.startswith(_GZIP):
            return text
        unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
        content = unpacking.decompress(data, LOG_LIMIT)
        if not unpacking.eof and len(content) < LOG_LIMIT:
            return _DAMAGED
        return base64.b64encode(content).decode()
    except (binascii.Error, ValueError, zlib.error):
        return _DAMAGED
