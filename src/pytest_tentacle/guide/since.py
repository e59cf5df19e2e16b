"""Words of printed calls that older Tentacles do not know, and what is said or written in their place.

A call with a word that the program does not know does nothing; behind one that empties a list it leaves that empty.
Sources: the first tag of OctopusTentacle's repository whose commands have the word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True)
class Word:
    """One word of a call.

    Attributes:
        pattern: finds it in a command.
        name: the word.
        since: the first version that knows it.
        older: what an older one is told with instead; empty where there is no such call.
        note: then said before the commands; `{version}` is the installed one.
        unsure: said where nobody knows the version; empty where the remedy's own words name it.
    """

    pattern: re.Pattern[str]
    name: str
    since: tuple[int, int, int]
    older: str = ""
    note: str = "Upgrade the Tentacle first, which keeps its settings: {version} has no {name} ({since} and later)."
    unsure: str = ""

    def is_in(self, line: str) -> bool:
        """Whether a line is a command with this word."""
        return line.startswith("$ ") and self.pattern.search(line) is not None

    def told_to_older(self, line: str) -> str:
        """A line with what an older version knows in place of the word."""
        return self.pattern.sub(self.older, line) if self.is_in(line) else line


WORDS = (
    Word(
        re.compile(r'--server-comms-address "<polled>"'),
        "--server-comms-address",
        (6, 3, 341),
        '--server-comms-port "<polled_port>"',
        "Tentacle {version} has no --server-comms-address ({since} and later): it polls the host of --server itself, "
        "at --server-comms-port. Where pollers need another host name than the portal's, upgrade it first.",
        "A Tentacle before 6.3.341 has no --server-comms-address: there it is --server-comms-port, and the host of "
        "--server is polled. Such a call is refused after its list was emptied: see the version first.",
    ),
    Word(re.compile(r" --export-pfx "), "--export-pfx", (3, 14, 15)),
    Word(re.compile(r" update-trust "), "update-trust", (3, 24, 0)),
    Word(re.compile(r" clear-trusted-servers "), "clear-trusted-servers", (8, 1, 1713)),
    Word(
        re.compile(r" set-polling-connection-count "),
        "set-polling-connection-count",
        (9, 2, 4154),
        note="Tentacle {version} has no {name} ({since} and later): from 8.1.1332 on, set "
        "TentaclePollingConnectionCount in the service's environment instead, which wins over the setting; an older "
        "one has to be upgraded.",
    ),
)  # fmt: skip
_NUMBERS = re.compile(r"(\d+)\.(\d+)\.(\d+)")


def known_to(lines: Sequence[str], facts: Mapping[str, object]) -> tuple[str, ...]:
    """The lines as the installed Tentacle (`installed`) understands them.

    Where it has nothing in place of a word, that is said, and none of the commands around it is printed: a restart for
    nothing ends deployments.
    """
    version, installed = _installed(facts)
    found: list[str] = []
    for are_commands, group in groupby(lines, key=lambda line: line.startswith("$ ")):
        block = list(group)
        for word in WORDS if are_commands else ():
            if not any(map(word.is_in, block)) or (installed is not None and installed >= word.since):
                continue
            text = word.unsure if installed is None else word.note
            note = text.format(version=version, name=word.name, since=".".join(map(str, word.since)))
            found += [note] if note and note not in found else []
            if installed is not None:
                block = [word.told_to_older(line) for line in block] if word.older else []
        found += block
    return tuple(found)


def lacks_one_of(lines: Sequence[str], facts: Mapping[str, object]) -> bool:
    """Whether the installed Tentacle is known to lack a word of these lines, which are no remedy without it."""
    _, installed = _installed(facts)
    return any(installed < word.since and any(map(word.is_in, lines)) for word in WORDS if installed is not None)


def _installed(facts: Mapping[str, object]) -> tuple[str, tuple[int, ...] | None]:
    version = str(facts.get("installed") or "")
    numbers = _NUMBERS.match(version)
    return version, tuple(map(int, numbers.groups())) if numbers else None
