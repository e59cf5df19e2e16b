"""Looks at the machines' ports from outside: by the machine that runs pytest, or by a site's worker. Evidence only."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from pytest_tentacle.link import Probe, Resolver, Target, TlsVersions, probe_all, try_versions

OWN_PROBES = 64
"""How many links are looked at together: a look costs next to nothing, and one that times out only waits."""


@dataclass(frozen=True)
class LookTask:
    """What one call of `look` does.

    Attributes:
        targets: by machine name; what stands first is also tried with each version of TLS.
        seconds: budget of one probe.
        tls_versions: try the versions at all.
        site: whose worker looks; None: the machine that runs pytest.
    """

    targets: Mapping[str, tuple[Target, ...]]
    seconds: float
    tls_versions: bool = False
    site: str | None = None


class Looks(BaseModel):
    """What was seen, by machine name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    probes: dict[str, tuple[Probe, ...]] = {}
    tls_versions: dict[str, TlsVersions] = {}


def look(task: LookTask, resolve: Resolver) -> Looks:
    """Look at all of them."""
    targets = [target for several in task.targets.values() for target in several]
    made = iter(probe_all(targets, workers=OWN_PROBES, seconds=task.seconds, resolve=resolve))
    probes = {name: tuple(itertools.islice(made, len(several))) for name, several in task.targets.items() if several}
    if not task.tls_versions:
        return Looks(probes=probes)
    first = {name: several[0] for name, several in task.targets.items() if several}
    tried = try_versions(first.values(), seconds=task.seconds, resolve=resolve)
    return Looks(probes=probes, tls_versions=dict(zip(first, tried, strict=True)))


def not_made(task: LookTask, why: str) -> Looks:
    """That nobody looked, and why."""
    return Looks(
        probes={
            name: tuple(
                Probe(link=target.link, host=target.host, port=target.port, by=target.by, unavailable=why)
                for target in several
            )
            for name, several in task.targets.items()
            if several
        }
    )
