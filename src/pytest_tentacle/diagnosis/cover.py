"""The fewest causes that explain all problems of a machine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

from .kind import Found

_OF_THE_WAY = frozenset({"5", "7"})
"""First digits of what is about connections and addresses."""

EXACT = 12
"""Up to this many candidates every choice is tried, the smallest first; with more, the best next one is taken."""


def fewest(candidates: Sequence[Found]) -> tuple[Found, ...]:
    """A smallest choice that explains whatever any of the candidates explains, in the order in which to mend.

    Among choices of one size the surer one wins, then the one that is to be mended first.
    """
    problems = {id(problem): None for found in candidates for problem in found.problems}
    bits = {problem: 1 << number for number, problem in enumerate(problems)}
    masks = [sum(bits[id(problem)] for problem in found.problems) for found in candidates]
    chosen = _exact(candidates, masks) if len(candidates) <= EXACT else _greedy(candidates, masks)
    return tuple(sorted((candidates[number] for number in chosen), key=_order))


def _exact(candidates: Sequence[Found], masks: Sequence[int]) -> Iterable[int]:
    everything = _union(masks)
    for size in range(len(candidates) + 1):
        covers = [
            choice
            for choice in combinations(range(len(candidates)), size)
            if _union(masks[number] for number in choice) == everything
        ]
        if covers:
            return min(covers, key=lambda choice: _goodness([candidates[number] for number in choice]))
    raise AssertionError("all candidates together explain what they explain")


def _greedy(candidates: Sequence[Found], masks: Sequence[int]) -> Iterable[int]:
    left, chosen = _union(masks), []
    while left:
        best = min(
            range(len(candidates)),
            key=lambda number: (-(masks[number] & left).bit_count(), *_goodness([candidates[number]])),
        )
        chosen.append(best)
        left &= ~masks[best]
    return _needed(chosen, masks)


def _needed(chosen: Sequence[int], masks: Sequence[int]) -> Iterable[int]:
    """Without those of which the later ones have explained everything; the first taken go first."""
    kept = list(chosen)
    for number in chosen:
        others = [other for other in kept if other != number]
        if not masks[number] & ~_union(masks[other] for other in others):
            kept = others
    return kept


def _union(masks: Iterable[int]) -> int:
    whole = 0
    for mask in masks:
        whole |= mask
    return whole


def _goodness(choice: Sequence[Found]) -> tuple[int, int, int, list[str]]:
    """Less is better."""
    return (
        -sum(found.confidence.weight for found in choice),
        sum(found.kind.rank for found in choice),
        -sum(_is_about_the_way(found) for found in choice),
        sorted(found.kind.code for found in choice),
    )


def _order(found: Found) -> tuple[int, bool, str, tuple[str, ...]]:
    return found.kind.rank, not _is_about_the_way(found), found.kind.code, tuple(map(str, found.fold_key))


def _is_about_the_way(found: Found) -> bool:
    """Whether it says where a link leads: that goes before whom its ends trust, which would be the wrong ends."""
    return found.kind.code[2:3] in _OF_THE_WAY
