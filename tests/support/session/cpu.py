"""Seconds of CPU of other processes: what a test may hold, where seconds of the clock depend on who else works here."""

from __future__ import annotations

import os
import resource
from pathlib import Path


def cpu_of(pid: int) -> float:
    """What a process has used by now."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children_cpu() -> float:
    """What all children of this process that have ended had used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
