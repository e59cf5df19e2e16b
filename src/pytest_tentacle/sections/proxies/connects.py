"""Guide, "Watch out for proxy servers": whether the proxy that a Tentacle polls through lets it through.

The survey asked it by CONNECT, as Halibut does, but without credentials: those are not ours to read. So what a proxy
answers where some are configured is evidence only.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Evidence, Problem, Unknown
from pytest_tentacle.judging.links import shows_own_page
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.survey.surroundings import ProxyConnect

from .checks import can_be_right

NO_ANSWER = "TT606"
REFUSED = "TT607"
CREDENTIALS = "TT608"
NO_WAY_ON = "TT609"

_OPEN = 200
"""Halibut takes no other status (tentacle-facts 1.8)."""
_WANTS_CREDENTIALS = 407
_ITS_OWN_FAILURE = 500

_WORDS = {
    "name-not-found": "its name does not resolve",
    "refused": "nothing listens there",
    "timed-out": "no answer came in time",
    "closed": "it closes the connection without an answer",
    "not-http": "what answers is no HTTP proxy",
}


@check(codes=(NO_ANSWER, REFUSED, CREDENTIALS, NO_WAY_ON), reads=("instances", "services", "proxy_connects"))
def proxy_opens_a_way_to_each_server(subject: Subject) -> Iterator[Finding]:
    """The proxy that its settings name opens a way to each polled server."""
    if subject.mode is not Mode.POLLING or not can_be_right(subject):
        return
    proxy = subject.settings.polling_proxy
    rows = [row for row in subject.read(FACTS.proxy_connects) if row.instance == subject.instance_name]
    if not rows:
        raise Unknown(
            f"{subject.name} did not ask its proxy {proxy.host}:{proxy.port} to connect",
            "Run again, or try by hand: curl -v -k -x http://<proxy>:<port> https://<server>:10943/",
        )
    answers = any(row.status is not None for row in rows)
    judged = [(_code_of(row, with_user=bool(proxy.username), answers=answers), row) for row in rows]
    for code, row in judged:
        if code is None:
            yield Evidence(f"CONNECT from {subject.name}", _line(row))
    failed = sorted(((code, row) for code, row in judged if code and code != _UNCLEAR), key=lambda each: each[0])
    for code, found in groupby(failed, key=lambda each: each[0]):
        yield _problem(subject, code, [row for _, row in found])
    for code, row in judged:
        if code == _UNCLEAR:
            yield Unknown(
                f"CONNECT from {subject.name} to {row.host}:{row.port} through {row.proxy} failed: {row.detail}",
                "Try by hand on the machine: curl -v -k -x http://<proxy>:<port> https://<server>:10943/",
            )


_UNCLEAR = "unclear"


def _code_of(row: ProxyConnect, *, with_user: bool, answers: bool) -> str | None:
    """None where it lets through, or where nobody knows what it does with credentials."""
    if row.status is None:
        if row.error not in _WORDS:
            return _UNCLEAR
        # It answers for another server: so it is the way on from there that is silent.
        return NO_WAY_ON if answers else NO_ANSWER
    if shows_own_page(row):
        return REFUSED
    if row.status == _OPEN or with_user:
        return None
    if row.status == _WANTS_CREDENTIALS:
        return CREDENTIALS
    return NO_WAY_ON if row.status >= _ITS_OWN_FAILURE else REFUSED


def _problem(subject: Subject, code: str, rows: list[ProxyConnect]) -> Problem:
    first = rows[0]
    host, _, port = first.proxy.rpartition(":")
    targets = ", ".join(f"{row.host}:{row.port}" for row in rows)
    said = (
        "shows a page of its own"
        if shows_own_page(first)
        else f"answers {first.status}"
        if first.status is not None
        else _WORDS.get(first.error or "", "fails")
    )
    return Problem(
        code,
        subject.name,
        expected=f"the proxy {first.proxy} opens a way to {targets}",
        actual=f"CONNECT {first.host}:{first.port} through {first.proxy}: {said}",
        evidence=tuple(Evidence(f"CONNECT from {subject.name}", _line(row)) for row in rows),
        facts={
            "instance": subject.instance_name,
            "command": "polling-proxy",
            "host": host.strip("[]"),
            "port": int(port),
            "proxy": first.proxy,
            "target": f"{first.host}:{first.port}",
            "status": first.status,
            "error": first.error,
        },
    )


def _line(row: ProxyConnect) -> str:
    said = row.detail or (f"status {row.status}" if row.status is not None else row.error)
    took = f" after {row.ms:.0f} ms" if row.ms is not None else ""
    return f"{row.host}:{row.port} through {row.proxy}: {said}{took}"
