"""A project with tests of its own, beside the guide's: its `conftest.py`, its fixtures, its checks, testinfra's `host`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

QUIET = ("-p", "no:cacheprovider", "-q")

CONFTEST = '''
import pytest


@pytest.fixture
def instance_names(survey):
    """A fixture of the project, on one of ours."""
    return [instance.name for instance in survey.instances.data]
'''

OWN = '''
from pytest_tentacle.sections import services
from pytest_tentacle.testing import Evidence, Machine, Problem, check, step


def test_each_tentacle(tentacle: Machine, communication_mode, instance_names):
    assert tentacle.communication_mode == communication_mode
    assert tentacle.declared.name == tentacle.name
    assert "Tentacle" in instance_names


def test_those_that_poll(polling_tentacle):
    assert polling_tentacle.communication_mode == "polling"


def test_those_that_listen(listening_tentacle):
    assert listening_tentacle.communication_mode == "listening"


def test_servers(octopus_server):
    assert octopus_server.communication_mode is None


@step("services-running")
def test_services_without_the_look_at_the_next_reboot(machine):
    """A body of the guide, copied, without one of its checks."""
    machine.must_pass(
        services.instance_is_registered,
        services.service_is_installed,
        services.service_keeps_running,
    )


@check(codes=("MY001",), reads=("disks",))
def disks_have_room_for_us(subject):
    """Much is free."""
    for disk in subject.read("disks"):
        if disk.free_bytes < 2**60:
            yield Problem("MY001", subject.name, "an exabyte", "less", (Evidence(disk.path, "looked at"),))


def test_disks_for_us(tentacle):
    """A step of one's own."""
    tentacle.must_pass(disks_have_room_for_us)
'''

HOSTS = """
def test_runs_there(machine, host):
    assert host.check_output("hostname") == machine.survey.host.data.hostname


def test_logs_on_once(machine, host, tmp_path_factory):
    assert host.backend.NAME == "tentacle"
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (folder / "test_own.py").write_text(OWN, encoding="utf-8")
    (folder / "hosts").mkdir()
    (folder / "hosts" / "test_hosts.py").write_text(HOSTS, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def own_run(run_pytest: Any, surveyed: Any, project: Path) -> Any:
    """The project's tests on the surveys of some lab machines: two that are well, one that listens and one that polls."""
    _, _, saved = surveyed
    return run_pytest(
        "--replay", saved, "--limit", "web-02,poll-02", *QUIET, "-rA", "test_own.py", "--html", "page.html", cwd=project
    )


class TestFixtures:
    def test_each_runs_for_its_machines(self, own_run: Any) -> None:
        """`-rA` names each test that was run."""
        run = {line.split("::")[1] for line in own_run.stdout.splitlines() if line.startswith("PASSED")}
        assert run == {
            "test_each_tentacle[web-02-each-tentacle]",
            "test_each_tentacle[poll-02-each-tentacle]",
            "test_those_that_poll[poll-02-those-that-poll]",
            "test_those_that_listen[web-02-those-that-listen]",
            "test_services_without_the_look_at_the_next_reboot[web-02-services-running]",
            "test_services_without_the_look_at_the_next_reboot[poll-02-services-running]",
        }, own_run.stdout

    def test_a_step_of_ones_own_is_judged_like_the_guides(self, own_run: Any, project: Path) -> None:
        """In the console and in the report, with its problem; nothing is advised that nobody wrote down."""
        assert own_run.returncode == 1
        assert "expected  an exabyte" in own_run.stdout, "a test of one's own says why it failed"
        report = json.loads((project / "page.json").read_text(encoding="utf-8"))
        (cause,) = report["causes"]
        assert (cause["code"], sorted(cause["machines"])) == ("MY001", ["poll-02", "web-02"])
        assert not cause["remedy_linux"]
        assert "disks-for-us" in json.dumps(report)

    def test_pytest_explains_them(self, run_pytest: Any, surveyed: Any, project: Path) -> None:
        _, _, saved = surveyed
        told = run_pytest("--replay", saved, "--fixtures", "-q", cwd=project).stdout
        ours = told[told.index("pytest_tentacle.run.items.fixtures") :]
        for name, words in {
            "machine": "One machine, Tentacle or Octopus Server",
            "tentacle": "Tentacles alone",
            "listening_tentacle": "Tentacles that listen",
            "polling_tentacle": "Tentacles that poll",
            "octopus_server": "nodes of Octopus Server alone",
            "communication_mode": "the mode of the test's machine",
            "survey": "What the host of the test's machine said",
            "host": "Testinfra's host, on the test's machine",
        }.items():
            after = ours[ours.index(f"\n{name} ") :]
            assert words in " ".join(after[:400].split()), name


class TestHost:
    def test_over_ssh_on_each_machine(self, run_pytest: Any, top: Path, project: Path) -> None:
        """Each machine of the lab says its own name; the machine that runs pytest has another."""
        done = run_pytest(
            "--inventory", top / "inventory" / "lab.yaml", "--limit", "web-02,poll-02,!octo-1", *QUIET, "hosts", cwd=project
        )  # fmt: skip
        assert "4 passed" in done.stdout, done.stdout + done.stderr

    def test_a_replay_contacts_nobody(self, run_pytest: Any, surveyed: Any, project: Path) -> None:
        _, _, saved = surveyed
        done = run_pytest("--replay", saved, "--limit", "web-02", *QUIET, "hosts", "-rE", cwd=project)
        assert done.returncode == 1
        assert "a replay contacts no machine" in done.stdout + done.stderr, done.stdout

    def test_without_a_machine_it_is_refused_in_one_sentence(
        self, run_pytest: Any, surveyed: Any, tmp_path: Path
    ) -> None:
        """It was the machine that runs pytest, silently."""
        _, _, saved = surveyed
        (tmp_path / "test_bare.py").write_text("def test_bare(host):\n    assert host\n", encoding="utf-8")
        done = run_pytest("--replay", saved, *QUIET, "test_bare.py", cwd=tmp_path)
        assert done.returncode == 4
        (line,) = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        assert line.partition("/")[2].startswith(
            "test_bare.py::test_bare asks for `host` without a machine to run on: let it ask"
        )

    def test_a_projects_own_host_is_its_own(self, run_pytest: Any, surveyed: Any, tmp_path: Path) -> None:
        _, _, saved = surveyed
        (tmp_path / "conftest.py").write_text(
            "import pytest\n\n\n@pytest.fixture\ndef host():\n    return 'mine'\n", encoding="utf-8"
        )
        (tmp_path / "test_own.py").write_text("def test_own(host):\n    assert host == 'mine'\n", encoding="utf-8")
        done = run_pytest("--replay", saved, *QUIET, "test_own.py", cwd=tmp_path)
        assert "1 passed" in done.stdout, done.stdout + done.stderr

    def test_where_no_inventory_is_given_testinfras_is_left_alone(self, run_pytest: Any, tmp_path: Path) -> None:
        (tmp_path / "test_local.py").write_text(
            "def test_local(host):\n    assert host.backend.NAME == 'local'\n", encoding="utf-8"
        )
        done = run_pytest("-p", "no:cacheprovider", "-q", "test_local.py", cwd=tmp_path)
        assert "1 passed" in done.stdout, done.stdout + done.stderr


class TestMustPass:
    def test_without_a_check_it_is_an_error(self, run_pytest: Any, surveyed: Any, tmp_path: Path) -> None:
        """Everything would pass it."""
        _, _, saved = surveyed
        (tmp_path / "test_none.py").write_text("def test_none(machine):\n    machine.must_pass()\n", encoding="utf-8")
        done = run_pytest("--replay", saved, "--limit", "web-02", *QUIET, "test_none.py", cwd=tmp_path)
        assert done.returncode == 1
        assert "must_pass() wants the checks that must pass" in done.stdout
