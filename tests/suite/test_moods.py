"""The tests themselves: they are the same in every process and at any second, and in the background as on a terminal."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from support.session import collected

_ALL = 1000
"""Nobody runs so many tests but who runs nearly all."""


class TestCollection:
    def test_is_the_same_in_another_process_a_second_later(self, top: Path, request: pytest.FixtureRequest) -> None:
        """xdist's workers must collect the same tests: no id holds the time, a random number or a set's order.

        What this process collected is held against another's: against that which came before the tests (`scripts/dev.py`),
        or one of its own; where it was asked for a part only, against that part.
        """
        own = {item.nodeid for item in request.session.items}
        files = {nodeid.partition("::")[0] for nodeid in own}
        is_whole = len(own) > _ALL
        if is_whole and (written := collected.written()) is not None:
            others = [written]
        else:
            others = self._anew(top, ["1"] if is_whole else ["1", "2"])
        assert len(others[0]) > _ALL
        assert others[0] ^ others[-1] == set()
        if is_whole:
            assert {nodeid for nodeid in others[0] if nodeid.partition("::")[0] in files} ^ own == set()

    @staticmethod
    def _anew(top: Path, seeds: list[str]) -> list[set[str]]:
        command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "tests"]
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_XDIST", collected.FILE))
        }
        running = []
        for seed in seeds:
            environment = kept | {"PYTHONHASHSEED": seed}
            running.append(
                subprocess.Popen(
                    command, cwd=top, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
                )
            )
            time.sleep(1.1)
        found = [{line for line in process.communicate()[0].splitlines() if "::" in line} for process in running]
        assert all(process.returncode == 0 for process in running)
        return found


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


class TestSkips:
    def test_in_ci_a_skip_is_a_failure(self, run_pytest, tmp_path: Path) -> None:
        """A tool that is missing there must not go unnoticed; elsewhere it is a skip with its reason."""
        (tmp_path / "test_skips.py").write_text("import pytest\n\ndef test_it():\n    pytest.skip('no such tool')\n")
        plugin = ("-p", "support.session.no_skips", "-p", "no:cacheprovider", "-q", "-rs")
        path = {"PYTHONPATH": str(Path(__file__).parents[1])}
        done = run_pytest(*plugin, cwd=tmp_path, environment=path)
        assert done.returncode == 1
        assert "in CI nothing may be skipped: test_skips.py::test_it: Skipped: no such tool" in done.stdout
        assert run_pytest("-q", "-p", "no:cacheprovider", cwd=tmp_path, environment=path).returncode == 0


class TestProcesses:
    SCRIPT = """
import runpy, subprocess, sys
dev = runpy.run_path(sys.argv[1])
code = dev["run_alone"]([sys.executable, "-c", sys.argv[2]])
print("code", code)
"""

    def test_a_process_that_the_tests_leave_is_named_and_ended(self, top: Path) -> None:
        """Its parent is gone; who runs the tests inherits it."""
        leaves = (
            "import subprocess, sys\n"
            "print(subprocess.Popen(['/bin/sh', '-c', 'sleep 300 & echo $!'], stdout=subprocess.PIPE).stdout.readline())"
        )
        for code, wanted in ((leaves, "code 1"), ("pass", "code 0"), ("raise SystemExit(3)", "code 3")):
            done = subprocess.run(
                [sys.executable, "-c", self.SCRIPT, str(top / "scripts" / "dev.py"), code],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            assert wanted in done.stdout, done.stdout + done.stderr
            assert ("left running: sleep 300" in done.stdout) is (code == leaves)


class TestSideBySide:
    """What comes before the tests."""

    def test_of_what_went_well_the_last_line_is_told(self, side_by_side: Callable[..., int], capsys) -> None:
        commands = [[sys.executable, "-c", f"print('much'); print('{number} is well')"] for number in (1, 2)]
        assert side_by_side(commands) == 0
        said = capsys.readouterr().out
        assert "1 is well" in said
        assert "2 is well" in said
        assert "\nmuch\n" not in said

    def test_the_first_that_fails_is_told_whole_and_ends_the_others(
        self, side_by_side: Callable[..., int], capsys
    ) -> None:
        fails = "import sys; print('this'); print('and that', file=sys.stderr); sys.exit(3)"
        assert side_by_side([["sleep", "3600"], [sys.executable, "-c", fails]]) == 3
        said = capsys.readouterr().out
        assert "this\n" in said
        assert "and that\n" in said
        assert "sleep" not in said

    @pytest.fixture
    def side_by_side(self, top: Path) -> Callable[..., int]:
        found: Callable[..., int] = runpy.run_path(str(top / "scripts" / "dev.py"))["side_by_side"]
        return found
