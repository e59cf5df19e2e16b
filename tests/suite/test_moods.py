"""The tests themselves: they are the same in every process and at any second, and in the background as on a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path


class TestCollection:
    def test_is_the_same_in_another_process_a_second_later(self, top: Path) -> None:
        """xdist's workers must collect the same tests: no id holds the time, a random number or a set's order."""
        command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "tests"]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
        running = []
        for seed in ("1", "2"):
            environment = kept | {"PYTHONHASHSEED": seed}
            running.append(
                subprocess.Popen(
                    command, cwd=top, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
                )
            )
            time.sleep(1.1)
        collected = [{line for line in process.communicate()[0].splitlines() if "::" in line} for process in running]
        assert all(process.returncode == 0 for process in running)
        assert len(collected[0]) > 1000
        assert collected[0] ^ collected[1] == set()


class TestBackground:
    def test_a_ctrl_c_reaches_what_a_test_starts(self, top: Path) -> None:
        """Though the shell that started the tests ignores it, as it does for background jobs."""
        test = "tests/link/test_pong.py::TestCommand::test_ctrl_c"
        done = subprocess.run(
            ["/bin/sh", "-c", "trap '' INT; exec \"$@\"", "sh", sys.executable, "-m", "pytest", "-q", "-n0", test],
            cwd=top,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "1 passed" in done.stdout
