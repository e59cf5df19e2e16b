"""`--restart` on separate hosts, for real: systemd as process 1, sshd, and a service that does not stay up.

Needs root, and the programs that `dev.py` names.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.hosts.acting import Place

HURRY = ("-p", "support.acting.hurry", "-k", "services-running")
DROP_IN = "/etc/systemd/system/Tentacle.service.d"
PROGRAM = "/opt/octopus/tentacle/Tentacle"
LOG = "/etc/octopus/default/Logs/OctopusTentacle.txt"
BACK = (
    f"if [ -e /root/program ]; then cp /root/program {PROGRAM}; fi; systemctl reset-failed; systemctl restart Tentacle"
)


@pytest.fixture(scope="module")
def lab(hosts: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    return hosts.at(tmp_path_factory.mktemp("acting"))


def actions(lab: Place, name: str) -> list[dict[str, Any]]:
    """What a report tells of what was done in its run."""
    report = json.loads((lab.folder / f"{name}.json").read_text(encoding="utf-8"))
    return [action for action in report["actions"] if action["time"] >= report["started"][:19]]


def changes(lab: Place) -> list[dict[str, Any]]:
    path = lab.folder / "reports" / "changes.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


class TestRestart:
    def test_a_service_that_keeps_running(self, lab: Place) -> None:
        """It is another process, and it is asked on the terminal first."""
        code, out = lab.pytest(
            "--restart", "tentacle", "--limit", "web-1", *HURRY, "--html", "kept.html", terminal="y\n"
        )
        assert code == 0, out
        assert "Restart Octopus's services on this machine: web-1 (Tentacle)?" in out
        (action,) = actions(lab, "kept")
        assert action["result"] == "done"
        assert action["told"].startswith("Tentacle.service was restarted as process ")
        assert action["told"].endswith(" and kept running for 3 s")
        assert action["before"] != action["after"]
        assert lab.sh("web-1", "systemctl show -p MainPID --value Tentacle").strip() in action["after"]
        assert changes(lab)[-1]["machine"] == "web-1"
        assert "log" not in changes(lab)[-1]

    def test_no_is_no(self, lab: Place) -> None:
        """Nothing is contacted, and nothing written down."""
        before = (lab.sh("web-1", "systemctl show -p MainPID --value Tentacle"), len(changes(lab)))
        code, out = lab.pytest("--restart", "all", *HURRY, terminal="\n")
        assert code == 4
        assert "nothing was restarted, and no machine was contacted" in out
        assert "surveying" not in out
        assert before == (lab.sh("web-1", "systemctl show -p MainPID --value Tentacle"), len(changes(lab)))

    def test_a_service_that_stops_again(self, lab: Place) -> None:
        """The extract of its log stands in page, JSON and Markdown, as the guide asks."""
        said = "2026-11-30 01:00:00.0000     77      1 FATAL  The hamster has left the wheel"
        lab.sh(
            "web-2", f"cp {PROGRAM} /root/program; printf '#!/bin/sh\\necho \"{said}\" >>{LOG}\\nexit 3\\n' >{PROGRAM}"
        )
        try:
            code, out = lab.pytest("--restart", "tentacle", "--limit", "web-2", "--yes", *HURRY, "--html", "dies.html")
        finally:
            lab.sh("web-2", f"{BACK}; : >{LOG}")
        assert code == 1, out
        (action,) = actions(lab, "dies")
        assert action["result"] == "failed"
        assert "was started and stopped again within 1 s" in action["told"]
        assert action["log"] == [said]
        for name in ("dies.html", "dies.md"):
            assert "The hamster has left the wheel" in (lab.folder / name).read_text(encoding="utf-8")
        assert changes(lab)[-1]["result"] == "failed"

    def test_a_connection_that_is_lost_in_between(self, lab: Place) -> None:
        """It is never called done: nobody knows whether it came to its end."""
        slow = 'ExecStop=/bin/sh -c "ip link set mgmt0 down; sleep 14; ip link set mgmt0 up"'
        lab.sh(
            "web-2",
            f"mkdir -p {DROP_IN}; printf '[Service]\\n%s\\n' '{slow}' >{DROP_IN}/slow.conf; systemctl daemon-reload",
        )
        try:
            code, out = lab.pytest("--restart", "tentacle", "--limit", "web-2", "--yes", *HURRY, "--html", "lost.html",
                                   "--machine-timeout", "5")  # fmt: skip
        finally:
            lab.sh("web-2", "rm -r /etc/systemd/system/Tentacle.service.d; systemctl daemon-reload; systemctl restart "
                   "Tentacle; ip link set mgmt0 up")  # fmt: skip
        (action,) = actions(lab, "lost")
        assert action["result"] == "not known", out
        assert "no answer came" in action["told"]
        assert (
            "whether it was carried out is not known; look at the service before you restart it once more"
            in action["told"]
        )
        assert changes(lab)[-1]["result"] == "not known"
        assert code == 1

    def test_ctrl_c_in_between(self, lab: Place) -> None:
        """The report is written, and says of each how far it came."""
        lab.sh("web-1", "mkdir -p /etc/systemd/system/Tentacle.service.d; printf '[Service]\\nExecStop=/bin/sleep 4\\n' "
               ">/etc/systemd/system/Tentacle.service.d/slow.conf; systemctl daemon-reload; systemctl restart Tentacle")  # fmt: skip
        try:
            code, out = lab.pytest("--restart", "tentacle", "--limit", "web-1,poll-1", "--yes", "--workers", "1", *HURRY,
                                   "--html", "stopped.html", interrupt="probing from the servers: 1 host")  # fmt: skip
        finally:
            lab.sh("web-1", "rm -r /etc/systemd/system/Tentacle.service.d; systemctl daemon-reload; systemctl restart "
                   "Tentacle")  # fmt: skip
        assert code == 2, out
        told = {action["machine"]: action for action in actions(lab, "stopped")}
        assert told["poll-1"]["told"] == "left alone: the run was interrupted before its turn"
        assert told["web-1"]["result"] == "not known", told
        assert "done" not in {action["result"] for action in told.values()}
