"""One regular expression for many fixed words, compiled as a tree of their common beginnings.

A flat alternation of thousands of words is tried word by word at each character; the tree is tried letter by letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby


def words_pattern(words: Iterable[str]) -> str:
    """A pattern that matches any of the words, the longest where several fit; never matches when there are none."""
    ordered = sorted({word for word in words if word})
    return _branch(ordered) if ordered else r"(?!)"


def _branch(words: list[str]) -> str:
    optional = words[0] == ""
    arms = []
    for _, group in groupby([word for word in words if word], key=lambda word: word[0]):
        members = list(group)
        prefix = _common_start(members[0], members[-1])
        rests = [member[len(prefix) :] for member in members]
        arms.append(re.escape(prefix) + (_branch(rests) if rests != [""] else ""))
    return f"(?:{'|'.join(arms)}){'?' if optional else ''}" if arms else ""


def _common_start(first: str, last: str) -> str:
    """Of sorted words, what the first and the last begin with is what all begin with."""
    length = next((at for at, letter in enumerate(first) if letter != last[at : at + 1]), len(first))
    return first[:length]
