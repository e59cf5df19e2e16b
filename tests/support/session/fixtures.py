"""Fixtures of the small fleet, for each folder that judges it: `from support.session.fixtures import *` in its conftest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from pytest_tentacle.survey.model import Unreachable
from pytest_tentacle.transport.base import ReachStage
from support.fleets.around import Around
from support.fleets.world import World, across, probe, small_fleet, thumbprint

__all__ = ["across_", "around", "make_probe", "new_world", "thumbprint_of", "tools", "unreachable", "world"]


@pytest.fixture
def world() -> World:
    """A small fleet, all of it well."""
    return small_fleet()


@pytest.fixture
def new_world() -> Any:
    """Makes one more small fleet."""
    return small_fleet


@pytest.fixture
def unreachable() -> Unreachable:
    """Why a host could not be surveyed."""
    return Unreachable(
        stage=ReachStage.AUTHENTICATE, summary="192.0.2.10:5986 refused the password", advice="Correct the password."
    )


@pytest.fixture
def make_probe() -> Any:
    """The function that makes a probe."""
    return probe


@pytest.fixture
def thumbprint_of() -> Any:
    """The function that gives a made-up certificate's thumbprint."""
    return thumbprint


@pytest.fixture(name="across")
def across_() -> Any:
    """The function that replaces both probes of a link: `across(world, mode, by_name, by_address)`."""
    return across


@dataclass(frozen=True)
class Tools:
    """What a change may need besides the world."""

    probe: Any
    thumbprint: Any
    across: Any


@pytest.fixture
def tools() -> Tools:
    """All that changes a world."""
    return Tools(probe, thumbprint, across)


@pytest.fixture
def around(world: World) -> Around:
    """A small fleet with its surroundings, all of it well."""
    return Around(world)
