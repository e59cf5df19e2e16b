"""What the two ends' own probes of a link found: the proof against which rules and policies are held."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_tentacle.link import Probe, StageRecord

from .links import Link, known_links, looks_at
from .reading import kept
from .subject import Subject

ATTEMPT_READS = (
    "instances",
    "services",
    "probes",
    "peer_probes",
    "peer.instances",
    "peer.services",
    "peer.probes",
    "peer.peer_probes",
)
"""What `attempts_of` reads."""

TENTACLE_READS = ("instances", "services", "probes", "peer.peer_probes", "peer.instances", "peer.probes")
"""What it reads for a Tentacle."""


@dataclass(frozen=True)
class Attempt:
    """One probe of one link by the end that connects."""

    link: Link
    probe: Probe

    @property
    def tentacle(self) -> Subject:
        """The machine that the link belongs to."""
        return self.link.tentacle

    @property
    def server(self) -> str | None:
        """Name of the server node; None where a polled address is no declared node's."""
        return self.link.server_name

    @property
    def listening(self) -> bool:
        """Whether the server connects to the Tentacle; else the Tentacle polls."""
        return not self.link.polls

    @property
    def vantage(self) -> str:
        """Name of the machine that probed."""
        return self.link.vantage.name

    @property
    def connected(self) -> bool:
        """Whether a TCP connection came about."""
        return _well(self.probe.connect)

    @property
    def secured(self) -> bool:
        """Whether a TLS session came about."""
        return _well(self.probe.tls)

    @property
    def met_own(self) -> bool:
        """Whether it is the end of the link itself that answered: its page came back, or its own certificate."""
        if self.met_another:
            return False
        return self.shows_page or self.probe.thumbprint in {self.link.expected_thumbprint} - {None}

    @property
    def met_another(self) -> bool:
        """Whether a certificate was presented that is not the end's own."""
        expected = self.link.expected_thumbprint
        return None not in {expected, self.probe.thumbprint} and self.probe.thumbprint != expected

    @property
    def shows_page(self) -> bool:
        """Whether the page of the product at the other end came back."""
        return self.probe.shows_page and self.probe.page is not None and self.probe.page.product == self.link.product


def attempts_of(subject: Subject) -> tuple[Attempt, ...]:
    """The probes of a machine's links, by their connecting ends; of a server, those of all of its Tentacles.

    What could not be probed is left out: no attempt is no proof of anything.
    """
    of_machine = _of_tentacle if subject.is_tentacle else _of_server
    return kept(subject, "attempts", lambda: tuple(of_machine(subject)))


def is_well(attempts: tuple[Attempt, ...]) -> Attempt | None:
    """The first that shows the page; None where none does."""
    return next((attempt for attempt in attempts if attempt.shows_page), None)


def _of_server(server: Subject) -> Iterator[Attempt]:
    for tentacle in server.peers:
        yield from (attempt for attempt in attempts_of(tentacle) if attempt.link.server is server)


def _of_tentacle(tentacle: Subject) -> Iterator[Attempt]:
    told: list[Probe] = []
    for link in known_links(tentacle):
        for probe in looks_at(link):
            if probe not in told:
                told.append(probe)
                yield Attempt(link, probe)


def _well(record: StageRecord | None) -> bool:
    return record is not None and record.error is None
