"""In constrained language mode a second script follows, of cmdlets alone; whatever comes of it, the reason is told."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pytest_tentacle.survey.answer import AnswerError, is_constrained, read_document
from pytest_tentacle.survey.framing import frame
from pytest_tentacle.survey.host import by_cmdlets
from pytest_tentacle.survey.request import Request
from pytest_tentacle.survey.scripts.windows import BY_CMDLETS, request_of, windows_call
from pytest_tentacle.transport import Answer, Deadline, ReachStage, TransportError

REFUSED = Answer(b"MethodInvocationNotSupportedInConstrainedLanguage\r\n", b"", 0)


class Machine:
    """Answers the script of cmdlets in one way."""

    def __init__(self, how: str) -> None:
        self.how = how

    def execute(self, command: str, stdin: bytes, _deadline: Deadline, **_: Any) -> Answer:
        assert command == BY_CMDLETS
        text = frame(request_of(stdin)["nonce"], {"disks": {"data": []}})
        part = re.split(r"-----SURVEY \w+ DONE", text)[0]
        match self.how:
            case "answers":
                return Answer(text.encode(), b"", 0)
            case "refuses":
                return Answer(b"not recognised", b"", 1)
            case "breaks off":
                raise TransportError(ReachStage.RUN, "the session ended", "", received=part.encode())
        raise TransportError(ReachStage.TIME_OUT, "no answer", "")


@pytest.mark.parametrize(
    ("how", "known", "usable"),
    [("answers", True, True), ("breaks off", True, False), ("refuses", False, True), ("is silent", False, False)],
)
def test_whatever_comes(how: str, *, known: bool, usable: bool) -> None:
    first = windows_call(Request())
    assert is_constrained(first, REFUSED)
    call, answer, left = by_cmdlets(Request(), Machine(how), Deadline(5), (first, REFUSED))  # type: ignore[arg-type]
    assert left is usable
    if known:
        document = read_document(call, answer)
        assert document["disks"] == {"data": []}
        assert ("constrained language" in document["firewall"]["unknown"]) == (how == "answers")
    else:
        with pytest.raises(AnswerError, match="constrained language"):
            read_document(call, answer)
