"""Which steps apply to a machine, and the verdict of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_tentacle.guide.sections import STEPS
from pytest_tentacle.inventory.model import Mode

from . import (
    account,
    across,
    addresses,
    certificate,
    firewall,
    here,
    identify,
    loading,
    machine,
    other_messages,
    ping,
    proxies,
    services,
    settings,
    sockets,
    thumbprint,
    tls,
    zombies,
)
from .judging import evaluate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .check import Check
    from .result import StepResult
    from .subject import Subject

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
    if subject.is_tentacle:
        return step not in _LISTENING_STEPS or subject.mode is not Mode.POLLING
    if not subject.can_log_on or step in _TENTACLE_STEPS:
        return False
    if step == tls.STEP and not subject.peers:
        return False
    return step in _SERVER_STEPS or (step in _POLLING_PORT_STEPS and subject.name in subject.fleet.polled_servers)


def judge(step: str, subject: Subject) -> StepResult:
    """A step's result on a machine, by all its checks; judged once and kept."""
    return subject.result(step)


def judge_step(step: str, checks: Iterable[Check], subject: Subject) -> StepResult:
    """The same by some checks only; by all of the step's where none is named."""
    chosen = tuple(checks)
    return evaluate(step, chosen, subject) if chosen else judge(step, subject)
