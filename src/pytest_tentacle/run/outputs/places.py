"""Where a run may write, found out before any machine is contacted."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

import pytest

from pytest_tentacle.files import PRIVATE, require_replaceable


def check_writable(path: Path, option: str) -> None:
    """Find out before the survey what would else be found out after it. Raises pytest.UsageError."""
    try:
        require_replaceable(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}.part")
        os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE))
        beside.unlink()
    except (OSError, ValueError) as error:
        raise pytest.UsageError(
            f"{path} cannot be written: {getattr(error, 'strerror', None) or error}. Name a file in a folder that you "
            f"may write to: {option}."
        ) from None


def check_apart(outputs: Iterable[tuple[str, Path]], inputs: Iterable[tuple[str, Path]]) -> None:
    """Raises pytest.UsageError where an output is an input, or two outputs are one file.

    Args:
        outputs: what is written, each with the words for it, such as `--bundle`.
        inputs: what is read.
    """
    taken = {}
    for words, path in inputs:
        taken.update(dict.fromkeys(_identities(path), words))
    for words, path in outputs:
        for identity in _identities(path):
            if identity in taken:
                raise pytest.UsageError(
                    f"{words}: {path} is {taken[identity]} as well, which would be overwritten. Name another file."
                )
        taken.update(dict.fromkeys(_identities(path), f"the file of {words}"))


def _identities(path: Path) -> list[object]:
    """What two names of one file have in common: where they lead to, and the file itself under whatever name."""
    found: list[object] = [os.path.normcase(os.path.realpath(path))]
    with contextlib.suppress(OSError, ValueError):
        status = path.stat()
        if status.st_ino:
            found.append((status.st_dev, status.st_ino))
    return found
