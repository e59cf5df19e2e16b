"""What `--executor` and the words that go with it come to."""

from __future__ import annotations

from pathlib import Path

import pytest

from .address import SitesError, Way

_FILES = ("ca", "cert", "key")


def way_of(config: pytest.Config) -> Way:
    """The way to the scheduler that `--executor` names. Raises pytest.UsageError."""
    files = {name: config.getoption(f"executor_{name}") for name in _FILES}
    for name, file in files.items():
        if file and not Path(file).is_file():
            raise pytest.UsageError(f"--executor-{name}: there is no file {file}")
    given = [Path(file).absolute() if file else None for file in files.values()]
    try:
        return Way.of(config.getoption("executor"), *given)
    except SitesError as error:
        raise pytest.UsageError(str(error)) from None
