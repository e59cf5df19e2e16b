"""How a run acts: `--restart` before its survey, `--until-well` after the first verdict."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import pytest

from pytest_tentacle.acting import watching
from pytest_tentacle.acting.carrying_out import carry_out
from pytest_tentacle.acting.changes import FILE, require_writable, who, write_down
from pytest_tentacle.acting.planning import planned
from pytest_tentacle.acting.restarting import Restart
from pytest_tentacle.acting.sending import Sender
from pytest_tentacle.acting.watching import Watched, changes_of, on_hosts_of, until_well, verdicts
from pytest_tentacle.inventory.model import Inventory, Machine, NoTransport, OctopusServer, Tentacle
from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.octopus import Node
from pytest_tentacle.report.console import clean_line
from pytest_tentacle.report.redaction.names import learn_surveys
from pytest_tentacle.report.redaction.redactor import Redactor
from pytest_tentacle.run.options import DEFAULT_WORKERS, Options
from pytest_tentacle.run.outputs.failures import Failures
from pytest_tentacle.survey.actions import Action, ActionResult
from pytest_tentacle.survey.store import Surveys

from .terminal import ask

_ROLES = {"tentacle": (Tentacle,), "server": (OctopusServer,), "all": (OctopusServer, Tentacle)}
_NAMED = {"tentacle": "Tentacle", "server": "Octopus Server", "all": "machine"}
_LISTED = 30


@dataclass(frozen=True)
class Ways:
    """What acting needs of a run.

    Attributes:
        options: of the command line.
        inventory: as it is declared.
        redactor: what every text goes through.
        failures: what could not be written.
        look: a survey of these machines and the other ends of their links, and whether the run was ended meanwhile.
        reached: the inventory as it is logged on to, once `look` was called.
        sender: who logs on to change something.
        nodes: Octopus Server's nodes with the tasks that they run, as far as its API tells.
        keep: writes what is known, so that a run that is killed leaves it.
        asked: the machines and steps that are tested; None: all.
        reporter: the console; None where there is none.
    """

    options: Options
    inventory: Inventory
    redactor: Redactor
    failures: Failures
    look: Callable[[Collection[str]], tuple[Surveys, bool]]
    reached: Callable[[], Inventory]
    sender: Sender
    nodes: Callable[[], tuple[Node, ...]]
    keep: Callable[[Surveys], None]
    asked: Collection[tuple[str, str]] | None
    reporter: pytest.TerminalReporter | None

    def tell(self, text: str) -> None:
        """Say on the console how far it is."""
        if self.reporter is not None:
            self.reporter.write_line(clean_line(self.redactor.text(text)))

    def judge(self, known: Surveys) -> dict[tuple[str, str], Outcome]:
        """The verdicts that are asked for."""
        learn_surveys(self.redactor, known)
        every = verdicts(known, self.options.fail_on)
        return {key: made for key, made in every if self.asked is None or key in self.asked}


def watch(surveys: Surveys, seconds: float, ways: Ways) -> Watched:
    """Look again until all is well (`--until-well`)."""

    def look(names: Collection[str]) -> Surveys | None:
        newer, interrupted = ways.look(on_hosts_of(surveys, names))
        return None if interrupted else newer

    return until_well(surveys, seconds, watching.Ways(ways.judge, look, ways.tell, keep=ways.keep))


def changed(before: Surveys, after: Surveys, ways: Ways) -> list[str]:
    """What a restart changed, as far as verdicts go."""
    seconds = (after.taken_utc - before.taken_utc).total_seconds()
    return changes_of(ways.judge(before), ways.judge(after), seconds, "Restarted")


@dataclass
class Restarted:
    """What came of it: the survey of before, and what was done."""

    first: Surveys | None = None
    actions: list[Action] = field(default_factory=list)
    interrupted: bool = False

    @property
    def is_settled(self) -> bool:
        """Whether all that was begun is known to have gone well."""
        return not any(each.result in (ActionResult.FAILED, ActionResult.NOT_KNOWN) for each in self.actions)


def restart_first(chosen: Collection[str], ways: Ways) -> Restarted:
    """Ask, look, restart, tell. Raises pytest.UsageError before any machine was contacted."""
    wanted = ways.options.restart or "all"
    machines = [each for each in ways.inventory.machines if each.name in chosen and isinstance(each, _ROLES[wanted])]
    able = [machine for machine in machines if not isinstance(machine.transport, NoTransport)]
    if not able:
        what = "no " + _NAMED[wanted] + (" that can be logged on to" if machines else "") + " is selected"
        raise pytest.UsageError(f"--restart {wanted}: {what}")
    try:
        require_writable()
    except OSError as error:
        raise pytest.UsageError(f"nothing is restarted that cannot be written down: {FILE}: {error.strerror}") from None
    if not ways.options.yes and not (ways.reporter and ask(ways.reporter.config, question(able))):
        raise pytest.UsageError("nothing was restarted, and no machine was contacted: the answer was not yes")
    first, interrupted = ways.look(chosen)
    found = Restarted(first, interrupted=interrupted)
    if interrupted:
        return found
    learn_surveys(ways.redactor, first)
    by_name = {machine.name: machine for machine in ways.reached().machines}
    plan = planned(
        first,
        {machine.name: by_name[machine.name] for machine in able},
        by=who(),
        nodes=() if ways.options.even_busy else ways.nodes(),
        even_busy=ways.options.even_busy,
    )

    def told(action: Action) -> None:
        found.actions.append(action)
        ways.tell(f"restart: {action.machine}: {action.told}")
        ways.failures.attempt(str(FILE), write_down, action)

    restarts = [each for each in plan if isinstance(each, Restart)]
    for each in plan:
        if isinstance(each, Action):
            told(each)
    servers = [each for each in restarts if isinstance(by_name[each.machine], OctopusServer)]
    tentacles = [each for each in restarts if each not in servers]
    found.interrupted = carry_out(servers, tentacles, ways.options.workers or DEFAULT_WORKERS, ways.sender, told)
    return found


def question(machines: Collection[Machine]) -> str:
    """What is asked, with all machines that it is about."""
    names = [
        f"{machine.name} ({'server' if isinstance(machine, OctopusServer) else 'Tentacle'})" for machine in machines
    ]
    shown = ", ".join(names[:_LISTED]) + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")
    some = "this machine" if len(names) == 1 else f"these {len(names)} machines"
    return (
        f"Restart Octopus's services on {some}: {shown}?\nScripts and deployments that run there are ended; each "
        "service is away for some seconds."
    )
