"""Each placeholder in a remedy is explained to the person who has to fill it in."""

from __future__ import annotations

from pytest_tentacle.diagnosis import CAUSES
from pytest_tentacle.guide.commands import OWN_LOG
from pytest_tentacle.guide.placeholders import MEANINGS, named_in
from pytest_tentacle.guide.since import WORDS
from pytest_tentacle.sections.catalogue import KINDS


def used() -> dict[str, list[str]]:
    """By placeholder, the codes whose remedies have it."""
    found: dict[str, list[str]] = {}
    for kind in (*KINDS, *CAUSES):
        for name in named_in((*kind.windows, *kind.linux)):
            found.setdefault(name, []).append(kind.code)
    for name in named_in([OWN_LOG]):
        found.setdefault(name, []).append("calls by root")
    for word in WORDS:
        for name in named_in([word.older]):
            found.setdefault(name, []).append(word.name)
    return found


class TestMeanings:
    def test_every_placeholder_has_one(self) -> None:
        missing = {name: codes[0] for name, codes in used().items() if name not in MEANINGS}
        assert not missing, f"explain in guide/placeholders.py (each with a code that uses it): {missing}"

    def test_none_is_left_over(self) -> None:
        left = set(MEANINGS) - set(used())
        assert not left, f"no remedy has them any more, take them out of guide/placeholders.py: {sorted(left)}"

    def test_they_are_in_order(self) -> None:
        assert list(MEANINGS) == sorted(MEANINGS)


class TestNames:
    def test_each_once_in_order(self) -> None:
        assert named_in(['$ x "<port>" <host>', "of <port>", "a <- b, <1>"]) == ("host", "port")
