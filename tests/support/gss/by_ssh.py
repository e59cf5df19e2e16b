"""What the tests of log-ons by SSH with a ticket share."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pytest_tentacle.inventory.model import SSH
from pytest_tentacle.transport import Deadline, Transport, TransportError, open_transport

TICKETS = "GSSAPIAuthentication yes", "GSSAPIStrictAcceptorCheck no"
"""What an sshd is told that takes them, by whatever key of its keytab fits."""


def as_localhost(sshd: Any) -> Any:
    """An sshd of `start_sshd`, known by the name that the domain has for it."""
    (sshd.folder / "known_hosts").write_text(f"[localhost]:{sshd.port} {sshd.host_key}\n")
    return sshd


def settings(sshd: Any, **changes: object) -> SSH:
    """How to log on to it by Kerberos."""
    return sshd.settings(**{"host": "localhost", "auth": "kerberos", "key": None} | changes)


@contextmanager
def logged_on(to: SSH) -> Iterator[Transport]:
    """A session."""
    transport = open_transport(to)
    try:
        transport.connect(Deadline(60))
        yield transport
    finally:
        transport.close()


def refusal(to: SSH, seconds: float = 60) -> TransportError:
    """The error that logging on raises, in one line."""
    with pytest.raises(TransportError) as caught:
        open_transport(to).connect(Deadline(seconds))
    assert "\n" not in caught.value.summary + caught.value.advice
    return caught.value


def wait_for_the_end(place: str) -> None:
    """Wait until no process has this folder on its command line: what is killed is gone a moment later."""
    end = time.monotonic() + 60
    while left := processes_of(place):
        assert time.monotonic() < end, left
        time.sleep(0.02)


def processes_of(place: str) -> dict[int, list[str]]:
    """Processes with this folder on their command line; those that begin or end meanwhile aside."""
    found = {}
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if any(place in word for word in words):
            found[int(file.parent.name)] = words
    return found
