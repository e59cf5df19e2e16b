"""What is sent to a machine to change something there: four scripts, each with its request as data behind or before it.

The command lines are the survey's own. Only `--restart` and `pytest-tentacle mend` send any of this; a test lists
all that a run without these words can send.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pytest_tentacle.survey.scripts import linux, windows

WORD = "ACT"
"""What marks an answer; a survey's says SURVEY."""

_END = "#SURVEY-END"
_STRANGE = re.compile(r"[\x00-\x1f\x7f]")


class StrangeValueError(ValueError):
    """A value that is not sent anywhere: it holds control characters, which no honest name or command does."""


@dataclass(frozen=True)
class Order:
    """A command line, the bytes for its stdin, and how to read what comes back."""

    command: str
    stdin: bytes
    nonce: str
    is_windows: bool


@dataclass(frozen=True)
class Mark:
    """One part of an answer: its words, such as `ANSWERED 0`, and the text behind it."""

    word: str
    arguments: tuple[str, ...]
    text: str

    def number(self, place: int) -> int | None:
        """The number at that place behind the word; None where there is none."""
        return int(self.arguments[place]) if place < len(self.arguments) else None


def restart_order(service: str, log: str | None, seconds: int, *, is_windows: bool) -> Order:
    """Restart a service, and look at it for so many seconds; `log` is the file whose new lines are wanted."""
    if is_windows:
        return _windows("restart.ps1", {"service": service, "log": log or "", "watch": seconds})
    return _linux("restart.sh", [("unit", service), ("log", log or ""), ("watch", str(seconds))])


def command_order(number: int, command: str, *, is_windows: bool) -> Order:
    """Run one command; in the marks it has this number."""
    if is_windows:
        return _windows("command.ps1", {"number": number, "command": command})
    return _linux("command.sh", [("number", str(number)), ("command", command)])


def read_marks(order: Order, stdout: bytes) -> tuple[Mark, ...]:
    """The parts of an answer, as far as it came; a part that was cut off in its mark is not there."""
    text = stdout.decode("utf-8", errors="replace").replace("\r\n", "\n")
    mark = re.compile(rf"^-----{WORD} {order.nonce} ([A-Z]+)((?: -?[0-9]{{1,12}})*)-----$", re.MULTILINE)
    found = list(mark.finditer(text))
    ends = [*(each.start() for each in found), len(text)][1:]
    return tuple(
        Mark(each[1], tuple(each[2].split()), _said(text[each.end() : end].strip("\n"), packed=order.is_windows))
        for each, end in zip(found, ends, strict=True)
    )


def _said(text: str, *, packed: bool) -> str:
    if not packed:
        return text
    try:
        return base64.b64decode(text, validate=False).decode("utf-8", errors="replace")
    except (binascii.Error, ValueError):
        return ""  # cut off


def _windows(name: str, request: dict[str, object]) -> Order:
    nonce = secrets.token_hex(8)
    _require_plain(str(value) for value in _texts(request))
    data = json.dumps({"nonce": nonce, **request}).replace("'", "\\u0027").replace("\x7f", "\\u007f")
    return Order(windows.COMMAND, f"{script(name).rstrip()} '{data}'\n".encode("ascii"), nonce, is_windows=True)


def _linux(name: str, request: Sequence[tuple[str, str]]) -> Order:
    nonce = secrets.token_hex(8)
    _require_plain(value for _, value in request)
    fields = "".join(f"{word}\t{value}\n" for word, value in [("nonce", nonce), *request])
    text = f"{fields}end\n{script(name)}{_END}\n"
    return Order(linux.COMMAND.replace("<nonce>", nonce), text.encode(), nonce, is_windows=False)


def _texts(value: object) -> list[object]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    return [text for each in value for text in _texts(each)] if isinstance(value, list) else [value]


def _require_plain(values: Iterable[str]) -> None:
    for value in values:
        if _STRANGE.search(value):
            raise StrangeValueError("a name or a command holds control characters: nothing is sent")


@cache
def script(name: str) -> str:
    """A script's text."""
    return (files(__package__) / name).read_text(encoding="utf-8")
