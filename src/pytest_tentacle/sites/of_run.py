"""A run's side: the engine's client, made when the first machine with a site is to be surveyed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import Executor
from typing import TYPE_CHECKING

from pytest_tentacle.inventory.model import Inventory
from pytest_tentacle.survey.collector import Workers

from .address import SitesError, Way

if TYPE_CHECKING:  # what imports the survey's transports is for runs with a scheduler
    from .engine import Engine
    from .order import Closable, Deed


class SitesOfRun:
    """Does nothing where the run has no scheduler."""

    def __init__(self, way: Way | None) -> None:
        self._way = way
        self._engine: Engine | None = None

    @property
    def has_scheduler(self) -> bool:
        """Whether machines with a site are their workers' business."""
        return self._way is not None

    def executors(self, inventory: Inventory, names: Collection[str]) -> tuple[Callable[[int], Executor], ...]:
        """What surveys these machines; nothing where that is done here. Raises SitesError, before any is contacted."""
        sites = {machine.site for machine in inventory.machines if machine.name in names and machine.site}
        if self._way is None:
            return ()
        if not sites:
            raise SitesError("--executor, but none of these machines has a site: write `site: NAME` in the inventory")
        from .engine import Engine  # noqa: PLC0415  see above
        from .executor import SitesExecutor  # noqa: PLC0415  as above

        if self._engine is None:
            self._engine = Engine(self._way)
            self._engine.refuse_others(sites)
        engine = self._engine
        return (lambda workers: SitesExecutor(Workers(workers), engine),)

    def do(self, deed: Deed, watched: Callable[[Closable], None]) -> bytes:
        """Have something done to a machine by a worker of its site. Raises NotDone, Unseen (`deeds`)."""
        from .deeds import NotDone, do  # noqa: PLC0415  see above

        if self._engine is None:
            raise NotDone("no scheduler is connected: nobody has been surveyed through it")
        return do(self._engine, deed, watched)

    def reaches(self, site: str | None) -> bool:
        """Whether machines of that site are reached by its workers alone."""
        return self._way is not None and site is not None

    def close(self) -> None:
        """Log off from the scheduler."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None
