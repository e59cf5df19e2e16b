"""Programs in namespaces of their own, which end with the test that started them, even if that is killed."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TOOLS = ("ip", "nft", "unshare", "nsenter")
_PR_SET_PDEATHSIG = 1


def require(*tools: str) -> None:
    """Fails the test where it cannot make namespaces, or a tool is missing."""
    for tool in (*TOOLS, *tools):
        assert shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"), f"this test needs {tool}"
    assert os.geteuid() == 0, "this test makes namespaces and needs root"


def die_with_parent() -> None:
    """What a process does before it begins, so that nothing outlives who started it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def start(program: Path, *arguments: str, **more: Any) -> subprocess.Popen[str]:
    """Starts a Python program as process 1 of namespaces of its own: network, mounts, processes, host name.

    All that it starts ends with it; and it ends when this process does, whatever ends that.
    """
    apart = ["unshare", "--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child=KILL", "--mount-proc"]
    return subprocess.Popen(
        [*apart, sys.executable, str(program), *arguments],
        text=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509  nothing but a system call
        **more,
    )


@contextmanager
def answering(program: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A program that is asked by lines on stdin."""
    process = start(program, *arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with ended(process):
        yield process


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[None]:
    """Without stdin it ends by itself, or is ended after 20 s."""
    try:
        yield
    finally:
        if process.stdin:
            process.stdin.close()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
