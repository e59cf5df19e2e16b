"""Orders on their way to a machine, each once: from here, or by a worker of its site; and what came back of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from pydantic import TypeAdapter, ValidationError

from pytest_tentacle.inventory.model import Transport as TransportSettings
from pytest_tentacle.sites.deeds import NotDone, Unseen
from pytest_tentacle.sites.of_run import SitesOfRun
from pytest_tentacle.sites.order import Closable
from pytest_tentacle.transport import Answer, Deadline, ReachStage, TransportError, open_transport

from .scripts import Mark, Order, read_marks

OUTPUT_BYTES = 400_000
"""What one order may print."""

Watched = Callable[[Closable], None]
"""Is given what is under way before it is begun, so that it can be broken off from outside."""


@dataclass(frozen=True)
class Sent:
    """What came of orders.

    Attributes:
        marks: the parts of the answers that arrived.
        lost: why no more did; None where the last answer is whole.
        handed_over: how many of the orders the machine may have got; None where nobody can tell.
        words: what came that was no answer of ours.
    """

    marks: tuple[Mark, ...]
    lost: str | None = None
    handed_over: int | None = 1
    words: str = ""

    def first(self, word: str) -> Mark | None:
        """The first part of that name."""
        return next((mark for mark in self.marks if mark.word == word), None)

    @property
    def why(self) -> str:
        """Why there is no more."""
        return self.lost or f"the machine said {self.words or 'nothing'}"


@dataclass(frozen=True)
class Sending:
    """Orders for one machine, over one log-on: one after the other, as far as the first that does not end well.

    The next one is sent when the answer to the one before has come: what a lost connection leaves to itself is never
    more than one.

    Attributes:
        seconds: for each order; for the first with the log-on.
        site: of the machine; None: it has none.
    """

    orders: tuple[Order, ...]
    settings: TransportSettings
    seconds: float
    site: str | None = None

    @property
    def most_seconds(self) -> float:
        """For all of them."""
        return self.seconds * len(self.orders)

    def carry_out(self, settings: TransportSettings, watched: Watched) -> str:
        """On a worker: what came of them, as JSON. The settings have the secrets that are looked up there."""
        return _SENT.dump_json(send(replace(self, settings=settings), watched)).decode()


_SENT = TypeAdapter(Sent)

Sender = Callable[[Sending, Watched], Sent]
"""`send`, or what has it done by a worker of the machine's site."""


def send(sending: Sending, watched: Watched) -> Sent:
    """Log on, send orders and read their answers as far as they come. Never raises for what a machine does."""
    marks: list[Mark] = []
    handed_over, words = 0, ""
    try:
        transport = open_transport(sending.settings)
    except TransportError as error:
        return Sent((), error.summary, 0)
    watched(transport)
    try:
        deadline = Deadline(sending.seconds)
        transport.connect(deadline)
        for order in sending.orders:
            deadline = Deadline(sending.seconds) if handed_over else deadline
            handed_over += 1
            answer = transport.execute(order.command, order.stdin, deadline, max_output=OUTPUT_BYTES)
            found = read_marks(order, answer.stdout)
            marks += found
            words = _said(answer)
            if not _ended_well(found):
                break
    except TransportError as error:
        if handed_over:
            marks += read_marks(sending.orders[handed_over - 1], error.received)
            handed_over -= error.stage is ReachStage.START  # a script travels on stdin, once its command has started
        return Sent(tuple(marks), error.summary, handed_over)
    finally:
        transport.close()
    return Sent(tuple(marks), None, handed_over, words)


def _ended_well(marks: tuple[Mark, ...]) -> bool:
    return any(mark.word == "END" and mark.number(1) == 0 for mark in marks)


def _said(answer: Answer) -> str:
    text = (answer.stdout + b"\n" + answer.stderr).decode("utf-8", errors="replace")
    return " ".join(text.split())[:300] + f" (exit code {answer.exit_code})"


def by(sites: SitesOfRun) -> Sender:
    """Who sends in a run: a worker of the machine's site, where the run has a scheduler, else this process."""

    def sender(sending: Sending, watched: Watched) -> Sent:
        if not sites.reaches(sending.site):
            return send(sending, watched)
        try:
            return _answered(sites.do(sending, watched), sending)
        except NotDone as why:
            return Sent((), str(why), 0)
        except Unseen as why:
            return Sent((), str(why), None)

    return sender


def _answered(answer: bytes, sending: Sending) -> Sent:
    """What a worker told, if it can be what our own code tells. Raises Unseen."""
    strange = Unseen(f"the worker of site {sending.site} answered with what is no answer of ours")
    if len(answer) > 2 * OUTPUT_BYTES * len(sending.orders) + 10_000:
        raise strange
    try:
        sent = _SENT.validate_json(answer)
    except ValidationError:
        raise strange from None
    if not all(
        re.fullmatch("[A-Z]{1,20}", mark.word) and all(re.fullmatch("-?[0-9]{1,12}", each) for each in mark.arguments)
        for mark in sent.marks
    ):
        raise strange
    return sent
