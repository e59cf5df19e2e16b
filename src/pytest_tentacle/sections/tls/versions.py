"""A link tried once per version of TLS: what each answered, and whether one that Octopus needs gets through."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.judging.links import Link, links_from_servers, polled_links
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.link import Probe, Stage, TlsVersions, VersionTrial
from pytest_tentacle.link.hosts import plain_host
from pytest_tentacle.link.versions import WANTED, TlsVersion

NOTHING_NEW_ENOUGH = "TT908"

TRIAL_READS = ("tls_versions", "peer.peer_tls_versions", "controller.tls_versions")
"""What is read here besides a Tentacle's settings."""

_NAMES = {
    TlsVersion.TLS_1_0: "TLS 1.0",
    TlsVersion.TLS_1_1: "TLS 1.1",
    TlsVersion.TLS_1_2: "TLS 1.2",
    TlsVersion.TLS_1_3: "TLS 1.3",
}


@dataclass(frozen=True)
class Tried:
    """The trials of one link by the end that connects."""

    link: Link
    found: TlsVersions

    @property
    def vantage(self) -> str:
        """Name of the machine that tried."""
        return self.link.vantage.name

    @property
    def endpoint(self) -> str:
        """Host and port."""
        return f"{self.found.host}:{self.found.port}"

    @property
    def evidence(self) -> Evidence:
        """What each version answered, in one line."""
        return _shown(self.found, self.vantage)

    def shows_nothing_new_enough(self, looks: Iterable[Probe]) -> bool:
        """Whether neither TLS 1.2 nor 1.3 gets through, by TLS itself, and no look at the same link says otherwise.

        A version that the trying machine cannot speak counts as not tried. Without an older version that works, only
        TLS's own refusal counts: whatever else ends a handshake, a version is not its reason.
        """
        wanted = [trial for version in WANTED if (trial := self.found.trial(version)) and trial.unavailable is None]
        older = self.found.newest is not None
        failed = all(trial.refused or (older and trial.stage is Stage.TLS) for trial in wanted)
        return self.link.is_direct and bool(wanted) and failed and not any(self._contradicts(look) for look in looks)

    def problem(self, more: tuple[Evidence, ...] = ()) -> Problem:
        """That nothing new enough gets through."""
        newest = self.found.newest
        working = f"the newest that gets through is {_NAMES[newest]}" if newest else "none of those tried gets through"
        return Problem(
            NOTHING_NEW_ENOUGH,
            self.link.tentacle.name,
            expected=f"from {self.vantage}, TLS 1.2 or TLS 1.3 gets through to {self.endpoint}",
            actual=f"each version tried by itself: {working}",
            evidence=(self.evidence, *more),
            facts={
                "host": self.found.host,
                "port": self.found.port,
                "vantage": self.vantage,
                "server": self.link.server_name,
                "newest": _NAMES[newest] if newest else None,
            },
        )

    def _contradicts(self, look: Probe) -> bool:
        secured = look.tls is not None and look.tls.error is None and look.tls.version in WANTED
        return secured and (plain_host(look.host), look.port) == (plain_host(self.found.host), self.found.port)


def trials_of(subject: Subject) -> tuple[Tried, ...]:
    """The trials of a Tentacle's links, from the machine that its mode prescribes; none where nobody asked for them."""
    if subject.mode is Mode.LISTENING:
        links = links_from_servers(subject)
    elif subject.tls_versions(of_peers=False):
        links = polled_links(subject)
    else:
        links = ()
    return tuple(Tried(link, found) for link in links if link.server for found in link.trials)


def seen_from_here(subject: Subject, server: Subject) -> tuple[Evidence, ...]:
    """The same port, tried from outside (`Surveys.outside_of`): whether it is the way there or the port itself."""
    subject.ledger.note_one(("controller", "tls_versions"))
    end = subject if subject.mode is Mode.LISTENING else server
    surveys = subject.fleet.surveys
    found = surveys.controller_tls_versions.get(end.name)
    return (_shown(found, surveys.outside_of(end.machine)),) if found else ()


def _shown(found: TlsVersions, vantage: str) -> Evidence:
    told = "; ".join(_told(trial, vantage) for trial in found.trials)
    return Evidence(f"each version of TLS from {vantage}", f"{found.host}:{found.port}: {told}")


def _told(trial: VersionTrial, vantage: str) -> str:
    name = _NAMES[trial.version]
    if trial.unavailable is not None:
        return f"{name} not tried by {vantage} ({trial.unavailable})"
    if trial.secured:
        page = f", then no whole page ({trial.error})" if trial.error else ""
        return f"{name} gets through {f'({trial.cipher})' if trial.cipher else ''}".rstrip() + page
    if trial.refused:
        return f"{name} refused ({trial.error})"
    return f"{name} failed ({trial.stage}: {trial.error})"
