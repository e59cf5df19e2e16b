"""What every problem of the catalogue has: a stable code, what it means, and what to do about it on either system."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .placeholders import PLACEHOLDER
from .sections import STEPS, Section

_HARMLESS = re.compile(r"[\w .:/\\@()\[\]-]{1,200}")
"""What may stand in a command that a person will copy: nothing that a shell reads as more than a word's part."""

_STEPS = {step.slug: step for step in STEPS}


@dataclass(frozen=True)
class ProblemKind:
    """One entry of the catalogue.

    Attributes:
        code: `TT` and three digits, the first of which stands for the guide's section; never used for anything else.
        title: what is wrong, in a few words.
        step: slug of the step whose checks find it.
        meaning: what that means and how it usually comes about.
        windows: what to do there, line by line; lines that begin with `$ ` are commands. Nothing of it is run by us.
        linux: the same for Linux.
    """

    code: str
    title: str
    step: str
    meaning: str
    windows: tuple[str, ...]
    linux: tuple[str, ...]

    @property
    def section(self) -> Section:
        """The guide's section."""
        return _STEPS[self.step].section

    @property
    def link(self) -> str:
        """Where the guide tells more."""
        return self.section.link

    def remedy(self, system: str, facts: Mapping[str, object]) -> tuple[str, ...]:
        """The lines for `windows` or `linux` with a problem's facts filled in.

        A placeholder such as `<service>` stays where the fact is missing, or holds what has no place in a command.
        """
        return filled(self.windows if system == "windows" else self.linux, facts)


def filled(lines: Iterable[str], facts: Mapping[str, object]) -> tuple[str, ...]:
    """Lines with their placeholders filled in, as far as the facts know what may stand in a command."""
    return tuple(PLACEHOLDER.sub(lambda match: _filled(match, facts), line) for line in lines)


def _filled(match: re.Match[str], facts: Mapping[str, object]) -> str:
    value = facts.get(match[1])
    text = "" if value is None else str(value)
    return text if _HARMLESS.fullmatch(text) else match[0]
