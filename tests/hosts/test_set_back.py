"""What a scenario broke is set back whatever fails on the way, or the next one would be judged by this one's fault."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from support.hosts.judge import set_back
from support.hosts.scenario import scenario


class Host:
    """Remembers what it was told to run, and fails on what holds one of these words, the first times."""

    def __init__(self, fails: dict[str, int]) -> None:
        self.told: list[str] = []
        self._fails = fails

    def run(self, command: str) -> None:
        word = next((word for word, times in self._fails.items() if word in command and times), None)
        if word:
            self._fails[word] -= 1
            raise RuntimeError(f"no {word}")
        self.told.append(command)


def network(host: Host) -> Any:
    return SimpleNamespace(host=lambda _name: host, machines={}, ready=lambda: host.told.append("ready"), dns=None)


FAULT = scenario("x", "", "", "router: nft add table ip t; mv /a /b", "", undo="router: mv /b /a\nrouter: true")


def test_one_step_keeps_no_other_from_it() -> None:
    """The rules are flushed once the scenario's own lines brought their tool back."""
    host = Host({"flush": 1})
    set_back(network(host), [FAULT])
    assert host.told[:2] == ["mv /b /a", "true"]
    assert "flush ruleset" in host.told[2]
    assert host.told[3:] == ["ready"]


def test_what_stays_is_told() -> None:
    """And nobody is judged after it unawares."""
    host = Host({"mv /b": 2})
    with pytest.raises(RuntimeError, match="not set back: no mv /b"):
        set_back(network(host), [FAULT])
    assert "true" in host.told


def test_every_table_of_legacy_iptables() -> None:
    """The tables that iptables(8) names, all of them."""
    host = Host({})
    set_back(network(host), [FAULT])
    flush = next(each for each in host.told if "flush ruleset" in each)
    assert {"filter", "nat", "mangle", "raw", "security"} <= set(flush.replace(";", " ").split())
