"""Guide, "Schannel and TLS Configuration Mismatches": the .NET Framework that a Tentacle on Windows needs."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.sections.versions import parsed, version_of
from pytest_tentacle.survey.model import ServiceState

_RELEASE_OF_4_8 = 528040
_FIRST_TENTACLE = (6, 3)
"""Tentacles after 6.2.277 need .NET Framework 4.8 (tentacle-facts 5)."""

_ENDED_ON_PURPOSE = frozenset({None, 0, 1077})
"""Exit codes of a service that somebody stopped, or that was not started yet."""


@check(codes=("TT906",), reads=("host", "products", "services", "instances"))
def net_framework_is_new_enough(subject: Subject) -> Iterator[Finding]:
    """A Tentacle from 6.3 on finds .NET Framework 4.8. Builds that bring their own .NET run without: they prove it."""
    if not subject.is_tentacle:
        return
    host = subject.read(FACTS.host)
    if host.os != "windows" or host.dotnet_release is None:
        return
    seen = Evidence(f"registry of {subject.name}", f".NET Framework release {host.dotnet_release}")
    if host.dotnet_release >= _RELEASE_OF_4_8:
        yield seen
        return
    service = subject.service
    version = version_of(subject)
    number = parsed(version)
    crashes = (
        service is not None
        and service.state in (ServiceState.STOPPED, ServiceState.FAILED)
        and service.exit_code not in _ENDED_ON_PURPOSE
    )
    if number is None or number < _FIRST_TENTACLE or not crashes:
        yield seen
        return
    yield Problem(
        "TT906",
        subject.name,
        expected=f".NET Framework 4.8 (release {_RELEASE_OF_4_8}) for Tentacle {version}",
        actual=f"release {host.dotnet_release}, and the service does not start",
        evidence=(seen, Evidence(f"products of {subject.name}", f"Tentacle {version}")),
        facts={
            "version": version,
            "release": host.dotnet_release,
            "service": service.name if service else None,
            "instance": subject.instance_name,
        },
    )
