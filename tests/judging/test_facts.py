"""A fact is declared once, as a field of a survey, and whoever reads it has read that section."""

from __future__ import annotations

import pytest

from pytest_tentacle.judging.finding import Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.survey.model import Section, Survey


def test_each_section_can_be_read_and_is_noted(world) -> None:
    """By the name of its field, without a word about it anywhere else."""
    subject = world.fleet().subject("web-01")
    sections = [name for name, field in Survey.model_fields.items() if issubclass(_kind(field.annotation), Section)]
    assert len(sections) > 15
    for name in sections:
        with subject.ledger.watch() as reads:
            if getattr(subject.survey, name).data is None:
                with pytest.raises(Unknown, match=f"^{name} of web-01"):
                    subject.read(getattr(FACTS, name))
            else:
                assert subject.read(getattr(FACTS, name)) == getattr(subject.survey, name).data
        assert reads == {("web-01", name)}


def test_settings_that_a_hidden_variable_may_override(world) -> None:
    """A service's environment wins over the file: where that was not read whole, nothing of the file is certain."""
    assert world.fleet().subject("web-01").settings.port == 10933
    world["web-01"].service["environment_unread"] = "the registry could not be read: access is denied"
    fleet = world.fleet()
    with pytest.raises(Unknown, match=r"was not read whole.*the registry could not be read"):
        _ = fleet.subject("web-01").settings


def test_no_such_fact() -> None:
    """A name that no survey has is a mistake where it is written."""
    with pytest.raises(AttributeError, match="no section owned_names"):
        FACTS.owned_names  # noqa: B018


def _kind(annotation: object) -> type:
    return annotation if isinstance(annotation, type) else object
