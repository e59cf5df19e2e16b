"""The lab's verdicts, exactly as designed: each fault of inventory/lab.yaml yields its own code, and no other."""

from __future__ import annotations

import re

import pytest

SERVICES, SETTINGS, THUMBPRINT = "services-running", "communication-settings", "tentacle-thumbprint"
HERE, ACROSS = "welcome-page-here", "welcome-page-across"

IDENTIFY, MESSAGES = "identify-the-problem", "other-error-messages"
STEPS = (IDENTIFY, MESSAGES, SERVICES, SETTINGS, THUMBPRINT, HERE, ACROSS)

UNSEEN = dict.fromkeys((IDENTIFY, SERVICES, SETTINGS, THUMBPRINT, HERE, MESSAGES), "unknown")
"""What our own log-on would have told; from the server, the link is seen all the same."""


def behind(code: str) -> dict[str, str]:
    """Nothing that needs the port can be judged."""
    return dict.fromkeys((THUMBPRINT, HERE, ACROSS), f"blocked by {code}")


DESIGNED: dict[str, dict[str, tuple[str, ...] | str]] = {
    "octo-1": {},
    "web-01": {},
    "web-02": {},
    "poll-01": {},
    "poll-02": {},
    "stopped-01": {SERVICES: ("TT202",), **behind("TT202")},
    "missing-01": {SERVICES: ("TT201",), **behind("TT201")},
    "looping-01": {IDENTIFY: ("TT111",), SERVICES: ("TT203",)},
    "crashed-01": {SERVICES: ("TT203",)},
    "disabled-01": {SERVICES: ("TT205",)},
    "mode-01": {SETTINGS: ("TT310",), **behind("TT310")},
    "port-01": {SETTINGS: ("TT311",), ACROSS: "blocked by TT311"},
    "nolisten-01": {SETTINGS: ("TT312",), **behind("TT312")},
    "trustless-01": {IDENTIFY: ("TT127",), SETTINGS: ("TT320",)},
    "mistrust-01": {SETTINGS: ("TT321",)},
    "invisible-01": {SETTINGS: ("TT322",)},
    "lowercase-01": {SETTINGS: ("TT323",)},
    "halfpoll-01": {SETTINGS: ("TT315",)},
    "noconfig-01": {SERVICES: ("TT202",), SETTINGS: ("TT301",), **behind("TT301")},
    "emptyconf-01": {SERVICES: ("TT202",), SETTINGS: ("TT302",), **behind("TT302")},
    "cutconf-01": {SERVICES: ("TT202",), SETTINGS: ("TT303",), **behind("TT303")},
    "listenip-01": {SERVICES: ("TT202",), SETTINGS: ("TT316",), **behind("TT202")},
    "renewed-01": {THUMBPRINT: ("TT401",)},
    "restart-01": {THUMBPRINT: ("TT402",)},
    "image-01": {THUMBPRINT: ("TT403",)},
    "clone-01": {THUMBPRINT: ("TT403",)},
    "closed-01": {HERE: ("TT501",), THUMBPRINT: "blocked by TT501", ACROSS: "blocked by TT501"},
    "taken-01": {HERE: ("TT502",), THUMBPRINT: "blocked by TT502", ACROSS: "blocked by TT502"},
    "zombie-01": {HERE: ("TT503",), THUMBPRINT: "blocked by TT503", ACROSS: "blocked by TT503"},
    "dns-01": {ACROSS: ("TT510",)},
    "stale-01": {ACROSS: ("TT512",)},
    "dropped-01": {ACROSS: ("TT521",)},
    "rejected-01": {ACROSS: ("TT520",)},
    "inspected-01": {ACROSS: ("TT531",)},
    "proxied-01": {ACROSS: ("TT529",)},
    "stranger-01": {ACROSS: ("TT530",)},
    "oldtls-01": {ACROSS: ("TT525",)},
    "balanced-01": {ACROSS: ("TT524",)},
    "silent-01": {ACROSS: ("TT528",)},
    "farpoll-01": {ACROSS: ("TT521",)},
    "away-01": UNSEEN,
    "password-01": UNSEEN,
    "locked-01": UNSEEN,
    "refused-01": {SERVICES: "unknown"},
}


class TestVerdicts:
    """Every machine of inventory/lab.yaml, with the real windows.ps1 and linux.sh."""

    @pytest.mark.parametrize("machine", DESIGNED)
    def test_each_fault_yields_its_own_code_and_no_other(self, real_run, machine: str):
        """A healthy machine passes every step; a sick one fails for its own reason, and the rest is blocked or passes."""
        found = {step: verdict for step, verdict in real_run.of(machine).items() if step in STEPS}
        assert found == DESIGNED[machine]

    def test_every_machine_is_designed(self, real_run):
        """No machine of the lab is left out of the table, and octo-dmz, which nobody can log on to, has no steps."""
        machines = {re.match(r"(.+?-\d+)-", name)[1] for name in real_run.verdicts}
        assert machines == set(DESIGNED)

    def test_the_run_fails_and_names_its_report(self, real_run):
        """The lab has sick machines: exit code 1, and the report's path is told."""
        assert real_run.exit_code == 1
        reports = list((real_run.folder / "reports").glob("lab-*.html"))
        assert len(reports) == 1
        assert f"report: {reports[0].relative_to(real_run.folder)}" in real_run.output

    def test_no_secret_of_the_lab_is_in_any_output(self, real_run):
        """The lab's password holds quotes and umlauts; its connection string and certificate hold canaries."""
        texts = [real_run.output, (real_run.folder / "surveys.json").read_text(encoding="utf-8")]
        texts += [path.read_text(encoding="utf-8") for path in (real_run.folder / "reports").glob("*.html")]
        for text in texts:
            assert "lab-canary" not in text
            assert "lab-not-a-real-pfx" not in text


class TestRecordings:
    """Without a PowerShell the lab's Windows machines answer from recordings."""

    def test_recording_and_real_run_agree(self, real_run, recorded_run):
        """Step for step, on every machine."""
        assert recorded_run.verdicts == real_run.verdicts

    def test_the_report_says_so(self, real_run, recorded_run):
        """Console and report name the machines that were not run; a real run has nothing to say."""
        assert "answered from recordings" in recorded_run.output
        assert "answered from recordings" not in real_run.output
        report = next((recorded_run.folder / "reports").glob("*.html")).read_text(encoding="utf-8")
        assert "answered from recordings" in report


class TestCost:
    """One login and one script a machine, whatever the number of checks."""

    def test_a_windows_machine_costs_eight_requests_and_a_linux_machine_one_command(self, real_run):
        """NTLM over HTTPS; a server's second round needs no second login."""
        for record in real_run.surveys["records"]:
            kind, requests = record["host_key"].split("://")[0], record.get("requests")
            if record.get("survey") is None:
                continue
            if record["machines"] == ["octo-1"]:
                assert requests <= 8 + 5
            elif kind == "winrm":
                assert requests <= 8
            else:
                assert requests == 1
