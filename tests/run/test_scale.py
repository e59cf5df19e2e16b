"""What a run of thousands of tests costs grows with their number, and is given back: counted, never timed."""

from __future__ import annotations

import gc
import weakref
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_tentacle.run.heap import Heap
from pytest_tentacle.run.items import collection
from pytest_tentacle.sections import fleet_of
from pytest_tentacle.survey.store import dumps, loads
from support.fleets.world import small_fleet


class Counted:
    """Stands for a test, and counts how often somebody looks which it is."""

    looks = 0

    def __hash__(self) -> int:
        Counted.looks += 1
        return id(self)

    def __eq__(self, other: object) -> bool:
        Counted.looks += 1
        return self is other


class TestDropping:
    def test_each_test_is_looked_at_a_few_times(self) -> None:
        """And not once for each of the others: with 16,000 of them, that was a third of a run."""
        items: list[Any] = [Counted() for _ in range(400)]
        dropped: list[Any] = []
        hook = SimpleNamespace(pytest_deselected=lambda *, items: dropped.extend(items))
        kept, gone = items[::2], items[1::2]
        chosen = {id(item) for item in kept}
        Counted.looks = 0
        collection._keep(items, SimpleNamespace(hook=hook), lambda item: id(item) in chosen)
        assert Counted.looks <= 4 * 400
        assert [id(item) for item in items] == [id(item) for item in kept]
        assert [id(item) for item in dropped] == [id(item) for item in gone]


class TestMemory:
    def test_records_that_were_given_the_same_fields_share_their_names(self) -> None:
        """A copy with another field has names of its own."""
        one, other = loads(dumps(small_fleet().surveys()).encode(), "surveys").records[:2]
        assert one.survey.host.model_fields_set is other.survey.host.model_fields_set
        assert "unknown" not in one.survey.host.model_fields_set
        copied = one.survey.host.model_copy(update={"data": None, "unknown": "why"})
        assert "unknown" in copied.model_fields_set
        assert "unknown" not in one.survey.host.model_fields_set

    def test_a_fleet_that_is_given_up_is_freed_without_the_collector(self) -> None:
        """Who holds no subject any more has its memory back at once."""
        fleet = fleet_of(loads(dumps(small_fleet().surveys()).encode(), "surveys"))
        record = weakref.ref(fleet.surveys.records[0])
        for subject in fleet.subjects:
            subject.result("services-running")
        was_on = gc.isenabled()
        gc.disable()
        try:
            fleet.forget()
            del fleet, subject
            assert record() is None
        finally:
            if was_on:
                gc.enable()


class TestHeap:
    """What stays for a run is frozen for the garbage collector, and given back."""

    @pytest.fixture
    def unfrozen(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """A note for each time that all is given back."""
        given_back: list[str] = []
        monkeypatch.setattr(gc, "unfreeze", lambda: given_back.append("unfrozen"))
        return given_back

    def test_is_given_back(self, monkeypatch: pytest.MonkeyPatch, unfrozen: list[str]) -> None:
        """Where nothing was frozen before."""
        found = gc.get_threshold()
        monkeypatch.setattr(gc, "get_freeze_count", lambda: 0)
        heap = Heap()
        heap.settle()
        heap.release()
        heap.release()
        assert unfrozen == ["unfrozen"]
        assert gc.get_threshold() == found

    def test_what_was_frozen_before_stays(self, unfrozen: list[str]) -> None:
        """Python cannot tell it from what the run froze."""
        gc.freeze()
        heap = Heap()
        heap.settle()
        heap.release()
        assert unfrozen == []
