"""A name with several addresses, each of which a product may get."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.link import Failure, Stage, Tried
from support.fleets.certificates import thumbprint
from support.rules import linux_rules

STEP = "ip-addresses"
OWN, OTHER, SIX = "192.0.2.20", "192.0.2.99", "2001:db8::20"


def tried(*looks: tuple[str, Failure | None]) -> dict[str, Any]:
    ones = tuple(
        Tried(address=address, ms=3, stage=Stage.CONNECT if error else None, error=error) for address, error in looks
    )
    return {"addresses": tuple(one.address for one in ones), "tried": ones}


class TestSeveralAddresses:
    @pytest.mark.parametrize(
        ("looks", "found", "words"),
        [
            (((OWN, None), (OTHER, None)), None, ""),
            (((OTHER, Failure.REFUSED), (OWN, None)), "TT715", "goes on to the next one"),
            (((OTHER, Failure.TIMED_OUT), (OWN, None)), "TT715", "some 20 s on Windows"),
            (((OWN, None), (OTHER, Failure.TIMED_OUT)), "TT715", "in another order"),
            (((SIX, Failure.UNREACHABLE), (OWN, None)), None, ""),
            (((SIX, Failure.TIMED_OUT), (OWN, None)), "TT715", "some 20 s on Windows"),
            (((OWN, None), (SIX, Failure.UNREACHABLE)), None, ""),
            (((OWN, None), (SIX, Failure.TIMED_OUT)), None, ""),
        ],
    )
    def test_from_windows(self, around: Any, across: Any, looks: Any, found: Any, words: str) -> None:
        """Windows gives a silent address up, and goes on; nobody gets to the other family behind one that answers."""
        across(around.world, "listening", tried(*looks), {})
        result = around.judge(STEP, "web-01")
        problems = {problem.code: problem.actual for problem in result.problems}
        assert list(problems) == ([found] if found else [])
        assert words in problems.get(found, "")

    @pytest.mark.parametrize("unread", [False, True])
    def test_a_family_that_it_has(self, around: Any, across: Any, unread: bool) -> None:
        """Without an address of the family the system says at once that there is no way; with one, that is a fault."""
        across(around.world, "listening", tried((SIX, Failure.UNREACHABLE), (OWN, None)), {})
        around.world["octo-1"].host["addresses"] = ("192.0.2.10", "2001:db8::10", "fe80::1")
        if unread:
            around.world["octo-1"].unknown["host"] = "refused"
        assert around.codes(STEP, "web-01") == ["TT715"]

    def test_from_linux(self, around: Any, across: Any) -> None:
        """A silent one before it takes all of the time that Octopus gives a connection; what refuses costs nothing."""
        silent, refused = ("198.51.100.77", Failure.TIMED_OUT), ("198.51.100.78", Failure.REFUSED)
        across(around.world, "polling", tried(refused, silent, ("192.0.2.10", None)), {})
        problems = {problem.code: problem for problem in around.judge(STEP, "poll-01").problems}
        assert sorted(problems) == ["TT715", "TT716"]
        assert problems["TT716"].facts["dead"] == silent[0]
        assert "the next one is never tried" in problems["TT716"].actual

    def test_from_a_system_that_nobody_read(self, around: Any, across: Any) -> None:
        """A silent address costs 20 s or all of the time: which, depends on the system. What refuses does not."""
        silent, refused = ("198.51.100.77", Failure.TIMED_OUT), ("198.51.100.78", Failure.REFUSED)
        across(around.world, "polling", tried(silent, ("192.0.2.10", None)), {})
        around.world["poll-01"].unknown["host"] = "refused"
        result = around.judge(STEP, "poll-01")
        assert (result.outcome, result.problems) == (Outcome.UNKNOWN, ())
        assert "which system poll-01 runs was not read" in str(result.reason)
        across(around.world, "polling", tried(refused, ("192.0.2.10", None)), {})
        assert around.codes(STEP, "poll-01") == ["TT715"]

    @pytest.mark.parametrize(
        ("looks", "rules", "words"),
        [
            (
                ((OTHER, Failure.TIMED_OUT), (OWN, Failure.TIMED_OUT)),
                None,
                f"{OTHER} is none of the addresses of web-01",
            ),
            (((OWN, Failure.TIMED_OUT), (SIX, Failure.TIMED_OUT)), None, ""),
            (((OTHER, Failure.TIMED_OUT), ("192.0.2.98", Failure.TIMED_OUT)), None, ""),
            (
                ((SIX, Failure.TIMED_OUT), (OWN, Failure.TIMED_OUT)),
                linux_rules("ip protocol tcp tcp dport 10933 drop"),
                f"{SIX} fails (connect: nothing answered in time), and no rule of web-01 keeps it out",
            ),
            (((SIX, Failure.TIMED_OUT), (OWN, Failure.TIMED_OUT)), linux_rules("tcp dport 10933 drop"), ""),
        ],
    )
    def test_none_answers(self, around: Any, across: Any, looks: Any, rules: Any, words: str) -> None:
        """One fault may explain that; not that an address is not the machine's, nor that its rules let one in."""
        web = around.world["web-01"]
        web.host["addresses"] = (OWN, SIX)
        around.world["octo-1"].host["addresses"] = ("192.0.2.10", "2001:db8::10")
        if rules is not None:
            web.os = "linux"
            around.sections["web-01"]["firewall"] = rules
        silent = {"fails": "connect", "error": Failure.TIMED_OUT}
        across(around.world, "listening", tried(*looks) | silent, silent)
        found = [problem for problem in around.judge(STEP, "web-01").problems if problem.code == "TT715"]
        assert [problem.actual for problem in found] == ([f"none does; {words}"] if words else [])

    @pytest.mark.parametrize(("by_address", "found"), [({}, ["TT715"]), (None, [])])
    def test_the_look_by_address_tells_which_answers(
        self, around: Any, across: Any, by_address: Any, found: Any
    ) -> None:
        """By name neither did: one packet more was lost, and the other address is dead all the same."""
        around.world["web-01"].host["addresses"] = (OWN, SIX)
        silent = {"fails": "connect", "error": Failure.TIMED_OUT}
        looks = tried((SIX, Failure.TIMED_OUT), (OWN, Failure.TIMED_OUT)) | silent
        across(around.world, "listening", looks, silent if by_address is None else by_address)
        assert [problem.code for problem in around.judge(STEP, "web-01").problems] == found

    def test_its_rules_keep_all_of_them_out(self, around: Any, across: Any) -> None:
        """Then nobody knows of the way to any."""
        web = around.world["web-01"]
        web.os = "linux"
        web.host["addresses"] = (OWN, SIX)
        around.world["octo-1"].host["addresses"] = ("192.0.2.10", "2001:db8::10")
        around.sections["web-01"]["firewall"] = linux_rules("tcp dport 10933 drop")
        silent = {"fails": "connect", "error": Failure.TIMED_OUT}
        across(around.world, "listening", tried((SIX, Failure.TIMED_OUT), (OWN, Failure.TIMED_OUT)) | silent, silent)
        result = around.judge(STEP, "web-01")
        assert result.outcome is Outcome.UNKNOWN
        assert f"keep out what comes to {SIX}, {OWN}" in (result.reason or "")

    @pytest.mark.parametrize("cluster", [None, "one"])
    def test_an_address_of_two_machines(self, around: Any, across: Any, cluster: Any) -> None:
        """None answers, and one of them another machine has as well, which is no node of the same cluster."""
        around.world["web-01"].host["addresses"] = (OWN, SIX)
        around.world["poll-01"].host["addresses"] = ("192.0.2.30", SIX)
        for name in ("web-01", "poll-01"):
            around.world[name].declare(cluster=cluster)
        silent = {"fails": "connect", "error": Failure.TIMED_OUT}
        across(around.world, "listening", tried((SIX, Failure.TIMED_OUT), (OWN, Failure.TIMED_OUT)) | silent, silent)
        found = [problem.actual for problem in around.judge(STEP, "web-01").problems if problem.code == "TT715"]
        assert found == ([] if cluster else [f"none does; {SIX} is an address of poll-01 as well"])

    def test_none_answers_at_a_server(self, around: Any, across: Any) -> None:
        """There the rules are the server's, of the other end of the link."""
        own, six = "192.0.2.10", "2001:db8::10"
        octopus = around.world["octo-1"]
        octopus.host["addresses"] = (own, six)
        octopus.os = "linux"
        around.sections["octo-1"]["firewall"] = linux_rules("ip protocol tcp tcp dport 10943 drop")
        around.world["poll-01"].host["addresses"] = ("192.0.2.30", "2001:db8::30")
        silent = {"fails": "connect", "error": Failure.TIMED_OUT}
        across(around.world, "polling", tried((six, Failure.TIMED_OUT), (own, Failure.TIMED_OUT)) | silent, silent)
        found = [problem.actual for problem in around.judge(STEP, "poll-01").problems if problem.code == "TT715"]
        words = f"{six} fails (connect: nothing answered in time), and no rule of octo-1 keeps it out"
        assert found == [f"none does; {words}"]

    def test_the_one_that_answers_is_another_machine(self, around: Any, across: Any) -> None:
        """Then the page across the link tells of it, and the own address, which is silent, is not accused."""
        looks = tried((OTHER, None), (OWN, Failure.TIMED_OUT))
        looks["tried"] = (looks["tried"][0].model_copy(update={"thumbprint": "AB" * 20}), looks["tried"][1])
        across(around.world, "listening", looks | {"whose": "another"}, {})
        assert "TT715" not in around.codes(STEP, "web-01")

    @pytest.mark.parametrize(("owner", "found"), [("poll-01", ["TT715"]), (None, []), ("web-01", [])])
    def test_another_machine_beside_a_stranger(
        self, around: Any, across: Any, owner: str | None, found: list[str]
    ) -> None:
        """Another program has the port of the machine, and the name leads to another machine as well, in its turn."""
        known = thumbprint(owner) if owner else "CD" * 20
        looks = tried((OWN, None), (OTHER, None))
        looks["tried"] = tuple(
            one.model_copy(update={"thumbprint": shown})
            for one, shown in zip(looks["tried"], ("AB" * 20, known), strict=True)
        )
        across(around.world, "listening", looks | {"whose": "another"}, {"whose": "another"})
        assert [code for code in around.codes(STEP, "web-01") if code == "TT715"] == found

    def test_of_another_machine(self, around: Any, across: Any) -> None:
        """One of the addresses presents another certificate."""
        looks = tried((OWN, None), (OTHER, None))
        looks["tried"] = (looks["tried"][0], looks["tried"][1].model_copy(update={"thumbprint": "AB" * 20}))
        across(around.world, "listening", looks, {})
        result = around.judge(STEP, "web-01")
        assert (result.outcome, [problem.code for problem in result.problems]) == (Outcome.FAILED, ["TT715"])
        assert f"presents another certificate, {'AB' * 20}" in result.problems[0].actual
