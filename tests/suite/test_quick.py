"""What makes the tests quick changes nothing of what they ask: kept engines, and runs that are forks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support import engines
from support.engines import broker
from support.session import forked
from support.session.forked import Forks, Runs

PLAIN = ("-NoProfile", "-NonInteractive")


def say(engine: Path, command: str, stdin: str = "", **options: object) -> tuple[int, str, str]:
    done = subprocess.run(
        [engine, *PLAIN, "-Command", command], input=stdin, capture_output=True, text=True, check=False, **options
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def kept(cold_engine: Path) -> Iterator[Path]:
    """A kept engine of these tests' own, so that each question meets what the one before it left."""
    own = engines.Kept(cold_engine)
    yield own.client
    own.close()


QUESTIONS = {
    "output": ("'one'; Write-Error two; [Console]::Error.WriteLine('three')", ""),
    "exit": ("exit 7", ""),
    "throws": ("throw 'it'", ""),
    "wrong": ("if (", ""),
    "stdin": ("[Console]::In.ReadToEnd() + '|'", "a\n\u00e4\n"),
    "unread": ("'done'", "x" * 300_000),
    "stream": ("$o = [Console]::OpenStandardOutput(); $o.Write([byte[]](65, 66), 0, 2)", ""),
    "raw": ("(New-Object IO.StreamReader ([Console]::OpenStandardInput())).ReadToEnd()", "a"),
    "encoding": ("[Console]::InputEncoding = New-Object Text.UTF8Encoding $false; [Console]::In.ReadToEnd()", "a"),
    "ends": ("'before'; [Environment]::Exit(5)", ""),
    "left": (
        "$left; $PSVersionTable.PSVersion.Major; Get-Command Get-Left -ErrorAction SilentlyContinue; $env:LEFT; [Environment]::CurrentDirectory",
        "",
    ),
}


class Idler:
    """An engine that nothing was asked of."""

    is_good = True

    def __init__(self, program: str) -> None:
        self.program = program


class TestEngines:
    @pytest.mark.parametrize("name", QUESTIONS)
    def test_says_what_one_of_its_own_says(self, kept: Path, cold_engine: Path, tmp_path: Path, name: str) -> None:
        """Exit code and both outputs; and nothing of what another command has left."""
        litter = (
            "$global:left = 1; function global:Get-Left {}; $env:LEFT = 1; [IO.Directory]::SetCurrentDirectory('/'); "
            "$PSVersionTable.PSVersion = [version]'3.0'"
        )
        assert say(kept, litter)[0] == 0
        command, stdin = QUESTIONS[name]
        environment = os.environ | {"OWN": "\u00e4"}
        asked = {"stdin": stdin, "cwd": tmp_path, "env": environment}
        assert say(kept, command, **asked) == say(cold_engine, command, **asked)

    def test_a_script_is_compiled_once_and_asked_anew(self, kept: Path, cold_engine: Path) -> None:
        """Each request is its own, a command's own types and functions count, and what is cut off is no script."""
        run = "try{&([ScriptBlock]::Create([Console]::In.ReadToEnd()))}catch{$_.FullyQualifiedErrorId}"
        body = '# a script\n& {\nparam([string]$Data)\n"$Data $([Named]::Word) $(Get-Own) $($args.Count) $left"\n$left = 1\n}'
        named = "class {0} {{ static [string]$Word = '{0}' }}; function Get-Own {{ '{0}' }}; {1}('Named', [{0}]); {2}"
        accelerators = "[psobject].Assembly.GetType('System.Management.Automation.TypeAccelerators')::Add"
        first, second = (named.format(word, accelerators, run) for word in ("First", "Second"))
        asked = [
            (first, f"{body} 'one'\n"),
            (first, f"{body} '$two'\n"),
            (second, f"{body} 'three'\n"),
            (first, body[:-9]),
        ]
        told = [say(kept, command, stdin) for command, stdin in asked]
        assert told == [say(cold_engine, command, stdin) for command, stdin in asked]
        assert [out for _, out, _ in told[:3]] == [
            "one First First 0 \n",
            "$two First First 0 \n",
            "three Second Second 0 \n",
        ]

    def test_is_kept(self, kept: Path) -> None:
        """One process for two questions, and another where it has ended."""
        first, second = say(kept, "$PID")[1], say(kept, "$PID")[1]
        assert first == second
        say(kept, "[Environment]::Exit(0)")
        assert say(kept, "$PID")[1] != first

    def test_whose_caller_goes_is_ended(self, kept: Path) -> None:
        """With all that it had started."""
        command = [kept, *PLAIN, "-Command", "$PID; [Console]::Out.Flush(); Start-Sleep 600"]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as caller:
            assert caller.stdout is not None
            engine = int(caller.stdout.readline())
            caller.send_signal(signal.SIGKILL)
            assert caller.stdout.read() == b""
        with pytest.raises(ProcessLookupError):
            os.kill(engine, 0)

    def test_are_few(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Who asks for one more waits for one of them, but not without end."""
        monkeypatch.setattr(broker, "Engine", Idler)
        own = broker.Broker("none")
        taken = [own._take() for _ in range(broker.MOST)]
        monkeypatch.setattr(broker, "PATIENCE", 3600)
        with ThreadPoolExecutor(1) as pool:
            further = pool.submit(own._take)
            own._put_back(taken[0])
            assert further.result() is taken[0]
        monkeypatch.setattr(broker, "PATIENCE", 0)
        assert own._take() not in taken


class TestForks:
    def test_workers_are_forks(
        self, run_pytest: Callable[..., subprocess.CompletedProcess[str]], forks: Runs, tmp_path: Path
    ) -> None:
        """Of the same process as the run itself, in its folder and with its environment."""
        (tmp_path / "test_it.py").write_text(
            "import os, pathlib\n"
            "def it(n):\n"
            "    words = os.environ['PYTEST_XDIST_WORKER'], os.environ['OWN'], os.getppid(), os.getcwd()\n"
            "    pathlib.Path(f'told-{n}').write_text(' '.join(map(str, words)))\n"
            "def test_1(): it(1)\n"
            "def test_2(): it(2)\n"
        )
        quiet = ("-q", "-p", "no:cacheprovider")
        done = run_pytest("-n", "2", "--dist", "each", *quiet, cwd=tmp_path, environment={"OWN": "own"})
        assert done.returncode == 0, done.stdout + done.stderr
        assert "4 passed" in done.stdout
        told = [(tmp_path / f"told-{number}").read_text().split() for number in (1, 2)]
        assert {word[0] for word in told} <= {"gw0", "gw1"}
        assert {tuple(word[1:4]) for word in told} == {("own", str(forks.pid), str(tmp_path))}

    def test_workers_of_the_tests_find_them_imported(self, tmp_path: Path) -> None:
        """Each collects and runs them by itself, as if it had begun by itself."""
        file = tmp_path / "test_it.py"
        file.write_text(
            "import pytest\nopen(__file__ + '.imported', 'a').write('x')\n\n"
            "@pytest.mark.parametrize('a', ['\\n'], ids=repr)\ndef test_it(a):\n    assert {}.get('is') == a\n"
        )
        own = Forks([str(file)])
        worker = [
            sys.executable,
            "-IS",
            str(Path(forked.__file__).with_name("worker.py")),
            own.address + forked.WORKERS,
        ]
        code = f"import pytest, sys; sys.exit(pytest.main([{str(file)!r}, '-q', '-p', 'no:cacheprovider']))"
        try:
            done = [
                subprocess.run(
                    [*worker, "-u", "-c", code], cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                    check=False,
                )
                for _ in range(2)
            ]  # fmt: skip
        finally:
            own.close()
        assert [(one.returncode, one.stderr) for one in done] == [(1, "")] * 2
        assert all("+  where None = <built-in method get of dict" in one.stdout for one in done)
        assert all(r"FAILED test_it.py::test_it['\\n']" in one.stdout for one in done)
        assert (tmp_path / "test_it.py.imported").read_text() == "x"

    def test_a_run_has_what_is_its_own(self, forks: Runs, tmp_path: Path) -> None:
        """Folder, environment, arguments, path, outputs and exit code; and it is another process each time."""
        (tmp_path / "beside.py").write_text("HERE = 1\n")
        (tmp_path / "test_it.py").write_text(
            "import os, sys\nimport beside\n\n"
            "def test_it(pytestconfig):\n"
            "    print('told', os.getcwd(), os.environ['OWN'], sys.stdin.read() == '', file=sys.__stdout__)\n"
            "    os.write(2, b'aside')\n"
            "    assert 'LEFT' not in os.environ\n"
            "    os.environ['LEFT'] = '1'\n"
            "    assert os.getpid() == 0, f'pid {os.getpid()}'\n"
        )
        environment = {**os.environ, "OWN": "\u00e4", "PYTHONPATH": str(tmp_path)}
        runs = [forks.run(["-q", "-s", "-p", "no:cacheprovider"], tmp_path, environment, timeout=280) for _ in range(2)]
        for run in runs:
            assert run.returncode == 1
            assert f"told {tmp_path} \u00e4 True" in run.stdout
            assert run.stderr == "aside"
        pids = {
            line for run in runs for line in run.stdout.splitlines() if line.startswith("E       AssertionError: pid")
        }
        assert len(pids) == 2

    def test_end_with_what_forked_them(self, tmp_path: Path) -> None:
        (tmp_path / "test_it.py").write_text(
            "import os, time\n\ndef test_it():\n    os.mkfifo('never')\n    open('reached', 'w').close()\n    open('never')\n"
        )
        own = Forks()
        with ThreadPoolExecutor(1) as pool:
            run = pool.submit(own.run, ["-q", "-p", "no:cacheprovider"], tmp_path, dict(os.environ), timeout=280)
            while not (tmp_path / "reached").exists():
                assert not run.done()
                time.sleep(0.05)
            own.close()
            assert run.result().returncode == -signal.SIGKILL
