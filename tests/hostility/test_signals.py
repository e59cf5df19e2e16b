"""A run that is told to end ends with its report, and says by whom it was told."""

from __future__ import annotations

import os
import signal
import sys
import time
import zipfile
from pathlib import Path

import pytest

from pytest_tentacle.run.signals import Signals, Undying
from support.session.cpu import children_cpu, cpu_of


def wait_for(condition, process, seconds=120.0):
    """Until it holds; the run goes on."""
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


@pytest.fixture
def hanging(case):
    """A run in which one machine does not answer, and the two others have."""
    case.says("web-01", b"", seconds=500)
    process = case.start("--bundle", "case.zip", "--machine-timeout", "400")
    try:
        wait_for((case.folder / "case.zip").exists, process)
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


class TestEnding:
    @pytest.mark.parametrize(
        ("number", "code"),
        [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 2)],
        ids=["term", "hup", "int"],
    )
    def test_it_ends_with_a_report(self, case, hanging, number, code):
        """In two seconds of CPU, with the bundle, all reports and the exit code of the signal."""
        before, used = children_cpu(), cpu_of(hanging.pid)
        hanging.send_signal(number)
        stdout, stderr = hanging.communicate(timeout=120)
        assert hanging.returncode == code, stdout + stderr
        assert "Traceback" not in stdout + stderr
        assert set(case.reports()) == {".html", ".json", ".md"}
        assert "interrupted" in stdout
        with zipfile.ZipFile(case.folder / "case.zip") as bundle:
            assert "report.html" in bundle.namelist()
        assert children_cpu() - before - used < 2.0

    def test_who_presses_again_and_again_loses_nothing(self, case, hanging):
        """Five times in half a second: the report is whole, and there is no traceback."""
        for _ in range(5):
            hanging.send_signal(signal.SIGINT)
            time.sleep(0.1)
        stdout, stderr = hanging.communicate(timeout=120)
        assert hanging.returncode == 2
        assert "Traceback" not in stdout + stderr
        assert set(case.reports()) == {".html", ".json", ".md"}

    def test_killed_it_leaves_a_bundle_and_no_empty_page(self, case, hanging):
        """kill -9 while a machine hangs and nobody else answers any more."""
        os.killpg(hanging.pid, signal.SIGKILL)
        hanging.communicate()
        with zipfile.ZipFile(case.folder / "case.zip") as bundle:
            assert bundle.testzip() is None
        assert list((case.folder / "reports").glob("*")) == []


class TestReader:
    def test_a_reader_that_goes_away_costs_the_console_alone(self, case):
        """`| head -1`: all reports are written, nothing is told of a broken pipe."""
        reading, writing = os.pipe()
        process = case.start(stdout=writing)
        os.close(writing)
        os.read(reading, 1)
        os.close(reading)
        _, stderr = process.communicate(timeout=200)
        assert process.returncode == 1
        assert set(case.reports()) == {".html", ".json", ".md"}
        assert "Broken" not in stderr
        assert "Traceback" not in stderr

    def test_so_does_a_full_device(self, case):
        """As where the console goes into a file on a full disk."""
        with Path("/dev/full").open("w") as full:
            process = case.start(stdout=full)
            _, stderr = process.communicate(timeout=200)
        assert process.returncode == 1
        assert set(case.reports()) == {".html", ".json", ".md"}
        assert "Traceback" not in stderr


class TestSignals:
    """The same by itself, where moments can be chosen."""

    @pytest.fixture
    def signals(self):
        ending = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.getsignal(number) for number in ending}
        made = Signals()
        made.install()
        yield made
        made.remove()
        for number, handler in before.items():
            signal.signal(number, handler)

    def test_the_first_one_ends_the_run(self, signals):
        """By the exception that Python knows for it."""
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        assert signals.exit_code == 143

    def test_ctrl_c_keeps_pytests_code(self, signals):
        """2, as documented."""
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert signals.exit_code is None

    def test_while_the_report_is_written_it_waits(self, signals):
        """And the code is kept all the same."""
        signals.finishing()
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGINT)
        assert signals.exit_code == 129

    def test_what_is_ignored_stays_ignored(self):
        """As under nohup."""
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signals = Signals()
        try:
            signals.install()
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        finally:
            signals.remove()
            signal.signal(signal.SIGHUP, before)

    def test_it_puts_back_what_was_there(self):
        """Whoever runs pytest in his own process has his own handlers."""
        before = signal.getsignal(signal.SIGTERM)
        signals = Signals()
        signals.install()
        assert signal.getsignal(signal.SIGTERM) != before
        signals.remove()
        assert signal.getsignal(signal.SIGTERM) == before

    @pytest.mark.parametrize(
        ("program", "is_over"),
        [("/venv/bin/pytest", True), ("/lib/pytest/__main__.py", True), ("ide.py", False)],
    )
    def test_a_command_that_is_on_its_way_out(self, signals, monkeypatch, program, is_over):
        """Python handles no signal at its very end. Whoever called `pytest.main` in his own program gets all back."""
        monkeypatch.setattr(sys, "argv", [program])
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        signals.remove()
        assert (signal.getsignal(signal.SIGINT) is signal.SIG_IGN) is is_over


class TestUndying:
    def test_a_letter_that_the_terminal_lacks_is_told(self):
        """It is no reader that has gone."""
        with Path(os.devnull).open("w", encoding="ascii") as stream, pytest.raises(UnicodeError):
            Undying(stream).write("\N{SNOWMAN}")

    def test_a_whole_line_is_shown_at_once(self):
        """A pipe's buffer would keep it until the end: of a run that waits for machines nobody would hear."""
        reading, writing = os.pipe()
        with os.fdopen(reading) as reader, os.fdopen(writing, "w") as stream:
            undying = Undying(stream)
            undying.write("looked at again")
            undying.write("\n")
            assert reader.readline() == "looked at again\n"

    def test_a_closed_stream_is_silent(self):
        """Whatever is written."""
        with Path(os.devnull).open("w") as stream:
            undying = Undying(stream)
        assert undying.write("text") == 4
        undying.flush()
