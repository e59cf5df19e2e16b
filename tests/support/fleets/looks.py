"""Which of a made-up machine's probes is meant: by its link, never by a text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from pytest_tentacle.link import By, LinkRef, Probe, Vantage


@dataclass(frozen=True)
class Look:
    """A probe as a person names it: `by` and `host` where they tell it from others of its link, else its number."""

    link: LinkRef
    by: By | None = None
    host: str | None = None
    number: int = 0

    def place_in(self, probes: Iterable[Probe]) -> int | None:
        """Its place among a machine's probes; None where it is not among them."""
        fitting = (place for place, probe in enumerate(probes) if self._fits(probe))
        return next(islice(fitting, self.number, None), None)

    def _fits(self, probe: Probe) -> bool:
        if probe.link.tentacle != self.link.tentacle:  # most are another's, and whole links are slow to compare
            return False
        if probe.link != self.link or (self.host is not None and probe.host != self.host):
            return False
        return probe.by is self.by if self.by else probe.by is not By.LOCAL


def own_port(instance: str = "Tentacle") -> Look:
    """A Tentacle's own port."""
    return Look(LinkRef(vantage=Vantage.TENTACLE, instance=instance), by=By.LOCAL)


OWN_PORT = own_port()
SERVERS_OWN_PORT = Look(LinkRef(vantage=Vantage.SERVER, instance="OctopusServer"), by=By.LOCAL)


def polled(number: int = 0, instance: str = "Tentacle") -> Look:
    """An address that a Tentacle polls by its settings, in their order."""
    return Look(LinkRef(vantage=Vantage.TENTACLE, instance=instance), number=number)


def declared(tentacle: str, server: str, host: str) -> Look:
    """A Tentacle's look at a server node by what the inventory declares."""
    return Look(LinkRef(vantage=Vantage.TENTACLE, tentacle=tentacle, server=server), host=host)


def from_server(tentacle: str, by: By, server: str = "octo-1") -> Look:
    """A server node's look at a listening Tentacle."""
    return Look(LinkRef(vantage=Vantage.SERVER, tentacle=tentacle, server=server), by=by)


def also_from(server: str, probes: Iterable[Probe], tentacle: str) -> list[Probe]:
    """The looks that one server took at a Tentacle, as another one would have taken them."""
    of_it = (probe for probe in probes if probe.link.tentacle == tentacle)
    return [probe.model_copy(update={"link": probe.link.model_copy(update={"server": server})}) for probe in of_it]


def from_here(tentacle: str, by: By) -> Look:
    """A look at a listening Tentacle by the machine that runs pytest."""
    return Look(LinkRef(tentacle=tentacle), by=by)
