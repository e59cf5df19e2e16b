"""The fixtures of an active run: the machines of the inventory, for the guide's tests and for a user's own."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.finding import Unknown
from pytest_tentacle.run import verdict
from pytest_tentacle.run.session import TentacleRun
from pytest_tentacle.survey.model import Survey
from pytest_tentacle.transport import TransportError

from . import collection
from .machine import Machine


class Fixtures:
    """Registered for one run; `pytest --inventory FILE --fixtures` shows them."""

    def __init__(self, run: TentacleRun) -> None:
        self.run = run

    @pytest.fixture
    def machine(self, request: pytest.FixtureRequest) -> Machine:
        """One machine, Tentacle or Octopus Server; the test runs once for each selected one of the inventory.

        `machine.must_pass(...)` makes checks on it, as the tests of the guide do; `machine.name`, `machine.declared`
        and `machine.survey` are what is known of it.
        """

        def keep(result: Any) -> None:
            request.node.stash[verdict.RESULT] = result

        return Machine(self.run.subject(request.param), collection.step_of(request.node), keep)

    @pytest.fixture
    def tentacle(self, machine: Machine) -> Machine:
        """The same for Tentacles alone."""
        return machine

    @pytest.fixture
    def listening_tentacle(self, machine: Machine) -> Machine:
        """The same for Tentacles that listen, and those of which nobody knows their mode."""
        return machine

    @pytest.fixture
    def polling_tentacle(self, machine: Machine) -> Machine:
        """The same for Tentacles that poll, and those of which nobody knows their mode."""
        return machine

    @pytest.fixture
    def octopus_server(self, machine: Machine) -> Machine:
        """The same for the nodes of Octopus Server alone."""
        return machine

    @pytest.fixture
    def communication_mode(self, machine: Machine) -> Mode | None:
        """`listening` or `polling`: the mode of the test's machine; None of a server, and where nobody knows."""
        return machine.communication_mode

    @pytest.fixture
    def survey(self, machine: Machine) -> Survey:
        """What the host of the test's machine said, such as `survey.services.data`. The test is unknown without one."""
        return machine.survey

    @pytest.fixture
    def host(self, request: pytest.FixtureRequest) -> Any:
        """Testinfra's host, on the test's machine, over the inventory's own transport (WinRM, SSH or local).

        A test that asks for it asks for a machine as well, such as `tentacle`. A replay contacts nobody: the test is
        unknown there.
        """
        try:
            return self.run.host(str(collection.machine_of(request.node)))
        except TransportError as error:
            raise Unknown(error.summary, error.advice) from None
