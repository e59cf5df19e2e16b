"""The parts of the engine by themselves: covers, quoting, wording, subnets."""

from __future__ import annotations

from itertools import combinations
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_tentacle.diagnosis.cover import EXACT, fewest
from pytest_tentacle.diagnosis.kind import CauseKind, Found, whenever
from pytest_tentacle.diagnosis.wording import listed, sentence, who
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.judging.finding import Problem
from pytest_tentacle.sections.addresses.subnets import regions, subnet_of
from support.faults import CASES

PROBLEMS = tuple(Problem(f"TT{number}", "web-01", "well", "ill") for number in range(10))


def found(code: str, *numbers: int, confidence: Confidence = Confidence.CERTAIN, rank: int = 50) -> Found:
    kind = CauseKind(code, code, code, frozenset(), (), (), whenever, rank=rank)
    problems = tuple(PROBLEMS[number] for number in numbers)
    return Found(kind, "web-01", problems, {}, (), confidence, "", "web-01")


def codes(chosen: tuple[Found, ...]) -> list[str]:
    return [each.kind.code for each in chosen]


class TestFewest:
    """A smallest choice that explains all."""

    def test_one_for_all(self) -> None:
        """One that explains three beats three that explain one each."""
        assert codes(fewest([found("A", 0), found("B", 1), found("C", 2), found("D", 0, 1, 2)])) == ["D"]

    def test_greed_would_take_three(self) -> None:
        """The largest is not part of the smallest choice."""
        candidates = [found("A", 0, 1, 2, 3), found("B", 0, 1, 4), found("C", 2, 3, 5)]
        assert codes(fewest(candidates)) == ["B", "C"]

    def test_greed_gives_back_what_it_need_not_have_taken(self) -> None:
        """Beyond so many candidates the largest is taken first, and dropped where the rest explains it as well."""
        alone = [found(f"E{number}", 4, 5) for number in range(EXACT)]
        candidates = [found("A", 0, 1, 2, 3), found("B", 0, 1, 6, 7), found("C", 2, 3, 8, 9), *alone]
        assert codes(fewest(candidates)) == ["B", "C", "E0"]

    def test_surer_on_ties(self) -> None:
        """Among equals the surer one."""
        assert codes(fewest([found("A", 0, confidence=Confidence.POSSIBLE), found("B", 0)])) == ["B"]

    def test_of_equals_where_the_link_leads_goes_before_trust(self) -> None:
        """A Tentacle that polls another Tentacle trusts the wrong one, because it polls the wrong one."""
        assert codes(fewest([found("TC3211", 0), found("TC5303", 1)])) == ["TC5303", "TC3211"]
        assert codes(fewest([found("TC1031", 0, 1), found("TC5303", 0, 1)])) == ["TC5303"]

    def test_what_is_first_to_mend_on_further_ties(self) -> None:
        """Among equally sure ones that of the lower rank."""
        assert codes(fewest([found("A", 0), found("B", 0, rank=10)])) == ["B"]

    def test_in_the_order_of_mending(self) -> None:
        """By rank."""
        assert codes(fewest([found("A", 0), found("B", 1, rank=10)])) == ["B", "A"]

    def test_nothing(self) -> None:
        """Nothing to explain, nothing chosen."""
        assert fewest([]) == ()

    @given(st.lists(st.sets(st.integers(0, 9), min_size=1), max_size=EXACT + 6))
    @settings(max_examples=60, deadline=None)
    def test_all_is_explained_and_nothing_is_idle(self, sets: list[set[int]]) -> None:
        """Exact or greedy: whatever can be explained is, and each chosen one explains something."""
        candidates = [found(f"C{number:02}", *numbers) for number, numbers in enumerate(sets)]
        chosen = fewest(candidates)
        explained = {problem.code for each in chosen for problem in each.problems}
        assert explained == {f"TT{number}" for numbers in sets for number in numbers}
        for each in chosen:
            others = {problem.code for other in chosen if other is not each for problem in other.problems}
            assert {problem.code for problem in each.problems} - others, "without it something stays unexplained"

    @given(st.lists(st.sets(st.integers(0, 6), min_size=1), max_size=8))
    @settings(max_examples=150, deadline=None)
    def test_as_few_as_brute_force_finds(self, sets: list[set[int]]) -> None:
        """No smaller choice explains as much, tried one by one."""
        candidates = [found(f"C{number:02}", *numbers) for number, numbers in enumerate(sets)]
        whole = set().union(*sets) if sets else set()
        least = next(
            size
            for size in range(len(sets) + 1)
            if any(set().union(*choice) == whole for choice in combinations(sets, size))
        )
        assert len(fewest(candidates)) == least

    @given(st.lists(st.sets(st.integers(0, 6), min_size=1), max_size=EXACT + 4), st.randoms(use_true_random=False))
    @settings(max_examples=60, deadline=None)
    def test_the_order_of_candidates_does_not_matter(self, sets: list[set[int]], shuffled: Random) -> None:
        """Two runs over one fleet say the same."""
        candidates = [found(f"C{number:02}", *numbers) for number, numbers in enumerate(sets)]
        first = codes(fewest(candidates))
        shuffled.shuffle(candidates)
        assert codes(fewest(candidates)) == first


class TestWording:
    """Sentences."""

    def test_lists(self) -> None:
        """Named as long as that can be read."""
        assert listed(["a"]) == "a"
        assert listed(["a", "b", "a"]) == "a and b"
        assert listed("abc") == "a, b and c"
        assert listed("abcdef") == "a, b, c and 3 more"
        assert listed([]) == ""
        assert who([f"web-{number}" for number in range(1200)]) == "1,200 machines"

    def test_number(self) -> None:
        """One machine is, two are."""
        assert sentence("{who} {is} down, {x}", ["a"], {"x": 1}) == "a is down, 1"
        assert sentence("{who} {is} down, {x}", ["a", "b"], {"x": (1, 2)}) == "a and b are down, 1 and 2"

    def test_hostile_facts(self) -> None:
        """A fact is text, whatever it holds; a missing one never breaks a report."""
        assert sentence("{x} {y}", ["a"], {"x": "{who.__class__}"}) == "{who.__class__} ?"


class TestSubnets:
    """/24 and /64, and the region around them."""

    @pytest.mark.parametrize(
        ("address", "subnet"),
        [
            ("10.4.1.7", "10.4.1.0/24"),
            ("::ffff:10.4.1.7", "10.4.1.0/24"),
            ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
            ("web-01", None),
            (None, None),
        ],
    )
    def test_subnet(self, address: str | None, subnet: str | None) -> None:
        """A name has none."""
        assert subnet_of(address) == subnet

    def test_regions(self) -> None:
        """Wider only where nobody in it is reached."""
        dark = ["10.4.0.0/24", "10.4.1.0/24", "10.5.0.0/24"]
        assert set(regions(dark, []).values()) == {"10.4.0.0/16", "10.5.0.0/24"}
        assert set(regions(dark, ["10.4.9.0/24"]).values()) == set(dark)


class TestAsAnOperatorWouldRunThem:
    """Commands in the order, on the system and under the condition in which they do good."""

    @staticmethod
    def _lines(world: Any, fault: str, machine: str, diagnosed: Any) -> dict[str, tuple[str, ...]]:
        next(each for each in CASES if each.change.__name__ == fault).change(world)
        cause = next(each for each in diagnosed(world).causes if machine in each.machines)
        return {"windows": cause.remedy_windows, "linux": cause.remedy_linux}

    def test_a_reserved_range_is_given_back_before_the_port_is_taken(self, world: Any, diagnosed: Any) -> None:
        """`add excludedportrange` is refused within a range that winnat holds."""
        lines = self._lines(world, "excluded_and_not_open", "web-01", diagnosed)["windows"]
        order = [lines.index(next(line for line in lines if word in line)) for word in ("stop winnat", "add excl", "start winnat", "Restart-Service")]  # fmt: skip
        assert order == sorted(order)
        assert "have no network" in lines[order[0] - 1]

    def test_a_proxy_is_switched_off_only_where_none_is_needed(self, world: Any, diagnosed: Any) -> None:
        """The only way out of many networks is a proxy: the condition stands right before the command."""
        lines = self._lines(world, "proxy_with_a_scheme", "poll-01", diagnosed)["linux"]
        at = lines.index(next(line for line in lines if "--proxyEnable False" in line))
        assert lines[at - 1].startswith("Only if")

    def test_packets_are_followed_from_the_machines_that_lose_them(self, world: Any, diagnosed: Any) -> None:
        """Pollers on Linux get commands of Linux, though their server is on Windows."""
        lines = self._lines(world, "closed_subnet", "poll-01", diagnosed)
        assert lines["windows"] == ()
        assert any(line.startswith("$ ") for line in lines["linux"])

    def test_tls_is_switched_on_for_its_side(self, world: Any, diagnosed: Any) -> None:
        lines = self._lines(world, "tls_switched_off", "web-01", diagnosed)["windows"]
        changes = [line for line in lines if "Set-ItemProperty" in line]
        assert len(changes) == 2
        assert all("TLS 1.2\\Server" in line for line in changes)
