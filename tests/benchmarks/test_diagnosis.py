"""The benchmark of the diagnosis still runs. No timing is asserted."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path


class TestDiagnosis:
    def test_prints_its_figures(self, top: Path) -> None:
        """Machines and results; seconds of each part; three faults are three causes; the page's size."""
        done = subprocess.run(
            [sys.executable, str(top / "benchmarks" / "diagnosis.py"), "--machines", "24", "--repeat", "1"],
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "25 machines" in done.stdout
        assert re.search(r"diagnosing alone: \d+\.\d times the reading", done.stdout)
        for part in ("read", "judge", "diagnose", "report", "page"):
            assert re.search(rf"^  {part} +\d+\.\d\d \(", done.stdout, re.MULTILINE), part
        assert re.search(r"problems, 3 causes:", done.stdout)
        assert re.search(r"page: [\d,]+ bytes", done.stdout)
