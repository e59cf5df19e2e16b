"""How a signature of the machine itself is made: it has nothing to do with a link."""

from __future__ import annotations

from .model import Level, Phase, Signature, Writer, compiled


def host_signature(
    slug: str,
    pattern: str,
    keys: tuple[str, ...],
    meaning: str,
    advice: str,
    *,
    code: str | None,
    phase: Phase = Phase.START,
    level: Level = Level.WARN,
    writer: Writer = "either",
    by_call: bool = False,
) -> Signature:
    """One text; by default of a start, as a warning or more."""
    return Signature(slug, compiled(pattern), keys, writer, "host", level, phase, meaning, advice, code, by_call)
