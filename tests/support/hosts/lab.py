"""The lab of hosts, from outside: starts its program, and asks it for scenarios one at a time."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support import namespaces

TOOLS = ("sshd", "ssh-keygen", "dnsmasq", "iptables", "iptables-legacy", "tc", "nginx", "haproxy", "stunnel4", "squid")
PROGRAM = Path(__file__).resolve().parent / "run.py"


class Lab:
    """A running lab."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def tried(self, *names: str) -> dict[str, Any]:
        """What came of these scenarios, injected together (see `judge.judged`). Raises RuntimeError where it broke."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(names) + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        if "failed" in answer:
            raise RuntimeError(f"{' and '.join(names)}: {answer['failed']}")
        return answer

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the lab of hosts ended (exit code {self._process.wait()}); its words are on stderr")
        return dict(json.loads(line))

    def wait(self) -> float:
        """Until it is up: the seconds that it took."""
        return float(self._answer()["up"])


@contextmanager
def running(surveys: Path | None = None) -> Iterator[Lab]:
    """A lab that is up; ended with all that it started, whatever happens. `surveys`: a folder to keep them in."""
    namespaces.require(*TOOLS)
    arguments = [str(surveys)] if surveys else []
    with namespaces.answering(PROGRAM, *arguments) as process:
        lab = Lab(process)
        lab.wait()
        yield lab
