"""Every look that was taken at a machine's links, from both ends and from here, drawn as the checks judge it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from pytest_tentacle.hiding import shorten
from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.finding import Problem, Unknown
from pytest_tentacle.judging.links import known_links, looks_at
from pytest_tentacle.judging.result import StepResult
from pytest_tentacle.judging.subject import Fleet, Subject
from pytest_tentacle.judging.thumbprints import as_thumbprint
from pytest_tentacle.link import Certificate, Failure, Probe, Stage, Vantage
from pytest_tentacle.sections.connections.here import HELD_BY_ANOTHER
from pytest_tentacle.sections.connections.octopus import IMPATIENT
from pytest_tentacle.sections.connections.ways import slow_stages

from .document import STAGES, CertificateView, LaneView, LinkView, StageView

CONTROLLER = "here"
"""The machine that runs pytest, as a vantage point."""


@dataclass(frozen=True)
class _Look:
    """One look: from where, and what should have come back."""

    vantage: str
    probe: Probe
    product: Literal["tentacle", "server"]
    thumbprint: str | None
    slow: frozenset[Stage] = frozenset()
    """What took so long that the step fails for it."""
    by_another: bool = False
    """Whether a process that is not the product's holds the port."""


class Looks:
    """All looks of a run, by the machine in whose part of the report they stand."""

    def __init__(self, fleet: Fleet, results: Mapping[str, Iterable[StepResult]] | None = None) -> None:
        self._fleet = fleet
        self._results = results
        """By machine, as they were judged; without them each machine is judged here."""
        self._kept: dict[str, tuple[tuple[_Look, ...], ...]] = {}

    def links(self, name: str) -> tuple[LinkView, ...]:
        """The links that the machine is the Tentacle of; for a server, the looks at its own ports."""
        subject = self._fleet.subject(name)
        from_servers, polled, own, ours = self._looks(subject)
        if not subject.is_tentacle:
            return _link("Tentacles", name, "polling", (*own, *ours))
        servers = ", ".join(getattr(subject.machine, "servers", ())) or "Octopus Server"
        listens = subject.mode is not Mode.POLLING
        return (
            *_link(servers, name, "listening", (*from_servers, *own, *ours) if listens else ()),
            *_link(name, servers, "polling", polled if listens else (*polled, *ours)),
            *_link(name, name, "local", () if listens else own),
        )

    def certificates(self, name: str) -> tuple[CertificateView, ...]:
        """Each different certificate that was seen at the machine's links, once."""
        seen: dict[Certificate, CertificateView] = {}
        from_servers, polled, own, ours = self._looks(self._fleet.subject(name))
        for look in (*own, *polled, *from_servers, *ours):
            certificate = look.probe.certificate
            if certificate is not None and certificate not in seen:
                seen[certificate] = _described(certificate, f"{look.probe.host}:{look.probe.port}", look.vantage)
        return tuple(seen.values())

    def _looks(self, subject: Subject) -> tuple[tuple[_Look, ...], ...]:
        """Its servers' looks at it, its own at what it polls, its own at its port, and ours."""
        if subject.name not in self._kept:
            linked = tuple(self._of_links(subject)) if subject.is_tentacle else ()
            polled = tuple(look for look in linked if look.product == "server")
            at_port, at_others = self._of_its_host(subject, [look.probe for look in polled])
            expected = as_thumbprint(subject.expected_thumbprint)
            from_servers = tuple(
                look for look in linked if look.product == "tentacle" and look.probe.link.vantage is not Vantage.HERE
            )
            from_outside = tuple(
                _Look(self._outside(subject), probe, subject.product, expected) for probe in subject.seen_from_here()
            )
            looks = (from_servers, (*polled, *at_others), at_port, from_outside)
            self._kept = {subject.name: looks}  # a machine is asked for its links, then for its certificates
        return self._kept[subject.name]

    def _outside(self, subject: Subject) -> str:
        site = subject.machine.site
        return f"worker of site {site}" if site is not None and site in self._fleet.surveys.sites else CONTROLLER

    def _of_links(self, subject: Subject) -> Iterator[_Look]:
        told: list[Probe] = []
        slow = slow_stages(subject)
        given_up = {
            (problem.facts["vantage"], problem.facts["server"])
            for problem in self._problems(subject, "welcome-page-across")
            if problem.code == IMPATIENT
        }
        for link in known_links(subject):
            for probe in looks_at(link):
                if probe not in told:
                    told.append(probe)
                    late = next((stages for look, stages in slow if look == probe), frozenset())
                    if not late and (link.vantage.name, link.server_name) in given_up:
                        late = frozenset({_longest(probe)})
                    yield _Look(link.vantage.name, probe, link.product, link.expected_thumbprint, late)

    def _of_its_host(self, subject: Subject, told: list[Probe]) -> tuple[tuple[_Look, ...], tuple[_Look, ...]]:
        """Its looks at its own port, and at polled addresses that nobody could place: those are not judged."""
        try:
            own = [probe for probe in subject.own_probes() if subject.is_own(probe) and probe not in told]
        except Unknown:
            return (), ()
        expected = as_thumbprint(subject.expected_thumbprint)
        stranger = any(problem.code in HELD_BY_ANOTHER for problem in self._problems(subject, "welcome-page-here"))
        return (
            tuple(
                _Look(subject.name, probe, subject.product, expected, by_another=stranger)
                for probe in own
                if probe.is_of_own_port
            ),
            tuple(_Look(subject.name, probe, "server", None) for probe in own if probe.is_of_polled_address),
        )

    def _problems(self, subject: Subject, step: str) -> Iterable[Problem]:
        if self._results is None:
            return subject.problems_of(step)
        found = [result for result in self._results.get(subject.name, ()) if result.step == step]
        return [problem for each in found for problem in (*each.problems, *(one.problem for one in each.waived))]


def _longest(probe: Probe) -> Stage:
    """Of those for which Octopus waits, connecting and TLS, the one that took longer."""
    took = {Stage.CONNECT: probe.connect, Stage.TLS: probe.tls}
    return max(took, key=lambda stage: (record.ms or 0.0) if (record := took[stage]) is not None else 0.0)


def _link(source: str, target: str, mode: str, looks: tuple[_Look, ...]) -> tuple[LinkView, ...]:
    if not looks:
        return ()
    lanes = tuple(map(_lane, looks))
    return (LinkView(source=source, target=target, port=lanes[0].port, mode=mode, lanes=lanes),)


def _lane(look: _Look) -> LaneView:
    probe = look.probe
    failed = probe.failed
    stages = []
    for name in STAGES:
        view = _certificate(look) if name == "certificate" else _stage(name, look, broken=failed is not None)
        stages.append(view)
    return LaneView(
        vantage=look.vantage,
        by=probe.by.value,
        host=probe.host,
        port=probe.port,
        address=(probe.connect.address or "") if probe.connect else "",
        stages=tuple(stages) if not probe.unavailable or failed else (),
        unavailable=probe.unavailable or "",
    )


def _stage(name: str, look: _Look, *, broken: bool) -> StageView:
    record = getattr(look.probe, Stage(name).value)
    if record is None:
        asked = broken or name in (Stage.CONNECT, Stage.TLS, Stage.PAGE)
        return StageView(stage=name, state="unreached" if asked else "unasked")
    detail = record.detail or ""
    if name == Stage.TLS and record.error is None:
        detail = " ".join(part for part in (record.version, record.cipher) if part)
    if name == Stage.PAGE and record.error is None and record.product != look.product:
        whose = "not Octopus's page" if record.product is None else f"a {record.product}'s page"
        return StageView(
            stage="page", state="failed", ms=record.ms, error=whose, detail=shorten(record.text or "", 200)
        )
    if name == Stage.PAGE and record.error is None and look.by_another:
        return StageView(stage="page", state="failed", ms=record.ms, error="shown by another process")
    if name == Stage.IDENTITY and record.error is Failure.UNTRUSTED:
        # The peer closed, as it does with each client whose certificate it does not know.
        return StageView(stage=name, state="ok", ms=record.ms, detail="closed, as it is to a stranger")
    if record.error is None and name in look.slow:
        # Lanes say the time of what is well only; here it is what is wrong.
        return StageView(stage=name, state="slow", ms=record.ms, error=f"slow: {record.ms:.0f} ms", detail=detail)
    return StageView(
        stage=name,
        state="failed" if record.error else "ok",
        ms=record.ms,
        error=record.error.value if record.error else "",
        detail=detail,
    )


def _certificate(look: _Look) -> StageView:
    probe, expected = look.probe, look.thumbprint
    if probe.tls is None or probe.tls.error is not None or probe.thumbprint is None:
        return StageView(stage="certificate", state="unreached")
    if expected is None:
        return StageView(stage="certificate", state="unjudged", detail=f"presented {probe.thumbprint}")
    if probe.thumbprint == expected:
        return StageView(stage="certificate", state="ok", detail=probe.thumbprint)
    return StageView(
        stage="certificate",
        state="failed",
        error="other thumbprint",
        detail=f"expected {expected}, presented {probe.thumbprint}",
    )


def _described(certificate: Certificate, whose: str, seen_from: str) -> CertificateView:
    begins, ends = certificate.not_before, certificate.not_after
    key = certificate.key if certificate.error is None else ""
    return CertificateView(
        whose=whose,
        seen_from=seen_from,
        thumbprint=certificate.thumbprint,
        subject=certificate.subject,
        issuer=certificate.issuer,
        valid_from=f"{begins:%Y-%m-%d %H:%M:%SZ}" if begins else "",
        valid_to=f"{ends:%Y-%m-%d %H:%M:%SZ}" if ends else "",
        key=" ".join(part for part in (key, certificate.curve or str(certificate.key_bits or "")) if part),
        signature=certificate.signature,
        error=certificate.error or "",
    )
