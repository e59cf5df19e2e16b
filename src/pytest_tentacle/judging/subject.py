"""The machines of a run as checks judge them: each a `Subject`, all of them the `Fleet`; the two know each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property

from pytest_tentacle.guide.severity import DEFAULT_GATE, Severity
from pytest_tentacle.inventory.model import Mode, OctopusServer, Tentacle, Waiver
from pytest_tentacle.survey.store import Surveys

from .check import Check
from .evaluate import evaluate
from .finding import Blocked, Problem, Unknown
from .result import StepResult
from .step import Step
from .surveyed import Surveyed, SurveyedMachine
from .thumbprints import as_thumbprint


class Subject(SurveyedMachine):
    """One machine, with the other ends of its links, its fleet, and what the steps make of it."""

    def __init__(self, machine: Tentacle | OctopusServer, fleet: Fleet) -> None:
        super().__init__(machine, fleet)
        self.fleet = fleet
        self._results: dict[str, StepResult] = {}
        self._results_of_some: dict[tuple[str, tuple[Check, ...]], StepResult] = {}
        self._peers: tuple[str, ...] | None = None

    @property
    def peers(self) -> tuple[Subject, ...]:
        """The other ends of its links: a Tentacle's servers, or a server's Tentacles."""
        if self._peers is None:  # their names alone: machines that hold each other are not freed at once
            self._peers = tuple(self._names_of_peers())
        return tuple(map(self.fleet.subject, self._peers))

    def _names_of_peers(self) -> Iterator[str]:
        if isinstance(self.machine, Tentacle):
            yield from (name for name in self.machine.servers if name in self.fleet.servers)
        else:
            yield from (tentacle.name for tentacle in self.fleet.surveys.inventory.tentacles_of(self.machine))

    def result(self, step: str, checks: Iterable[Check] = ()) -> StepResult:
        """A step's result on this machine by all its checks, or by those that are named; judged once and kept.

        Raises LookupError for a step that is not in the table where no check is named, and where a check of another
        step asks for it that does not rest on it.
        """
        self.fleet.ask_for(step)
        some = tuple(checks)
        if some and not (self.fleet.has_step(step) and some == self.fleet.step(step).checks):
            if (step, some) not in self._results_of_some:
                self._results_of_some[step, some] = self._judged(step, some)
            return self._results_of_some[step, some]
        result = self._results.get(step)
        if result is None:
            result = self._results[step] = self._judged(step, self.fleet.step(step).checks)
        return result

    def _judged(self, step: str, checks: tuple[Check, ...]) -> StepResult:
        with self.fleet.judging(step):
            return evaluate(step, checks, self)

    def problems_of(self, step: str) -> tuple[Problem, ...]:
        """All problems of a step on this machine, waived ones too: to accept a failure does not undo what it blocks."""
        result = self.result(step)
        return (*result.problems, *(each.problem for each in result.waived))

    @cached_property
    def waivers(self) -> dict[str, Waiver]:
        """Its waivers that hold, by the problem's code. The day is that of the surveys, so that a replay agrees."""
        day = self.fleet.surveys.taken_utc.date()
        return {waiver.code: waiver for waiver in self.machine.waive if waiver.holds(day)}

    @property
    def gate(self) -> Severity:
        """From which severity on a problem fails a step."""
        return self.fleet.gate

    def weighed(self, problem: Problem) -> Problem:
        """The problem with what it costs on this machine."""
        with self.ledger.watch():
            return self.fleet.weigh(self, problem)

    def is_cheap(self, code: str) -> bool:
        """Whether all problems of this code that were found here are of links that nobody needs, and fail nothing."""
        found = [problem for result in self._results.values() for problem in result.problems if problem.code == code]
        return bool(found) and self.gate is not Severity.HYGIENE and {each.cost for each in found} == {Severity.HYGIENE}

    def first_problem(self, codes: frozenset[str], *steps: str) -> Problem | None:
        """The first problem of these steps that is one of these codes: what stands in the way of another check."""
        for step in steps:
            for problem in self.problems_of(step):
                if problem.code in codes:
                    return problem
        return None


class Fleet(Surveyed):
    """The surveys of a run, each machine a `Subject`, and what is compared over all of them."""

    def __init__(
        self,
        surveys: Surveys,
        steps: Iterable[Step],
        gate: Severity = DEFAULT_GATE,
        weigh: Callable[[Subject, Problem], Problem] = lambda _, problem: problem,
    ) -> None:
        """`weigh` gives a problem that was found on a machine back, with what it costs there."""
        super().__init__(surveys)
        self.gate = gate
        self.weigh = weigh
        self._steps = {step.slug: step for step in steps}
        self._judging: list[Step | None] = []
        self._subjects: dict[str, Subject] = {}

    def step(self, slug: str) -> Step:
        """A row of the table of steps. Raises LookupError for a slug that is none."""
        if slug not in self._steps:
            raise LookupError(f"{slug!r} is no step of the guide")
        return self._steps[slug]

    def has_step(self, slug: str) -> bool:
        """Whether it is a row of the table; a user's own step is none."""
        return slug in self._steps

    def ask_for(self, slug: str) -> None:
        """Raises LookupError where the step that is being judged asks for one on which it does not rest.

        So no step can come to ask for itself, by whatever way: the table is sorted (`judging.step.in_order`).
        """
        asking = self._judging[-1] if self._judging else None
        if asking is not None and slug not in asking.rests_on:
            raise LookupError(
                f"a check of the step {asking.slug} asks for {slug}, on which that step does not rest: "
                "name it in its rests_on (STEPS in sections/__init__.py)"
            )

    @contextmanager
    def judging(self, slug: str) -> Iterator[None]:
        """While the checks of a step run. A user's own step may ask for any: nothing of the table asks for it."""
        self._judging.append(self._steps.get(slug))
        try:
            yield
        finally:
            self._judging.pop()

    def subject(self, name: str) -> Subject:
        """One machine's view. Raises KeyError where the inventory has no such machine."""
        if name not in self._subjects:
            self._subjects[name] = Subject(self.machines[name], self)
        return self._subjects[name]

    def let_go(self, name: str) -> None:
        """Give up what was worked out for a Tentacle whose survey is kept packed; whoever asks has it worked out anew.

        The results of its steps stay. Of a server it stays as well: all of its Tentacles ask.
        """
        record = self._records.get(name)
        if record is not None and record.is_packed and name not in self.servers:
            self._own_probes.pop(record.host_key, None)
            if name in self._subjects:
                self._subjects[name].kept.clear()

    def forget(self) -> None:
        """Let go of all machines, which hold on to the fleet: what nobody else holds is freed at once."""
        for subject in self._subjects.values():
            vars(subject).clear()
        self._subjects.clear()

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """All machines, servers first."""
        return tuple(self.subject(machine.name) for machine in self.surveys.inventory.machines)

    @cached_property
    def polled_servers(self) -> frozenset[str]:
        """Names of the server nodes that some Tentacle polls, as far as is known."""
        with self.ledger.watch():
            return frozenset(
                server
                for tentacle in self.surveys.inventory.tentacles
                if self.subject(tentacle.name).mode is Mode.POLLING
                for server in tentacle.servers
            )

    @cached_property
    def hosts_by_thumbprint(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """Configured thumbprint -> host -> names of the Tentacles there that have it."""
        found: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        with self.ledger.watch():
            for tentacle in self.surveys.inventory.tentacles:
                thumbprint = self._configured_thumbprint(tentacle.name)
                if thumbprint:
                    found[thumbprint][self._host_identity(tentacle)].append(tentacle.name)
        return {
            thumbprint: {host: tuple(names) for host, names in hosts.items()} for thumbprint, hosts in found.items()
        }

    @cached_property
    def hosts_by_subscription(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """Subscription id (`poll://...`, lower case) -> host -> names of the Tentacles there that poll with it."""
        found: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        with self.ledger.watch():
            for tentacle in self.surveys.inventory.tentacles:
                for subscription in self.subject(tentacle.name).subscriptions:
                    found[subscription][self._host_identity(tentacle)].append(tentacle.name)
        return {
            subscription: {host: tuple(names) for host, names in hosts.items()} for subscription, hosts in found.items()
        }

    def _configured_thumbprint(self, name: str) -> str | None:
        try:
            return as_thumbprint(self.subject(name).settings.certificate_thumbprint)
        except (Unknown, Blocked):
            return None

    def _host_identity(self, tentacle: Tentacle) -> str:
        """The login. Two logins that lead to one host name and one set of addresses are one host all the same."""
        record = self._records.get(tentacle.name)
        host = record.survey.host.data if record and record.survey else None
        if host is None or not host.addresses:
            return tentacle.host_key
        return f"{host.hostname.lower()} {' '.join(sorted(host.addresses))}"
