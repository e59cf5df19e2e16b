"""`pytest --tentacle HOST`: one Tentacle in trouble, without a file and without a log-on."""

from __future__ import annotations

import re
import socket

import pytest

from pytest_tentacle.lab.halibut.listener import HalibutListener, make_certificate


@pytest.fixture
def listener():
    """A Tentacle's port on loopback."""
    made = HalibutListener("127.0.0.1", 0, certificate=make_certificate(), product="tentacle")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def run(run_here):
    """What a run says."""
    return lambda *arguments: run_here(*arguments, "-p", "no:cacheprovider").stdout


class TestFromOutside:
    def test_what_listens_is_judged(self, run, listener):
        """Its port, TLS and page pass as a server would see them; the rest is unknown, with what a log-on would tell."""
        shown = run("--tentacle", f"127.0.0.1:{listener.port}", "--output", "full")
        assert "√ Welcome page across the link: passed" in shown
        assert "checked only from outside" in shown
        assert "A log-on would also show its service" in shown
        assert "no transport is declared" not in shown

    def test_what_does_not_is_told(self, run):
        """A closed port is a problem with its cause."""
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        shown = run("--tentacle", f"127.0.0.1:{port}")
        assert "127.0.0.1 is up and refuses the connection" in shown
        assert f"port {port}" in shown

    def test_log_on_by_itself(self, run):
        """--transport local logs on to this very machine: then it is judged as any other."""
        shown = run("--tentacle", "localhost", "--transport", "local", "--output", "full")
        assert "checked only from outside" not in shown
        assert "Services running" in shown


class TestNumbers:
    """They add up, and nothing is told that nobody asked for."""

    def test_the_server_that_was_not_named_has_no_tests(self, run_here):
        """It stands for this very machine; what was dropped is pytest's deselected."""
        shown = run_here("--tentacle", "127.0.0.1:1", "-v").stdout
        assert "this machine-" not in shown
        found = re.search(r"collected (\d+) items / (\d+) deselected / (\d+) selected", shown)
        assert found, shown
        collected, deselected, selected = map(int, found.groups())
        assert collected == deselected + selected
        assert deselected > 0
        ended = re.findall(r"(\d+) (passed|failed|unknown|blocked|noted)", shown.splitlines()[-1])
        assert sum(int(count) for count, _ in ended) == selected

    def test_a_root_folder_that_moved(self, pytester, run_here, monkeypatch):
        """With a space pytest takes the file's folder for one of tests, and leaves the settings here."""
        (pytester.path / "project").mkdir()
        (pytester.path / "project" / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        (pytester.path / "else").mkdir()
        (pytester.path / "else" / "prod.yaml").write_text(
            "tentacles: [{name: web-01, ip: 127.0.0.1, port: 1, mode: listening, transport: none}]\n", encoding="utf-8"
        )
        monkeypatch.chdir(pytester.path / "project")
        spaced = run_here("--inventory", "../else/prod.yaml", "--collect-only")
        assert "pytest.ini is not read, and the root folder is " in spaced.stdout
        assert "write --inventory=FILE" in spaced.stdout
        joined = run_here("--inventory=../else/prod.yaml", "--collect-only")
        assert "is not read" not in joined.stdout


class TestWrongUse:
    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["--tentacle", "web-01", "--user", "me"], "--user and --ask-password go with --transport"),
            (["--tentacle", "web-01", "--transport", "ssh", "--ask-password"], "--ask-password needs a terminal"),
            (["--tentacle", "web 01"], "is no host name"),
            (["--tentacle", "web-01", "--save-surveys="], "--save-surveys is empty; perhaps a variable is not set"),
            (["--tentacle", "web-01", "--hosts", "web-01"], "--hosts is an option of testinfra's"),
            (["--tentacle", "web-01", "--sudo"], "the inventory says how to log on"),
            (["--tentacle", "web-01", "--ansible-inventory", "x"], "--inventory ansible:FILE reads it"),
            (["--server", "octo-1"], "which machines are meant?"),
            (["--tentacle", "web-01", "--transport", "winrm"], "needs user and password; add --user NAME --ask-"),
            (["--tentacle", "web-01", "--workers", "many"], "'many' must be a whole number from 1 to 10000"),
            (["--tentacle", "web-01", "--machine-timeout", "1m"], "must be a number of seconds above 0, such as 60"),
            (["--tentacle", "web-01", "--bundle", "x.txt"], "--bundle writes a zip file: name it so, such as x.zip"),
            (["--tentacle", "web-01", "--css", "no.css"], "--css no.css: there is no such file"),
            (["--inventory=https://x.example/i.yaml"], "an inventory is a file: fetch it first"),
            (["--inventory", "lab"], "the embedded lab is --inventory lab:"),
            (["--replay", "tox.ini"], "this is no survey file. --replay takes"),
        ],
    )
    def test_a_sentence_each(self, pytester, run_here, arguments, words):
        """Nobody is contacted, and the sentence says what to write."""
        pytester.makeini("[pytest]")
        done = run_here(*arguments)
        assert done.returncode == pytest.ExitCode.USAGE_ERROR
        assert words in done.stderr
