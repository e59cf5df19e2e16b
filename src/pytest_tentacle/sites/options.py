"""What `--executor` and the words that go with it come to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .address import SitesError, Way

FILES = {"ca": "authority", "cert": "certificate", "key": "private key"}
"""`--executor-ca` and the others, and what is in those files."""


def way_of(executor: str, files: Mapping[str, str | None]) -> Way:
    """The way to the scheduler that `--executor` and its files name. Raises SitesError."""
    for name, file in files.items():
        if file and not Path(file).is_file():
            raise SitesError(f"--executor-{name}: there is no file {file}")
    return Way.of(executor, *(Path(file).absolute() if file else None for name in FILES for file in [files.get(name)]))
