"""The verdicts over inventory/lab-guide.yaml, and that the labs together fail every problem code of the guide."""

from __future__ import annotations

import re
from collections import defaultdict

import pytest

from pytest_tentacle.inventory import load
from pytest_tentacle.inventory.model import Tentacle
from pytest_tentacle.sections import STEPS
from pytest_tentacle.sections.catalogue import CATALOGUE

TABLE = "lab-guide.verdicts.yaml"

ELSEWHERE = re.compile(r"TT1\d\d|TT95\d|TT64\d|TT908")
"""Codes of logs, which inventory/lab-logs.yaml shows, and those of what is done on request only: pings, trials of TLS."""

PLAYED = {
    "TT208": "services.py",
    "TT213": "services.py",
    "TT214": "services.py",
    "TT209": "services.py",
    "TT210": "services.py",
    "TT211": "services.py",
    "TT212": "services.py",
    "TT331": "settings.py",
    "TT332": "settings.py",
    "TT532": "path.py",
    "TT533": "path.py",
    "TT534": "trust.py",
    "TT535": "path.py",
    "TT536": "settings.py",
    "TT537": "trust.py",
    "TT554": "last_words.py",
    "TT715": "names.py",
    "TT716": "names.py",
    "TT717": "names.py",
    "TT804": "surroundings.py",
    "TT805": "surroundings.py",
    "TT806": "surroundings.py",
    "TT807": "surroundings.py",
    "TT909": "process.py",
    "TT974": "last_words.py",
    "TT975": "system.py",
    "TT976": "last_words.py",
}
"""Codes of what no lab has (a service's former account, SELinux, what a server's portal needs, a web socket, a registration in
Octopus, routes and outgoing rules, ways that take long, names with several addresses, hundreds of connections, Windows'
wait for its lists of roots, generations apart), and where in tests/support/faults each is played."""

_ROOT = "only root can make a system forbid its own connections: nftables, in the tests of link/"
_WINDOWS_FILTER = "of Windows Firewall"

_BOTH = {
    "TT331": "only Octopus's API tells: tests/octopus, tests/sections/test_octopus.py",
    "TT332": "only Octopus's API tells: tests/octopus, tests/sections/test_octopus.py",
    "TT536": "only Octopus's API tells its policies, and no way on loopback takes long: tests/sections/test_octopus.py",
    "TT554": "of reported problems: tests/cases",
    "TT974": "of reported problems: tests/cases",
    "TT535": "no way on loopback takes long: for real in tests/hosts",
    "TT715": "names with several addresses: for real in tests/hosts",
    "TT716": "names with several addresses: for real in tests/hosts",
    "TT717": "no name on loopback takes long: for real in tests/hosts",
    "TT976": "the lab's products run from their start: tests/cases",
    "TT975": "a file system that is mounted read-only: for real in tests/hosts",
}
_ROUTES = "a host's own routes and filters: for real in tests/hosts"

CANNOT_BE = {
    "linux": {
        **_BOTH,
        "TT532": _ROUTES,
        "TT533": _ROUTES,
        "TT414": "Schannel's events",
        "TT505": "a process that hangs: for real in tests/hosts",
        "TT506": "Linux excludes no ports from use by those who ask for them",
        "TT507": "Windows' own HTTP server",
        "TT523": _ROOT,
        "TT541": _WINDOWS_FILTER,
        "TT542": _WINDOWS_FILTER,
        "TT543": _WINDOWS_FILTER,
        "TT544": _WINDOWS_FILTER,
        "TT545": _WINDOWS_FILTER,
        "TT803": "owner, group and mode deny nobody what others of them give",
        "TT812": "Windows' signatures of programs",
        "TT901": "no setting of OpenSSL that is read takes both versions away",
        "TT906": ".NET Framework",
    },
    "windows": {
        **_BOTH,
        "TT508": "the lab's listeners that refuse the TLS of their own machine are Linux'",
        "TT523": _ROOT,
        "TT532": "routes are read on Linux alone",
        "TT533": "routes are read on Linux alone",
        "TT546": "of nftables, iptables, firewalld and ufw",
    },
}
"""By system, the codes that it cannot have in a lab, and why."""


@pytest.fixture(scope="module")
def told(top, tables) -> list[tuple[str, str, str, str]]:
    """Every problem that the two labs are designed to have: system, mode (a server's is polling), step, code."""
    rows = []
    for name, table in tables.items():
        inventory = load([top / "inventory" / f"{name}.yaml"])
        for machine, steps in table.items():
            found = inventory.find(machine)
            mode = found.mode.value if isinstance(found, Tentacle) else "polling"
            rows += [(found.os.value, mode, step, code) for step, codes in steps.items() for code in _codes(codes)]
    return rows


def _codes(verdict: tuple[str, ...] | str) -> tuple[str, ...]:
    return verdict if isinstance(verdict, tuple) else ()


class TestVerdicts:
    """Every machine of inventory/lab-guide.yaml, with the real windows.ps1 and linux.sh, over all steps."""

    def test_its_faults_yield_their_own_codes_and_no_other(self, guide_run, sick_or_well):
        """What several faults of one machine come to is the sum of what each of them does."""
        machine, expected = sick_or_well
        assert guide_run.of(machine) == expected

    def test_every_machine_is_designed(self, guide_run, tables):
        """No machine is left out of the table; servers without a transport have no steps."""
        assert guide_run.machines == set(tables["lab-guide"])


class TestCoverage:
    """What the labs are designed to show, all of them together."""

    @pytest.mark.parametrize("system", ["windows", "linux"])
    @pytest.mark.parametrize(
        "code", [code for code in CATALOGUE if not ELSEWHERE.fullmatch(code) and code not in PLAYED]
    )
    def test_every_code_is_failed_on_each_system(self, told, system: str, code: str):
        """By some machine; what a system cannot have is named with the reason, and is really not there."""
        failed = any((system, code) == (row[0], row[3]) for row in told)
        assert failed == (code not in CANNOT_BE[system])

    @pytest.mark.parametrize(("code", "module"), PLAYED.items())
    def test_what_no_lab_has_is_played_elsewhere(self, top, told, code: str, module: str):
        """And it is no lab's: else it need not be named."""
        played = (top / "tests" / "support" / "faults" / module).read_text(encoding="utf-8")
        assert f'@case("{code}"' in played or f'@case("TC{code[2:]}' in played
        assert code not in {row[3] for row in told}

    def test_every_step_is_failed_in_both_modes(self, told):
        """A server's own port and its account are polling's."""
        modes = defaultdict(set)
        for _, mode, step, _ in told:
            modes[step].add(mode)
        steps = {step.slug for step in STEPS} - {"tentacle-ping", "other-error-messages"}
        assert modes == {step: {"listening", "polling"} for step in steps}

    @pytest.mark.parametrize("system", ["windows", "linux"])
    @pytest.mark.parametrize("kind", ["listening", "polling", "server"])
    def test_a_healthy_machine_of_each_kind_passes_everything(self, top, tables, system: str, kind: str):
        """Without a single unknown; that the tables tell the truth, the verdicts' tests hold."""
        well = set()
        for name, table in tables.items():
            inventory = load([top / "inventory" / f"{name}.yaml"])
            for machine in (inventory.find(name) for name, steps in table.items() if not steps):
                faults = inventory.lab_faults.get(machine.name, {})
                own = machine.mode.value if isinstance(machine, Tentacle) else "server"
                if not faults:
                    well.add((machine.os.value, own))
        assert (system, kind) in well


class TestWithoutPowerShell:
    """The guide's lab has no recordings."""

    def test_it_says_what_it_needs(self, run_pytest, top, tmp_path):
        """No traceback: the machines that cannot answer, and what to do; nothing runs."""
        done = run_pytest(
            "--inventory", top / "inventory" / "lab-guide.yaml", "-p", "no:cacheprovider",
            cwd=tmp_path, environment={"PYTEST_TENTACLE_POWERSHELL": "none"},
        )  # fmt: skip
        assert done.returncode not in (0, 1)
        assert "need a PowerShell: octo-3, octo-4" in done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
