"""A script's document as a Survey."""

from __future__ import annotations

import base64
import gzip

import pytest

from pytest_tentacle.link import By, LinkRef, Target, Vantage
from pytest_tentacle.survey.answer import AnswerError
from pytest_tentacle.survey.ingest import ingest
from pytest_tentacle.survey.limits import LOG_BYTES
from pytest_tentacle.survey.request import Request

UNKNOWN = {"unknown": "not asked for"}


def document(**configuration):
    instance = {"product": "tentacle", "name": "Tentacle", "configuration": {"path": "/x", **configuration}}
    return {"host": UNKNOWN, "services": UNKNOWN, "instances": {"data": [instance]}, "listeners": UNKNOWN}


def encoded(text):
    return base64.b64encode(text).decode()


def only(survey):
    return survey.instances.data[0].configuration


class TestConfiguration:
    def test_becomes_settings(self):
        """The file's bytes become settings; the text itself is not kept."""
        text = encoded(b'\xef\xbb\xbf<octopus-settings><set key="A">b</set></octopus-settings>')
        assert only(ingest(document(text=text), Request())).settings == {"A": "b"}

    @pytest.mark.parametrize(
        ("text", "error"),
        [(encoded(b" \n"), "empty"), (encoded(b"<octopus-settings><set"), "malformed"), ("no base64!", "unreadable")],
        ids=["empty", "malformed", "unreadable"],
    )
    def test_damage(self, text, error):
        """Damage that shows only here gets its word."""
        assert only(ingest(document(text=text), Request())).error == error

    def test_the_scripts_word_stands(self):
        """What the machine itself found is not judged again."""
        configuration = only(ingest(document(error="denied", text=None, detail="why"), Request()))
        assert (configuration.error, configuration.detail, configuration.settings) == ("denied", "why", {})


class TestShape:
    def test_foreign_shape(self):
        """A document of another shape is an error that names the place, not the value."""
        wrong = document() | {"host": {"data": {"hostname": "h", "os": "canary", "shell": {"name": "sh"}}}}
        with pytest.raises(AnswerError, match=r"host\.data\.os") as caught:
            ingest(wrong, Request())
        assert "canary" not in str(caught.value)

    def test_missing_section(self):
        """A section that is neither data nor unknown is not passed off as empty."""
        with pytest.raises(AnswerError):
            ingest(document() | {"services": {}}, Request())

    def test_the_document_is_left_as_it_was(self):
        """Reading changes nothing in what was read."""
        given = document(text=encoded(b"<octopus-settings/>"))
        ingest(given, Request())
        assert given["instances"]["data"][0]["configuration"]["text"]


class TestLogs:
    LINE = b"2026-11-20 10:11:12.0001   2136      1  INFO  ==== RunAgentCommand ====\n"

    def with_log(self, **fields):
        log = {"product": "tentacle", "instance": "Tentacle", "path": "/x", "size": len(self.LINE), **fields}
        return ingest(document() | {"logs": {"data": [log]}}, Request()).logs.data[0]

    @pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
    def test_text_becomes_records(self, packed):
        """A log's text may come as it is or packed; either way it is read."""
        log = self.with_log(text=encoded(gzip.compress(self.LINE) if packed else self.LINE))
        assert (log.starts, log.error, log.complete) == (1, None, True)

    def test_older_is_read_before(self):
        """The archive's end comes before the log, packed or not."""
        log = self.with_log(text=encoded(self.LINE), older=encoded(gzip.compress(self.LINE.replace(b"-20 ", b"-19 "))))
        assert (log.starts, log.first_time) == (2, "2026-11-19 10:11:12.0001")

    @pytest.mark.parametrize(
        "text",
        ["no base64!", encoded(b"\x1f\x8bnot really"), encoded(gzip.compress(LINE, mtime=0))[:40] + "="],
        ids=["no base64", "no gzip", "cut off"],
    )
    def test_damage(self, text):
        """What did not arrive whole is unreadable, not empty."""
        assert self.with_log(text=text).error == "unreadable"

    def test_bomb(self):
        """What unpacks to no end is cut off."""
        log = self.with_log(text=encoded(gzip.compress(b"\n" * (LOG_BYTES * 4))))
        assert log.read <= 1

    def test_the_scripts_word_stands(self):
        """A log that could not be read has no records."""
        assert self.with_log(error="denied", size=None).error == "denied"


class TestLooks:
    """Whose link a look is at, only we say: a machine gives a number back, or names an instance of its own."""

    TARGET = Target(
        link=LinkRef(vantage=Vantage.SERVER, tentacle="a:b", server="o"), host="h.example", port=1, by=By.NAME
    )

    @pytest.mark.parametrize(
        ("section", "asking"),
        [
            ("probes", Request(targets=(TARGET,))),
            ("pings", Request(ping_targets=(TARGET,))),
            ("tls_versions", Request(version_targets=(TARGET,))),
        ],
    )
    def test_what_was_asked_for(self, section, asking):
        """The target's link, host and port come back, whatever else the machine says that it looked at."""
        told = {"link": {"asked": 0}, "host": "elsewhere.example", "port": 2, "by": "address"}
        (look,) = getattr(ingest(document() | {section: [told]}, asking), section)
        assert (look.link, look.host, look.port, look.by) == (self.TARGET.link, "h.example", 1, By.NAME)

    def test_of_its_own(self):
        """The instance is named, whatever its name looks like."""
        told = {"link": {"vantage": "tentacle", "instance": "a:b:1"}, "host": "h", "port": 2, "by": "local"}
        (look,) = ingest(document() | {"probes": [told]}, Request()).probes
        assert look.link == LinkRef(vantage=Vantage.TENTACLE, instance="a:b:1")

    @pytest.mark.parametrize(
        "link",
        [
            None, {}, 0, "web-01:name", {"asked": 1}, {"asked": -1}, {"asked": "0"}, {"asked": 0, "tentacle": "other"},
            {"vantage": "server", "tentacle": "other"}, {"vantage": "here", "instance": "x"}, {"vantage": "tentacle"},
            {"vantage": "tentacle", "instance": "x", "server": "other"},
        ],
        ids=str,
    )  # fmt: skip
    def test_what_nobody_asked(self, link):
        """A machine cannot speak for another one's link."""
        told = {"link": link, "host": "h", "port": 2, "by": "name"}
        with pytest.raises(AnswerError, match=r"probes\.0\.link"):
            ingest(document() | {"probes": [told]}, Request(targets=(self.TARGET,)))
