"""One link tried once per version of TLS: what a survey is asked for, what came of it, and our own client's trials."""

from __future__ import annotations

import functools
import ssl
import warnings
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum

from pytest_tentacle.values import Value

from .client import probe
from .model import By, Failure, LinkRef, Probe, Stage, Target
from .resolving import Resolver, system_resolver
from .securing import new_client_context

_TRIALS = 64
"""So many at once."""


class TlsVersion(StrEnum):
    """The versions that are tried, oldest first, in the words of a probe's `Secured.version`."""

    TLS_1_0 = "TLSv1"
    TLS_1_1 = "TLSv1.1"
    TLS_1_2 = "TLSv1.2"
    TLS_1_3 = "TLSv1.3"


WANTED = (TlsVersion.TLS_1_2, TlsVersion.TLS_1_3)
"""Octopus needs one of these (tentacle-facts 5)."""

_NUMBERS = {
    TlsVersion.TLS_1_0: ssl.TLSVersion.TLSv1,
    TlsVersion.TLS_1_1: ssl.TLSVersion.TLSv1_1,
    TlsVersion.TLS_1_2: ssl.TLSVersion.TLSv1_2,
    TlsVersion.TLS_1_3: ssl.TLSVersion.TLSv1_3,
}
_HANDSHAKE = 22
"""The content type of a record with a ClientHello (RFC 8446, 5.1)."""

_REFUSALS = frozenset({Failure.PROTOCOL_VERSION, Failure.NO_COMMON_CIPHER})


class VersionTrial(Value):
    """What came of one version: a cipher, a failure, or why it was not tried.

    Attributes:
        cipher: what was negotiated, in the words of the library that tried; it may not know.
        stage: the one that failed; `page` means that the handshake itself went well.
        unavailable: why the trying machine itself could not: that says nothing about the other end.
    """

    version: TlsVersion
    cipher: str | None = None
    stage: Stage | None = None
    error: Failure | None = None
    unavailable: str | None = None

    @property
    def secured(self) -> bool:
        """Whether a TLS session of this version came about."""
        return self.unavailable is None and (self.error is None or self.stage is Stage.PAGE)

    @property
    def refused(self) -> bool:
        """Whether TLS itself said no: whatever else ends a handshake is no word about the version."""
        return self.stage is Stage.TLS and self.error in _REFUSALS

    @classmethod
    def of(cls, version: TlsVersion, found: Probe) -> VersionTrial:
        """From a whole probe that was held to the version."""
        failed = found.failed
        return cls(
            version=version,
            cipher=found.tls.cipher if found.tls else None,
            stage=failed[0] if failed else None,
            error=failed[1].error if failed else None,
            unavailable=found.unavailable,
        )


class TlsVersions(Value):
    """All trials of one link from one machine, oldest version first; `link` is the target's."""

    link: LinkRef = LinkRef()
    host: str
    port: int
    by: By
    trials: tuple[VersionTrial, ...] = ()

    @property
    def newest(self) -> TlsVersion | None:
        """The newest version that works; None where none does."""
        return max((trial.version for trial in self.trials if trial.secured), default=None, key=list(TlsVersion).index)

    def trial(self, version: TlsVersion) -> VersionTrial | None:
        """What came of a version; None where nothing is known of it."""
        return next((trial for trial in self.trials if trial.version is version), None)


def try_versions(
    targets: Iterable[Target], *, seconds: float, resolve: Resolver = system_resolver
) -> tuple[TlsVersions, ...]:
    """Try each link with each version that our own OpenSSL speaks, side by side; answers in the order of the targets.

    Args:
        targets: whom to try.
        seconds: the budget of each trial, all stages together.
        resolve: how a name becomes addresses.
    """
    wanted = tuple(targets)

    def one(target: Target, version: TlsVersion) -> VersionTrial:
        context = version_context(version)
        if context is None:
            return VersionTrial(version=version, unavailable=f"{ssl.OPENSSL_VERSION} does not speak it here")
        return VersionTrial.of(version, probe(target, seconds=seconds, resolve=resolve, context=context))

    with ThreadPoolExecutor(_TRIALS, thread_name_prefix="trial") as pool:
        made = [(target, [pool.submit(one, target, version) for version in TlsVersion]) for target in wanted]
        return tuple(
            TlsVersions(
                link=target.link,
                host=target.host,
                port=target.port,
                by=target.by,
                trials=tuple(trial.result() for trial in trials),
            )
            for target, trials in made
        )


@functools.cache
def version_context(version: TlsVersion) -> ssl.SSLContext | None:
    """A client context for this version alone; None where this machine's OpenSSL cannot even say hello in it."""
    context = new_client_context()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # to see whether somebody speaks them is the purpose
        try:
            context.minimum_version = context.maximum_version = _NUMBERS[version]
        except (ValueError, ssl.SSLError):
            return None
    outgoing = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), outgoing).do_handshake()
    except ssl.SSLError:
        written = outgoing.read()
        return context if written[:1] == bytes([_HANDSHAKE]) else None
    return None
