"""The catalogue of what logs say: every known text, the most telling first.

A record is classified by the first signature that matches, heading and lines below it together. Of Halibut's lines the
text decides and not the level: until Tentacle 4.0.3 it wrote refusals, resets and failed handshakes as information, and
it has never written a warning (tentacle-history 4). The order makes that
the innermost text: wrappers such as "An error occurred when sending a request" come last, and whether a record says
"before the request could begin" or "after the request began" is never looked at (tentacle-seen 3).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

from pytest_tentacle.logs.columns import is_halibuts

from .host import COMMANDS, CONFIGURATION, RIGHTS, SCRIPTS
from .keys import KEYS
from .link import ALTERED, EXHAUSTED, NETWORK, TLS, TLS_UNSPECIFIC
from .model import HANDLING, Level, Phase, Role, Signature, Writer
from .noise import GENERIC, VISITORS
from .old_generations import OLD_GENERATIONS
from .ports import PORTS
from .proxy import ANSWERS, PROXY
from .server_start import SERVER_START
from .trust import CLOSED, TRUST

SIGNATURES: tuple[Signature, ...] = (
    *PROXY,
    *TRUST,
    *OLD_GENERATIONS,
    *ALTERED,
    *EXHAUSTED,
    *PORTS,
    *KEYS,
    *CONFIGURATION,
    *RIGHTS,
    *SERVER_START,
    *SCRIPTS,
    *COMMANDS,
    *VISITORS,
    *ANSWERS,
    *TLS,
    *NETWORK,
    *CLOSED,
    *TLS_UNSPECIFIC,
    *GENERIC,
)
"""In the order in which they are tried."""

BY_ID: Mapping[str, Signature] = MappingProxyType({signature.id: signature for signature in SIGNATURES})

LOOKED_AT = 12_000
"""Characters of one record that are looked at: the cause stands in an exception's first lines."""

__all__ = [
    "BY_ID",
    "HANDLING",
    "LOOKED_AT",
    "SIGNATURES",
    "TLS_UNSPECIFIC",
    "Classifier",
    "Level",
    "Phase",
    "Role",
    "Signature",
    "Writer",
    "classify",
    "weight_of",
]


class Classifier:
    """Classifies the records of one text: what the text does not hold at all is not looked for in its records."""

    def __init__(self, whole: str) -> None:
        lowered = whole.lower()
        present: dict[str, bool] = {}
        keys = (key for signature in SIGNATURES for key in signature.keys)
        for key in keys:
            if key not in present:
                present[key] = key in lowered
        self._tries = tuple(
            (tuple(key for key in signature.keys if present[key]), signature)
            for signature in SIGNATURES
            if any(present[key] for key in signature.keys)
        )
        self._keys = tuple(dict.fromkeys(key for kept, _ in self._tries for key in kept))

    def match(self, text: str, level: Level) -> tuple[Signature, re.Match[str]] | None:
        """The first signature that fits a record of the text, and where; None where none does."""
        lowered = text[:LOOKED_AT].lower()
        held = {key for key in self._keys if key in lowered}
        return _first(self._tries, text[:LOOKED_AT], held, weight_of(text, level)) if held else None


def weight_of(text: str, level: Level) -> Level:
    """The level by which a record is judged: what Halibut told as information may have been an error of its time."""
    return Level.ERROR if level is Level.INFO and is_halibuts(text) else level


def classify(text: str, level: Level = Level.ERROR) -> tuple[Signature, re.Match[str]] | None:
    """The same for a single record."""
    return Classifier(text).match(text, level)


@lru_cache(maxsize=1)
def codes() -> frozenset[str]:
    """Every problem that a signature leads to."""
    return frozenset(signature.code for signature in SIGNATURES if signature.code)


def _first(
    tries: Iterable[tuple[tuple[str, ...], Signature]], text: str, held: set[str], level: Level
) -> tuple[Signature, re.Match[str]] | None:
    for keys, signature in tries:
        if level >= signature.level and not held.isdisjoint(keys):
            found = signature.pattern.search(text)
            if found:
                return signature, found
    return None
