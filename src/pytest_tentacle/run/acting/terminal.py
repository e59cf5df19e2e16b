"""A question on the terminal, from within pytest, which keeps stdin to itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


def is_there(config: pytest.Config) -> bool:
    """Whether somebody can answer: stdin is a terminal."""
    with _stdin(config):
        return _is_terminal()


def ask(config: pytest.Config, question: str) -> bool:
    """Whether the answer is yes. No terminal, its end, and any other word mean no."""
    with _stdin(config):
        if not _is_terminal():
            return False
        sys.stderr.write(f"\n{question} [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _is_terminal() -> bool:
    try:
        return sys.stdin is not None and sys.stdin.isatty()
    except ValueError:  # it was closed
        return False


@contextmanager
def _stdin(config: pytest.Config) -> Iterator[None]:
    """The terminal's own streams; outside of tests pytest captures stdin alone, and does so again afterwards."""
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is None:
        yield
        return
    capture.suspend_global_capture(in_=True)
    try:
        yield
    finally:
        capture.resume_global_capture()
        capture.suspend_global_capture(in_=False)
