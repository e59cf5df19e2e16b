"""The report as one typed document: every sink (page, JSON, Markdown, console) shows this, and nothing else.

It holds what a stranger needs, in plain values, already judged and already clean; how it is shown is the sinks' matter.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal

from pytest_tentacle.guide.severity import Severity
from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.survey.actions import ActionResult
from pytest_tentacle.values import Value

_PAGES = {"TT": "problems", "TC": "causes"}
"""Folders of the manual's pages, by how codes begin."""

FORMAT = 1
"""Version of the JSON report; raised when a reader of the old one would be misled."""


class EvidenceView(Value):
    """One fact and where it was seen."""

    source: str
    text: str


class ProblemView(Value):
    """One failed check. `same` is how many leading characters of expected and actual agree."""

    code: str
    title: str
    severity: Severity = Severity.OUTAGE
    expected: str
    actual: str
    same: int = 0
    evidence: tuple[EvidenceView, ...] = ()


class WaivedProblemView(Value):
    """A problem that the inventory accepts: why, and until when (`2027-01-31`; empty: for good)."""

    problem: ProblemView
    reason: str
    until: str = ""


class ResultView(Value):
    """One step on one machine."""

    step: str
    outcome: Outcome
    problems: tuple[ProblemView, ...] = ()
    reason: str = ""
    advice: str = ""
    blocked_by: tuple[str, str] | None = None
    """Code and machine of the failure that stands in the way."""
    looked_at: tuple[str, ...] = ()
    waived: tuple[WaivedProblemView, ...] = ()


class CertificateView(Value):
    """A certificate that a peer presented, decoded; `error` where it could not be."""

    whose: str
    seen_from: str
    thumbprint: str = ""
    """SHA-1 over the DER bytes, 40 upper-case hex."""
    subject: str = ""
    issuer: str = ""
    valid_from: str = ""
    valid_to: str = ""
    key: str = ""
    signature: str = ""
    error: str = ""


StageName = Literal["resolve", "connect", "tls", "certificate", "page", "identity"]
STAGES: tuple[StageName, ...] = ("resolve", "connect", "tls", "certificate", "page", "identity")
"""The stages as they are drawn: those of `link.model.Stage`, and the certificate's verdict between TLS and page."""

StageState = Literal["ok", "failed", "slow", "unreached", "unasked", "unjudged"]
"""`unasked`: not part of this look (a literal address needs no resolving; identity is spoken on request only).
`unjudged`: a certificate came, and nothing was declared to compare it with.
`slow`: it came about, and took so long that the step fails for it."""


class StageView(Value):
    """One stage of one look at a link."""

    stage: StageName
    state: StageState
    ms: float | None = None
    error: str = ""
    detail: str = ""


class LaneView(Value):
    """One look at a link: from where, and named how."""

    vantage: str
    by: Literal["name", "address", "local"]
    host: str
    port: int
    address: str = ""
    stages: tuple[StageView, ...] = ()
    unavailable: str = ""


class LinkView(Value):
    """One link: who connects to whom, and every look that was taken at it."""

    source: str
    target: str
    port: int | None
    mode: str
    lanes: tuple[LaneView, ...] = ()


class OwnTestView(Value):
    """A test that is no step of the guide."""

    name: str
    outcome: Literal["passed", "failed", "error", "skipped"]
    message: str = ""


class FactView(Value):
    """One fact about a machine."""

    name: str
    value: str


class MomentView(Value):
    """One line of a history: what happened, at whose end, and where that is written."""

    time: datetime
    """UTC, by the clock of the machine that ran pytest."""
    when: str
    """The same as a person reads it; the day alone where no more is known."""
    kind: Literal["worked", "partly", "failed", "changed"]
    """`partly`: the link came as far as TLS, and whether the other end was let in is not shown."""
    machine: str
    text: str
    source: str


class HistoryView(Value):
    """Since when a link does not work, and what changed then, as far as both ends and Octopus tell."""

    tentacle: str
    server: str
    sentence: str
    worked: MomentView | None = None
    """The last proof that it worked."""
    failed: MomentView | None = None
    """The first failure after that; of all, where nothing shows that it worked."""
    lines: tuple[MomentView, ...] = ()
    """A dozen at most around the break, by time."""
    notes: tuple[str, ...] = ()
    """What is not known."""


class MachineView(Value):
    """One machine with all that is known about it."""

    name: str
    role: Literal["tentacle", "server"]
    outcome: Outcome
    """The worst of its results: failed, then unknown, blocked, noted, waived, passed."""
    summary: str
    """What is wrong, in one line; empty where nothing is."""
    facts: tuple[FactView, ...] = ()
    results: tuple[ResultView, ...] = ()
    links: tuple[LinkView, ...] = ()
    certificates: tuple[CertificateView, ...] = ()
    causes: tuple[int, ...] = ()
    """Positions in the report's list of causes."""
    histories: tuple[HistoryView, ...] = ()
    """Of a Tentacle with problems, one for each server that it belongs to."""
    noise: str = ""


class CauseReport(Value):
    """One cause, folded over its machines."""

    code: str
    title: str
    sentence: str
    machines: tuple[str, ...]
    confidence: str = ""
    severity: Severity = Severity.OUTAGE
    """The worst of the problems that it explains."""
    below_gate: bool = False
    """It costs less than what `--fail-on` fails for."""
    evidence: tuple[EvidenceView, ...] = ()
    remedy_windows: tuple[str, ...] = ()
    remedy_linux: tuple[str, ...] = ()
    effects_windows: tuple[str, ...] = ()
    """Of each line of the remedy: empty for words; of a command `looks`, or `changes: ` and what follows from it."""
    effects_linux: tuple[str, ...] = ()
    link: str = ""
    unsure: str = ""
    new_on: tuple[str, ...] = ()
    """Of its machines, those that did not have it in the run that this one is compared with."""
    history: tuple[int, ...] = ()
    """How many machines had it in each of the last runs that `--history` keeps, this one last."""
    since: str = ""
    """Since when, and what changed then, on the machine where that is known best; empty where nothing is."""


class ActionView(Value):
    """What was done to a machine because a person asked for it, in this run or in the seven days before."""

    time: datetime
    """UTC."""
    seconds: float
    kind: Literal["restart", "mend"]
    machine: str
    what: str
    """Of a restart the service, of a remedy the cause's code."""
    result: ActionResult
    told: str
    by: str
    commands: tuple[str, ...] = ()
    before: str = ""
    """The service as it was seen before, in words."""
    after: str = ""
    log: tuple[str, ...] = ()
    """What its own log said meanwhile."""


class StepView(Value):
    """A column of the matrix."""

    slug: str
    title: str
    section: str
    link: str


class NotLookedAt(Value):
    """A reason why something is unknown, and all machines that it holds for."""

    reason: str
    advice: str
    machines: tuple[str, ...]


class WaivedView(Value):
    """A problem that is accepted for one reason, and all machines that have it."""

    code: str
    title: str
    reason: str
    until: str
    """Last day; empty: for good."""
    machines: tuple[str, ...]


class Change(Value):
    """A cause, and the machines on which it is new, gone or standing."""

    code: str
    title: str
    machines: tuple[str, ...]


class Comparison(Value):
    """What changed since an earlier run (`--compare`)."""

    name: str
    taken: datetime
    new: tuple[Change, ...]
    standing: tuple[Change, ...]
    gone: tuple[Change, ...]
    not_checked: tuple[Change, ...]
    """Named then, and not checked this time: nobody knows whether it is gone."""
    newly_unknown: tuple[str, ...]
    """Machines of which something is unknown that was known then."""
    first_checked: tuple[str, ...]
    """Machines with something new that the earlier run had not checked: it may be older."""

    @property
    def sentence(self) -> str:
        """All of it in a line."""
        parts = [
            f"{len(self.new)} new",
            f"{len(self.gone)} gone",
            f"{len(self.standing)} standing",
            *([f"{len(self.not_checked)} not checked again"] if self.not_checked else []),
        ]
        dark = len(self.newly_unknown)
        unknown = f" {dark} more {'machine' if dark == 1 else 'machines'} could not be fully checked." if dark else ""
        return f"Causes since {self.name} ({self.taken:%Y-%m-%d %H:%M} UTC): {', '.join(parts)}.{unknown}"

    @property
    def told(self) -> tuple[tuple[str, tuple[Change, ...]], ...]:
        """What is new, gone, not checked again and standing, under these words; without those that are empty."""
        kinds = (
            ("New", self.new),
            ("Gone", self.gone),
            ("Not checked again", self.not_checked),
            ("Standing", self.standing),
        )
        return tuple((word, changes) for word, changes in kinds if changes)


class Provenance(Value):
    """What a stranger must know to read the rest."""

    versions: tuple[FactView, ...]
    inventory_files: tuple[str, ...]
    inventory_digest: str
    options: tuple[FactView, ...]
    vantage_points: tuple[str, ...]
    recorded: tuple[str, ...]
    """Machines that answered from a recording."""
    notes: tuple[str, ...]
    surveyed: datetime


class RedactionView(Value):
    """How many values of which kind were removed or replaced."""

    pseudonyms: bool
    counts: dict[str, int]


class Report(Value):
    """The whole report."""

    format: int = FORMAT
    version: str
    title: str
    verdict: str
    state: Literal["healthy", "unhealthy", "incomplete"]
    started: datetime
    seconds: float
    interrupted: bool
    counts: dict[Outcome, int]
    machine_counts: dict[Outcome, int]
    steps: tuple[StepView, ...]
    causes: tuple[CauseReport, ...]
    not_looked_at: tuple[NotLookedAt, ...]
    waived: tuple[WaivedView, ...] = ()
    machines: tuple[MachineView, ...]
    own_tests: tuple[OwnTestView, ...] = ()
    actions: tuple[ActionView, ...] = ()
    """Oldest first."""
    """Tests of one's own, and files that could not be collected."""
    comparison: Comparison | None = None
    provenance: Provenance
    redaction: RedactionView
    manual: str = ""
    """Where the manual's site stands (`--manual`), without a final slash; empty: nowhere."""

    def manual_page(self, code: str) -> str:
        """The address of the manual's page on a code; empty where no site is known, or the code is none of ours."""
        folder = _PAGES.get(re.sub(r"\d", "", code))
        return f"{self.manual}/{folder}/{code}.html" if self.manual and folder else ""
