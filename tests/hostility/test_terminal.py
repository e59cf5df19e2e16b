"""What a stranger wrote never steers the terminal: not in errors of usage, and not in the header."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios

import pytest

from pytest_tentacle.cli import main
from pytest_tentacle.run import bundle

ESCAPE = "\x1b]0;owned\x07\x1b[2J"


@pytest.fixture
def replay(tmp_path, run_pytest):
    """Replay a survey file that was changed: `replay(change)`."""
    from pytest_tentacle.survey import store
    from support.fleets.world import small_fleet

    def run(change, *, packed=False):
        document = json.loads(store.dumps(small_fleet().surveys()))
        change(document)
        path = tmp_path / "x.zip"
        if packed:
            bundle.write_bundle(path, {bundle.SURVEYS: json.dumps(document), f"extra{ESCAPE}": "x"})
        else:
            path.write_text(json.dumps(document))
        return run_pytest("--replay", path, "-p", "no:cacheprovider", "-k", "nothing", cwd=tmp_path)

    return run


CHANGES = {
    "version": lambda document: document.update(format=99, version=ESCAPE),
    "selected": lambda document: document.update(selected=[ESCAPE]),
    "warnings": lambda document: document["inventory"].update(warnings=[f"a {ESCAPE} warning"]),
    "surplus key": lambda document: document.update({ESCAPE: 1}),
    "machine": lambda document: document["inventory"]["servers"][0].update(name=ESCAPE),
}


class TestReplay:
    @pytest.mark.parametrize("change", CHANGES)
    def test_no_escape_sequence_comes_through(self, replay, change):
        """Whatever part of the file it stands in."""
        done = replay(CHANGES[change])
        assert "\x1b]0;" not in done.stdout + done.stderr
        assert "\x07" not in done.stdout + done.stderr
        assert "\x1b[2J" not in done.stdout + done.stderr

    def test_nor_by_the_name_of_a_part(self, replay):
        """Of a bundle."""
        done = replay(dict.copy, packed=True)
        assert "\x1b]0;" not in done.stdout + done.stderr


class TestCommands:
    @pytest.mark.parametrize(
        "command",
        [["inventory", "{}.yaml"], ["explain", "{}"], ["ping", "{}", "--count", "1"]],
        ids=lambda each: each[0],
    )
    def test_what_a_word_holds(self, command, capsys):
        """Of the commands beside pytest: the word comes from a script, which has it from somewhere."""
        assert main([word.format(ESCAPE) for word in command]) != 0
        told = capsys.readouterr()
        assert "owned" in told.out + told.err
        assert not set("\x1b\x07") & set(told.out + told.err)

    def test_a_password_before_a_host_is_not_shown(self, capsys):
        """Which would stand in each line of a ping."""
        with pytest.raises(SystemExit):
            main(["ping", "user:hunter2@web-01"])
        told = capsys.readouterr()
        assert "a host name or an IP address alone" in told.err
        assert "hunter2" not in told.out + told.err


class TestProgress:
    """On a real terminal, whose width nobody tells but the terminal itself."""

    @pytest.mark.parametrize("columns", [60, 80, 120])
    def test_each_rewrite_fits_into_the_line(self, case, columns):
        case.says("web-01", b"", seconds=1.5)
        inventory = case.folder / "fleet.yaml"
        inventory.write_text(inventory.read_text().replace("name: web-01", f"name: web-01-{'x' * 120}"))
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        environment = {name: value for name, value in case.environment().items() if name != "COLUMNS"}
        process = subprocess.Popen(
            case.command(), cwd=case.folder, env=environment, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        shown = b"".join(iter(lambda: _read(ours), b""))
        os.close(ours)
        assert process.wait(timeout=200) == 1
        frames = [re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", each) for each in re.split(r"[\r\n]+", shown.decode())]
        progress = [each for each in frames if each.startswith("surveying: ") and "waiting for" in each]
        assert len(progress) >= 3, shown
        assert max(map(len, progress)) == columns - 1


def _read(terminal):
    """What it shows; nothing once the other end is closed, which Linux tells by an error."""
    try:
        return os.read(terminal, 65_536)
    except OSError:
        return b""
