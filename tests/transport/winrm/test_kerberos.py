"""Why Kerberos did not log on, in one line, out of what pywinrm's own way to log on keeps to itself."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
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


CONF = """[libdefaults]
 default_realm = LAB.EXAMPLE
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 1
[realms]
 LAB.EXAMPLE = {{
  kdc = 127.0.0.1:{port}
 }}
[domain_realm]
 localhost = {realm}
"""


@pytest.fixture(scope="module")
def domain(tmp_path_factory, certificates):
    """A real domain on loopback: its keys, tickets that hold and that have ended, and settings that lead astray."""
    folder = tmp_path_factory.mktemp("domain")
    path = os.environ["PATH"] + os.pathsep + "/usr/sbin"
    missing = [each for each in ("krb5kdc", "kdb5_util", "kadmin.local", "kinit") if not shutil.which(each, path=path)]
    if missing:
        pytest.skip(f"{', '.join(missing)} are not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for name, values in {
        "krb5.conf": {"port": port, "realm": "LAB.EXAMPLE"},
        "away.conf": {"port": 1, "realm": "LAB.EXAMPLE"},
        "realm.conf": {"port": port, "realm": "OTHER.EXAMPLE"},
    }.items():
        (folder / name).write_text(CONF.format(**values))
    (folder / "kdc.conf").write_text(
        f'[kdcdefaults]\n kdc_listen = ""\n kdc_tcp_listen = 127.0.0.1:{port}\n[realms]\n LAB.EXAMPLE = {{\n'
        f"  database_name = {folder}/principal\n  key_stash_file = {folder}/stash\n }}\n"
    )
    environment = {
        "PATH": path, "KRB5_CONFIG": str(folder / "krb5.conf"), "KRB5_KDC_PROFILE": str(folder / "kdc.conf"),
    }  # fmt: skip

    def do(*command, **options):
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=60, **options)

    do("kdb5_util", "create", "-s", "-r", "LAB.EXAMPLE", "-P", "master")
    for query in (
        "addprinc -pw s3cret surveyor",
        "addprinc -randkey HTTP/localhost",
        f"ktadd -k {folder}/keytab HTTP/localhost",
    ):
        do("kadmin.local", "-r", "LAB.EXAMPLE", "-q", query)
    shutil.copy(certificates.ca, folder / "ca.pem")
    shutil.copy(certificates.good, folder / "server.pem")
    with subprocess.Popen(["krb5kdc", "-r", "LAB.EXAMPLE", "-n"], env=environment) as controller:
        try:
            end = time.monotonic() + 30
            while time.monotonic() < end:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            do("kinit", "-c", f"FILE:{folder}/expired", "-l", "1s", "surveyor", input=b"s3cret\n")
            for name in ("good", "fresh"):
                do("kinit", "-c", f"FILE:{folder}/{name}", "surveyor", input=b"s3cret\n")
            yield folder
        finally:
            controller.terminate()


def test_a_real_domain(domain):
    """Who has a ticket logs on; who cannot is told why in one line, and never that WinRM does not answer."""
    program = Path(__file__).parents[2] / "support" / "gss" / "log_ons.py"
    time.sleep(2.5)  # whole seconds count: a ticket of one second has ended when two more have begun
    done = subprocess.run([sys.executable, program, domain], capture_output=True, timeout=110, check=False)
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
