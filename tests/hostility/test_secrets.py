"""Secrets are gone before any text is cut, made one line or shown: whatever is left of one, nobody can recognise it."""

from __future__ import annotations

import itertools
import json
import time

import pytest

from pytest_tentacle import hiding
from pytest_tentacle.hiding import Secrets
from pytest_tentacle.hiding.secrets import _PATTERNS
from pytest_tentacle.link.deadline import Stopwatch
from pytest_tentacle.link.page import _record
from pytest_tentacle.link.securing import readable
from pytest_tentacle.report.redaction.redactor import Redactor
from pytest_tentacle.survey.answer import AnswerError, read_document
from pytest_tentacle.survey.request import Call
from pytest_tentacle.transport.base import Answer
from pytest_tentacle.transport.ssh.error import one_line
from support import hostile
from support.logs import read_log

SECRETS = (
    "correct  horse battery",
    "tab\there-and there",
    "no\u00a0break space",
    "line\nend of it",
    "Zanzibar-47-Kilimanjaro",
)
"""Passwords with every kind of white space, and one without any."""


def rests(secret: str) -> list[str]:
    """What must be nowhere: its words, and its beginning without the last letters."""
    return [part for part in secret.split() if len(part) > 4] + [secret[:-3]]


@pytest.fixture(params=SECRETS, ids=["spaces", "tab", "no-break", "line end", "plain"])
def secret(request):
    """One of them, known to this run."""
    before = hiding.use(Secrets([request.param]))
    yield request.param
    hiding.use(before)


class TestCutting:
    """Each place in which a text is shortened, with a secret across the cut."""

    @pytest.mark.parametrize("offset", range(1, 22, 4))
    def test_noise(self, secret, offset):
        """What stands around a survey is cut at 2,000 characters."""
        text = "x" * (2_000 - offset) + " " + secret + " and on" * 1_000
        noise = read_document(
            Call("", b"", hostile.NONCE), Answer(hostile.framed({"host": {"unknown": "x"}}), text.encode(), 0)
        )["noise"]
        assert not any(rest in noise for rest in rests(secret))

    @pytest.mark.parametrize("offset", range(1, 22, 4))
    def test_what_is_no_survey(self, secret, offset):
        """200 characters of it, in one line."""
        text = "x" * (200 - offset) + " " + secret + " and on" * 100
        with pytest.raises(AnswerError) as caught:
            read_document(Call("", b"", hostile.NONCE), Answer(text.encode(), b"", 1))
        assert not any(rest in caught.value.reason for rest in rests(secret))

    @pytest.mark.parametrize("offset", range(1, 22, 4))
    def test_a_page(self, secret, offset):
        """2,000 characters of what a port answers."""
        data = bytearray(("HTTP/1.0 200 OK\r\n\r\n" + "x" * (1_981 - offset) + secret + "y" * 900).encode())
        assert not any(rest in _record(Stopwatch(), data, None, None).text for rest in rests(secret))

    @pytest.mark.parametrize("offset", range(1, 22, 4))
    def test_a_record_of_a_log(self, secret, offset):
        """2,000 characters at most."""
        head = b"2026-11-20 10:11:12.0001   2136      1  ERROR  "
        log = read_log(
            head + ("x" * (1_997 - offset) + secret + "y" * 900).encode(), product="tentacle", instance="T", path="/x"
        )
        assert log.records
        assert not any(rest in log.records[0].text for rest in rests(secret))

    @pytest.mark.parametrize("offset", range(1, 22, 4))
    def test_a_servers_words(self, secret, offset):
        """In an error of the log-on, and in what a port says that is not TLS."""
        said = "x" * (200 - offset) + secret + "y" * 300
        for shown in (one_line(said, 200), readable(said.encode(), 200)):
            assert not any(rest in shown for rest in rests(secret))

    def test_what_a_script_cut(self):
        """It does not know our secrets: a beginning at the end of a long text is taken for one."""
        redactor = Redactor([SECRETS[-1]])
        for length, end in itertools.product(range(6, len(SECRETS[-1])), ("", "...", "…")):
            text = "x" * 2_000 + SECRETS[-1][:length] + end
            assert "Zanzib" not in redactor.text(text)

    def test_a_short_text_that_begins_like_a_secret_stays(self):
        """It was not cut, and names of instances may look like that."""
        assert Redactor(["Octopus2026!"]).text("the instance Octopus") == "the instance Octopus"


class TestRespacing:
    @pytest.mark.parametrize(
        "between", [" ", "\t", "\n", "\r\n", "  ", "\u00a0", "\N{REPLACEMENT CHARACTER}"], ids=ascii
    )
    @pytest.mark.parametrize("secret", SECRETS[:4], ids=["spaces", "tab", "no-break", "line end"])
    def test_other_white_space_hides_nothing(self, secret, between):
        """Whoever respaced it before us."""
        assert Redactor([secret]).text(f"it is {between.join(secret.split())}!") == "it is [removed: secret]!"

    def test_all_views_of_a_run(self, monkeypatch, documents):
        """A machine that echoes a password with other spaces, in a name, as noise and in what it could not read."""
        secret = "correct horse  battery"
        redactor = Redactor([secret])
        before = hiding.use(redactor.secrets)
        document = json.loads(json.dumps(documents["web-01"]))
        document["services"]["data"][0]["detail"] = "correct horse battery"
        document["host"]["data"]["user"] = secret
        document["disks"] = {"unknown": "could not read with\tcorrect horse\nbattery"}
        answers = {name: hostile.framed(each) for name, each in documents.items()} | {
            "web-01": hostile.framed(document)
        }
        outcome = hostile.run(monkeypatch, answers, redactor=redactor)
        hiding.use(before)
        for name, text in outcome.texts.items():
            if name != "surveys.json":  # redacted as it is written
                assert "horse" not in text, name


FRAGMENTS = (
    "password=&quot;", "password=", "pwd=", "; pwd=", '\\"', '"', "'", "&quot;", "&#34;", "&#39;", "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN A ", "MIIAAIBAAK", "bearer ", "eyJ", "eyJa.b", "https://a:", "a://", "--password ", "=--", "/", "\\r\\n", "AAAA",
    "authorization: ", 'x-octopus-apikey":', "secret", "&lt;", 'key">', "Tentacle.Certificate=", "token : ", "<a>", "a.", "1.2.3.4 ",
    "::1 ", "a@b.c", "c:\\users\\", "API-A", "PuTTY-User-Key-File-2", "{", " ", "\n", "-", "a-",
)  # fmt: skip


class TestTime:
    """Each expression, on texts made of its own pieces: twice the text is at most about twice the work."""

    @pytest.mark.parametrize("pseudonyms", [False, True], ids=["plain", "pseudonyms"])
    @pytest.mark.parametrize("fragment", FRAGMENTS, ids=ascii)
    def test_no_text_takes_long(self, fragment, pseudonyms):
        """The longest text that is let in, of one piece over and over, alone and after the beginning of a secret."""
        redactor = Redactor(["Zanzibar-47-Kilimanjaro"], pseudonyms=pseudonyms)
        redactor.learn(hosts=["web-01.example.com"])
        start = time.thread_time()
        for head in ("", "password=&quot;", "x://y:", "; password='"):
            redactor.text(head + (fragment * 65_000)[:65_000])
        assert time.thread_time() - start < 3.0

    def test_every_expression_is_tried(self):
        """By some fragment, alone or in a pair: else the test above would say nothing of it."""
        texts = [one + other for one, other in itertools.product(FRAGMENTS, FRAGMENTS)]
        for kind, _, hints in _PATTERNS:
            assert any(hint in text.lower() for text in texts for hint in hints), kind
