"""Whatever one machine answers: it is told as that machine's unknown, and takes nothing from anybody else."""

from __future__ import annotations

import re
import time

import pytest

from support import hostile

from .attacks import ATTACKS, MISLEADING, TOO_LARGE

SECONDS = 6.0
"""Of CPU, for a whole small run with one hostile machine in it, reports included."""


@pytest.fixture(scope="module")
def healthy(documents):
    """The run in which all are well."""
    with pytest.MonkeyPatch.context() as patch:
        yield hostile.run(patch, {name: hostile.framed(document) for name, document in documents.items()})


class TestHealthy:
    def test_the_honest_fleet_is_let_in(self, healthy):
        """Nobody is kept out, and steps pass: else the tests below would show nothing."""
        for name in ("octo-1", "web-01", "poll-01"):
            assert healthy.why(name) is None
            assert "passed" in healthy.verdicts(name).values()


class TestAttacks:
    @pytest.mark.parametrize("attack", ATTACKS, ids=[attack.name for attack in ATTACKS])
    def test_one_machine_alone_is_unknown(self, attack, documents, beside, healthy):
        """With the reason, in a few seconds, and the one that polls beside it has all its verdicts."""
        answer = attack.answer(documents["web-01"])
        start = time.process_time()
        outcome = beside(answer)
        spent = time.process_time() - start
        assert re.search(attack.told, outcome.why("web-01") or "nothing is wrong with it")
        assert set(outcome.verdicts("web-01").values()) == {"unknown"}
        assert outcome.verdicts("poll-01") == healthy.verdicts("poll-01")
        assert spent < SECONDS

    @pytest.mark.parametrize("attack", MISLEADING, ids=[attack.name for attack in MISLEADING])
    def test_what_is_let_in_can_be_shown(self, attack, documents, beside, healthy):
        """The machine is judged like any other, in a few seconds."""
        answer = attack.answer(documents["web-01"])
        start = time.process_time()
        outcome = beside(answer)
        assert time.process_time() - start < SECONDS
        assert outcome.why("web-01") is None
        assert outcome.verdicts("poll-01") == healthy.verdicts("poll-01")

    @pytest.mark.parametrize("attack", TOO_LARGE, ids=[attack.name for attack in TOO_LARGE])
    def test_a_file_that_is_too_large_is_not_read(self, attack, documents, beside, healthy):
        """What rests on it is unknown, and not a verdict on the file."""
        outcome = beside(attack.answer(documents["web-01"]))
        result = outcome.results["web-01", "communication-settings"]
        assert result.outcome == "unknown"
        assert attack.told in result.reason
        assert outcome.verdicts("poll-01") == healthy.verdicts("poll-01")
