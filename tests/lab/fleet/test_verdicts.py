"""The lab's verdicts, exactly as designed: each fault of inventory/lab.yaml yields its own code, and no other."""

from __future__ import annotations

TABLE = "lab.verdicts.yaml"


class TestVerdicts:
    """Every machine of inventory/lab.yaml, with the real windows.ps1 and linux.sh."""

    def test_each_fault_yields_its_own_code_and_no_other(self, real_run, sick_or_well):
        """A healthy machine passes every step; a sick one fails for its own reason, and the rest is blocked or passes."""
        machine, expected = sick_or_well
        assert real_run.of(machine) == expected

    def test_every_machine_is_designed(self, real_run, tables):
        """No machine of the lab is left out of the table, and octo-dmz, which nobody can log on to, has no steps."""
        assert real_run.machines == set(tables["lab"])

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
            elif record["machines"] == ["locked-01"]:  # in constrained language mode a second script follows
                assert requests <= 8 + 3
            elif kind == "winrm":
                assert requests <= 8
            else:
                assert requests == 1
