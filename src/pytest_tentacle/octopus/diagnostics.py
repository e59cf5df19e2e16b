"""What the server says of itself: Configuration > Diagnostics, and the audit of its own certificate."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from pytest_tentacle.hiding import shorten

from .model import ConnectionLine, MachineEvent
from .resources import EventResource, LogElement

SERVER_LINES = 100
SERVER_EVENTS = 10
CERTIFICATE = "certificate-global"
"""Id of the document that holds the server's own certificate (octopus-rest 12)."""

_MOST_TEXT = 2_000
_ABOUT_US = ("Missing permission", "/api/")
"""What the server notes of a question that it refused to somebody, such as to us."""


def server_lines(data: Any) -> tuple[ConnectionLine, ...]:
    """The log of the answering node since its start; without what is about who asked its API."""
    found = []
    for item in data if isinstance(data, list) else ():
        try:
            line = LogElement.model_validate(item)
        except ValidationError:
            continue
        if not any(words in line.message_text for words in _ABOUT_US):
            text = "\n".join(filter(None, (line.message_text, line.detail)))
            found.append(ConnectionLine(level=line.category, text=shorten(text, _MOST_TEXT), occurred=line.occurred_at))
    return tuple(found)


def server_events(page: Any) -> tuple[MachineEvent, ...]:
    """The audit of the server's certificate, filtered once more: the server ignores a filter that it does not know."""
    items = page.get("Items") if isinstance(page, dict) else None
    found = []
    for item in items if isinstance(items, list) else ():
        try:
            event = EventResource.model_validate(item)
        except ValidationError:
            continue
        if any(CERTIFICATE in each.casefold() for each in event.related_document_ids):
            message = shorten(event.message, _MOST_TEXT)
            found.append(MachineEvent(category=event.category, occurred=event.occurred, message=message))
    return tuple(found)
