"""`--until-well`: who is looked at again, when, and what the report tells of it."""

from __future__ import annotations

import copy
import json
import subprocess
import threading
from collections.abc import Collection

import pytest

from hostility.conftest import Case
from pytest_tentacle.acting.watching import INTERVAL, Watched, Ways, changes_of, ill_of, replaced, until_well
from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.lab.halibut.listener import HalibutListener, make_certificate
from pytest_tentacle.survey.store import Surveys
from support import hostile
from support.fleets.world import small_fleet

STEP = "services-running"


class Fleet:
    """A made-up run: by each look, the outcomes of machines; looks take time, and so does waiting."""

    def __init__(self, *looks: dict[str, Outcome], look_seconds: float = 2.0) -> None:
        self.looks = list(looks)
        self.look_seconds = look_seconds
        self.now = 100.0
        self.asked: list[tuple[float, list[str]]] = []
        self.told: list[str] = []
        self.kept = 0

    def judge(self, _: Surveys) -> dict[tuple[str, str], Outcome]:
        current = self.looks[min(len(self.asked), len(self.looks) - 1)]
        return {(machine, STEP): outcome for machine, outcome in current.items()}

    def look(self, names: Collection[str]) -> Surveys | None:
        self.asked.append((self.now, list(names)))
        self.now += self.look_seconds
        return small_fleet().surveys()

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def keep(self, _: Surveys) -> None:
        self.kept += 1

    def run(self, seconds: float) -> Watched:
        ways = Ways(
            judge=self.judge, look=self.look, tell=self.told.append, keep=self.keep, wait=self.wait,
            clock=lambda: self.now,
        )  # fmt: skip
        return until_well(small_fleet().surveys(), seconds, ways)


WELL, ILL, UNKNOWN = Outcome.PASSED, Outcome.FAILED, Outcome.UNKNOWN


class TestLoop:
    def test_a_fleet_that_is_well_is_left_alone(self):
        """One verdict, no look."""
        fleet = Fleet({"a": WELL, "b": Outcome.NOTED, "c": Outcome.WAIVED})
        watched = fleet.run(60)
        assert fleet.asked == []
        assert watched.notes == ["Watched: no machine has problems or unknowns, after 0 s and 1 look."]

    def test_only_what_is_not_well_is_looked_at_again(self):
        """Failed, unknown and blocked; every ten seconds from one look's beginning to the next."""
        fleet = Fleet(
            {"a": WELL, "b": ILL, "c": UNKNOWN, "d": Outcome.BLOCKED},
            {"a": WELL, "b": WELL, "c": UNKNOWN, "d": WELL},
            {"a": WELL, "b": WELL, "c": WELL, "d": WELL},
        )
        watched = fleet.run(60)
        assert fleet.asked == [(100.0 + INTERVAL, ["b", "c", "d"]), (100.0 + 2 * INTERVAL, ["c"])]
        assert fleet.kept == 2
        assert [line.partition(" changed")[0] for line in watched.notes[:-1]] == [
            "Watched: b", "Watched: d", "Watched: c",
        ]  # fmt: skip
        assert "Services running: failed, now passed" in watched.notes[0]
        assert watched.notes[-1] == "Watched: no machine has problems or unknowns, after 22 s and 3 looks."

    def test_a_slow_look_is_followed_by_the_next_at_once(self):
        """The interval counts from begin to begin."""
        fleet = Fleet({"a": ILL}, look_seconds=25.0)
        fleet.run(60)
        assert [at for at, _ in fleet.asked] == [110.0, 135.0]

    def test_the_time_is_over(self):
        """No look begins later, and it is told who is still not well."""
        fleet = Fleet({"a": ILL, "b": WELL})
        watched = fleet.run(35)
        assert [at for at, _ in fleet.asked] == [110.0, 120.0, 130.0]
        assert watched.notes == [
            "Watched: after 32 s and 4 looks the time of --until-well is over, and a still has problems or unknowns."
        ]

    def test_less_time_than_an_interval(self):
        """There is no second look."""
        fleet = Fleet({"a": ILL})
        fleet.run(5)
        assert fleet.asked == []

    def test_what_was_well_and_is_not_any_more(self):
        """It is looked at only where it shares a host or a server with what is not well; then that is told, too."""
        watched = Fleet({"a": ILL, "b": WELL}, {"a": WELL, "b": ILL}, {"a": WELL, "b": WELL}).run(60)
        assert "Services running: passed, now failed" in watched.notes[1]

    def test_what_comes_and_goes_is_counted(self):
        """Forty changes are told, whatever happens."""
        states = [{"a": ILL}, {"a": UNKNOWN}] * 60
        watched = Fleet(*states, {"a": WELL}).run(3_600)
        assert len(watched.notes) == 42
        assert watched.notes[40] == "Watched: 80 more changes are not listed."

    @pytest.mark.parametrize("where", ["wait", "look"])
    def test_ctrl_c(self, where):
        """It ends with what is known."""
        fleet = Fleet({"a": ILL})

        def interrupted(*_):
            raise KeyboardInterrupt

        setattr(fleet, where, interrupted)
        watched = fleet.run(60)
        assert watched.interrupted
        assert watched.notes == [
            "Watched: ended after "
            + ("0" if where == "wait" else "10")
            + " s and 1 look, with problems or unknowns left."
        ]

    def test_changes_of_one_machine_stand_together(self):
        """A step that applies only now is told as well."""
        lines = changes_of(
            {("a", "x"): ILL, ("a", "y"): WELL}, {("a", "x"): WELL, ("a", "y"): WELL, ("a", "z"): ILL}, 12.4
        )
        assert len(lines) == 1
        assert lines[0].endswith(", 12 s after the first verdict): x: failed, now passed; z: not judged, now failed.")
        assert ill_of({("b", "x"): ILL, ("a", "x"): UNKNOWN, ("c", "x"): WELL}) == ["a", "b"]


class TestReplaced:
    def test_a_later_look_takes_the_place_of_the_one_before(self):
        """What a server said of its other Tentacles stays."""
        world = small_fleet()
        world.add_listening("web-02", "192.0.2.22")
        first = world.surveys()
        server = next(record for record in first.records if "octo-1" in record.machines)
        links = [probe.link.tentacle for probe in server.peer_probes]
        assert {"web-01", "web-02"} <= set(links)
        again = [
            record.model_copy(
                update={
                    "seconds": 99.0,
                    "peer_probes": tuple(each for each in record.peer_probes if each.link.tentacle == "web-01"),
                }
            )
            for record in first.records
            if set(record.machines) & {"octo-1", "web-01"}
        ]
        merged = replaced(first, first.model_copy(update={"records": tuple(again)}))
        by_name = {record.machines[0]: record for record in merged.records}
        assert {name: record.seconds == 99.0 for name, record in by_name.items()} == {
            name: name in {"octo-1", "web-01"} for name in by_name
        }
        assert sorted(probe.link.tentacle for probe in by_name["octo-1"].peer_probes) == sorted(links)


class TestRuns:
    def test_a_service_that_is_started_while_it_waits(self, tmp_path, forks):
        """The first verdict is a stopped service; the run ends well, and tells what changed when."""
        documents = hostile.healthy_documents()
        case = Case(tmp_path, documents, forks)
        stopped = copy.deepcopy(documents["poll-01"])
        for service in stopped["services"]["data"]:
            service |= {"state": "stopped", "pid": None}
        stopped["probes"] = []
        case.says("poll-01", hostile.framed(stopped))
        going = case.start(
            "--limit", "poll-01", "-k", STEP, "--until-well", "120", "--html", "page.html", stderr=subprocess.STDOUT
        )
        said = []
        for line in going.stdout:
            said.append(line)
            if "problems or unknowns: poll-01" in line:
                healthy = copy.deepcopy(documents["poll-01"])
                healthy["probes"] = [probe for probe in healthy["probes"] if "instance" in probe["link"]]
                case.says("poll-01", hostile.framed(healthy))
        assert going.wait(60) == 0, "".join(said)[-3000:]
        report = json.loads((tmp_path / "page.json").read_text(encoding="utf-8"))
        notes = [note for note in report["provenance"]["notes"] if note.startswith("Watched:")]
        assert "poll-01 changed" in notes[0]
        assert "Services running: failed, now passed" in notes[0]
        assert "no machine has problems" in notes[1]
        assert "failed, now passed" in (tmp_path / "page.html").read_text(encoding="utf-8")

    def test_a_port_that_is_opened_while_it_waits(self, tmp_path, forks):
        """A real port, looked at from here."""
        case = Case(tmp_path, {}, forks)
        with HalibutListener("127.0.0.1", 0, certificate=make_certificate()) as reserved:
            port = reserved.port
        command = case.command("--tentacle", f"127.0.0.1:{port}", "-k", "welcome-page-across", "--until-well", "120")
        command = [word for word in command if word not in {"--inventory", "fleet.yaml", "support.hostile"}]
        command.remove("-p")
        going = subprocess.Popen(
            command, cwd=tmp_path, env=case.environment(), stdin=subprocess.DEVNULL, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        said, listener = [], None
        try:
            for line in going.stdout:
                said.append(line)
                if "problems or unknowns: " in line and listener is None:
                    listener = HalibutListener("127.0.0.1", port, certificate=make_certificate())
                    listener.start()
            assert going.wait(60) == 0, "".join(said)[-3000:]
        finally:
            if listener:
                listener.stop()
        assert any("failed, now passed" in line for line in said)

    def test_ctrl_c_while_it_waits(self, tmp_path, forks):
        """The report is written."""
        documents = hostile.healthy_documents()
        case = Case(tmp_path, documents, forks)
        case.says("poll-01", b"nothing")
        going = case.start("--limit", "poll-01", "--until-well", "600", "--html", "page.html", stderr=subprocess.STDOUT)
        said = []
        for line in going.stdout:
            said.append(line)
            if "problems or unknowns: " in line:
                threading.Timer(0.3, going.send_signal, [2]).start()
        assert going.wait(60) == 2, "".join(said)[-3000:]
        report = json.loads((tmp_path / "page.json").read_text(encoding="utf-8"))
        assert any("with problems or unknowns left" in note for note in report["provenance"]["notes"])

    def test_a_replay_waits_for_nobody(self, tmp_path, forks):
        """It contacts no machine: exit code 4."""
        case = Case(tmp_path, {}, forks)
        (tmp_path / "x.json").write_text("{}", encoding="utf-8")
        command = [word if word != "--inventory" else "--replay" for word in case.command("--until-well", "5")]
        done = subprocess.run(
            [word if word != "fleet.yaml" else "x.json" for word in command], cwd=tmp_path, env=case.environment(),
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 4
        assert "a replay contacts no machine" in done.stderr
