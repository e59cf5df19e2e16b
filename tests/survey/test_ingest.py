"""A script's document as a Survey."""

from __future__ import annotations

import base64

import pytest

from pytest_tentacle.survey.answer import AnswerError
from pytest_tentacle.survey.ingest import ingest

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
        assert only(ingest(document(text=text))).settings == {"A": "b"}

    @pytest.mark.parametrize(
        ("text", "error"),
        [(encoded(b" \n"), "empty"), (encoded(b"<octopus-settings><set"), "malformed"), ("no base64!", "unreadable")],
    )
    def test_damage(self, text, error):
        """Damage that shows only here gets its word."""
        assert only(ingest(document(text=text))).error == error

    def test_the_scripts_word_stands(self):
        """What the machine itself found is not judged again."""
        configuration = only(ingest(document(error="denied", text=None, detail="why")))
        assert (configuration.error, configuration.detail, configuration.settings) == ("denied", "why", {})


class TestShape:
    def test_foreign_shape(self):
        """A document of another shape is an error that names the place, not the value."""
        wrong = document() | {"host": {"data": {"hostname": "h", "os": "canary", "shell": {"name": "sh"}}}}
        with pytest.raises(AnswerError, match=r"host\.data\.os") as caught:
            ingest(wrong)
        assert "canary" not in str(caught.value)

    def test_missing_section(self):
        """A section that is neither data nor unknown is not passed off as empty."""
        with pytest.raises(AnswerError):
            ingest(document() | {"services": {}})

    def test_the_document_is_left_as_it_was(self):
        """Reading changes nothing in what was read."""
        given = document(text=encoded(b"<octopus-settings/>"))
        ingest(given)
        assert given["instances"]["data"][0]["configuration"]["text"]
