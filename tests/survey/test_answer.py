"""What comes back from a machine: a document, a refusal, or something else."""

from __future__ import annotations

import base64
import gzip
import json

import pytest

from pytest_tentacle.survey.answer import AnswerError, read_document
from pytest_tentacle.survey.request import Call
from pytest_tentacle.transport.base import Answer

CALL = Call("sh", b"", "abc123")
DOCUMENT = {"host": {"unknown": "x"}, "name": "Büro"}


def printed(text, stderr=b"", code=0):
    return Answer(text if isinstance(text, bytes) else text.encode(), stderr, code)


def framed(payload, encoding="json", nonce="abc123", line="\n"):
    return f"-----BEGIN SURVEY {nonce} {encoding}-----{line}{payload}{line}-----END SURVEY {nonce}-----{line}"


class TestDocument:
    @pytest.mark.parametrize("line", ["\n", "\r\n"], ids=["lf", "crlf"])
    def test_plain(self, line):
        """JSON between the markers, with either system's line ends."""
        assert read_document(CALL, printed(framed(json.dumps(DOCUMENT), line=line))) == {**DOCUMENT, "noise": None}

    def test_packed(self):
        """A gzip as base64, broken into lines or not."""
        packed = base64.encodebytes(gzip.compress(json.dumps(DOCUMENT).encode())).decode()
        assert read_document(CALL, printed(framed(packed, "gzip"))) == {**DOCUMENT, "noise": None}

    def test_noise(self):
        """What stands around the document and on stderr is kept, cut to 2,000 characters."""
        text = "Welcome!\n" + framed(json.dumps(DOCUMENT)) + "bye\n"
        assert read_document(CALL, printed(text, b"warning"))["noise"].split() == ["Welcome!", "bye", "warning"]
        assert len(read_document(CALL, printed("x" * 9000 + "\n" + framed("{}")))["noise"]) == 2000

    def test_invalid_bytes(self):
        """Bytes that are not UTF-8 do not cost the document."""
        raw = framed('{"page": "@"}').encode().replace(b"@", b"\xff\xfe")
        assert read_document(CALL, printed(raw))["page"] == "��"

    def test_foreign_document(self):
        """Only the nonce's own document counts, whatever stands before it."""
        text = framed('{"false": 1}', nonce="ffffff") + framed(json.dumps(DOCUMENT))
        assert read_document(CALL, printed(text))["name"] == "Büro"


class TestNoDocument:
    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("", "printed nothing"),
            ("This account is currently not available.\n", "currently not available"),
            ("-----SURVEY REFUSED abc123 constrained-language-----\n", "constrained language mode"),
            ("-----SURVEY REFUSED abc123 powershell-too-old-----\r\n", "older than 5.1"),
            ("-----SURVEY REFUSED abc123 no-awk-----\n", "no awk"),
            ("-----SURVEY REFUSED abc123 what-else-----\n", "what-else"),
            ("-----BEGIN SURVEY abc123 json-----\n{", "cut off"),
            (framed("{nonsense"), "not JSON"),
            (framed("[1]"), "not a JSON object"),
            (framed("[" * 100_000), "not JSON"),
            (framed("%%%", "gzip"), "cannot be undone"),
            (framed(base64.b64encode(gzip.compress(b"{}" * 500)[:20]).decode(), "gzip"), "incomplete"),
        ],
    )
    def test_reason_and_advice(self, text, reason):
        """Every other answer is told in one line, with what to do."""
        with pytest.raises(AnswerError) as caught:
            read_document(CALL, printed(text, code=1))
        assert reason in caught.value.reason
        assert caught.value.advice
        assert "\n" not in str(caught.value)

    def test_bomb(self):
        """A packed document is not unpacked beyond its limit."""
        bomb = base64.b64encode(gzip.compress(b"\0" * 70_000_000)).decode()
        with pytest.raises(AnswerError, match="too large"):
            read_document(CALL, printed(framed(bomb, "gzip")))
