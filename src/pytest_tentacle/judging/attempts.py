"""What the two ends' own probes of a link found: the proof against which rules and policies are held."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_tentacle.inventory.model import Mode, OctopusServer
from pytest_tentacle.link import By, Probe, StageRecord
from pytest_tentacle.survey.targets import polling_targets

from .finding import Blocked, Unknown
from .links import entries_of, node_of
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

TENTACLE_READS = ("instances", "services", "probes", "peer.peer_probes")
"""What it reads for a Tentacle."""


@dataclass(frozen=True)
class Attempt:
    """One probe of one link by the end that connects.

    Attributes:
        tentacle: the machine that the link belongs to.
        server: name of the server node at its other end; None where a polled address is not declared for any.
        listening: whether the server connects to the Tentacle; else the Tentacle polls.
    """

    tentacle: Subject
    server: str | None
    listening: bool
    probe: Probe

    @property
    def vantage(self) -> str:
        """Name of the machine that probed."""
        return str(self.server) if self.listening else self.tentacle.name

    @property
    def connected(self) -> bool:
        """Whether a TCP connection came about."""
        return _well(self.probe.connect)

    @property
    def secured(self) -> bool:
        """Whether a TLS session came about."""
        return _well(self.probe.tls)

    @property
    def shows_page(self) -> bool:
        """Whether the page of the product at the other end came back."""
        wanted = "tentacle" if self.listening else "server"
        return self.probe.shows_page and self.probe.page is not None and self.probe.page.product == wanted


def attempts_of(subject: Subject) -> tuple[Attempt, ...]:
    """The probes of a machine's links, by their connecting ends; of a server, those of all of its Tentacles.

    What could not be probed is left out: no attempt is no proof of anything.
    """
    if "attempts" not in subject.kept:
        with subject.ledger.watch() as reads:
            made = tuple(_of_tentacle(subject, None) if subject.is_tentacle else _of_server(subject))
        subject.kept["attempts"] = (made, reads)
    found: tuple[Attempt, ...]
    found, reads = subject.kept["attempts"]
    subject.ledger.note(reads)
    return found


def is_well(attempts: tuple[Attempt, ...]) -> Attempt | None:
    """The first that shows the page; None where none does."""
    return next((attempt for attempt in attempts if attempt.shows_page), None)


def _of_server(server: Subject) -> Iterator[Attempt]:
    for tentacle in server.peers:
        for attempt in _of_tentacle(tentacle, server):
            if attempt.server == server.name:
                yield attempt


def _of_tentacle(tentacle: Subject, only: Subject | None) -> Iterator[Attempt]:
    servers = tentacle.peers if only is None else (only,)
    if tentacle.mode is not Mode.POLLING:
        for server in servers:
            for by in (By.NAME, By.ADDRESS):
                probe = _peer_probe(server, tentacle, by)
                if probe is not None:
                    yield Attempt(tentacle, server.name, listening=True, probe=probe)
    if tentacle.mode is not Mode.LISTENING:
        yield from _polled(tentacle, servers)


def _peer_probe(server: Subject, tentacle: Subject, by: By) -> Probe | None:
    try:
        return server.peer_probe(tentacle.name, by)
    except Unknown:
        return None


def _polled(tentacle: Subject, servers: tuple[Subject, ...]) -> Iterator[Attempt]:
    try:
        entries = entries_of(tentacle.settings)
    except (Unknown, Blocked):
        entries = ()
    try:
        for entry in entries:
            probe = entry.probe(tentacle)
            if probe is not None and not entry.is_web_socket:
                node = node_of(entry, tentacle, entries)
                yield Attempt(tentacle, node.name if node else None, listening=False, probe=probe)
        for server in servers:
            if isinstance(server.machine, OctopusServer):
                for target in polling_targets(tentacle.name, server.machine):
                    probe = tentacle.own_probe(target)
                    if probe is not None:
                        yield Attempt(tentacle, server.name, listening=False, probe=probe)
    except Unknown:
        return


def _well(record: StageRecord | None) -> bool:
    return record is not None and record.error is None
