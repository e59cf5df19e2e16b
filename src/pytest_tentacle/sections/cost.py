"""What a problem costs where it is: one that stands in the way of a link costs what that link costs.

A Tentacle may go on polling a server that was retired, or keep a damaged entry beside a good one. By its code that is
an outage, and on a machine all of whose declared links work it is untidy: nobody needs that link. This is the one
place where that is decided; `Problem.cost` says so to gate, report and diagnosis alike.

Settings are read when a process starts. What is wrong in them will fail at its next start, and not before, where the
process that runs is seen to work, and said at its start that it has better ones.

Nothing is taken for cheap that is not proved: each declared server must be seen to answer, and a poller's connection to
stand. What was not read leaves a problem what its code says. A storm of attempts costs disk and the sight of what
matters in the log: then it is no mere untidiness.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from pytest_tentacle.guide.severity import AT_THE_NEXT_START, OF_ONE_LINK, Severity
from pytest_tentacle.inventory.model import Mode, OctopusServer
from pytest_tentacle.judging.attempts import Attempt, attempts_of
from pytest_tentacle.judging.away import away
from pytest_tentacle.judging.entries import entries_of
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.links import polled_links
from pytest_tentacle.judging.reading import FACTS, kept
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.judging.thumbprints import as_thumbprint
from pytest_tentacle.link.hosts import plain_address, plain_host
from pytest_tentacle.logs.lines import moment
from pytest_tentacle.logs.model import LogRecord, Startup
from pytest_tentacle.survey.targets import names_of

from .identify.index import index_of, place_at, place_of

STORM = timedelta(minutes=1)
"""A poller that is not let in comes again after two minutes at most (Halibut, `Util/RetryPolicy.cs`); until 4.3.7 some
came every five seconds. What comes more often than once a minute, on and on, is a storm."""

_MANY = 20
"""From so many records on its pace is that of a habit: a poller begins with attempts that follow fast."""


def weighed(subject: Subject, problem: Problem) -> Problem:
    """The problem, with what it costs on this machine where that is less than its code may cost."""
    if not subject.is_tentacle or problem.code not in OF_ONE_LINK | AT_THE_NEXT_START:
        return problem
    names = ", ".join(server.name for server in subject.peers)
    if problem.code in OF_ONE_LINK and _is_of_no_declared_link(subject, problem) and all_work(subject):
        storm = _storm(subject, problem)
        words = f"no declared link needs it: {names} answers, and its link with {subject.name} works"
        if storm:
            return _costing(problem, Severity.DEGRADED, subject, f"{words}; {storm}")
        return _costing(problem, Severity.HYGIENE, subject, words)
    if problem.code in AT_THE_NEXT_START and all_work(subject) and _runs_with_better(subject):
        words = (
            f"{names} answers, and the process that runs knows it from its start: this comes to bear at the next one"
        )
        return _costing(problem, Severity.WILL_FAIL, subject, words)
    return problem


def _costing(problem: Problem, cost: Severity, subject: Subject, words: str) -> Problem:
    if cost.weight >= problem.severity.weight:
        return problem
    return replace(problem, cost=cost, evidence=(*problem.evidence, Evidence(f"links of {subject.name}", words)))


def _runs_with_better(subject: Subject) -> bool:
    """Whether the process that runs said at its start that it trusts, or polls, each declared server as it should."""
    try:
        service = subject.service
        starts = [log.startup for log in subject.read(FACTS.logs) if log.startup is not None]
    except (Unknown, Blocked):
        return False
    own = [
        each
        for each in starts
        if service is not None and each.pid == service.pid is not None and each.listens is not None
    ]
    return any(all(_knows(start, server, subject) for server in subject.peers) for start in own)


def _knows(start: Startup, server: Subject, subject: Subject) -> bool:
    expected = as_thumbprint(server.expected_thumbprint)
    if subject.mode is Mode.POLLING:
        polled = [each for each in start.polls if expected is not None and each.thumbprint == expected]
        return any((place := place_at(each.address)) is not None and place.host in _hosts(subject) for each in polled)
    return expected is not None and expected in {as_thumbprint(text) for text in start.trusted}


def _is_of_no_declared_link(subject: Subject, problem: Problem) -> bool:
    """Whether it is about an address of no declared server, or about an entry beside a whole one."""
    if "spare" in problem.facts:
        return problem.facts["spare"] is True
    host = problem.facts.get("host")
    if not isinstance(host, str) or problem.facts.get("server") is not None or subject.mode is not Mode.POLLING:
        return False
    try:
        strange = {plain_host(link.entry.host) for link in polled_links(subject) if link.entry and link.server is None}
    except Unknown:
        return False
    return plain_host(host) in strange and plain_host(host) not in _hosts(subject)


def _hosts(subject: Subject) -> set[str | None]:
    """Every name and address of a declared server, and whatever its links lead to."""
    found: set[str | None] = set()
    for server in subject.peers:
        found |= {plain_host(host) for host, _ in names_of(server.machine)} | _addresses(server)
        if isinstance(server.machine, OctopusServer) and server.machine.gateway:
            found.add(plain_host(server.machine.gateway.rpartition(":")[0].strip("[]")))
    return found | {plain_host(attempt.probe.host) for attempt in attempts_of(subject) if attempt.server}


def all_work(subject: Subject) -> bool:
    """Whether each of a Tentacle's declared links is seen to work: of a poller's, a connection stands as well."""
    if not subject.peers or away(subject) is not None:
        return False
    return kept(subject, "all links work", lambda: all(_works(subject, server) for server in subject.peers))


def _works(subject: Subject, server: Subject) -> bool:
    """By what the product itself uses: of a poller, the address of its settings, and not one that is only declared."""
    attempts = [attempt for attempt in attempts_of(subject) if attempt.server == server.name]
    if subject.mode is not Mode.LISTENING:
        own = [attempt.link.entry_probe for attempt in attempts]
        attempts = [attempt for attempt, probe in zip(attempts, own, strict=True) if attempt.probe is probe]
    if not any(attempt.shows_page and not attempt.met_another for attempt in attempts):
        return False
    return subject.mode is Mode.LISTENING or stands(subject, server) is True


def all_stand(subject: Subject) -> bool | None:
    """Whether each of a Tentacle's servers is seen to answer, or to look at it, and a connection with each stands.

    None where that cannot be told.
    """
    if not subject.is_tentacle or not subject.peers:
        return False
    told = [stands(subject, server) for server in subject.peers]
    return False if False in told else None if None in told else True


def stands(subject: Subject, server: Subject) -> bool | None:
    """The same of one server."""
    attempts = [attempt for attempt in attempts_of(subject) if attempt.server == server.name]
    failed = bool(attempts) and not any(attempt.shows_page for attempt in attempts)
    try:
        service = subject.service
        if service is None or service.pid is None:
            return False
    except Unknown:
        return False if failed else None
    except Blocked:
        return False
    connected = False if failed else _connected(subject, server, service.pid, attempts)
    if connected is False and _holds_another_port(subject, server, service.pid):
        return None
    return connected and (True if attempts else None)


def _connected(subject: Subject, server: Subject, pid: int, attempts: list[Attempt]) -> bool | None:
    """Whether the process holds a connection with a server; None where that cannot be told."""
    polls = subject.mode is Mode.POLLING
    addresses = {plain_address(server.machine.ip or "")} | _addresses(server)
    all_addresses = bool(_addresses(server))
    try:
        rows = [row for row in subject.read(FACTS.connections) if row.state == "established"]
        ports = set(server.machine.polling_ports if polls and isinstance(server.machine, OctopusServer) else ())
        own = None if polls else subject.expected_port
    except Unknown:
        return None
    except Blocked:
        return False
    if polls:
        shown = [attempt.probe for attempt in attempts if attempt.shows_page and not attempt.met_another]
        addresses |= {plain_address(probe.connect.address or "") for probe in shown if probe.connect}
        ports |= {probe.port for probe in shown}
    fitting = [row for row in rows if row.pid == pid and (row.remote_port in ports if polls else row.local_port == own)]
    if any(plain_address(row.remote_address) in addresses for row in fitting):
        return True
    return None if fitting and not all_addresses else False


def _holds_another_port(subject: Subject, server: Subject, pid: int) -> bool:
    """Whether a poller's process holds a connection with the server on a port that only its own settings name.

    Looks that failed were made at the declared port, and tell nothing of this one.
    """
    machine = server.machine
    if subject.mode is not Mode.POLLING or not isinstance(machine, OctopusServer):
        return False
    try:
        rows = subject.read(FACTS.connections)
        polled = {entry.port for entry in entries_of(subject.settings)} - set(machine.polling_ports)
    except (Unknown, Blocked):
        return False
    addresses = {plain_address(machine.ip or "")} | _addresses(server)
    return any(
        row.state == "established"
        and row.pid == pid
        and row.remote_port in polled
        and plain_address(row.remote_address) in addresses
        for row in rows
    )


def _addresses(server: Subject) -> set[str | None]:
    try:
        return {plain_address(address) for address in server.read(FACTS.host).addresses}
    except Unknown:
        return set()


def _storm(subject: Subject, problem: Problem) -> str:
    """That it tries again and again without a pause, in words; empty where its log tells of no such thing."""
    try:
        logs = subject.read(FACTS.logs)
    except Unknown:
        return ""
    wanted = plain_host(str(problem.facts.get("host")))
    for log in logs:
        for record, _ in index_of(log).telling:
            place = place_of(record)
            pace = _pace(record) if place is not None and place.host == wanted else None
            if pace is not None and pace < STORM:
                seconds = max(1, round(pace.total_seconds()))
                return f"but its log has {record.count:,} attempts there, one in {seconds} s"
    return ""


def _pace(record: LogRecord) -> timedelta | None:
    """How often it was written, on average; None where it was written seldom."""
    first, last = moment(record.first_time or ""), moment(record.time)
    if record.count < _MANY or first is None or last is None:
        return None
    return abs(last - first) / (record.count - 1)
