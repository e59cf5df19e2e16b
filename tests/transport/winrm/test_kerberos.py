"""Why Kerberos did not log on, in one line, out of what pywinrm's own way to log on keeps to itself."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from pytest_tentacle.transport.base import ReachStage
from pytest_tentacle.transport.winrm.faults import explained
from pytest_tentacle.transport.winrm.kerberos import hear, reason_of
from support.gss.domain import running_domain

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


@pytest.fixture(scope="module")
def domain(tmp_path_factory, certificates):
    """A real domain on loopback with a web service, and the certificates of a server."""
    with running_domain(tmp_path_factory.mktemp("domain"), service="HTTP/localhost") as domain:
        for name in ("good", "fresh"):
            domain.log_in("surveyor", name)
        shutil.copy(certificates.ca, domain.folder / "ca.pem")
        shutil.copy(certificates.good, domain.folder / "server.pem")
        yield domain


def test_a_real_domain(domain):
    """Who has a ticket logs on; who cannot is told why in one line, and never that WinRM does not answer."""
    program = Path(__file__).parents[2] / "support" / "gss" / "log_ons.py"
    domain.expired()
    done = subprocess.run([sys.executable, program, domain.folder], capture_output=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr.decode()
    told = json.loads(done.stdout.splitlines()[-1])
    assert told.pop("a ticket") == "42"
    words = {
        "by address": "no service of the machine's name",
        "no ticket": "there is no ticket",
        "expired": "the ticket has expired",
        "no domain": "no controller of the realm could be reached",
        "wrong realm": "no service of the machine's name",
    }
    assert {what: words[what] in line for what, line in told.items()} == dict.fromkeys(words, True), told
    assert all(line.startswith("authenticate: ") for line in told.values())
