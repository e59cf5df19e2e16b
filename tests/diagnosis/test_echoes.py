"""What the logs of both ends and the sockets tell of one link is one cause; what has nothing to do with it is another."""

from __future__ import annotations

from typing import Any

import pytest

AT_OCTO = {"host": "octo-1.example", "port": 10943}
NO_CONNECTION = {**AT_OCTO, "server": "octo-1"}
IN_LOGS = (
    *("TT101", "TT102", "TT103", "TT104", "TT105", "TT106", "TT107", "TT108", "TT109", "TT110", "TT112", "TT113"),
    *("TT114", "TT118", "TT119", "TT120", "TT121", "TT133", "TT951", "TT952", "TT953", "TT954", "TT955", "TT158"),
)
"""What a polling Tentacle's log may tell of why it has no connection."""


def explained(diagnosis: Any) -> dict[str, set[str]]:
    """By cause, the codes that it explains; nothing stays unexplained."""
    assert not diagnosis.unexplained
    return {cause.code: set(cause.explains) for cause in diagnosis.causes}


class TestNoConnection:
    """TT551: a polling Tentacle's process holds no connection, and the way is open."""

    @pytest.mark.parametrize("code", IN_LOGS)
    def test_the_log_says_why(self, code: str, world: Any, diagnosed: Any, make_problem: Any) -> None:
        """Its words are the cause, and the only one; so is what the server's log tells of its requests."""
        told = (
            make_problem(code, "poll-01", **AT_OCTO, subject="CN=Somebody", thumbprint="A" * 40, status="407"),
            make_problem("TT551", "poll-01", **NO_CONNECTION),
            make_problem("TT115", "poll-01", vantage="octo-1"),
        )
        (codes,) = explained(diagnosed(world, *told)).values()
        assert codes == {code, "TT551", "TT115"}

    def test_the_log_is_silent(self, world: Any, diagnosed: Any, make_problem: Any) -> None:
        told = make_problem("TT551", "poll-01", **NO_CONNECTION), make_problem("TT115", "poll-01", vantage="octo-1")
        diagnosis = diagnosed(world, *told)
        assert explained(diagnosis) == {"TC5511": {"TT551", "TT115"}}
        assert diagnosis.causes[0].confidence == "likely"

    def test_the_log_tells_what_nobody_knows(self, world: Any, diagnosed: Any, make_problem: Any) -> None:
        """Its text is the cause, known or not: nobody says that the server hangs up."""
        told = (
            make_problem("TT551", "poll-01", **NO_CONNECTION),
            make_problem("TT131", "poll-01", **AT_OCTO, words="Something new"),
            make_problem("TT115", "poll-01", vantage="octo-1"),
        )
        diagnosis = diagnosed(world, *told)
        assert explained(diagnosis) == {"TT131": {"TT131", "TT551", "TT115"}}
        assert "Something new" in diagnosis.causes[0].sentence

    def test_another_server(self, world: Any, diagnosed: Any, make_problem: Any) -> None:
        """What the log tells of one server says nothing of the connection to another."""
        world.add_server("octo-2", "192.0.2.20")
        world.join("poll-01", "octo-2")
        told = (
            make_problem("TT107", "poll-01", **AT_OCTO),
            make_problem("TT551", "poll-01", server="octo-2", host="octo-2.example", port=10943),
        )
        assert explained(diagnosed(world, *told)) == {"TT107": {"TT107"}, "TC5511": {"TT551"}}


class TestBothEnds:
    """A failure that both ends' logs tell of."""

    def test_an_echo(self, world: Any, diagnosed: Any, make_problem: Any) -> None:
        """The server's log tells of a reset where the Tentacle's tells why it hung up."""
        told = (
            make_problem("TT101", "poll-01", **AT_OCTO, thumbprint="A" * 40),
            make_problem("TT106", "poll-01", vantage="octo-1"),
        )
        assert explained(diagnosed(world, *told)) == {"TC1012": {"TT101", "TT106"}}

    def test_no_echo(self, world: Any, diagnosed: Any, make_problem: Any) -> None:
        """In one and the same log these are two attempts, which failed for two reasons."""
        told = (
            make_problem("TT101", "poll-01", **AT_OCTO, thumbprint="A" * 40),
            make_problem("TT106", "poll-01", **AT_OCTO),
        )
        assert explained(diagnosed(world, *told)) == {"TC1012": {"TT101"}, "TT106": {"TT106"}}

    @pytest.mark.parametrize("code", ["TT106", "TT113", "TT114", "TT121"])
    def test_the_same_at_both_ends(self, code: str, world: Any, diagnosed: Any, make_problem: Any) -> None:
        """One line that names both logs, and not a line for each."""
        told = (make_problem(code, "poll-01", **AT_OCTO), make_problem(code, "poll-01", vantage="octo-1"))
        (cause,) = diagnosed(world, *told).causes
        assert "According to the log of poll-01 and octo-1, " in cause.sentence

    def test_a_stopped_service_is_no_reason_for_what_it_told_before(
        self, world: Any, diagnosed: Any, make_problem: Any
    ) -> None:
        """What the server's log tells follows from it; what stands in its own log does not."""
        world.down("poll-01")
        echo = make_problem("TT109", "poll-01", vantage="octo-1")
        assert explained(diagnosed(world, echo)) == {"TC2021": {"TT202", "TT109"}}
        own = make_problem("TT107", "poll-01", **AT_OCTO)
        assert set(explained(diagnosed(world, echo, own))) == {"TC2021", "TT107"}


class TestOneLineForAServer:
    """Who meets the same at one server is one line, whichever end's log tells it."""

    def test_many_pollers(self, world: Any, diagnosed: Any, make_problem: Any) -> None:
        told = [make_problem("TT107", name, **AT_OCTO) for name in ("poll-01", "poll-02")]
        (cause,) = diagnosed(world, *told).causes
        assert cause.machines == ("poll-01", "poll-02")
        assert cause.sentence.startswith(
            "According to the log of poll-01 and poll-02, connections to octo-1.example:10943"
        )

    def test_no_host_is_known(self, world: Any, diagnosed: Any, make_problem: Any) -> None:
        """As of a registration, whose text names none."""
        (cause,) = diagnosed(world, make_problem("TT108", "poll-01")).causes
        assert "connections to the other end are not answered" in cause.sentence
