"""Remedies with the facts of a problem in them: a command that a person copies obeys nothing that a machine said."""

from __future__ import annotations

import re
import shlex
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_tentacle.guide.placeholders import named_in
from pytest_tentacle.guide.remedies import fill
from pytest_tentacle.sections.catalogue import CATALOGUE


class TestRemedies:
    """Of the catalogue."""

    def test_facts_are_filled_in(self) -> None:
        """By the name of the fact."""
        kind = CATALOGUE["TT202"]
        lines = fill(kind.windows, "windows", {"service": "OctopusDeploy Tentacle: Blue"})
        assert "$ Start-Service -Name 'OctopusDeploy Tentacle: Blue'" in lines
        assert "$ sudo systemctl start Blue.service" in fill(kind.linux, "linux", {"service": "Blue.service"})

    def test_missing_facts_stay_placeholders(self) -> None:
        """A person sees what to put there."""
        assert '$ Start-Service -Name "<service>"' in fill(CATALOGUE["TT202"].windows, "windows", {"service": None})

    def test_a_fact_of_a_command_stands_in_double_quotes_or_is_a_number(self) -> None:
        """Only there is it filled in and quoted for the shell."""
        bare = [
            (kind.code, line)
            for kind in CATALOGUE.values()
            for line in (*kind.windows, *kind.linux)
            if line.startswith("$ ")
            and set(named_in([re.sub(r'"[^"]*"', "", line)])) - {"port", "pid", "child", "declared"}
        ]
        assert bare == []


class TestQuoting:
    """What a machine said is one word of a command, never more."""

    @given(st.text(max_size=40))
    @settings(max_examples=200, deadline=None)
    def test_one_word_for_sh(self, text: str) -> None:
        """A POSIX shell reads the very value, or the placeholder stays."""
        (line,) = fill(('$ echo "<host>"',), "linux", {"host": text})
        words = shlex.split(line.removeprefix("$ "))
        assert words in (["echo", text], ["echo", "<host>"])

    @pytest.mark.parametrize(
        "hostile",
        ["$(reboot)", "`reboot`", "a; reboot", "a'b", "a\nreboot", "--help", 'a"b', "\u202ea", "$HOME", "a\\"],
    )
    def test_a_real_shell(self, hostile: str) -> None:
        """What sh prints is what the machine said, or the placeholder."""
        (line,) = fill(('$ printf %s "<host>"',), "linux", {"host": hostile})
        done = subprocess.run(["/bin/sh", "-c", line.removeprefix("$ ")], capture_output=True, text=True, check=True)
        assert done.stdout in (hostile, "<host>")

    @pytest.mark.parametrize(
        ("value", "word"),
        [
            ("O'Hara", "'O''Hara'"),
            ("\u2018x\u2019", "'\u2018\u2018x\u2019\u2019'"),
            ("$(Remove-Item C:)", "'$(Remove-Item C:)'"),
            ("10933", "10933"),
            ("Tentacle", "Tentacle"),
            ("-Force", '"<service>"'),
            ("a\u200eb", '"<service>"'),
            (None, '"<service>"'),
        ],
    )
    def test_powershell(self, value: str | None, word: str) -> None:
        """Single quotes of every kind are doubled; what is invisible or an option is left out."""
        assert fill(('$ Get-Service -Name "<service>"',), "windows", {"service": value}) == (
            f"$ Get-Service -Name {word}",
        )

    def test_a_part_of_a_word(self) -> None:
        """The whole word is quoted, with all its facts or none."""
        line = '$ curl "https://<host>:<port>/"'
        assert fill((line,), "linux", {"host": "a b", "port": 1}) == ("$ curl 'https://a b:1/'",)
        assert fill((line,), "linux", {"host": "a b"}) == (line,)

    def test_outside_of_quotes(self) -> None:
        """There only digits may stand."""
        assert fill(("$ x -p <port>",), "linux", {"port": 10933}) == ("$ x -p 10933",)
        assert fill(("$ x -p <port>",), "linux", {"port": "1;reboot"}) == ("$ x -p <port>",)

    def test_between_two_words(self) -> None:
        """What stands between two quoted words is in neither of them."""
        line = '$ & "$env:ProgramFiles\\x.exe" "<command>" --instance "<instance>" -p <port>'
        facts = {"command": "polling-proxy", "instance": "My Tentacle"}
        assert fill((line,), "windows", facts) == (
            "$ & \"$env:ProgramFiles\\x.exe\" polling-proxy --instance 'My Tentacle' -p <port>",
        )

    def test_a_fact_does_not_bring_a_placeholder(self) -> None:
        """What a machine calls itself is not filled again."""
        assert fill(('$ x "<host>"',), "linux", {"host": "<port>", "port": 1}) == ('$ x "<host>"',)
