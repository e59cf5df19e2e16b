"""`pytest-tentacle mend` on separate hosts, for real: causes that are mended end to end by the commands that it shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_tentacle.acting.mendable import MENDABLE, Proof
from support.hosts import at_a_site
from support.hosts.acting import Place
from support.hosts.at_a_site import SLOW_STOP
from support.hosts.scenarios import SCENARIOS

TRUSTS_ANOTHER = SCENARIOS["trust-another"].do[0].partition(": ")[2]
OTHER_PORT = (
    "sed -i 's/PortNumber\">10933/PortNumber\">10955/' /etc/octopus/default/tentacle-Tentacle.config; "
    'sed -i \'s/"::", 10933/"::", 10955/\' /etc/lab/agent.json'
)
RESTART = "systemctl daemon-reload; systemctl reset-failed; systemctl restart"

FAULTS: dict[str, tuple[str, str, str]] = {
    "stopped": ("web-1", "systemctl stop Tentacle", "TC2021"),
    "switched off": ("web-1", "systemctl disable --now Tentacle 2>/dev/null", "TC2051"),
    "not enabled": ("poll-1", "systemctl disable Tentacle 2>/dev/null", "TC2052"),
    "set to another port, not restarted": ("web-2", OTHER_PORT, "TC5012"),
    "listening, trusts another": ("web-2", TRUSTS_ANOTHER, "TC3211"),
    "polling, expects another": ("poll-2", TRUSTS_ANOTHER, "TC3211"),
}
"""Where, what is broken there, and the cause that is mended."""

ROUNDS = (
    ("stopped", "set to another port, not restarted", "polling, expects another"),
    ("switched off", "not enabled", "listening, trusts another"),
)
"""Broken together: none is in another's way."""


@pytest.fixture(scope="module")
def lab(hosts: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    return hosts.at(tmp_path_factory.mktemp("mending"))


@pytest.fixture(autouse=True)
def _set_back(lab: Place) -> Iterator[None]:
    """What is not mended must not be in the way of the next test."""
    yield
    for host in ("web-1", "web-2", "poll-1", "poll-2"):
        lab.sh(host, "systemctl is-active -q Tentacle || { systemctl daemon-reload; systemctl reset-failed; "
               "systemctl enable --now Tentacle; } 2>/dev/null")  # fmt: skip


def broken(lab: Place, host: str, command: str, code: str) -> str:
    """Break a host, and take the report of it; the report's name."""
    lab.sh(host, command)
    lab.pytest("--limit", host, "--html", "broken.html")
    report = json.loads((lab.folder / "broken.json").read_text(encoding="utf-8"))
    assert code in [cause["code"] for cause in report["causes"]], report["verdict"]
    return "broken.json"


def changes(lab: Place) -> list[dict[str, Any]]:
    path = lab.folder / "reports" / "changes.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def actions(lab: Place, name: str) -> list[dict[str, Any]]:
    """What a report tells of what was done in its run."""
    report = json.loads((lab.folder / f"{name}.json").read_text(encoding="utf-8"))
    return [action for action in report["actions"] if action["time"] >= report["started"][:19]]


def test_every_cause_of_the_lab_is_mended_here() -> None:
    """The product's table, and these faults."""
    assert {code for code, proof in MENDABLE.items() if proof is Proof.LAB} == {code for _, _, code in FAULTS.values()}


@pytest.mark.parametrize("faults", ROUNDS, ids=["first", "second"])
def test_they_are_mended(lab: Place, faults: tuple[str, ...]) -> None:
    """Shown and asked about on the terminal; gone afterwards, and nothing new came; one line each is written down."""
    for name in faults:
        host, command, _ = FAULTS[name]
        lab.sh(host, command)
    lab.pytest("--html", "broken.html")
    for name in faults:
        host, _, code = FAULTS[name]
        before = len(changes(lab))
        exit_code, out = lab.tentacle("mend", "broken.json", "--cause", code, "--machine", host, terminal="y\n")
        assert exit_code == 0, (name, out)
        assert f"{code} is gone; nothing new came" in out
        (line,) = changes(lab)[before:]
        assert (line["machine"], line["what"], line["result"], line["kind"]) == (host, code, "done", "mend")
        assert all(f"$ {command}" in out for command in line["commands"])
    lab.pytest("--html", "mended.html", "-k", "services-running")
    told = json.loads((lab.folder / "mended.json").read_text(encoding="utf-8"))
    done = [(action["machine"], action["what"]) for action in told["actions"]]
    assert done[-len(faults) :] == [(FAULTS[name][0], FAULTS[name][2]) for name in faults]


class TestNothingIsChanged:
    def test_without_a_terminal(self, lab: Place) -> None:
        """It shows the very commands, and runs none."""
        report, before = broken(lab, "poll-1", "systemctl stop Tentacle", "TC2021"), changes(lab)
        try:
            for words in ((), ("--dry-run", "--yes")):
                exit_code, out = lab.tentacle("mend", report, "--cause", "tc2021", *words)
                assert exit_code == 0, out
                assert "$ sudo systemctl start Tentacle.service" in out
                assert "Nothing was run." in out
            exit_code, out = lab.tentacle("mend", report, "--cause", "TC2021", terminal="no\n")
            assert exit_code == 1
            assert out.endswith("nothing was run\n")
            assert lab.sh("poll-1", "systemctl is-active Tentacle || :").strip() == "inactive"
            assert changes(lab) == before
        finally:
            lab.sh("poll-1", "systemctl start Tentacle")
        exit_code, out = lab.tentacle("mend", report, "--cause", "TC2021", "--yes")
        assert exit_code == 1
        assert "poll-1: TC2021 is not found any more: nothing to mend" in out

    def test_a_command_that_fails(self, lab: Place) -> None:
        """What it said is told, and that the cause is not gone."""
        drop_in = "/etc/systemd/system/Tentacle.service.d"
        report = broken(lab, "poll-1", "systemctl stop Tentacle", "TC2021")
        lab.sh("poll-1", f"mkdir -p {drop_in}; printf '[Service]\\nExecStartPre=/bin/false\\n' >{drop_in}/no.conf; "
               "systemctl daemon-reload")  # fmt: skip
        try:
            exit_code, out = lab.tentacle("mend", report, "--cause", "TC2021", "--yes")
        finally:
            lab.sh("poll-1", f"rm -r {drop_in}; {RESTART} Tentacle")
        assert exit_code == 1, out
        assert "command 1 of 1 ended with code 1: Job for Tentacle.service failed" in out
        assert changes(lab)[-1]["result"] == "failed"


UNSEEN = r"command 1 of 2 was (?:begun, and its end was not seen|sent, and no word of it came back) \("
"""Whether its beginning was seen depends on which was faster."""

DROPS = "pkill -9 -f '^sshd: root'"
"""What ends the log-on under way: sshd's process of it."""


@pytest.fixture
def slow_command(lab: Place) -> Iterator[str]:
    """Web-1 trusts another server, and its program takes some seconds; what it does before is written by the test."""
    lab.sh("web-1", f"cp {SETTINGS} {AGENT} /root")
    report = broken(lab, "web-1", TRUSTS_ANOTHER, "TC3211")
    lab.sh("web-1", f"cp {PROGRAM} /root/program; : >/root/first; printf '#!/bin/sh\nif [ \"$1\" = configure ]; then sh "
           f"/root/first; sleep 6.25; fi\nexec /root/program \"$@\"\n' >{PROGRAM}")  # fmt: skip
    yield report
    lab.sh("web-1", f"cp /root/program {PROGRAM}; cp /root/{SETTINGS.name} {SETTINGS}; cp /root/{AGENT.name} {AGENT}; rm "
           f"/root/program; {RESTART} Tentacle")  # fmt: skip


SETTINGS, AGENT = Path("/etc/octopus/default/tentacle-Tentacle.config"), Path("/etc/lab/agent.json")
PROGRAM = "/opt/octopus/tentacle/Tentacle"
MAIN_PID = "systemctl show -p MainPID --value Tentacle"
SESSIONS_END = "for i in $(seq 100); do pgrep -f '^sshd: root' >/dev/null || exit 0; sleep 0.5; done; exit 1"


class TestEndedInTheMiddle:
    """Two commands: the first is under way when it ends. The second is never sent, and nothing is sent twice."""

    def test_the_log_on_is_lost(self, lab: Place, slow_command: str) -> None:
        """It looks again by itself, and says what may have been done."""
        lab.sh("web-1", f'echo "{DROPS}" >/root/first')
        pid, before = lab.sh("web-1", MAIN_PID), len(changes(lab))
        exit_code, out = lab.tentacle("mend", slow_command, "--cause", "TC3211", "--machine", "web-1", "--yes")
        assert exit_code == 1, out
        (line,) = changes(lab)[before:]
        assert line["result"] == "not known"
        assert re.match(UNSEEN, line["told"])
        assert "; the 1 behind it not sent" in line["told"]
        assert len(line["commands"]) == 1
        assert " configure " in line["commands"][0]
        assert "may have been carried out, in part or as a whole" in out
        assert "Not sent, and still to be done:\n    $ sudo systemctl restart Tentacle.service\n" in out
        assert f"pytest-tentacle mend {slow_command} --cause TC3211 --machine web-1 --dry-run" in out
        assert lab.sh("web-1", MAIN_PID) == pid

    def test_ctrl_c(self, lab: Place, slow_command: str) -> None:
        """At once, with the exit code of Ctrl-C, and no session stays open there."""
        pid, before = lab.sh("web-1", MAIN_PID), len(changes(lab))
        words = ("mend", slow_command, "--cause", "TC3211", "--machine", "web-1", "--yes")
        exit_code, out = lab.tentacle(*words, during="sleep 6.25")
        assert exit_code == 130, out
        (line,) = changes(lab)[before:]
        assert (line["result"], len(line["commands"])) == ("not known", 1)
        assert re.match(UNSEEN, line["told"])
        assert "looking again" not in out
        assert "may still be under way there" in out
        assert lab.sh("web-1", MAIN_PID) == pid
        lab.sh("web-1", SESSIONS_END)


def test_a_site_restarts_and_mends_its_own_machines(lab: Place) -> None:
    """The controller reaches none of them, and has no key to log on with. A worker that is killed is followed by nobody."""
    text = lab.inventory.read_text(encoding="utf-8").replace("{os: linux,", "{os: linux, site: north,")
    (lab.folder / "sited.yaml").write_text(text, encoding="utf-8")
    drop_in = "/etc/systemd/system/Tentacle.service.d"
    lab.sh("web-1", FAULTS["switched off"][1])
    lab.sh("poll-1", f"mkdir -p {drop_in}; printf '[Service]\nExecStop=/bin/{SLOW_STOP}\n' >{drop_in}/slow.conf; "
           "systemctl daemon-reload")  # fmt: skip
    pids = {host: lab.sh(host, MAIN_PID) for host in ("web-2", "poll-1")}
    try:
        code, out = lab.run(at_a_site.__name__, str(lab.folder))
        assert code == 0, out
        seen = json.loads((lab.folder / "seen.json").read_text(encoding="utf-8"))
        told = {action["machine"]: action for action in actions(lab, "restarted")}
        assert (told["web-2"]["result"], told["web-1"]["result"]) == ("done", "done"), seen["restarted"]
        assert lab.sh("web-2", MAIN_PID) != pids["web-2"]
        assert seen["from_here"]["code"] == 2
        assert "workers of their sites surveyed web-1 (site north)" in seen["from_here"]["out"]
        assert seen["mended"]["code"] == 0, seen["mended"]
        assert "TC2052 is gone; nothing new came" in seen["mended"]["out"]
        assert lab.sh("web-1", "systemctl is-enabled Tentacle").strip() == "enabled"
        (killed,) = actions(lab, "killed")
        assert (seen["killed"]["code"], killed["result"]) == (1, "not known"), seen["killed"]
        assert "the worker of site north, or the scheduler" in killed["told"]
        assert seen["calls"] == 1
        assert {name: said for name, said in seen["said"].items() if "10.255." in said or "web-2" in said} == {}
    finally:
        lab.sh("poll-1", f"rm -r {drop_in}; {RESTART} Tentacle")
