"""TT10x to TT13x: what the logs say of a link and of the start (guide, "Identify the Problem")."""

from __future__ import annotations

from pytest_tentacle.guide.problem import ProblemKind

from .calls import CALLS
from .last_words import LAST_WORDS
from .link import NETWORK_KINDS, TALK_KINDS, TRUST_KINDS
from .server_start import SERVER_START
from .start import START_KINDS

LOGS: tuple[ProblemKind, ...] = tuple(
    sorted(
        (*TRUST_KINDS, *NETWORK_KINDS, *TALK_KINDS, *START_KINDS, *SERVER_START, *LAST_WORDS, *CALLS),
        key=lambda kind: kind.code,
    )
)
"""In the order of their codes."""
