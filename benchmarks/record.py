"""Makes `canned.json` anew, in the real engine: run it when the facts or the lab's stand-ins for Windows have changed.

PYTEST_TENTACLE_POWERSHELL=/path/of/pwsh python benchmarks/record.py
"""

from __future__ import annotations

import json
import re

from canned import ANSWERS, marks_of
from facts import Fact, facts_about
from plan import lab_inventory, role

from pytest_tentacle.inventory.model import Inventory
from pytest_tentacle.lab.site import Lab
from pytest_tentacle.lab.windows.powershell import find_powershell
from pytest_tentacle.transport import Deadline, open_transport

SECONDS = 300


def main() -> None:
    if find_powershell() is None:
        raise SystemExit("There is no PowerShell to record from: set PYTEST_TENTACLE_POWERSHELL.")
    inventory = lab_inventory(3, "windows")  # one of each role
    lab = Lab(inventory)
    outputs = {}
    try:
        resolved = lab.start(machine.name for machine in inventory.machines)
        for machine in resolved.machines:
            outputs[role(machine)] = {
                fact.purpose: marked(said(resolved, fact), marks_of(resolved, machine.name))
                for fact in facts_about(resolved, machine)
            }
    finally:
        lab.stop()
    ANSWERS.write_text(json.dumps(outputs, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def said(inventory: Inventory, fact: Fact) -> str:
    """A fact's output. Ends the recording where it is not a healthy machine's."""
    transport = open_transport(inventory.find(fact.host).transport)
    try:
        transport.connect(Deadline(SECONDS))
        answer = transport.execute(fact.command, b"", Deadline(SECONDS))
    finally:
        transport.close()
    text = answer.stdout.decode()
    if answer.exit_code or fact.expected not in text or not text.isascii():
        raise SystemExit(f"{fact.host} {fact.purpose}: {answer.exit_code} {text} {answer.stderr.decode()}")
    return text


def marked(text: str, marks: dict[str, str]) -> str:
    """Marks for what is new at each start, the longest first."""
    for mark, value in sorted(marks.items(), key=lambda pair: -len(pair[1])):
        text = re.sub(rf"(?<![0-9A-Za-z.-]){re.escape(value)}(?![0-9A-Za-z-])", mark, text)
    return text


if __name__ == "__main__":
    main()
