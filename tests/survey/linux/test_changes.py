"""What may have changed lately: times of files, and the package manager's own log in three forms."""

from __future__ import annotations

import os

import pytest

from pytest_tentacle.survey.request import Request


@pytest.fixture
def sections():
    return {"changes"}


def put(machine, path, text="", modified=None):
    """A file of the machine's."""
    real = machine.folder / "files" / path.lstrip("/")
    real.parent.mkdir(parents=True, exist_ok=True)
    real.write_text(text, encoding="utf-8")
    if modified is not None:
        os.utime(real, (modified, modified))


def test_in_each_shell(whole, shell):
    """Files with their times, packages oldest first, the machine's zone."""
    put(whole, "/etc/nftables.conf", modified=1_773_281_401)
    put(whole, "/var/log/dpkg.log.1", "2026-03-01 01:00:00 install nginx:amd64 <none> 1.24\n")
    put(
        whole,
        "/var/log/dpkg.log",
        "2026-03-12 02:10:01 startup archives unpack\n"
        "2026-03-12 02:10:01 upgrade openssl:amd64 3.0.15 3.0.16\n"
        "2026-03-12 02:10:02 status installed openssl:amd64 3.0.16\n"
        '2026-03-12 02:10:03 remove s"l:amd64 5.02 <none>\n',
    )
    put(whole, "/var/log/dnf.rpm.log", "2026-03-12T02:10:04+0000 SUBDEBUG Upgrade: openssl-1:3.0.7-27.el9.x86_64\n")
    put(whole, "/var/log/zypp/history", "# comment\n2026-03-12 02:10:05|install|openssl|3.0.8-1|x86_64||repo|\n")
    changes = whole.survey(shell).survey.changes.data
    (rules,) = [file for file in changes.files if file.path.endswith("/etc/nftables.conf")]
    assert f"{rules.modified_utc:%Y-%m-%d %H:%M:%S}" == "2026-03-12 02:10:01"
    assert [(each.time, each.action, each.name, each.before, each.version) for each in changes.packages] == [
        ("2026-03-01 01:00:00", "installed", "nginx:amd64", None, "1.24"),
        ("2026-03-12 02:10:01", "upgraded", "openssl:amd64", "3.0.15", "3.0.16"),
        ("2026-03-12 02:10:03", "removed", 's"l:amd64', "5.02", None),
        ("2026-03-12T02:10:04+0000", "upgraded", "openssl-1:3.0.7-27.el9.x86_64", None, None),
        ("2026-03-12 02:10:05", "installed", "openssl", None, "3.0.8-1"),
    ]
    assert changes.offset
    assert changes.offset[0] in "+-"


def test_the_products_program_and_unit(whole):
    """An upgrade replaces the program: its time says when."""
    paths = [file.path for file in whole.survey().survey.changes.data.files]
    assert any(path.endswith("/opt/octopus/tentacle/Tentacle") for path in paths)


def test_drop_ins_of_the_unit(whole, shell):
    """`systemctl edit` writes there, among other things as whom the service runs; other units are nothing to us."""
    (unit,) = [service.name for service in whole.survey(shell).survey.services.data]
    for name in (f"{unit}.d/override.conf", f"{unit}.d/an other.conf", f"{unit}.d/notes.txt", "x.service.d/y.conf"):
        put(whole, f"/etc/systemd/system/{name}", modified=1_773_281_401)
    files = whole.survey(shell).survey.changes.data.files
    found = [file.path.rpartition("/systemd/system/")[2] for file in files if ".service.d/" in file.path]
    assert sorted(found) == [f"{unit}.d/an other.conf", f"{unit}.d/override.conf"]


def test_without_stat(whole):
    """It is said, and takes nothing else away."""
    whole.description["missing"] = ["stat"]
    survey = whole.survey(sections={"changes", "host"}).survey
    assert "no stat" in survey.changes.unknown
    assert survey.host.data


def test_real_tools(real):
    """This very machine's: whatever it has, it can be read."""
    assert real(Request(), sections={"changes"}).survey.changes.data is not None
