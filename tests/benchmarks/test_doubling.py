"""The benchmark of growth runs, and looks at every list of a survey."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path


def test_it_finds_the_lists_and_measures_them(top: Path, monkeypatch, capsys):
    """Connections and rules of the firewall, of each kind of machine; what it prints ends with a verdict."""
    spec = importlib.util.spec_from_file_location("benchmarks_doubling", top / "benchmarks" / "doubling.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = {".".join(map(str, place)) for _, place in module.growing_places()}
    assert {"connections.data", "firewall.data.rules", "logs.data.0.records", "services.data", "probes"} <= found
    monkeypatch.setattr(sys, "argv", ["doubling.py", "--entries", "5", "--only", "poll-01 connections"])
    assert module.main() == 0
    assert "nothing grows faster than linearly" in capsys.readouterr().out
