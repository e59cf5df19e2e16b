"""What a scenario is: a fault, and what the diagnosis must make of it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Scenario:
    """One fault on separate hosts.

    Attributes:
        name: of the scenario.
        area: of the manual's table.
        fault: what is broken, in a few words.
        do: what breaks it, line by line: `<host>: <command for sh>`, or `dns: start|stop <subnets> [-- options]`.
        expect: machine -> codes of which one must be the first cause that names it; with `?`, as no more than possible.
        beside: further codes that may be named, on machines that `expect` names or that depend on them.
        undo: what does not come back by itself when packet filters, queues, routes and DNS servers are set back.
        healthy: it is no fault: nothing may be found, and nothing be unknown.
        pings: attempts at each link; 0: none.
        seconds: that a look gets; 0: few, as the lab's ways are short.
        awaited: why it is still misjudged; empty where it is judged right.
        fleet: which hosts it is of (`network.FLEETS`).
        unreached: machine -> stage at which the log-on fails.
        harmless: what of it is seen on healthy machines as well (`together.seen`), and no fault by itself: where
            nothing else of it is seen beside another fault, nobody can know of it.
        merged: the codes of the other fault that say this one as well where they meet: what it is told apart by is
            then the other's, too.
    """

    name: str
    area: str
    fault: str
    do: tuple[str, ...]
    expect: dict[str, tuple[str, ...]]
    beside: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    healthy: bool = False
    pings: int = 0
    seconds: float = 0
    awaited: str = ""
    fleet: str = ""
    unreached: dict[str, str] = field(default_factory=dict)
    harmless: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()


def scenario(
    name: str,
    area: str,
    fault: str,
    do: str,
    expect: str,
    *,
    beside: str = "",
    undo: str = "",
    healthy: bool = False,
    pings: int = 0,
    seconds: float = 0,
    awaited: str = "",
    fleet: str = "",
    unreached: str = "",
    harmless: tuple[str, ...] = (),
    merged: tuple[str, ...] = (),
) -> Scenario:
    """From lines: `do` and `undo` one command a line, `expect` `<machine>[,<machine>]: <code> [<code>]` a line.

    `unreached` are words `<machine>:<stage>`.
    """
    wanted: dict[str, tuple[str, ...]] = {}
    for line in _lines(expect):
        machines, _, codes = line.partition(":")
        wanted |= {machine.strip(): tuple(codes.split()) for machine in machines.split(",")}
    stages = dict(each.split(":") for each in unreached.split())
    return Scenario(
        name, area, fault, _lines(do), wanted, tuple(beside.split()), _lines(undo), healthy, pings, seconds, awaited,
        fleet, stages, harmless, merged,
    )  # fmt: skip


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines() if line.strip())
