"""All surveys of a run in one JSON file: what `--save-surveys` writes and `--replay` reads."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  pydantic needs it at run time

from pydantic import BaseModel, ConfigDict

from pytest_tentacle.inventory.model import Inventory  # noqa: TC001  pydantic needs it at run time
from pytest_tentacle.link import Probe  # noqa: TC001  pydantic needs it at run time

from .model import FORMAT, HostRecord


class Surveys(BaseModel):
    """Everything that the steps judge: the machines (without credentials), what each host answered, and our own looks.

    Attributes:
        controller_probes: by machine name, probes of its port from the machine that runs pytest.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    version: str
    """Of pytest-tentacle."""
    taken_utc: datetime
    inventory: Inventory
    records: tuple[HostRecord, ...]
    controller_probes: dict[str, tuple[Probe, ...]] = {}
