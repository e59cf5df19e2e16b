"""What a survey script printed: a document of the parts that arrived, and the noise around them."""

from __future__ import annotations

from typing import Any, Final

from pytest_tentacle.hiding import one_line, shorten
from pytest_tentacle.transport.base import Answer

from .framing import Records, read_records, refusal
from .model import SECTIONS
from .request import Call

NOISE_LIMIT = 2_000
"""Characters of noise that a survey keeps."""
ENDED_FROM_OUTSIDE: Final = "a security product, a time limit or a restart of the machine may have ended it"
"""What ends a shell that says nothing."""
_CONSTRAINED: Final = "InConstrainedLanguage"
"""In the identifier with which PowerShell refuses what constrained language mode forbids."""
_CUT_SCRIPT: Final = "ParseException"
"""The identifier of a script that did not arrive whole, as its braces do not match."""


_REFUSALS = {
    "constrained-language": (
        "PowerShell runs in constrained language mode, in which the survey cannot look at the machine",
        "Log on with an account that the machine's application control policy lets run scripts in full language mode.",
    ),
    "powershell-too-old": (
        "the machine's PowerShell is older than 4.0",
        "Install Windows Management Framework 5.1.",
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


def read_document(call: Call, answer: Answer, cut_off: str | None = None) -> dict[str, Any]:
    """The document that the script printed, with what stood around it under `noise`.

    Where the answer is cut off, a section that did not arrive whole is unknown, and says what the script was at.

    Args:
        call: what was run.
        answer: what came back.
        cut_off: why no more came, where the session ended before the command did.

    Raises:
        AnswerError: nothing of a survey came.
    """
    text = answer.stdout.decode("utf-8", errors="surrogateescape")
    records = read_records(call.nonce, text)
    if records.damaged:
        raise AnswerError(
            f"the survey's answer is damaged: {records.damaged}",
            "Try again; if it stays so, something between here and the machine changes the output (a terminal, a "
            "proxy).",
        )
    if not records.done and not records.parts:
        refused = refusal(call.nonce, text)
        raise _refusal(refused) if refused else _no_document(call, answer, records)
    why = call.silence if records.done else _ending(call, answer, records, cut_off)
    document: dict[str, Any] = dict(records.parts)
    for name in SECTIONS:
        if name not in document:
            document[name] = {"unknown": why if call.gather else "not asked for"}
    document.setdefault("probes", [])
    said = (_printable(records.noise).strip(), answer.stderr.decode("utf-8", errors="replace").strip())
    document["noise"] = shorten("\n".join(part for part in said if part), NOISE_LIMIT) or None
    return document


def is_constrained(call: Call, answer: Answer) -> bool:
    """Whether PowerShell refused the script for its language mode, so that only cmdlets are left."""
    text = answer.stdout.decode("utf-8", errors="replace")
    return call.is_windows and _CONSTRAINED in text and not read_records(call.nonce, text).parts


def _ending(call: Call, answer: Answer, records: Records, cut_off: str | None) -> str:
    """Why the script did not come to its end, and what it was at."""
    reason = cut_off or f"the script ended early (exit code {answer.exit_code}) and without a word"
    at = f" while it was at {records.reading}" if records.reading else ""
    hint = "" if cut_off else f"; {ENDED_FROM_OUTSIDE}"
    refused = refusal(call.nonce, answer.stdout.decode("utf-8", errors="replace"))
    return f"not read: {refused or reason}{at}{'' if refused else hint}"


def _printable(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _refusal(word: str) -> AnswerError:
    if word in _REFUSALS:
        return AnswerError(*_REFUSALS[word])
    if word.startswith("no-"):
        return AnswerError(
            f"the machine has no {word.removeprefix('no-')}, which the survey needs",
            "Install it, or declare the machine's transport as none.",
        )
    return AnswerError(f"the machine refused the survey: {word}", "See the manual on survey scripts.")


def _no_document(call: Call, answer: Answer, records: Records) -> AnswerError:
    if records.reading:
        return AnswerError(
            f"the survey's answer is cut off at {records.reading}, after {len(answer.stdout)} bytes "
            f"(exit code {answer.exit_code})",
            "Try again; if it stays so, look for a limit on output or time at the machine's login, or for a security "
            "product that ended the shell.",
        )
    text = _printable(records.noise)
    said = one_line(answer.stderr.decode("utf-8", errors="replace").strip() or text.strip(), 200, end="")
    if call.is_windows and _CONSTRAINED in text:
        return AnswerError(*_REFUSALS["constrained-language"])
    if call.is_windows and _CUT_SCRIPT in text:
        return AnswerError(*_REFUSALS["request-cut-off"])
    if not said and call.is_windows:
        return AnswerError(
            f"PowerShell ended without a word (exit code {answer.exit_code})",
            "A security product may have ended it (see the page for security teams in the manual, and its own log on "
            "the machine), or a policy forbids PowerShell to this account. Log on by hand and run powershell.exe.",
        )
    return AnswerError(
        f"the machine printed no survey (exit code {answer.exit_code}): {said or 'it printed nothing'}",
        "Log on by hand with the same account and run a command: a forced command, a restricted shell, a start-up "
        "file or a security product may stand in the way.",
    )
