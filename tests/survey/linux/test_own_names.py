"""What a machine's own names lead to, asked on the machine: host name, full name, and those that it is declared with."""

from __future__ import annotations

import os

import pytest

from pytest_tentacle.survey.request import Request

HOSTILE = "a\"b'c$(touch x)`touch y`;|&<>*?[~\\ %41 ü\n\tz\n"


@pytest.fixture
def sections():
    return {"own_names"}


def found(survey):
    return {one.name: one.addresses or one.error for one in survey.own_names.data}


class TestNames:
    def test_host_full_and_declared_names(self, whole, shell):
        """Each name once, in this order, with every address."""
        whole.description["fqdn"] = "web-7.example.org"
        whole.description["names"] = {"web-7": ["127.0.1.1"], "web.lab": ["127.0.0.77", "::7"]}
        survey = whole.survey(shell, names=("web.lab", "web-7", "web.lab")).survey
        assert [(one.name, one.addresses, one.error) for one in survey.own_names.data] == [
            ("web-7", ("127.0.1.1",), None),
            ("web-7.example.org", ("127.0.0.77",), None),
            ("web.lab", ("127.0.0.77", "::7"), None),
        ]

    def test_no_names_declared(self, whole):
        """A healthy machine knows its own name without being asked for another one."""
        assert found(whole.survey().survey) == {"web-7": ("127.0.0.77",)}

    def test_an_address_is_no_name(self, whole):
        """Where a machine is declared by its address there is nothing to resolve."""
        survey = whole.survey(names=("192.0.2.7", "2001:db8::7", "1.lab")).survey
        assert set(found(survey)) == {"web-7", "1.lab"}

    def test_this_very_machine(self, real):
        """The real getent's answer is understood: localhost is a loopback address."""
        survey = real(Request(names=("localhost",)), sections={"own_names"}).survey
        assert set(found(survey)) >= {os.uname().nodename, "localhost"}
        assert set(found(survey)["localhost"]) & {"127.0.0.1", "::1"}

    def test_round_two(self, whole):
        """A run that only probes does not ask."""
        whole.records = True
        survey = whole.survey(gather=False, names=("web.lab",)).survey
        assert survey.own_names.unknown == "not asked for"
        assert not any(command == "getent" for command, _ in whole.called())


class TestFailures:
    @pytest.mark.parametrize("word", ["name-not-found", "resolver-failed", "no-address"])
    def test_words(self, whole, word, shell):
        """The same words as for a probe's name; getent's exit code is the evidence."""
        whole.description["names"] = {"web.lab": word}
        survey = whole.survey(shell, names=("web.lab",)).survey
        assert found(survey)["web.lab"] == word
        assert "exit code 2" in survey.own_names.data[1].detail

    def test_timed_out(self, whole, shell):
        """Resolvers that do not answer cost their time once, however many names there are."""
        whole.description["names"] = dict.fromkeys(("a.lab", "b.lab", "c.lab"), "timed-out")
        survey = whole.survey(shell, names=("a.lab", "b.lab", "c.lab")).survey
        assert found(survey) == {"web-7": ("127.0.0.77",)} | dict.fromkeys(("a.lab", "b.lab", "c.lab"), "timed-out")

    def test_other_exit_codes(self, whole):
        """What getent does not document is not called a missing name."""
        whole.ready()
        (whole.folder / "bin" / "getent").write_text("#!/bin/sh\nexit 3\n")
        whole.environment = {
            "PATH": str(whole.folder / "bin"),
            "TentacleMachineConfigurationHomeDirectory": str(whole.octopus),
        }
        assert found(whole.survey().survey) == {"web-7": "other"}

    def test_no_getent(self, whole):
        """Without getent nothing is known of names, and everything else stands."""
        whole.description["missing"] = ["getent"]
        survey = whole.survey(names=("web.lab",), sections={"own_names", "left_overs"}).survey
        assert "no getent" in survey.own_names.unknown
        assert survey.left_overs.data == ()

    def test_no_timeout_command(self, whole):
        """Where there is no `timeout`, the script's own limit holds."""
        whole.description["missing"] = ["timeout"]
        whole.description["names"] = {"slow.lab": "timed-out"}
        assert found(whole.survey(names=("slow.lab",)).survey)["slow.lab"] == "timed-out"

    def test_at_most_twelve(self, whole):
        """A long list does not start a process for each."""
        names = tuple(f"n{number}.lab" for number in range(40))
        assert len(whole.survey(names=names).survey.own_names.data) == 12


class TestDataIsNeverCode:
    def test_hostile_names(self, whole, shell):
        """Quotes, substitutions, per cent signs and line ends come back as they left, are asked as one name, and run nothing."""
        names = (HOSTILE, "-help", "%", "100%", "$HOME", "*")
        whole.sections, whole.records = None, True
        ran = whole.survey(shell, names=names)
        assert [one.name for one in ran.survey.own_names.data] == ["web-7", *names]
        assert {one.error for one in ran.survey.own_names.data[1:]} == {"name-not-found"}
        asked = {arguments[1] for command, arguments in whole.called() if command == "getent" and "ahosts" in arguments}
        assert asked - {"127.0.0.77"} == {"web-7"} | set(names) - {"-help"}
        assert ran.answer.stderr == b""
        assert not any(path.name in {"x", "y"} for path in whole.folder.rglob("*"))

    def test_a_hostile_host_name(self, machine):
        """The machine's own name is data, too."""
        machine.description["hostname"] = "w%41$(touch x)'\""
        machine.sections = None
        survey = machine.survey().survey
        assert survey.host.data.hostname == "w%41$(touch x)'\""
        assert set(found(survey)) == {"w%41$(touch x)'\""}
        assert not (machine.folder / "x").exists()
