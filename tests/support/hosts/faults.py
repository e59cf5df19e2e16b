"""The faults of the lab of hosts, one after the other: what is broken, what the diagnosis names, and the seconds.

    python3 scripts/dev.py faults [--pairs 200] [--seed 1] [--table FILE] [--record | --replay] [NAME ...]
    python3 scripts/dev.py faults --replay --pairs 200
    python3 scripts/dev.py faults --law [--replay]

Needs Linux and root. Without names, all single faults; `--table` writes the manual's table from what was found. `--law`
takes from the made-up surveys of each cause's fault (with `--replay` from those that the lab of hosts left) whatever a run may
lack, and names what is then called otherwise.
`AWAIT` are faults that are known to be misjudged; one that is judged right is told (`RIGHT`), as its mark must go then.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from support.hosts import recorded
from support.hosts.joining import joined_pairs
from support.hosts.judge import compared
from support.hosts.lab import Lab, running
from support.hosts.scenario import Scenario
from support.hosts.scenarios import SCENARIOS
from support.hosts.together import drawn
from support.law import made_up, whole_law


def main() -> int:
    """0 where every fault was named as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="of scenarios, or of two joined by +; all without")
    parser.add_argument("--pairs", type=int, default=0, help="so many pairs of faults, instead of single ones")
    parser.add_argument("--seed", type=int, default=1, help="of the choice of pairs")
    parser.add_argument("--table", type=Path, help="the manual's table, written anew")
    parser.add_argument("--law", action="store_true", help="what fewer facts come to, instead of the lab of hosts")
    parser.add_argument("--replay", action="store_true", help="judge the recorded surveys, without the lab")
    parser.add_argument("--surveys", type=Path, help="a folder to keep the surveys in, for replay")
    parser.add_argument("--record", action="store_true", help="keep them for the fast tests, beside those of before")
    chosen = parser.parse_args()
    if chosen.law:
        number = whole_law(recorded.recorded() if chosen.replay else made_up(), print)
        print(f"{number} offences against the law that fewer facts never lead to another cause")
        return 1 if number else 0
    unknown = [name for name in chosen.names if not set(name.split("+")) <= SCENARIOS.keys()]
    if unknown:
        parser.error(f"there is no scenario {', '.join(unknown)}")
    wanted = [tuple(SCENARIOS[each] for each in name.split("+")) for name in chosen.names or SCENARIOS]
    if chosen.pairs:
        wanted = list(drawn([one for (one,) in wanted], chosen.pairs, chosen.seed))
    started = time.monotonic()
    if chosen.replay and chosen.pairs:
        return _joined(chosen.pairs, chosen.seed)
    rows = replayed(chosen.names) if chosen.replay else _broken(wanted, chosen.surveys, record=chosen.record)
    right, awaited = sum(row["right"] for row in rows), sum(_is_awaited(row) for row in rows)
    unmade = sum(not row.get("made", True) for row in rows)
    if any(len(row["scenarios"]) > 1 for row in rows):
        print(figures(rows))
    if unmade:
        print(f"{unmade} could not be injected, or not be set back: nothing is known of their diagnosis")
    print(f"{right} of {len(rows)} right ({100 * right / len(rows):.1f} %), {time.monotonic() - started:.0f} s")
    if awaited:
        print(f"{awaited} more are known to be misjudged")
    if chosen.table and not chosen.pairs:
        chosen.table.write_text(table(rows), encoding="utf-8")
    return 0 if all(as_marked(row) for row in rows) else 1


def figures(answers: Sequence[Mapping[str, Any]]) -> str:
    """How pairs came to be right: what was named, and what nobody could ask for, apart; of several, the first holds."""
    both = sum(each["right"] and each["both"] for each in answers)
    left = [each for each in answers if each["right"] and not each["both"]]
    masked = sum(bool(each["masked"]) for each in left)
    words = (
        f"{both} with both causes named",
        f"{masked} with one that is masked (the survey is that of the other fault alone)",
        f"{len(left) - masked} with a doubtful one that is said to be unknown beside the other",
        f"{sum(not each['right'] and each.get('made', True) for each in answers)} misjudged",
    )
    return f"of {len(answers)} pairs: {', '.join(words)}"


def as_marked(row: dict[str, Any]) -> bool:
    """Whether a fault was judged right, or wrong where a right verdict is still awaited; then the mark must go."""
    return bool(row["right"]) is not bool(row["scenarios"][0].awaited) and row.get("made", True)


def _is_awaited(row: dict[str, Any]) -> bool:
    return as_marked(row) and not row["right"]


def _joined(count: int, seed: int) -> int:
    """Pairs of recorded faults that do not meet, judged together."""
    answers = []
    for pair, surveys in joined_pairs(dict(recorded.recorded()), SCENARIOS, count, seed):
        answers.append(answer := compared(surveys, pair))
        if not answer["right"]:
            _told(answer | {"seconds": 0.0}, pair)
    right, number = sum(each["right"] for each in answers), len(answers)
    print(figures(answers))
    print(f"{right} of {number} pairs right ({100 * right / max(1, number):.1f} %)")
    return 0 if right == number else 1


def _broken(wanted: list[tuple[Scenario, ...]], surveys: Path | None, *, record: bool) -> list[dict[str, Any]]:
    with TemporaryDirectory() as folder:
        kept = surveys or (Path(folder) if record else None)
        with running(kept) as lab:
            rows = [_tried(lab, scenarios) for scenarios in wanted]
        if record and kept is not None:
            new = {path.stem: path.read_text(encoding="utf-8") for path in kept.glob("*.json")}
            recorded.write(new, frozenset(SCENARIOS))
    return rows


def replayed(names: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The same rows from the recorded surveys, in the order of the scenarios; a recording tells no seconds."""
    answers = {
        name: compared(surveys, [SCENARIOS[name]]) | {"seconds": 0.0}
        for name, surveys in recorded.recorded()
        if not names or name in names
    }
    return [_told(answers[name], (SCENARIOS[name],)) for name in SCENARIOS if name in answers]


def _tried(lab: Lab, scenarios: tuple[Scenario, ...]) -> dict[str, Any]:
    try:
        answer = lab.tried(*(each.name for each in scenarios))
    except RuntimeError as error:
        answer = {"right": False, "made": False, "both": False, "faults": [str(error)], "found": [], "seconds": 0.0}
    return _told(answer, scenarios)


def _told(answer: dict[str, Any], scenarios: tuple[Scenario, ...]) -> dict[str, Any]:
    names = " + ".join(each.name for each in scenarios)
    expected = (
        "; ".join(f"{m}: {'/'.join(codes)}" for each in scenarios for m, codes in each.expect.items()) or "nothing"
    )
    found = "; ".join(f"{each['code']} on {', '.join(each['machines'])}" for each in answer["found"]) or "nothing"
    awaited = len(scenarios) == 1 and scenarios[0].awaited
    mark = "NONE " if not answer.get("made", True) else "ok   " if answer["right"] else "AWAIT" if awaited else "WRONG"
    if awaited and answer["right"]:
        mark = "RIGHT"
    print(f"{mark} {names} | expected {expected} | found {found} | {answer['seconds']:.1f} s", flush=True)
    for line in answer["faults"]:
        print(f"        {line}", flush=True)
    for name in answer.get("masked", ()):
        print(f"        {name} is masked: the survey is that of the other fault alone", flush=True)
    for name in answer.get("unknown", ()):
        print(f"        {name} alone is not certain, and is said to be unknown here", flush=True)
    return answer | {"scenarios": scenarios, "found_text": found}


def table(rows: list[dict[str, Any]]) -> str:
    """The manual's table."""
    lines = [
        "# Faults that were really injected",
        "",
        "Each row was broken in a lab of separate hosts (network namespaces, systemd, sshd, dnsmasq, packet filters),",
        "surveyed by SSH (Windows hosts by WinRM), and diagnosed. Written by `python3 scripts/dev.py faults --replay --table docs/faults.md`.",
        "",
        "| area | fault | diagnosis | as expected |",
        "|---|---|---|---|",
    ]
    for row in rows:
        scenario = row["scenarios"][0]
        right = "yes" if row["right"] else f"no: {scenario.awaited or '; '.join(row['faults'])[:200]}"
        lines.append(f"| {scenario.area} | {scenario.fault} | {row['found_text']} | {right.replace('|', '/')} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
