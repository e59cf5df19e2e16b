"""The lab in a process of its own, so that a client's CPU is the client's. Ends when its stdin closes.

One JSON object on stdin says what to start: `{"machines": 40, "kind": "both", "answers": "canned"}`. One line on stdout
answers: `{"inventory": ..., "password": ..., "ca": ...}`; the password goes over the pipe alone.
After that, each further line on stdin is answered by what the servers have counted, and what they have cost, so far.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import Any

from canned import Answers, CannedRunner
from canned_linux import CannedSSHServer, learn_all
from plan import lab_inventory

from pytest_tentacle.inventory.model import Inventory, OperatingSystem, WinRM
from pytest_tentacle.lab import access
from pytest_tentacle.lab.site import Lab


def main() -> None:
    asked = json.loads(sys.stdin.readline())
    inventory = lab_inventory(asked["machines"], asked["kind"])
    lab = Lab(inventory)
    answers: list[Answers] = []
    if asked["answers"] == "canned":
        lab.powershell = None
        # the lab's own recordings are of other machines, and know no command but the survey's
        vars(access)["RecordedRunner"] = lambda blueprint, _: CannedRunner(blueprint.name, lambda: answers[0])
        vars(access)["SSHServer"] = CannedSSHServer
    try:
        resolved = lab.start(machine.name for machine in inventory.machines)
        if asked["answers"] == "canned":
            answers.append(Answers(resolved, lab))
            learn_all(resolved, lab)
        _say(_described(resolved, lab))
        while sys.stdin.readline():
            _say(_counts(resolved, lab))
    finally:
        lab.stop()


def _described(resolved: Inventory, lab: Lab) -> dict[str, Any]:
    transports = [machine.transport for machine in resolved.machines]
    return {
        "inventory": resolved.model_dump(mode="json"),
        "password": lab.password,
        "ca": next((str(transport.ca) for transport in transports if isinstance(transport, WinRM)), None),
    }


def _counts(resolved: Inventory, lab: Lab) -> dict[str, dict[str, float]]:
    windows: dict[str, float] = {"hosts": 0, "requests": 0, "connections": 0, "logins": 0, "commands": 0}
    linux: dict[str, float] = {"hosts": 0, "connections": 0, "commands": 0}
    for name, one in lab.access.items():
        if resolved.find(name).os is OperatingSystem.WINDOWS:
            seen = one.server.seen
            windows["hosts"] += 1
            windows["requests"] += len(seen)
            windows["connections"] += one.server.connections
            windows["logins"] += len({request.connection for request in seen if request.user})
            windows["commands"] += one.server.count("Command")
        else:
            linux["hosts"] += 1
            linux["connections"] += one.server.connections
            linux["commands"] += one.server.execs
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {"windows": windows, "linux": linux, "lab": {"cpu": sum(one.ru_utime + one.ru_stime for one in spent)}}


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
