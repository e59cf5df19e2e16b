"""Which steps apply to a machine, and the verdict of one."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_tentacle.guide.sections import STEPS
from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.away import away, stands_by
from pytest_tentacle.judging.check import Check
from pytest_tentacle.judging.evaluate import evaluate
from pytest_tentacle.judging.result import StepResult
from pytest_tentacle.judging.subject import Subject

from .account import checks as account
from .addresses import checks as addresses
from .connections import across, firewall, here, sockets
from .health import checks as machine
from .identify import checks as identify
from .load_time import checks as loading
from .messages import checks as other_messages
from .ping import checks as ping
from .proxies import checks as proxies
from .services import checks as services
from .settings import checks as settings
from .thumbprint import certificate
from .thumbprint import checks as thumbprint
from .tls import checks as tls
from .zombies import checks as zombies

_SLUGS = frozenset(step.slug for step in STEPS)
_SERVER_STEPS = frozenset({identify.STEP, services.STEP, tls.STEP, other_messages.STEP, machine.STEP})
_POLLING_PORT_STEPS = frozenset(
    {
        settings.STEP,
        thumbprint.STEP,
        certificate.STEP,
        here.STEP,
        firewall.STEP,
        sockets.STEP,
        zombies.STEP,
        account.STEP,
        loading.STEP,
    }
)
_LISTENING_STEPS = frozenset({here.STEP, firewall.STEP, zombies.STEP})
_AWAY_STEPS = frozenset({services.STEP, machine.STEP})
"""What is looked at on a host where the product does not run: that it is well all the same, and the host."""

_LINK_STEPS = _AWAY_STEPS | {across.STEP, ping.STEP}
"""The same of a Tentacle whose links are its own: in a container, and not standing by."""

_TENTACLE_STEPS = frozenset({across.STEP, proxies.STEP, ping.STEP, addresses.STEP})


def applicable(step: str, subject: Subject) -> bool:
    """Whether a step says anything about a machine. Raises LookupError for a slug that is no step.

    A polling Tentacle has no port of its own; where the mode is not known the step stays, and is unknown. A server is
    looked at as far as we can log on to it, its TLS only if it has links, its polling port only if somebody polls it;
    the links are judged at their Tentacles. Pings are judged where the survey was asked for them.
    """
    if step not in _SLUGS:
        raise LookupError(f"{step!r} is no step of the guide")
    if step == ping.STEP and subject.fleet.surveys.ping is None:
        return False
    if away(subject) is not None:
        return step in (_LINK_STEPS if _is_looked_at(subject) else _AWAY_STEPS)
    if subject.is_tentacle:
        return step not in _LISTENING_STEPS or subject.mode is not Mode.POLLING
    if not subject.can_log_on or step in _TENTACLE_STEPS:
        return False
    if step == tls.STEP and not subject.peers:
        return False
    return step in _SERVER_STEPS or (step in _POLLING_PORT_STEPS and subject.name in subject.fleet.polled_servers)


def _is_looked_at(subject: Subject) -> bool:
    return subject.is_tentacle and stands_by(subject) is None


def judge(step: str, subject: Subject) -> StepResult:
    """A step's result on a machine, by all its checks; judged once and kept."""
    return subject.result(step)


def judge_step(step: str, checks: Iterable[Check], subject: Subject) -> StepResult:
    """The same by some checks only; by all of the step's where none is named."""
    chosen = tuple(checks)
    return evaluate(step, chosen, subject) if chosen else judge(step, subject)
