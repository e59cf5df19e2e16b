"""The model of Tentacle's calls, row by row as its source makes them (tentacle-commands.md, section 3)."""

from __future__ import annotations

import shlex

import pytest

from support.remedies.commands import LISTENING, POLLING, Portal, Refused, State, Trusted, uri

X, Y, XL = "A" * 40, "B" * 40, "a" * 40
H, WRONG, N2 = "https://h:10943", "https://wrong:10943", "https://n2:10943"
S1, NEW = "poll://s1/", "poll://new1/"
REGISTER = (
    "register-with --server https://p --apiKey K --comms-style TentacleActive --server-comms-address https://h:10943 "
    "--environment E --role R --name m --force"
)


def polled(thumbprint: str, address: str | None = H, subscription: str | None = S1) -> Trusted:
    return Trusted(thumbprint, POLLING, address, subscription)


def passive(thumbprint: str) -> Trusted:
    return Trusted(thumbprint, LISTENING)


ROWS = {
    1: ([passive(X)], Y, [f"configure --trust {Y}"], [passive(X), passive(Y)]),
    2: ([polled(X)], Y, [f"configure --trust {Y}"], [polled(X), passive(Y)]),
    3: ([polled(X)], Y, [f"update-trust --oldThumbprint {X} --newThumbprint {Y}"], [polled(Y)]),
    4: ([polled(X)], Y, [REGISTER], [polled(X), polled(Y)]),
    5: ([polled(X)], Y, [f"configure --trust {Y}", f"configure --remove-trust {X}"], [passive(Y)]),
    8: ([polled(X)], X, ["configure --reset-trust", REGISTER], [polled(X, H, NEW)]),
    10: ([polled(X, WRONG)], X, [f"server-comms --thumbprint {X} --style TentacleActive --host h --port 10943"],
         [polled(X, WRONG), polled(X)]),
    11: ([polled(X, WRONG), polled(X)], X, [f"clear-trusted-servers --keep {H}"], [polled(X)]),
    12: ([polled(X, WRONG)], X, [REGISTER], [polled(X, WRONG), polled(X, H, NEW)]),
    13: ([polled(X), polled(X, N2)], X, [f"configure --remove-trust {X}"], []),
    14: ([passive(X), passive(Y)], Y, [f"update-trust --oldThumbprint {X} --newThumbprint {Y}"], [passive(Y), passive(Y)]),
    15: ([polled(XL)], X, [f"configure --trust {X}"], [polled(XL), passive(X)]),
    16: ([polled(X)], X, [f"configure --remove-trust {XL}"], [polled(X)]),
    17: ([polled(X)], X, [f"poll-server --server-comms-address {N2}"], [polled(X), polled(X, N2)]),
    20: ([polled(X)], X, [f"server-comms --thumbprint {X} --style TentaclePassive"], [polled(X), passive(X)]),
    24: ([], X, [f"configure --trust {X}"], [passive(X)]),
    27: ([polled(X)], X, ["new-certificate", REGISTER], [polled(X)]),
}  # fmt: skip
REFUSED = {
    6: ([polled(X)], [f"configure --reset-trust --trust {X}"], f"poll-server --server-comms-address {H}"),
    25: ([], [], f"server-comms --thumbprint {X} --style TentacleActive --host h"),
    "keep crashes on a passive entry": ([polled(X), passive(Y)], [], f"clear-trusted-servers --keep {H}"),
    "two that are the same": ([passive(Y), passive(Y)], [], f"configure --trust {Y}"),
    "443, where none is given": ([polled(X)], [], "poll-server --server-comms-address https://h"),
}


def state(trusted: list[Trusted], server: str = X) -> State:
    portal = Portal(server, {uri(H), uri(N2)}, {"m": S1})
    return State(trusted, portal, no_listen=any(each.style == POLLING for each in trusted))


class TestRows:
    """State before, calls, state after."""

    @pytest.mark.parametrize(("before", "server", "calls", "after"), ROWS.values(), ids=[str(row) for row in ROWS])
    def test_what_changes(self, before: list[Trusted], server: str, calls: list[str], after: list[Trusted]) -> None:
        machine = state(before, server)
        for call in calls:
            machine.call(shlex.split(call))
        assert machine.trusted == after

    @pytest.mark.parametrize(("before", "calls", "last"), REFUSED.values(), ids=[str(row) for row in REFUSED])
    def test_what_is_refused(self, before: list[Trusted], calls: list[str], last: str) -> None:
        machine = state(before)
        for call in calls:
            machine.call(shlex.split(call))
        with pytest.raises(Refused):
            machine.call(shlex.split(last))

    def test_nothing_is_reloaded(self) -> None:
        """Every change waits for a restart, and `service --restart` leaves a stopped Windows service stopped."""
        machine = state([passive(X)])
        machine.call(["configure", "--port", "10950"])
        assert machine.needs_restart
        machine.restart()
        assert not machine.needs_restart
        machine.stop()
        machine.call(["service", "--restart"])
        assert machine.service == "stopped"
        machine.call(["service", "--start"])
        assert machine.service == "running"

    def test_what_the_model_does_not_know(self) -> None:
        with pytest.raises(LookupError):
            state([]).call(["deregister-from"])
