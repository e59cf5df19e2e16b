"""What comes back from a machine: a document, a refusal, or something else."""

from __future__ import annotations

import base64
import gzip
import json

import pytest

from pytest_tentacle.survey.answer import AnswerError, read_document
from pytest_tentacle.survey.framing import frame
from pytest_tentacle.survey.request import Call
from pytest_tentacle.transport.base import Answer

CALL = Call("sh", b"", "abc123")


def printed(text, stderr=b"", code=0):
    return Answer(text if isinstance(text, bytes) else text.encode(), stderr, code)


def record(part, payload, encoding="json", nonce="abc123", line="\n", length=None):
    size = len(payload.replace("\n", "").encode()) if length is None else length
    begin, end = f"-----SURVEY {nonce} BEGIN {part} {encoding} {size}-----", f"-----SURVEY {nonce} END {part}-----"
    return f"{line}{begin}{line}{payload}{line}{end}{line}"


DONE = "-----SURVEY abc123 DONE-----\n"
HOST = {"data": {"hostname": "Büro"}}


def whole(**parts):
    return "".join(record(name, json.dumps(value)) for name, value in parts.items()) + DONE


class TestDocument:
    @pytest.mark.parametrize("line", ["\n", "\r\n"], ids=["lf", "crlf"])
    def test_plain(self, line):
        """JSON between the marks, with either system's line ends."""
        text = record("host", json.dumps(HOST), line=line) + DONE
        assert read_document(CALL, printed(text))["host"] == HOST

    def test_packed(self):
        """A gzip as base64, broken into lines or not."""
        packed = base64.encodebytes(gzip.compress(json.dumps(HOST).encode())).decode()
        assert read_document(CALL, printed(record("host", packed, "gzip") + DONE))["host"] == HOST

    def test_as_the_lab_frames_it(self):
        """What stands in for a script frames as a script does."""
        assert read_document(CALL, printed(frame("abc123", {"host": HOST, "probes": []})))["host"] == HOST

    def test_noise(self):
        """What stands around the records and on stderr is kept, cut to 2,000 characters."""
        text = "Welcome!\n" + record("host", json.dumps(HOST)) + "between" + DONE + "bye\n"
        assert read_document(CALL, printed(text, b"warning"))["noise"].split() == [
            "Welcome!",
            "between",
            "bye",
            "warning",
        ]
        assert len(read_document(CALL, printed("x" * 9000 + "\n" + whole(host=HOST)))["noise"]) == 2000

    def test_invalid_bytes(self):
        """Bytes that are not UTF-8 do not cost the record."""
        raw = record("host", '{"data": "@@"}').encode().replace(b"@@", b"\xff\xfe") + DONE.encode()
        assert read_document(CALL, printed(raw))["host"] == {"data": "\ufffd\ufffd"}

    def test_foreign_records(self):
        """Only the nonce's own records count, whatever stands before them."""
        text = record("host", '{"false": 1}', nonce="ffffff") + whole(host=HOST)
        assert read_document(CALL, printed(text))["host"] == HOST

    def test_a_list_in_several_records(self):
        """Probes may come in portions."""
        text = record("probes", "[1, 2]") + record("probes", "[3]") + DONE
        assert read_document(CALL, printed(text))["probes"] == [1, 2, 3]

    def test_not_asked_for(self):
        """Without gathering a section that is not there was not asked for."""
        call = Call("sh", b"", "abc123", gather=False)
        assert read_document(call, printed(whole(probes=[])))["logs"] == {"unknown": "not asked for"}


class TestCutOff:
    TEXT = record("host", json.dumps(HOST)) + "-----SURVEY abc123 READING events-----\n"

    def test_the_parts_that_arrived_stand(self):
        """A shell that was killed loses what it was at, and what would have come; the rest is kept."""
        document = read_document(CALL, printed(self.TEXT, code=137))
        assert document["host"] == HOST
        for section in ("events", "logs"):
            assert "while it was at events" in document[section]["unknown"]
            assert "exit code 137" in document[section]["unknown"]
            assert "security product" in document[section]["unknown"]

    def test_at_the_deadline(self):
        """What ended the session is the reason, not our guess."""
        document = read_document(CALL, printed(self.TEXT), cut_off="no answer within 60 s")
        assert document["events"] == {"unknown": "not read: no answer within 60 s while it was at events"}

    @pytest.mark.parametrize("lost", range(1, 90, 8))
    def test_wherever_it_is_cut(self, lost):
        """However many bytes are missing: a section stands whole, or it is unknown."""
        text = (record("host", json.dumps(HOST)) + record("logs", '{"data": []}'))[:-lost]
        document = read_document(CALL, printed(text), cut_off="the line went dead")
        assert document["host"] == HOST
        assert document["logs"] == {"data": []} or "the line went dead" in document["logs"]["unknown"]


class TestNoDocument:
    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("", "printed nothing"),
            ("This account is currently not available.\n", "currently not available"),
            ("-----SURVEY REFUSED abc123 constrained-language-----\n", "constrained language mode"),
            ("-----SURVEY REFUSED abc123 powershell-too-old-----\r\n", "older than 4.0"),
            ("-----SURVEY REFUSED abc123 no-awk-----\n", "no awk"),
            ("-----SURVEY REFUSED abc123 what-else-----\n", "what-else"),
            ("-----SURVEY abc123 BEGIN host json 9-----\n{", "cut off at host"),
            ("-----SURVEY abc123 READING host-----\n", "cut off at host"),
            (record("logs", '{"data": []}', length=99), "12 bytes of 99 arrived"),
            (record("logs", "{nonsense"), "not JSON"),
            (record("logs", "[" * 100_000), "not JSON"),
            (record("logs", '{"data": NaN}'), "not JSON"),
            (record("logs", "%%%", "gzip"), "cannot be undone"),
            (record("logs", base64.b64encode(gzip.compress(b"{}" * 500)[:20]).decode(), "gzip"), "incomplete"),
        ],
        ids=[
            *("nothing", "words", "constrained", "old powershell", "no awk", "another refusal", "cut off", "read"),
            *("too short", "no json", "nested too deep", "not a number", "no base64", "no whole gzip"),
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
            read_document(CALL, printed(record("logs", bomb, "gzip") + DONE))
