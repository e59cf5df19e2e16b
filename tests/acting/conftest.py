"""A Windows machine of the lab whose services can be changed, behind the lab's WinRM server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_tentacle.acting import restarting
from pytest_tentacle.acting.restarting import Restart, restart
from pytest_tentacle.acting.sending import send
from pytest_tentacle.inventory.model import Inventory, Mode, OctopusServer, OperatingSystem, Tentacle, WinRM
from pytest_tentacle.lab.site import Lab
from pytest_tentacle.lab.windows import machine as windows_machine
from pytest_tentacle.survey.actions import Action, By

SERVICE = "OctopusDeploy Tentacle"
LOG = "C:\\Octopus\\Logs\\OctopusTentacle.txt"
STAND_INS = Path(__file__).resolve().parents[1] / "support" / "acting" / "services.ps1"


class Machine:
    """A Windows machine of the lab, its service and the commands that were called."""

    def __init__(self, lab: Lab, inventory: Inventory) -> None:
        self.folder = lab.folder("web")
        self.machine = next(each for each in inventory.machines if each.name == "web")

    def describe(self, **changes: Any) -> None:
        path = self.folder / "machine.json"
        described = json.loads(path.read_text(encoding="utf-8")) | {"dies_again": changes.pop("dies_again", [])}
        described["services"][0] |= changes
        path.write_text(json.dumps(described), encoding="utf-8")
        (self.folder / "commands.log").write_text("", encoding="utf-8")

    def restart(self, service: str = SERVICE) -> Action:
        task = Restart("web", self.machine.transport, is_windows=True, service=service, log=LOG, by=By())
        return restart(task, send, lambda _: None)

    def service(self) -> dict[str, Any]:
        """As it is now."""
        described = json.loads((self.folder / "machine.json").read_text(encoding="utf-8"))
        return dict(described["services"][0])

    def changed(self) -> list[str]:
        lines = (self.folder / "commands.log").read_text(encoding="utf-8").splitlines()
        called = [json.loads(line)["command"] for line in lines]
        return [name for name in called if name.endswith("-Service") and not name.startswith("Get-")]


@pytest.fixture(scope="module")
def machine(engine: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Behind the lab's WinRM server."""
    prepare = windows_machine.prepare
    prelude = tmp_path_factory.mktemp("prelude") / "prelude.ps1"

    def with_services(folder: Path) -> tuple[Path, dict[str, str]]:
        own, environment = prepare(folder)
        prelude.write_text(f". '{own}'\n. '{STAND_INS}'\n", encoding="utf-8")
        return prelude, environment

    inventory = Inventory(
        servers=(OctopusServer(name="octo", os=OperatingSystem.WINDOWS, transport=WinRM(host="octo")),),
        tentacles=(
            Tentacle(name="web", os=OperatingSystem.WINDOWS, mode=Mode.LISTENING, servers=("octo",),
                     transport=WinRM(host="web")),
        ),
        is_lab=True,
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTEST_TENTACLE_POWERSHELL", str(engine))
        patch.setattr(windows_machine, "prepare", with_services)
        patch.setattr(restarting, "WATCH_SECONDS", 1)
        lab = Lab(inventory)
        try:
            yield Machine(lab, lab.start(["web"]))
        finally:
            lab.stop()
