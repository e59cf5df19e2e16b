"""`pytest-tentacle mend`: which causes, by which proof; what an answer that was cut off says; what is refused."""

from __future__ import annotations

import json
import re
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pytest_tentacle.acting.carrying_out import alone, uninterrupted
from pytest_tentacle.acting.mendable import MENDABLE, Proof, commands_of
from pytest_tentacle.acting.mending import Mending, Seen, compared, judged, seen
from pytest_tentacle.acting.scripts import Mark
from pytest_tentacle.acting.sending import Sent
from pytest_tentacle.cli import main
from pytest_tentacle.diagnosis.causes import CAUSES
from pytest_tentacle.guide.effects import told
from pytest_tentacle.survey.actions import Action, ActionResult, By
from support.faults import CASES
from support.fleets.whole import wide_fleet
from support.remedies.tried import remedies, tried

LOST = "web-01 broke off the command"
BY_MODEL = sorted(code for code, proof in MENDABLE.items() if proof is Proof.MODEL)
BEGIN_1, END_1 = Mark("BEGIN", ("1",), ""), Mark("END", ("1", "0"), "")
BEGIN_2 = Mark("BEGIN", ("2",), "")


class TestTable:
    def test_all_are_causes(self) -> None:
        assert set(MENDABLE) <= {kind.code for kind in CAUSES}

    @pytest.mark.parametrize("code", BY_MODEL)
    def test_the_commands_mend_it_on_the_model(self, code: str) -> None:
        """What is run is what the remedy prints and changes something; carried out, the problem is gone and none is new."""
        ran = 0
        for case in (case for case in CASES if case.code == code):
            world = wide_fleet()
            world["octo-1"].declare(portal="https://p")
            case.change(world)
            surveys = world.surveys()
            before = seen(surveys)
            printed = {remedy.subject.name: remedy.lines for remedy in remedies(surveys) if remedy.code == code}
            for name, lines in printed.items():
                found = before.find(name, code)
                assert found is not None
                commands = commands_of(found, is_windows=before.fleet.subject(name).system == "windows")
                if commands.by_hand:
                    continue
                shown = [line[2:] for line in lines if line.startswith("$ ")]
                assert [line for line, _ in commands.lines] == [line for line in shown if told(line) != "looks"]
                assert all(consequence for _, consequence in commands.lines)
                ran += 1
            came = tried([(case.id, surveys)])
            assert {where: faults for where, faults in came.wrong.items() if code in where} == {}
            assert code in came.mended
        assert ran, f"no fault of {code} leads to commands that can be run"

    def test_what_is_left_to_hands(self) -> None:
        """Whatever is not in the table, and what needs a value that only a person has."""
        reasons: dict[str, str] = {}
        for case in CASES:
            if case.code in {"TC2031", "TT320"}:
                world = wide_fleet()
                case.change(world)
                before = seen(world.surveys())
                for name, causes in before.causes.items():
                    for found in causes:
                        commands = commands_of(found, is_windows=before.fleet.subject(name).system == "windows")
                        if found.kind.code == case.code:
                            assert commands.lines == ()
                            reasons[case.code] = commands.by_hand
        assert set(reasons) == {"TC2031", "TT320"}
        assert all(reasons.values())

    def test_no_command_holds_a_secret(self) -> None:
        """None of those that could be run has an option for one."""
        kinds = [kind for kind in CAUSES if kind.code in MENDABLE]
        lines = [line for kind in kinds for line in (*kind.windows, *kind.linux) if line.startswith("$ ")]
        secret = re.compile(r"(?i)--(?:apikey|password|bearertoken|proxyPassword|pfx-password)")
        assert [line for line in lines if secret.search(line) and "<key>" not in line] == []


class TestAnswer:
    @pytest.mark.parametrize(
        ("marks", "lost", "sent", "result", "told", "ran"),
        [
            ([], LOST, 0, ActionResult.LEFT_ALONE, "left alone: web-01 broke off the command", 0),
            ([], None, 1, ActionResult.LEFT_ALONE, "left alone: the machine said nothing", 0),
            ([], LOST, 1, ActionResult.NOT_KNOWN, "command 1 of 2 was sent, and no word of it came back", 1),
            ([BEGIN_1], LOST, 1, ActionResult.NOT_KNOWN, "command 1 of 2 was begun, and its end was not seen", 1),
            ([BEGIN_1, END_1], LOST, 1, ActionResult.NOT_KNOWN, "the 1 behind it not sent", 1),
            ([BEGIN_1, END_1], LOST, 2, ActionResult.NOT_KNOWN, "command 2 of 2 was sent, and no word of it came", 2),
            ([BEGIN_1, END_1, BEGIN_2], LOST, 2, ActionResult.NOT_KNOWN, "command 2 of 2 was begun", 2),
            ([BEGIN_1, Mark("END", ("1", "5"), "no unit")], None, 1, ActionResult.FAILED,
             "command 1 of 2 ended with code 5: no unit; the 1 behind it not sent", 1),
            ([BEGIN_1, END_1, BEGIN_2, Mark("END", ("2", "0"), "")], None, 2, ActionResult.NOT_KNOWN,
             "all 2 commands ended well", 2),
            ([], "the worker of site north ended in the middle", None, ActionResult.NOT_KNOWN,
             "its 2 commands were under way (the worker of site north ended in the middle): how far that came is not known", 2),
            ([Mark("BEGIN", (), ""), Mark("END", ("1",), "")], None, 1, ActionResult.LEFT_ALONE, "left alone", 0),
        ],
    )  # fmt: skip
    def test_how_far_it_came(self, marks: Any, lost: Any, sent: Any, result: ActionResult, told: str, ran: int) -> None:
        """Nothing is done by an exit code alone; what may have been begun counts as run."""
        found = judged(Sent(tuple(marks), lost, sent), ["a", "b"])
        assert (found[0], told in found[1], found[2]) == (result, True, ran), found


class TestAfter:
    def task(self, before: Seen) -> Mending:
        found = before.find("web-01", "TC2021")
        assert found is not None
        machine = before.fleet.surveys.inventory.find("web-01")
        return Mending(machine, found, ("Start-Service x",), is_windows=True, by=By())

    @pytest.fixture
    def before(self) -> Seen:
        world = wide_fleet()
        world["web-01"].service |= {"state": "stopped", "pid": None}
        return seen(world.surveys())

    def test_what_cannot_be_seen_any_more_is_not_well(self, before: Seen) -> None:
        """The machine is away: neither gone nor free of new problems."""
        world = wide_fleet()
        world.dark("web-01")
        task = self.task(before)
        after = compared(task, before, seen(world.surveys()))
        assert (after.gone, after.is_well, after.new) == (None, False, ())
        assert after.words.startswith("whether more is new cannot be told: no longer known are ")

    def test_it_is_gone(self, before: Seen) -> None:
        after = compared(self.task(before), before, seen(wide_fleet().surveys()))
        assert (after.gone, after.is_well, after.words) == (True, True, "nothing new came")


class TestInterrupted:
    def test_a_signal_waits_until_it_is_written_down(self) -> None:
        """And comes then."""
        done = []

        def write() -> None:
            with uninterrupted():
                signal.raise_signal(signal.SIGINT)
                done.append("written")

        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            with pytest.raises(KeyboardInterrupt):
                write()
        finally:
            signal.signal(signal.SIGINT, before)
        assert done == ["written"]

    @pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
    @pytest.mark.parametrize("done", [False, True])
    def test_the_exit_code(self, monkeypatch: Any, capsys: Any, number: int, code: int, done: bool) -> None:
        """Of Ctrl-C, a cancelled job and a terminal that is closed; it is said whether anything was changed."""

        def ended(_options: Any, _sites: Any, actions: list[Action]) -> int:
            if done:
                actions.append(Action(time=datetime.now(UTC), kind="mend", machine="x", result="not known", told="-"))
            signal.raise_signal(number)
            return 0

        monkeypatch.setattr("pytest_tentacle.cli.mend._mend", ended)
        monkeypatch.setattr(sys, "argv", ["pytest-tentacle"])
        before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        signal.signal(number, signal.SIG_DFL)
        try:
            assert main(["mend", "r.json", "--cause", "TC2021"]) == code
        finally:  # of all three: an ended command leaves them ignored
            for each, handler in before.items():
                signal.signal(each, handler)
        said = "what was run stands above" if done else "before anything was changed"
        assert capsys.readouterr().err == f"\nended: {said}\n"

    def test_what_ends_by_a_fault_of_ours(self) -> None:
        """Is no traceback after something was run: nobody knows what came of it."""
        assert alone(lambda _: pytest.fail("broken")) == (None, False)


class TestRefused:
    def report(self, folder: Path, **changes: Any) -> str:
        document = {
            "redaction": {"pseudonyms": False, "counts": {}},
            "provenance": {"inventory_files": [str(folder / "fleet.yaml")], "options": []},
            "causes": [
                {"code": code, "title": "t", "machines": ["web-01"], "remedy_windows": ["$ do it"], "remedy_linux": []}
                for code in ("TC2021", "TC2031")
            ],
            "machines": [{"name": "web-01"}],
        } | changes
        (folder / "report.json").write_text(json.dumps(document), encoding="utf-8")
        text = "tentacles: [{name: web-01, mode: listening, transport: none}]\n"
        (folder / "fleet.yaml").write_text(text, encoding="utf-8")
        return str(folder / "report.json")

    @pytest.mark.parametrize(
        ("words", "changes", "said"),
        [
            (["--cause", "TC9"], {}, "names no cause TC9; it names TC2021, TC2031"),
            (["--cause", "TC2021", "--machine", "x"], {}, "TC2021 is not on x by that report; it is on web-01"),
            (["--cause", "TC2021"], {"redaction": {"pseudonyms": True}}, "has false names"),
            (["--cause", "TC2021"], {"causes": 5}, "is no report of pytest-tentacle"),
            (["--cause", "TC2021"], {"provenance": {"inventory_files": [], "options": []}}, "the report names no inventory file"),
            (["--cause", "TC2021", "--inventory", "nowhere.yaml"], {}, "nowhere.yaml"),
        ],
    )  # fmt: skip
    def test_in_a_sentence(self, tmp_path: Path, capsys: Any, words: list[str], changes: Any, said: str) -> None:
        """Nobody is contacted: exit code 2."""
        assert main(["mend", self.report(tmp_path, **changes), *words]) == 2
        assert said in capsys.readouterr().err

    def test_a_site_is_not_mended_from_here(self, tmp_path: Path, capsys: Any) -> None:
        """Its private address may be another machine's here; as in the run, its worker does it."""
        options = [{"name": "--executor", "value": "dask:tls://s:8786"}]
        inventories = [str(tmp_path / "fleet.yaml")]
        report = self.report(tmp_path, provenance={"inventory_files": inventories, "options": options})
        fleet = "tentacles: [{name: web-01, site: north, mode: listening, transport: none}]\n"
        (tmp_path / "fleet.yaml").write_text(fleet, encoding="utf-8")
        assert main(["mend", report, "--cause", "TC2021"]) == 2
        assert "in that run workers of their sites surveyed web-01 (site north)" in capsys.readouterr().err
        assert main(["mend", report, "--cause", "TC2021", "--executor", "dask:tcp://10.0.0.1:1"]) == 2
        assert "is not encrypted" in capsys.readouterr().err
        assert main(["mend", report, "--cause", "TC2021", "--executor", "dask:tcp://127.0.0.1:1"]) == 2
        assert "the scheduler tcp://127.0.0.1:1 cannot be reached" in capsys.readouterr().err

    def test_by_hand(self, tmp_path: Path, capsys: Any) -> None:
        """What the report says is shown; nobody is contacted."""
        assert main(["mend", self.report(tmp_path), "--cause", "TC2031"]) == 1
        out = capsys.readouterr().out
        assert "TC2031 is mended by hand" in out
        assert "$ do it" in out
