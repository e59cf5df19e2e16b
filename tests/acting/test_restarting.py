"""`--restart`: what came of it, by as much as a machine told; who is left alone; what reaches a script."""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pytest_tentacle.acting.carrying_out import carry_out
from pytest_tentacle.acting.planning import planned
from pytest_tentacle.acting.restarting import Restart, judged, look_of
from pytest_tentacle.acting.scripts import Mark, StrangeValueError, command_order, read_marks, restart_order
from pytest_tentacle.acting.sending import Sent, send
from pytest_tentacle.inventory.model import SSH
from pytest_tentacle.octopus import Node
from pytest_tentacle.run.acting.doing import Restarted
from pytest_tentacle.survey.actions import Action, ActionResult, By
from pytest_tentacle.survey.model import ServiceState
from support.fleets.world import small_fleet

BY = By(user="anna", host="desk")
TASK = Restart("web-01", SSH(host="web-01"), is_windows=False, service="Tentacle.service", log="/l/t.txt", by=BY)
LOST = "web-01 broke off the command"


def show(state: str, pid: int, sub: str = "running") -> str:
    return f"LoadState=loaded\nActiveState={state}\nSubState={sub}\nResult=success\nMainPID={pid}\nNRestarts=0"


def mark(word: str, *arguments: str, text: str = "") -> Mark:
    return Mark(word, arguments, text)


BEFORE = mark("BEFORE", text=show("active", 10))
ASKED, ANSWERED = mark("ASKED"), mark("ANSWERED", "0")
RUNS, WATCHED = mark("LOOK", "0", text=show("active", 20)), mark("WATCHED", "30")

CASES = {
    "it kept running": (
        [BEFORE, ASKED, ANSWERED, RUNS, WATCHED], None, ActionResult.DONE,
        "Tentacle.service was restarted as process 20 and kept running for 30 s",
    ),
    "it was stopped, and is started": (
        [mark("BEFORE", text=show("inactive", 0, "dead")), ASKED, ANSWERED, RUNS, WATCHED], None, ActionResult.DONE,
        "Tentacle.service was started as process 20 and kept running for 30 s",
    ),
    "nobody could log on": (None, LOST, ActionResult.LEFT_ALONE, "left alone: web-01 broke off the command"),
    "the order was on its way": ([], LOST, ActionResult.NOT_KNOWN, "its restart was on its way (web-01 broke off"),
    "it was lost before anything came of it": (
        [BEFORE], LOST, ActionResult.NOT_KNOWN, "whether it was carried out is not known; look at the service before",
    ),
    "it answered something else": ([], None, ActionResult.LEFT_ALONE, "left alone: the machine said nothing"),
    "it was lost while it was asked for": (
        [BEFORE, ASKED], LOST, ActionResult.NOT_KNOWN, "whether it was carried out is not known",
    ),
    "it was lost while it was watched": (
        [BEFORE, ASKED, ANSWERED, RUNS, mark("LOOK", "4", text=show("active", 20, "running "))], LOST,
        ActionResult.NOT_KNOWN, "was lost sight of 4 s later (web-01 broke off the command)",
    ),
    "the service manager refused": (
        [BEFORE, ASKED, mark("ANSWERED", "5", text="Failed to restart: Unit is masked."), RUNS, WATCHED], None,
        ActionResult.FAILED, "could not be restarted: Failed to restart: Unit is masked.",
    ),
    "it stopped again": (
        [BEFORE, ASKED, ANSWERED, RUNS, mark("LOOK", "2", text=show("activating", 0, "auto-restart")), mark("WATCHED", "2")],
        None, ActionResult.FAILED, "was started and stopped again within 2 s",
    ),
    "its process ended, and there is another": (
        [BEFORE, ASKED, ANSWERED, RUNS, mark("LOOK", "7", text=show("active", 21)), mark("WATCHED", "7")], None,
        ActionResult.FAILED, "its process 20 ended within 7 s",
    ),
    "it is the same process": (
        [BEFORE, ASKED, ANSWERED, mark("LOOK", "0", text=show("active", 10)), WATCHED], None, ActionResult.FAILED,
        "runs as the same process 10 as before",
    ),
    "it still starts": (
        [BEFORE, ASKED, ANSWERED, mark("LOOK", "0", text=show("activating", 20, "start")), WATCHED], None,
        ActionResult.NOT_KNOWN, "its state is starting since",
    ),
}  # fmt: skip


class TestVerdict:
    @pytest.mark.parametrize(("marks", "lost", "result", "told"), CASES.values(), ids=CASES)
    def test_what_came_of_it(self, marks, lost, result, told):
        """It is done only where it was seen to run to the end of the look."""
        action = judged(
            TASK, Sent(tuple(marks or ()), lost, 0 if marks is None else 1), datetime.now(UTC), time.monotonic()
        )
        assert (action.result, told in action.told) == (result, True), action.told
        assert bool(action.commands) == (result is not ActionResult.LEFT_ALONE)

    def test_its_log_meanwhile(self):
        """The last lines of its own log; of the journal where that has none; without what steers a terminal."""
        of = lambda *marks: judged(TASK, Sent(tuple(marks), None), datetime.now(UTC), 0.0).log  # noqa: E731
        assert of(mark("LOG", text="a\x1b[31m\r\n\nb  ")) == ("a [31m", "b")
        assert of(mark("LOG", text=" \n"), mark("JOURNAL", text="c")) == ("c",)
        assert len(of(mark("LOG", text="x\n" * 1_000))) == 60

    @pytest.mark.parametrize(
        ("text", "state", "pid"),
        [
            ("State=Running\nMainPID=2136\nStarted=2026-11-20T04:05:06Z", ServiceState.RUNNING, 2136),
            ("State=Stopped\nMainPID=0\nStarted=", ServiceState.STOPPED, None),
            ("State=2", ServiceState.STARTING, None),
            ("State=Missing", ServiceState.UNKNOWN, None),
            ("nonsense", ServiceState.UNKNOWN, None),
        ],
    )
    def test_windows_words(self, text, state, pid):
        """By WMI, or by the service controller alone."""
        look = look_of(text, is_windows=True)
        assert (look.state, look.pid) == (state, pid)

    def test_what_is_cut_off_in_an_answer(self):
        """A mark that did not arrive whole is none, and what follows the last one is all of it."""
        order = restart_order("Tentacle.service", None, 3, is_windows=False)
        head = f"\nbanner\n-----ACT {order.nonce} BEFORE-----\nMainPID=1\n\n-----ACT {order.nonce} ASKED-----\n"
        marks = read_marks(order, f"{head}half\n-----ACT {order.nonce} ANSW".encode())
        assert [(each.word, each.text.splitlines()[0]) for each in marks] == [
            ("BEFORE", "MainPID=1"),
            ("ASKED", "half"),
        ]
        assert read_marks(order, b"-----ACT other BEFORE-----\nMainPID=1\n") == ()


class TestData:
    """A service's name is data: it steers neither our shell nor our PowerShell."""

    @pytest.mark.parametrize(
        "name", ["$(touch /tmp/x)", "a'b", "`id`", "x; reboot", "-H other", "%s", "a\\x2db", 'a"b']
    )
    def test_a_real_shell(self, tmp_path: Path, name: str) -> None:
        """systemctl gets the very name, behind `--`."""
        tools = tmp_path / "bin"
        tools.mkdir()
        (tools / "systemctl").write_text(
            f'#!/bin/sh\nfor one; do printf "%s\\n" "$one" >>{tmp_path}/called; done\necho ActiveState=failed\n'
        )
        (tools / "systemctl").chmod(0o755)
        order = restart_order(name, None, 1, is_windows=False)
        done = subprocess.run(
            ["/bin/sh", "-c", order.command], input=order.stdin, capture_output=True, check=True, cwd=tmp_path,
            env=os.environ | {"PATH": f"{tools}:{os.environ['PATH']}"},
        )  # fmt: skip
        words = (tmp_path / "called").read_text().splitlines()
        assert words[words.index("restart") + 1 :][:2] == ["--", name]
        assert [each.word for each in read_marks(order, done.stdout)][:3] == ["BEFORE", "ASKED", "ANSWERED"]
        assert {each.name for each in tmp_path.iterdir()} == {"bin", "called"}

    @pytest.mark.parametrize("is_windows", [True, False])
    def test_control_characters_are_sent_nowhere(self, is_windows):
        """No honest name has them."""
        for name in ("a\nb", "a\tb", "a\x00b"):
            with pytest.raises(StrangeValueError):
                restart_order(name, None, 1, is_windows=is_windows)
            with pytest.raises(StrangeValueError):
                command_order(1, name, is_windows=is_windows)

    def test_windows_gets_one_quoted_text(self):
        """Without a quote inside, whatever the name holds."""
        order = restart_order("O'Hara \u2019s", r"C:\x", 1, is_windows=True)
        last = order.stdin.decode("ascii").rstrip().rsplit("\n", 1)[-1]
        assert last.count("'") == 2
        assert json.loads(last[last.index("'") + 1 : -1])["service"] == "O'Hara \u2019s"


def plan(world, names, **how):
    surveys = world.surveys()
    machines = {machine.name: machine for machine in surveys.inventory.machines if machine.name in names}
    return planned(surveys, machines, by=BY, **how)


class TestPlan:
    def test_by_the_names_that_the_machine_told(self):
        (found,) = plan(small_fleet(), ["web-01"])
        assert isinstance(found, Restart)
        assert (found.service, found.is_windows) == ("OctopusDeploy Tentacle", True)

    @pytest.mark.parametrize(
        ("nodes", "even_busy", "why"),
        [
            ((), False, "whether it runs tasks is not known"),
            ((Node(name="octo-1", running_tasks=2),), False, "it runs 2 tasks, which a restart would end"),
            ((Node(name="other", running_tasks=1),), False, "it runs 1 task"),
            ((Node(name="a", running_tasks=0), Node(name="b", running_tasks=0)), False, "is not known"),
            ((Node(name="OCTO-1"),), False, "is not known"),
            ((Node(name="OCTO-1", running_tasks=0),), False, ""),
            ((), True, ""),
            ((Node(name="octo-1", running_tasks=2),), True, ""),
        ],
    )
    def test_a_server_that_runs_tasks_is_left_alone(self, nodes, even_busy, why):
        """And one of which nobody knows; unless the user says otherwise."""
        (found,) = plan(small_fleet(), ["octo-1"], nodes=nodes, even_busy=even_busy)
        assert isinstance(found, Action) is bool(why)
        if isinstance(found, Action):
            assert found.result is ActionResult.LEFT_ALONE
            assert why in found.told

    def test_what_somebody_disabled_is_not_started(self):
        world = small_fleet()
        world["web-01"].service |= {"state": "stopped", "start_mode": "disabled", "pid": None}
        (found,) = plan(world, ["web-01"])
        assert isinstance(found, Action)
        assert "is disabled and does not run" in found.told

    def test_what_a_cluster_starts_is_left_to_it(self):
        """A restart behind its back looks to it like a failure, and may move the role."""
        world = small_fleet()
        world["web-01"].service |= {"cluster": {"resource": "Octopus"}, "start_mode": "manual"}
        (found,) = plan(world, ["web-01"])
        assert isinstance(found, Action)
        assert "a failover cluster starts and stops" in found.told

    def test_a_container_is_left_alone(self):
        """Its service is none of its host's."""
        world = small_fleet()
        world["web-01"].declare(container=True)
        (found,) = plan(world, ["web-01"])
        assert isinstance(found, Action)
        assert "runs in a container" in found.told


class TestOrder:
    def test_a_node_that_does_not_come_back_stops_the_others(self, monkeypatch):
        """Of two server nodes the second stays up; the Tentacles are restarted all the same."""
        told: list[Action] = []
        tried: list[str] = []

        def restarted(task: Restart, *_: object) -> Action:
            tried.append(task.machine)
            result = ActionResult.FAILED if task.machine == "octo-1" else ActionResult.DONE
            return Action(time=datetime.now(UTC), kind="restart", machine=task.machine, result=result, told="-")

        monkeypatch.setattr("pytest_tentacle.acting.carrying_out.restart", restarted)
        tasks = {name: replace(TASK, machine=name) for name in ("octo-1", "octo-2", "web-01")}
        assert not carry_out([tasks["octo-1"], tasks["octo-2"]], [tasks["web-01"]], 4, send, told.append)
        assert tried == ["octo-1", "web-01"]
        assert {each.machine: each.result for each in told} == {
            "octo-1": ActionResult.FAILED, "octo-2": ActionResult.LEFT_ALONE, "web-01": ActionResult.DONE,
        }  # fmt: skip
        assert "octo-1 did not come back" in next(each.told for each in told if each.machine == "octo-2")


class TestExit:
    @pytest.mark.parametrize("result", ActionResult)
    def test_a_restart_that_went_wrong_or_unseen_is_told_by_the_exit_code(self, result):
        """Whatever the machines are like afterwards: it was asked for, and nobody saw that it was carried out."""
        made = Action(time=datetime.now(UTC), kind="restart", machine="web-01", result=result, told="-")
        assert Restarted(actions=[made]).is_settled is (result in (ActionResult.DONE, ActionResult.LEFT_ALONE))
