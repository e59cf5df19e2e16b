"""How a run gets at its machines: directly, through workers of their sites, or in the lab that it starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from pytest_tentacle.acting import sending
from pytest_tentacle.inventory.loading import OctopusSource
from pytest_tentacle.inventory.model import Inventory
from pytest_tentacle.inventory.secrets import Secret
from pytest_tentacle.judging.finding import Unknown
from pytest_tentacle.link import system_resolver
from pytest_tentacle.octopus import PortalError
from pytest_tentacle.sites.address import SitesError
from pytest_tentacle.sites.of_run import SitesOfRun
from pytest_tentacle.survey.collector import Interrupted, Plan, collect
from pytest_tentacle.survey.store import Surveys
from pytest_tentacle.transport import Deadline, Transport, open_transport

from .octopus import OctopusSession
from .options import DEFAULT_WORKERS, Options
from .progress import TerminalProgress

if TYPE_CHECKING:  # paramiko's and spnego's servers come with it: a run on real machines needs none of them
    from pytest_tentacle.lab.site import Lab


class Reach:
    """The machines of one run, and whatever has to run or stay logged on for them."""

    def __init__(
        self,
        options: Options,
        inventory: Inventory,
        octopus: OctopusSession,
        shown: Callable[[str], str],
        until: float | None,
    ) -> None:
        """Contacts nobody.

        Args:
            options: of the command line.
            inventory: as it is declared.
            octopus: how Octopus is asked; the lab has a portal of its own.
            shown: a machine's name as it may be seen.
            until: when all surveys end, by `time.monotonic`; None: each machine has its own time.
        """
        self._options = options
        self._declared = inventory
        self._octopus = octopus
        self._shown = shown
        self._until = until
        self._sites = SitesOfRun(options.executor)
        self._lab: Lab | None = None
        self._started: Inventory | None = None
        self._hosts: dict[str, tuple[Transport, Any]] = {}

    @property
    def inventory(self) -> Inventory:
        """With the lab's addresses, once it runs."""
        return self._started or self._declared

    @property
    def sender(self) -> sending.Sender:
        """Who logs on to change something."""
        return sending.by(self._sites)

    def survey(
        self, names: set[str], reporter: pytest.TerminalReporter | None, keep: Callable[[Surveys], None] | None
    ) -> tuple[Surveys, bool]:
        """The named machines' surveys, and whether somebody ended the run meanwhile.

        Args:
            names: whom to ask.
            reporter: the console; None where there is none.
            keep: is handed all that is known, each time somebody has answered.

        Raises:
            pytest.UsageError: the lab cannot be started, or a site has no worker.
        """
        if self._started is None:
            self._started = self._start_lab(names) if self._declared.is_lab else self._declared
        inventory, resolve = self._started, self._lab.resolve if self._lab else system_resolver
        plan = Plan(
            workers=self._options.workers or (self._lab.workers if self._lab else DEFAULT_WORKERS),
            machine_timeout=self._options.machine_timeout,
            probe_seconds=self._options.probe_timeout,
            identity=self._options.identity,
            resolve=resolve,
            ping=self._options.ping,
            tls_versions=self._options.tls_versions,
            keep=keep,
            until=self._until,
        )
        labels = {machine.host_key: self._shown(machine.name) for machine in inventory.machines}
        interrupted = False
        try:
            elsewhere = self._sites.executors(inventory, names)
            surveys = collect(inventory, names, plan, TerminalProgress(reporter, labels), *elsewhere)
        except SitesError as error:
            raise pytest.UsageError(str(error)) from None
        except Interrupted as stop:
            interrupted = True
            surveys = stop.surveys
        return self._lab.mark_recorded(surveys) if self._lab else surveys, interrupted

    def host(self, name: str) -> Any:
        """Testinfra's host on a machine, logged on once a run. Raises TransportError, Unknown in a replay."""
        if self._options.replay:
            raise Unknown("a replay contacts no machine", "Run the test against the inventory itself.")
        if self.inventory.is_lab and self._lab is None:
            raise Unknown("the lab runs in another process", "Run the test without pytest-xdist.")
        from pytest_tentacle.transport.backend import make_host  # noqa: PLC0415  only a user's own test needs it

        machine = next(machine for machine in self.inventory.machines if machine.name == name)
        if self._sites.reaches(machine.site):
            raise Unknown(f"only workers of site {machine.site} reach it", "Run the test there, without --executor.")
        if machine.host_key not in self._hosts:
            transport = open_transport(machine.transport)
            transport.connect(Deadline(self._options.machine_timeout))
            self._hosts[machine.host_key] = transport, make_host(transport, name=self._shown(name))
        return self._hosts[machine.host_key][1]

    def close(self) -> None:
        """Log off, let go of sites' workers, and stop the lab, if one runs."""
        self._sites.close()
        while self._hosts:
            self._hosts.popitem()[1][0].close()
        if self._lab is not None:
            self._lab.stop()
            self._lab = None

    def _start_lab(self, names: set[str]) -> Inventory:
        from pytest_tentacle.lab.site import Lab, LabError  # noqa: PLC0415  only a run on the lab pays for it

        try:
            self._lab = Lab(self._declared)
            inventory = self._lab.start(names)
        except LabError as error:
            raise pytest.UsageError(str(error)) from None
        return self._with_labs_portal(self._lab, inventory, names)

    def _with_labs_portal(self, lab: Lab, inventory: Inventory, names: set[str]) -> Inventory:
        if lab.portal is None:
            return inventory
        source = OctopusSource(url=lab.portal.url, api_key=Secret(lab.portal.api_key), ca=lab.portal.ca)
        try:
            return self._octopus.ask_lab(inventory, source, names, discover=self._options.discover)
        except PortalError as error:
            lab.stop()
            raise pytest.UsageError(f"the lab's portal does not answer: {error}") from None
