"""Programs in namespaces of their own, which end with the test that started them, even if that is killed."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

TOOLS = ("ip", "nft", "unshare", "nsenter")
_PR_SET_PDEATHSIG = 1


def require(*tools: str) -> None:
    """Fails the test where it cannot make namespaces, or a tool is missing."""
    for tool in (*TOOLS, *tools):
        assert shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"), f"this test needs {tool}"
    assert os.geteuid() == 0, "this test makes namespaces and needs root"


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def start(program: Path, *arguments: str, **more: Any) -> subprocess.Popen[str]:
    """Starts a Python program as process 1 of namespaces of its own: network, mounts, processes, host name.

    All that it starts ends with it; and it ends when this process does, whatever ends that.
    """
    apart = ["unshare", "--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child=KILL", "--mount-proc"]
    return subprocess.Popen(
        [*apart, sys.executable, str(program), *arguments],
        text=True,
        preexec_fn=_die_with_parent,  # noqa: PLW1509  nothing but a system call
        **more,
    )
