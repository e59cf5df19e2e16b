"""Why Kerberos did not log on, in one line, out of what pywinrm's own way to log on keeps to itself."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pytest_tentacle.transport.base import ReachStage
from pytest_tentacle.transport.winrm.faults import explained
from pytest_tentacle.transport.winrm.kerberos import hear, reason_of

GSS = ("Unspecified GSS failure.  Minor code may provide more information", 851968)


class GSSError(Exception):
    """As pykerberos raises it: two pairs of a text and a number."""


class KerberosExchangeError(Exception):
    """What requests_kerberos makes of it, with a text alone."""


def refused(number: int):
    """As both come out of pywinrm."""
    error = KerberosExchangeError("authGSSClientStep() failed")
    error.__context__ = GSSError(GSS, ("in the library's own language", number))
    return error


@pytest.mark.parametrize(
    ("number", "word"),
    [
        (-1765328347, "clocks"),
        (-1765328377, "no service of the machine's name"),
        (-1765328352, "ticket has expired"),
        (-1765328243, "no ticket"),
        (-1765328189, "no ticket"),
        (-1765328230, "no realm"),
        (-1765328228, "no controller"),
        (-1765328343, "another account's key"),
        (-1765328360, "refused the password"),
    ],
)
def test_each_reason(number, word):
    """Numbers of MIT Kerberos, by whatever text they come with."""
    what, advice, found = reason_of(refused(number))
    assert word in what
    assert advice
    assert found == number


def test_a_reason_that_nobody_knows():
    what, _, number = reason_of(refused(-1765328000))
    assert what == "Kerberos did not log on"
    assert number in {-1765328000, GSS[1]}


def test_it_is_heard_and_told():
    """The failure goes on as before, and stands in the one line that a user reads."""
    error = refused(-1765328347)
    heard = []

    def generate():
        raise error

    auth = SimpleNamespace(generate_request_header=generate)
    hear(auth, heard.append)
    with pytest.raises(KerberosExchangeError):
        auth.generate_request_header()
    assert heard == [error]
    adapter = SimpleNamespace(log_on_failure=reason_of(error), status=401, offered="Negotiate")
    watch = SimpleNamespace(place="web-01:5986", waiting_for="the shell")
    told = explained(error, ReachStage.START, adapter, watch, "kerberos")
    assert told.stage is ReachStage.AUTHENTICATE
    assert "clocks" in told.summary
    assert "web-01:5986" in told.summary
