"""`pytest-tentacle clean-slate`: the whole plan, as a page and a script; and nothing of it is run."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from pytest_tentacle.acting.clean_slate import NoPlanError, planned
from pytest_tentacle.acting.clean_slate_files import page, script
from pytest_tentacle.cli import main
from pytest_tentacle.sections import fleet_of
from pytest_tentacle.survey import store
from pytest_tentacle.survey.model import Section
from pytest_tentacle.survey.surroundings import LeftOver
from support.fleets.whole import wide_fleet
from support.fleets.world import small_fleet
from support.setups.documented.machines import service_of_a_file_of_settings
from support.setups.machines import user_of_its_own


def plan_of(name: str, *left_overs: LeftOver, world: Any = None) -> Any:
    surveys = (world or small_fleet()).surveys()
    found: Section[tuple[LeftOver, ...]] = Section(data=left_overs)
    records = tuple(
        record.model_copy(update={"survey": record.survey.model_copy(update={"left_overs": found})})
        if record.survey is not None
        else record
        for record in surveys.records
    )
    return planned(fleet_of(surveys.model_copy(update={"records": records})).subject(name))


class TestPlan:
    def test_a_listening_tentacle_on_windows(self) -> None:
        """Removed in the order of the guide, and brought back with what it had."""
        plan = plan_of("web-01")
        assert plan.is_windows
        kept = dict(plan.keep)
        assert (kept["mode"], kept["port"]) == ("listening", "10933")
        remove = [line for line in plan.remove if line.startswith("$ ")]
        assert "service --stop --uninstall --instance" in remove[0]
        assert "delete-instance" in remove[1]
        assert all("Move-Item" in line for line in remove[2:])
        back = [line for line in plan.back if line.startswith("$ ")]
        assert [word for line in back for word in line.split() if word in {
            "create-instance", "new-certificate", "configure", "show-thumbprint", "service",
        }] == ["create-instance", "new-certificate", "configure", "show-thumbprint", "service"]  # fmt: skip
        (configured,) = (line for line in back if " configure " in line)
        thumbprints = [value for name, value in plan.keep if name.startswith("trusted server")]
        assert thumbprints
        assert all(f"--trust {value}" in configured for value in thumbprints)
        assert "--noListen False --port 10933" in configured

    def test_a_polling_tentacle_on_linux(self) -> None:
        """Its registration needs a key, which stands in no script."""
        plan = plan_of("poll-01", world=wide_fleet())
        assert not plan.is_windows
        text = script(plan)
        assert "--noListen True" in text
        assert all(line.strip().startswith("#") for line in text.splitlines() if "apiKey" in line)
        assert any("--force" in line for line in plan.server)

    def test_what_earlier_installations_left(self) -> None:
        """What can be moved aside is; a registry key or a certificate stays for a person."""
        plan = plan_of(
            "web-01", LeftOver(kind="folder", where="C:\\Old Octopus"), LeftOver(kind="registry", where="HKLM:\\X")
        )
        assert plan.left_overs == (
            "folder: C:\\Old Octopus",
            "$ Move-Item -LiteralPath 'C:\\Old Octopus' -Destination 'C:\\Old Octopus.before-clean-slate'",
            "registry: HKLM:\\X",
        )

    @pytest.mark.parametrize(
        ("instances", "unread", "goes", "said"),
        [
            (["Tentacle"], "", True, "Only if the program itself is in doubt: take it away"),
            (["Tentacle", "Blue"], "", False, "Other instances are on this machine (Blue)"),
            ([], "access is denied", False, "was not read (access is denied): look first"),
        ],
        ids=["alone", "two", "not read"],
    )
    def test_the_program_may_be_another_instances(
        self, instances: list[str], unread: str, goes: bool, said: str
    ) -> None:
        """It is uninstalled only where this instance is known to be the only one."""
        world = small_fleet()
        world["web-01"].declare(instance="Tentacle")
        if unread:
            world["web-01"].unknown["instances"] = unread
        else:
            world["web-01"].instances = instances
        plan = plan_of("web-01", world=world)
        assert any("Uninstall-Package" in line for line in plan.remove) is goes
        assert said in " ".join((*plan.first, *plan.remove))

    def test_what_it_listens_on_comes_back(self) -> None:
        world = small_fleet()
        world["web-01"].settings["Tentacle.Services.ListenIP"] = "192.0.2.20"
        (configured,) = (line for line in plan_of("web-01", world=world).back if " configure " in line)
        assert "--listenIpAddress '192.0.2.20'" in configured

    def test_its_account_comes_before_its_first_start(self) -> None:
        """Started as Local System, or root, it would make files that its own account may not write."""
        world = small_fleet()
        world["web-01"].service["account"] = "CORP\\svc-octopus"
        back = plan_of("web-01", world=world).back
        assert not [line for line in back if line.startswith("$ ") and "--start" in line]
        assert "It ran as CORP\\svc-octopus" in back[-2]
        assert back[-1].startswith("# ")
        assert "service --start" in back[-1]

    def test_a_user_of_its_own_on_linux(self) -> None:
        """The script stops at the first failure: it changes no log that was moved aside."""
        world = wide_fleet()
        user_of_its_own(world, "poll-01")
        plan = plan_of("poll-01", world=world)
        assert "chown" not in script(plan)
        assert "make it the owner" in plan.back[-2]

    def test_a_certificate_that_others_have(self) -> None:
        """A new one would set it apart from them."""
        world = small_fleet()
        world["web-01"].declare(shares_certificate=True)
        back = plan_of("web-01", world=world).back
        assert not [line for line in back if "new-certificate" in line]
        assert [line for line in back if line.startswith("# ") and "import-certificate" in line]

    def test_a_cluster_gets_none(self) -> None:
        """It takes the end of its resource for a failure."""
        world = small_fleet()
        world["web-01"].service |= {"cluster": {"resource": "Octopus"}}
        with pytest.raises(NoPlanError, match="take it out of the role first"):
            plan_of("web-01", world=world)

    @pytest.mark.parametrize(
        ("name", "unit", "gone"),
        [
            ("poll-01", "octopus-tentacle.service", "systemctl disable --now octopus-tentacle.service"),
            ("poll-01", "Tentacle.service", "service --stop --uninstall"),
            ("web-01", "Deploy agent", "Stop-Service -Name 'Deploy agent'"),
        ],
    )
    def test_a_service_that_tentacle_did_not_make(self, name: str, unit: str, gone: str) -> None:
        """Its own call does not find it, and says nothing of it."""
        world = wide_fleet()
        world[name].service["name"] = unit
        first = next(line for line in plan_of(name, world=world).remove if line.startswith("$ "))
        assert gone in first

    def test_an_instance_of_a_file_alone(self) -> None:
        """create-instance without a name gives the file to the instance `Tentacle`, which may be another one's name."""
        world = wide_fleet()
        service_of_a_file_of_settings(world, "web-01")
        back = [line for line in plan_of("web-01", world=world).back if line.startswith("$ ")]
        assert "Set-Content -LiteralPath 'C:\\Octopus\\Tentacle.config'" in back[0]
        assert not [line for line in back if "create-instance" in line]
        assert all("--config" in line for line in back[1:])

    def test_a_server_gets_none(self) -> None:
        with pytest.raises(NoPlanError, match="is an Octopus Server"):
            plan_of("octo-1")


class TestFiles:
    HOSTILE = "/x\nrm -rf /; $(reboot) `reboot` <script>alert(1)</script>"

    def test_what_a_machine_said_is_never_code(self, tmp_path: Path) -> None:
        """Neither in the page nor in the script, which sh takes, and which does nothing without a word."""
        plan = plan_of("poll-01", LeftOver(kind="folder", where=self.HOSTILE), world=wide_fleet())
        text = script(plan)
        assert not [line for line in text.splitlines() if "rm -rf" in line and not line.strip().startswith("#")]
        assert "<script>" not in page(plan, made="m", taken="t", script="s")
        (tmp_path / "plan.sh").write_text(text, encoding="utf-8")
        done = subprocess.run(["/bin/sh", tmp_path / "plan.sh"], capture_output=True, text=True, check=True)
        assert done.stdout == "Say which part: remove or back.\n"

    def test_the_windows_script_is_parsed(self, engine: Path, tmp_path: Path) -> None:
        """A real PowerShell takes it, and without a word it only says so."""
        (tmp_path / "plan.ps1").write_text(script(plan_of("web-01")), encoding="utf-8")
        done = subprocess.run(
            [engine, "-NoProfile", "-File", tmp_path / "plan.ps1"], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == "Say which part: remove or back."

    def test_from_a_survey_file(self, tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
        """Nobody is contacted; both files lie in reports."""
        (tmp_path / "run.json").write_text(store.dumps(small_fleet().surveys()), encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        assert main(["clean-slate", "--machine", "web-01", "--replay", "run.json"]) == 0
        assert "Nothing was run on web-01." in capsys.readouterr().out
        assert sorted(path.suffix for path in (tmp_path / "reports").iterdir()) == [".html", ".ps1"]

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["--machine", "web-01"], "say either --inventory FILE"),
            (["--machine", "x", "--replay", "run.json"], "there is no machine x"),
            (["--machine", "octo-1", "--replay", "run.json"], "is an Octopus Server"),
            (["--machine", "web-01", "--replay", "nowhere.json"], "cannot be read"),
            (["--machine", "web-01", "--inventory", "x", "--executor", "dask:tcp://10.0.0.1:1"], "is not encrypted"),
        ],
    )
    def test_refused_in_a_sentence(self, tmp_path: Path, monkeypatch: Any, capsys: Any, words: Any, said: str) -> None:
        (tmp_path / "run.json").write_text(store.dumps(small_fleet().surveys()), encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        assert main(["clean-slate", *words]) == 2
        assert said in capsys.readouterr().err
