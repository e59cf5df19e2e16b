"""SELinux and AppArmor: which denials are problems, which are evidence, and what is unknown where they were not read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.survey.model import NOT_SURVEYED
from pytest_tentacle.survey.surroundings import AccessControl, Denial, FileLabel, ProcessLabel
from support import NOW
from support.fleets.whole import LINUX_EXECUTABLE, Whole, wide_fleet

DOMAIN = "system_u:system_r:tentacle_t:s0"
UNCONFINED = "system_u:system_r:unconfined_service_t:s0"
LABELLED = "system_u:object_r:etc_t:s0"
HOME = "unconfined_u:object_r:user_home_t:s0"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def world() -> Whole:
    return wide_fleet()


def denial(action: str = "write", **more: Any) -> Denial:
    common = {
        "module": "selinux",
        "process": "Tentacle",
        "executable": LINUX_EXECUTABLE,
        "source": DOMAIN,
        "enforced": True,
    }
    return Denial(
        **{**common, "action": action, "kind": "dir", "path": "Work", "target": HOME, "time_utc": NOW - MINUTE, **more}
    )


def judge(world: Whole, *denials: Denial, selinux: str = "enforcing", **more: Any) -> Any:
    world.sections["poll-01"]["access_control"] = AccessControl(selinux=selinux, denials=denials, **more)
    return world.fleet().subject("poll-01").result("service-account-permissions")


def said(result: Any) -> str:
    return " / ".join(result.looked_at)


@pytest.mark.parametrize("selinux", ["enforcing", "permissive", "disabled"])
def test_nothing_was_denied(world: Whole, selinux: str) -> None:
    labels = (FileLabel(path=LINUX_EXECUTABLE, label=HOME, expected="system_u:object_r:usr_t:s0"),)
    own = world["poll-01"].service
    processes = (ProcessLabel(service=own["name"], pid=own["pid"], label=UNCONFINED),)
    result = judge(world, selinux=selinux, labels=labels, processes=processes)
    assert result.outcome is Outcome.PASSED
    assert f"SELinux is {selinux}, its process is {UNCONFINED}" in said(result)
    assert f"is {HOME}, and the policy has system_u:object_r:usr_t:s0 for it" in said(result)


def test_who_denies_what_to_whom(world: Whole) -> None:
    (problem,) = judge(world, denial(), denial("read open", path="Files")).problems
    assert problem.code == "TT807"
    assert problem.actual.startswith(f"SELinux denied Tentacle ({DOMAIN}) write on Work ({HOME}) at ")
    assert problem.actual.endswith(" and 1 more")


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (denial("name_bind", kind="tcp_socket", port=10933, path=None), "TT805"),
        (denial("name_connect", kind="tcp_socket", port=10943, path=None), "TT806"),
        (denial("create", module="apparmor", kind="inet6", path=None), "TT806"),
        (denial(pid=900, executable="/opt/wrapped"), "TT807"),
        (denial("add_name", path="anything", target=LABELLED), "TT807"),
        (denial("open", module="apparmor", kind="file", path="/etc/octopus/default/x", enforced=True), "TT807"),
        (denial("connect", module="apparmor", kind="inet", path=None), "TT806"),
        (denial(enforced=None), "TT807"),
    ],
)
def test_what_it_cannot_do_without(world: Whole, found: Denial, code: str) -> None:
    world.sections["poll-01"]["connections"] = ()
    if code == "TT805":
        world["poll-01"].settings["Tentacle.Services.NoListen"] = "false"
    labels = (FileLabel(path="/etc/octopus/default", label=LABELLED),)
    assert [problem.code for problem in judge(world, found, labels=labels).problems] == [code]


@pytest.mark.parametrize(
    "found",
    [
        denial(enforced=False),
        denial(time_utc=NOW - timedelta(days=30)),
        denial(time_utc=None),
        denial(process="logrotate", executable="/usr/sbin/logrotate"),
        denial(process="sh", executable="/usr/bin/bash", pid=901),
        denial(pid=4711),
        denial("name_connect", kind="tcp_socket", port=443, path=None),
        denial("name_connect", kind="tcp_socket", port=10943, path=None),
        denial("name_bind", kind="tcp_socket", port=8080, path=None),
        denial(path="/var/cache/x", kind="file"),
        denial("read", path="passwd", kind="file"),
        denial("write", path="clr-debug-pipe-1", kind="file", target="system_u:object_r:tmp_t:s0"),
        denial("getattr"),
        denial("read", kind="file", path="meminfo", target="system_u:object_r:proc_t:s0"),
        denial("search", path="fs", target="system_u:object_r:sysctl_fs_t:s0"),
        denial("execmem", kind="process", path=None),
        denial("execute", kind="file", path="Tentacle", executable="/usr/lib/systemd/systemd", process="(Tentacle)"),
    ],
    ids=[
        "told-alone",
        "before-its-start",
        "no-time",
        "somebody-else",
        "a-script",
        "a-call-by-hand",
        "another-port",
        "a-connection-stands",
        "not-its-port",
        "not-its-folder",
        "read-elsewhere",
        "a-pipe-for-debuggers",
        "does-without",
        "proc",
        "sysctl",
        "memory",
        "it-runs",
    ],
)
def test_what_is_evidence_alone(world: Whole, found: Denial) -> None:
    """A healthy Tentacle has such denials, too."""
    result = judge(world, found)
    assert result.outcome is Outcome.PASSED
    assert "of no matter" in said(result)


def test_a_start_that_failed_otherwise(world: Whole) -> None:
    """Its program ran, and ended by itself: what systemd was denied earlier is past."""
    world.down("poll-01", state="failed", exit_code=1, detail="failed / exit-code")
    found = denial("execute", kind="file", path="Tentacle", executable="/usr/lib/systemd/systemd", process="(Tentacle)")
    assert judge(world, found).problems == ()


def test_a_program_that_was_relabelled(world: Whole) -> None:
    """The record tells the last part of the path alone: the label tells which program it was, and what it is now."""
    world.down("poll-01", state="failed", exit_code=203, detail="failed / exit-code")
    found = denial("execute", kind="file", path="Tentacle", executable="/usr/lib/systemd/systemd", process="(Tentacle)")
    for label, codes in ((HOME, ["TT804"]), (LABELLED, [])):
        labels = (FileLabel(path=LINUX_EXECUTABLE, label=label),)
        assert [problem.code for problem in judge(world, found, labels=labels).problems] == codes


@pytest.mark.parametrize(
    ("state", "pid", "codes"), [("failed", 900, ["TT807"]), ("failed", 77, []), ("stopped", 900, [])]
)
def test_of_a_process_that_is_gone(world: Whole, state: str, pid: int, codes: list[str]) -> None:
    """One that failed, and not another instance's, nor one that somebody stopped."""
    world.down("poll-01", state=state, exit_code=100 if codes else 0, detail="failed / exit-code")
    processes = (ProcessLabel(service="Other.service", pid=77),)
    assert [problem.code for problem in judge(world, denial(pid=pid), processes=processes).problems] == codes


@pytest.mark.parametrize(
    ("found", "section", "words"),
    [
        (denial(path="x.tmp", kind="file"), None, "cannot be told by its name"),
        (denial(time_utc=NOW - timedelta(days=2)), None, "it is older than a day"),
        (denial("name_connect", kind="tcp_socket", port=10943, path=None), "connections", "was not read (connections)"),
        (denial("name_connect", kind="tcp_socket", port=10943, path=None), "settings", "which ports it needs"),
        (denial(), "start", "when the process that runs now was started is not known"),
    ],
)
def test_what_nobody_can_tell(world: Whole, found: Denial, section: str | None, words: str) -> None:
    """Neither a problem nor all right."""
    if section == "start":
        world["poll-01"].service["started_utc"] = None
    elif section == "settings":
        world["poll-01"].unknown["instances"] = "refused"
    elif section is not None:
        world.sections["poll-01"][section] = "refused"
    result = judge(world, found)
    assert (result.outcome, result.problems) == (Outcome.UNKNOWN, ())
    assert section == "settings" or words in str(result.reason)


def test_permissive(world: Whole) -> None:
    """Whatever a record says that tells no mode."""
    assert judge(world, denial(enforced=None), selinux="permissive").outcome is Outcome.PASSED


def test_not_read(world: Whole) -> None:
    world.sections["poll-01"]["access_control"] = "SELinux is enforcing, and what was denied: it may not be read"
    result = world.fleet().subject("poll-01").result("service-account-permissions")
    assert result.outcome is Outcome.UNKNOWN
    assert "it may not be read" in str(result.reason)


def test_of_an_older_survey(world: Whole) -> None:
    """Nothing is said to be well."""
    world.sections["poll-01"]["access_control"] = NOT_SURVEYED
    result = world.fleet().subject("poll-01").result("service-account-permissions")
    assert "they were not read: access_control of poll-01: not surveyed" in said(result)
