"""Logs from their text, as the survey makes them of what a machine sends."""

from __future__ import annotations

from typing import Any

from pytest_tentacle.logs.model import LogFile
from pytest_tentacle.logs.reader import read_content


def read_log(text: bytes, *, product: str, instance: str, path: str, cut: bool = False, **more: Any) -> LogFile:
    """The log whose end is `text`. `cut`: it begins in the middle of the file, so its first record may be partial.

    `more` are fields of `LogFile`: size, modified_utc, account. Any bytes will do.
    """
    content = read_content(text, product=product, cut=cut, before_home=more.get("account") is not None)
    return LogFile.model_validate({"product": product, "instance": instance, "path": path, **more, **content})
