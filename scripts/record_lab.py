"""Record the answers of the lab's Windows machines, for those who run the lab without a PowerShell.

    PYTEST_TENTACLE_POWERSHELL=... python scripts/record_lab.py

Runs the real windows.ps1 in the engine on every Windows machine of inventory/lab.yaml, and writes
src/pytest_tentacle/lab/recordings/<machine>.json. Run it after a change of the script, the stand-ins or the lab.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pytest_tentacle.inventory import load
from pytest_tentacle.inventory.model import OperatingSystem
from pytest_tentacle.lab import recording
from pytest_tentacle.lab.site import Lab
from pytest_tentacle.survey.answer import is_constrained, read_document
from pytest_tentacle.survey.request import Request
from pytest_tentacle.survey.scripts.windows import constrained_call, windows_call
from pytest_tentacle.transport import Deadline, TransportError, open_transport

TOP = Path(__file__).resolve().parent.parent
RECORDINGS = TOP / "src" / "pytest_tentacle" / "lab" / "recordings"


def main() -> int:
    """Record all of them anew."""
    inventory = load([TOP / "inventory" / "lab.yaml"])
    windows = [machine.name for machine in inventory.machines if machine.os is OperatingSystem.WINDOWS]
    lab = Lab(inventory)
    if lab.powershell is None:
        sys.exit("no PowerShell: set PYTEST_TENTACLE_POWERSHELL")
    RECORDINGS.mkdir(exist_ok=True)
    for stale in {path.stem for path in RECORDINGS.glob("*.json")} - set(windows):
        (RECORDINGS / f"{stale}.json").unlink()
    try:
        resolved = lab.start(windows)
        for name in windows:
            text = record(lab, resolved.find(name).transport)
            if text is not None:
                (RECORDINGS / f"{name}.json").write_text(text, encoding="utf-8")
            print(f"{name}: {'recorded' if text else 'cannot be logged on to'}")
    finally:
        lab.stop()
    return 0


def record(lab: Lab, settings: object) -> str | None:
    """One machine's recording; None where one cannot log on."""
    transport = open_transport(settings)  # type: ignore[arg-type]  # one of the inventory's transports
    # As long as it takes: what a busy machine did not get to would be unknown in every run from now on.
    request = Request(probe_seconds=30, budget_seconds=400)
    call = windows_call(request)
    deadline = Deadline(600)
    try:
        transport.connect(deadline)
        answer = transport.execute(call.command, call.stdin, deadline)
        if is_constrained(call, answer):
            said = answer.stdout.decode().replace(call.nonce, "@nonce@")
            call = constrained_call(request)
            part = read_document(call, transport.execute(call.command, call.stdin, deadline))
            sections = {name: value for name, value in part.items() if isinstance(value, dict) and "data" in value}
            return recording.dump({"said": said, "by_cmdlets": sections}, lab.substitutes())
    except TransportError:
        return None
    finally:
        transport.close()
    document = read_document(call, answer)
    for made_again in ("noise", "routes"):
        document.pop(made_again, None)
    return recording.dump(document, lab.substitutes())


if __name__ == "__main__":
    sys.exit(main())
