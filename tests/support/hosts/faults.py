"""The faults of the lab of hosts, one after the other: what is broken, what the diagnosis names, and the seconds.

    python3 scripts/dev.py faults [--pairs 200] [--seed 1] [--table FILE] [NAME ...]

Needs Linux and root. Without names, all single faults; `--table` writes the manual's table from what was found.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from support.hosts.lab import Lab, pairs, running
from support.hosts.scenario import Scenario
from support.hosts.scenarios import SCENARIOS


def main() -> int:
    """0 where every fault was named as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="of scenarios; all without")
    parser.add_argument("--pairs", type=int, default=0, help="so many pairs of faults, instead of single ones")
    parser.add_argument("--seed", type=int, default=1, help="of the choice of pairs")
    parser.add_argument("--table", type=Path, help="the manual's table, written anew")
    parser.add_argument("--surveys", type=Path, help="a folder to keep the surveys in, for replay")
    chosen = parser.parse_args()
    unknown = [name for name in chosen.names if name not in SCENARIOS]
    if unknown:
        parser.error(f"there is no scenario {', '.join(unknown)}")
    wanted: list[tuple[Scenario, ...]] = [(SCENARIOS[name],) for name in chosen.names or SCENARIOS]
    if chosen.pairs:
        wanted = list(pairs([one for (one,) in wanted], chosen.pairs, chosen.seed))
    started = time.monotonic()
    with running(chosen.surveys) as lab:
        rows = [_tried(lab, scenarios) for scenarios in wanted]
    right = sum(row["right"] for row in rows)
    print(f"{right} of {len(rows)} right ({100 * right / len(rows):.1f} %), {time.monotonic() - started:.0f} s")
    if chosen.table and not chosen.pairs:
        chosen.table.write_text(_table(rows), encoding="utf-8")
    return 0 if right == len(rows) else 1


def _tried(lab: Lab, scenarios: tuple[Scenario, ...]) -> dict[str, Any]:
    try:
        answer = lab.tried(*(each.name for each in scenarios))
    except RuntimeError as error:
        answer = {"right": False, "faults": [str(error)], "found": [], "seconds": 0.0}
    names = " + ".join(each.name for each in scenarios)
    expected = (
        "; ".join(f"{m}: {'/'.join(codes)}" for each in scenarios for m, codes in each.expect.items()) or "nothing"
    )
    found = "; ".join(f"{each['code']} on {', '.join(each['machines'])}" for each in answer["found"]) or "nothing"
    mark = "ok   " if answer["right"] else "WRONG"
    print(f"{mark} {names} | expected {expected} | found {found} | {answer['seconds']:.1f} s", flush=True)
    for line in answer["faults"]:
        print(f"        {line}", flush=True)
    return answer | {"scenarios": scenarios, "found_text": found}


def _table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "# Faults that were really injected",
        "",
        "Each row was broken in a lab of separate hosts (network namespaces, systemd, sshd, dnsmasq, packet filters),",
        "surveyed by SSH, and diagnosed. Written by `python3 scripts/dev.py faults --table docs/faults.md`.",
        "",
        "| area | fault | diagnosis | as expected |",
        "|---|---|---|---|",
    ]
    for row in rows:
        scenario = row["scenarios"][0]
        right = "yes" if row["right"] else f"no: {'; '.join(row['faults'])[:200]}"
        lines.append(f"| {scenario.area} | {scenario.fault} | {row['found_text']} | {right.replace('|', '/')} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
