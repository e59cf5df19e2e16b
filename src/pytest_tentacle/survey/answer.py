"""What a survey script printed: the document between its markers, and the noise around them."""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from typing import Any, Never

from pytest_tentacle.transport.base import Answer

from . import limits
from .request import Call

NOISE_LIMIT = 2_000
"""Characters of noise that a survey keeps."""

_REFUSALS = {
    "constrained-language": (
        "PowerShell runs in constrained language mode, in which the survey cannot look at the machine",
        "Log on with an account that the machine's application control policy lets run scripts in full language mode.",
    ),
    "powershell-too-old": (
        "the machine's PowerShell is older than 5.1",
        "Install Windows Management Framework 5.1, or log on to a PowerShell 7 endpoint.",
    ),
    "request-cut-off": (
        "the machine did not receive the whole request",
        "Check that the login's shell passes on stdin: a forced command or a start-up file may read it.",
    ),
    "script-failed": (
        "the survey's script broke off on the machine",
        "Run again; if it stays so, see by hand whether that account may run PowerShell scripts there, and report it.",
    ),
}


class AnswerError(Exception):
    """A machine ran something, but no survey came back.

    Attributes:
        reason: one line: what came instead, without secrets.
        advice: one line: what to do next.
    """

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(f"{reason}. {advice}")
        self.reason = reason
        self.advice = advice


def read_document(call: Call, answer: Answer) -> dict[str, Any]:
    """The document that the script printed, with what stood around it under `noise`. Raises AnswerError."""
    text = answer.stdout.decode("utf-8", errors="replace")
    nonce = re.escape(call.nonce)
    begin = re.search(rf"-----BEGIN SURVEY {nonce} (json|gzip)-----\r?\n", text)
    end = re.search(rf"-----END SURVEY {nonce}-----", text[begin.end() :]) if begin else None
    if begin is None or end is None:
        refused = re.search(rf"-----SURVEY REFUSED {nonce} ([a-z0-9-]{{1,60}})-----", text)
        raise _refusal(refused[1]) if refused else _no_document(answer, text, cut_off=begin is not None)
    payload = text[begin.end() : begin.end() + end.start()]
    document = _parsed(_unpacked(payload) if begin[1] == "gzip" else payload)
    rest = text[: begin.start()] + text[begin.end() + end.end() :]
    noise = "\n".join(part for part in (rest.strip(), answer.stderr.decode("utf-8", errors="replace").strip()) if part)
    document["noise"] = noise[:NOISE_LIMIT] or None
    return document


def _refusal(word: str) -> AnswerError:
    if word in _REFUSALS:
        return AnswerError(*_REFUSALS[word])
    if word.startswith("no-"):
        return AnswerError(
            f"the machine has no {word.removeprefix('no-')}, which the survey needs",
            "Install it, or declare the machine's transport as none.",
        )
    return AnswerError(f"the machine refused the survey: {word}", "See the manual on survey scripts.")


def _no_document(answer: Answer, text: str, *, cut_off: bool) -> AnswerError:
    if cut_off:
        return AnswerError(
            f"the survey's answer is cut off after {len(answer.stdout)} bytes (exit code {answer.exit_code})",
            "Try again; if it stays so, look for a limit on output or time at the machine's login.",
        )
    said = answer.stderr.decode("utf-8", errors="replace").strip() or text.strip()
    said = " ".join(said.split())[:200]
    return AnswerError(
        f"the machine printed no survey (exit code {answer.exit_code}): {said or 'it printed nothing'}",
        "Log on by hand with the same account and run a command: a forced command, a restricted shell or a start-up "
        "file may stand in the way.",
    )


def _unpacked(payload: str) -> str:
    try:
        unpacker = zlib.decompressobj(wbits=31)
        data = unpacker.decompress(base64.b64decode("".join(payload.split()), validate=True), limits.DOCUMENT_BYTES)
    except (binascii.Error, ValueError, zlib.error):
        raise _damaged("its packing cannot be undone") from None
    if not unpacker.eof:
        raise _damaged("its packing is incomplete or too large")
    return data.decode("utf-8", errors="replace")


def _parsed(payload: str) -> dict[str, Any]:
    if sum(payload.count(letter) for letter in ",[{") > limits.DOCUMENT_VALUES:
        raise _damaged(f"it holds more than {limits.DOCUMENT_VALUES:,} values")
    try:
        document = json.loads(payload, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise _damaged("it is not JSON") from None
    if not isinstance(document, dict):
        raise _damaged("it is not a JSON object")
    return document


def _no_number(word: str) -> Never:
    raise ValueError(f"JSON knows no {word}")


def _damaged(why: str) -> AnswerError:
    return AnswerError(
        f"the survey's answer is damaged: {why}",
        "Try again; if it stays so, something between here and the machine changes the output (a terminal, a proxy).",
    )
