"""`pytest-tentacle mend`: which causes, by which proof; what an answer that was cut off says; what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pytest_tentacle.acting.mendable import MENDABLE, Proof, commands_of
from pytest_tentacle.acting.mending import judged, seen
from pytest_tentacle.acting.restarting import Sent
from pytest_tentacle.acting.scripts import Mark
from pytest_tentacle.cli import main
from pytest_tentacle.diagnosis.causes import CAUSES
from pytest_tentacle.guide.effects import told
from pytest_tentacle.survey.actions import ActionResult
from pytest_tentacle.transport import ReachStage, TransportError
from support.faults import CASES
from support.remedies_tried import remedies, tried
from support.whole import wide_fleet

LOST = TransportError(ReachStage.RUN, "web-01 broke off the command", "See there.")
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
        ("marks", "lost", "result", "told", "ran"),
        [
            ([], LOST, ActionResult.LEFT_ALONE, "left alone: web-01 broke off the command", 0),
            ([BEGIN_1], LOST, ActionResult.NOT_KNOWN, "command 1 of 2 was begun, and its end was not seen", 1),
            ([BEGIN_1, END_1], LOST, ActionResult.NOT_KNOWN, "the 1 behind it not begun", 1),
            ([BEGIN_1, END_1, BEGIN_2], LOST, ActionResult.NOT_KNOWN, "command 2 of 2 was begun", 2),
            ([BEGIN_1, Mark("END", ("1", "5"), "no unit")], None, ActionResult.FAILED,
             "command 1 of 2 ended with code 5: no unit; the 1 behind it not begun", 1),
            ([BEGIN_1, END_1, BEGIN_2, Mark("END", ("2", "0"), "")], None, ActionResult.NOT_KNOWN,
             "all 2 commands ended well", 2),
        ],
    )  # fmt: skip
    def test_how_far_it_came(self, marks: Any, lost: Any, result: ActionResult, told: str, ran: int) -> None:
        """Nothing is done by an exit code alone."""
        found = judged(Sent(tuple(marks), lost), ["a", "b"])
        assert (found[0], told in found[1], found[2]) == (result, True, ran), found


class TestRefused:
    def report(self, folder: Path, **changes: Any) -> str:
        document = {
            "redaction": {"pseudonyms": False, "counts": {}},
            "provenance": {"inventory_files": [str(folder / "fleet.yaml")]},
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
            (["--cause", "TC2021"], {"provenance": {"inventory_files": []}}, "the report names no inventory file"),
            (["--cause", "TC2021", "--inventory", "nowhere.yaml"], {}, "nowhere.yaml"),
        ],
    )  # fmt: skip
    def test_in_a_sentence(self, tmp_path: Path, capsys: Any, words: list[str], changes: Any, said: str) -> None:
        """Nobody is contacted: exit code 2."""
        assert main(["mend", self.report(tmp_path, **changes), *words]) == 2
        assert said in capsys.readouterr().err

    def test_by_hand(self, tmp_path: Path, capsys: Any) -> None:
        """What the report says is shown; nobody is contacted."""
        assert main(["mend", self.report(tmp_path), "--cause", "TC2031"]) == 1
        out = capsys.readouterr().out
        assert "TC2031 is mended by hand" in out
        assert "$ do it" in out
