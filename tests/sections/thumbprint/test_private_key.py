"""The private key of a Tentacle's certificate: its file, who may read it, and when that is a problem."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.survey.surroundings import Access, AccessEntry
from support.fleets.failures import CLOSED, OLD_TLS
from support.fleets.looks import OWN_PORT
from support.fleets.whole import Whole, wide_fleet
from support.fleets.world import probe

SVC = "S-1-5-21-1-2-3-1105"
PATH = "C:\\ProgramData\\Microsoft\\Crypto\\RSA\\MachineKeys\\52ab_6f1d"


def file(*entries: tuple[str, int], **more: Any) -> Access:
    made = tuple(AccessEntry(sid=sid, mask=mask) for sid, mask in entries)
    return Access(path=PATH, owner="S-1-5-32-544", **({"entries": made} | more))


UNUSABLE = {
    "no right": ({"access": file(("S-1-5-18", 0x1F01FF)), "sid": SVC}, "may not read the key"),
    "too little": ({"access": file((SVC, 0x100080)), "sid": SVC}, "may not read the key"),
    "denied": (
        {"access": file(entries=(AccessEntry(sid=SVC, mask=0x1F01FF, deny=True), AccessEntry(sid=SVC, mask=0x1F01FF))), "sid": SVC},
        "an entry denies it",
    ),
    "gone": ({"access": Access(path=PATH, error="not-found")}, "is gone"),
    "a copied disk": (
        {"access": Access(path=PATH, error="not-found"), "of_another_machine": PATH + "7"}, "made on another machine"
    ),
    "without a key": ({"has_key": False, "access": None}, "without its private key"),
}  # fmt: skip
USABLE = {
    "Local System": ({}, "may read the key"),
    "an account of its own": ({"access": file((SVC, 0x120089)), "sid": SVC}, "may read the key"),
    "a generic right": ({"access": file((SVC, 0x80000000)), "sid": SVC}, "may read the key"),
    "by a group": (
        {"access": file(("S-1-5-32-544", 0x1F01FF)), "sid": SVC, "groups": ("S-1-5-32-544",)}, "may read the key"
    ),
    "not in the store yet": ({"stored": False, "has_key": None, "access": None}, "when it starts"),
}  # fmt: skip
UNTOLD = {
    "a group nobody knows": (
        {"access": file(("S-1-5-21-1-2-3-900", 0x1F01FF)), "sid": SVC, "groups_complete": False}, "depends on groups"
    ),
    "a store that is closed": ({"stored": None, "has_key": None, "access": None, "detail": "not loaded"}, "not read"),
    "CNG": ({"access": None, "detail": "no file of the CNG key x was found by its name"}, "no file of the CNG key"),
    "a list that is refused": ({"access": Access(path=PATH, error="denied")}, "could not be read: denied"),
}  # fmt: skip


@pytest.fixture
def world() -> Whole:
    return wide_fleet()


def judge(world: Whole, key: dict[str, Any], how: dict[str, Any] | None) -> tuple[Any, str]:
    """The step's result and what it says, where its own port's handshake ends like that."""
    if how is not None:
        world["web-01"].replace(OWN_PORT, probe(**how))
        world.both("web-01", how)
    world.sections["web-01"]["private_keys"] = (world.private_key("web-01", **key),)
    result = world.fleet().subject("web-01").result("tentacle-certificate")
    return result, " / ".join(result.looked_at)


@pytest.mark.parametrize("case", UNUSABLE)
def test_unusable(world: Whole, case: str) -> None:
    """With a handshake that ends without a word it is the reason; a port that shows its page needs no file."""
    key, words = UNUSABLE[case]
    result, said = judge(world, key, None)
    assert result.outcome is Outcome.PASSED
    assert words in said
    result, _ = judge(world, key, CLOSED)
    (problem,) = (problem for problem in result.problems if problem.code == "TT414")
    assert words in problem.actual


@pytest.mark.parametrize("case", [*USABLE, *UNTOLD])
def test_no_reason(world: Whole, case: str) -> None:
    """What can be read, or was not, is told, and never blamed."""
    key, words = (USABLE | UNTOLD)[case]
    result, said = judge(world, key, None)
    assert result.outcome is Outcome.PASSED
    assert words in said
    assert case in USABLE or "may read the key" not in said
    result, _ = judge(world, key, CLOSED)
    assert "TT414" not in [problem.code for problem in result.problems]


def test_a_handshake_that_has_another_reason(world: Whole) -> None:
    """An alert about versions comes from a server that has its key."""
    result, _ = judge(world, UNUSABLE["gone"][0], OLD_TLS)
    assert "TT414" not in [problem.code for problem in result.problems]


def test_not_read(world: Whole) -> None:
    world.sections["web-01"]["private_keys"] = "no time was left for it"
    result = world.fleet().subject("web-01").result("tentacle-certificate")
    assert any("not read: private_keys of web-01: no time was left for it" in said for said in result.looked_at)
