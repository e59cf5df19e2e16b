"""Pieces of POSIX shell that a stand-in is made of.

A survey starts some hundred commands, and a lab has dozens of machines on few cores: so every answer is rendered when
the machine is prepared, and told by the shell itself, without an interpreter or even a `cat` at run time.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence


def lines(*texts: str) -> str:
    """The lines as one text, each ended."""
    return "".join(f"{text}\n" for text in texts)


def tell(text: str) -> str:
    """Print `text` on stdout."""
    return f"printf %s {shlex.quote(text)}"


def say(text: str, code: int = 0, *, error: str = "") -> str:
    """Print `text` on stdout and `error` on stderr, and end with the code."""
    parts = [tell(text)] if text else []
    parts += [f"printf '%s\\n' {shlex.quote(error)} >&2"] if error else []
    return "; ".join([*parts, f"exit {code}"])


def choose(word: str, cases: Mapping[str, str], otherwise: str) -> str:
    """Act by the value of a shell word such as `$*`; the cases' names are literal texts."""
    rows = [f"{shlex.quote(name)}) {action} ;;" for name, action in cases.items()]
    return "\n".join([f'case "{word}" in', *rows, f"*) {otherwise} ;;", "esac"])


def unsupported(command: str) -> str:
    """What a stand-in says to arguments that it was not made for."""
    return f"printf '%s\\n' \"{command}: the lab has no answer to: $*\" >&2; exit 64"


def note(log: str, command: str) -> str:
    """Append the call to the log: one `printf` is one write, which keeps the calls of parallel jobs apart."""
    return f"printf '%.300s\\037' {shlex.quote(command)} \"$@\" '\036' >>{shlex.quote(log)}"


def any_of(patterns: Iterable[str]) -> str:
    """Literal texts as one pattern of a `case`."""
    return "|".join(shlex.quote(pattern) for pattern in patterns)


def program(*parts: str) -> str:
    """A script's text."""
    return "#!/bin/sh\n" + "".join(f"{part}\n" for part in parts if part)


def become(real: str, *arguments: str) -> str:
    """Hand over to the real tool."""
    return f'exec {shlex.join([real, *arguments])} "$@"'


def each(cases: Sequence[tuple[str, str]], otherwise: str) -> str:
    """For each argument `$one`, the action of the first pattern that fits; patterns come quoted."""
    rows = [f"{pattern}) {action} ;;" for pattern, action in cases]
    return "\n".join(['for one do case "$one" in', *rows, f"*) {otherwise} ;;", "esac; done"])
