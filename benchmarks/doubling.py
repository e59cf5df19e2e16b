"""Whether the work grows with what a machine says, or with its square.

    python benchmarks/doubling.py [--entries 500] [--only connections]

For every list and map that a survey has, one machine of a small fleet says it with N, 2 N and 4 N entries. Each line
shows the CPU seconds of a whole run over that fleet (survey, verdicts, diagnosis, all reports) and by how much it
grew: 2.0 is linear, 4.0 would be the square. Ends with 1 where anything grows by more than three at the last doubling.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import pytest

from pytest_tentacle.survey.model import Section, Survey
from support import hostile
from support.fleets.around import Around
from support.fleets.world import small_fleet
from support.planting import Planter

MOST_GROWTH = 3.0
NOISE_SECONDS = 0.3
"""What grows from less than that is not judged."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=500, metavar="N", help="the least number (default 500)")
    parser.add_argument("--only", default="", metavar="TEXT", help="only lists whose place holds that")
    options = parser.parse_args()
    sizes = [options.entries, 2 * options.entries, 4 * options.entries]
    print(f"{'machine and list':<58}" + "".join(f"{size:>9,}" for size in sizes) + "   growth")
    steep = 0
    for name, place in growing_places():
        shown = f"{name} {'.'.join(map(str, place))}"
        if options.only not in shown:
            continue
        seconds = [measured(name, place, size) for size in sizes]
        told = "  ".join(f"{later / earlier:4.1f}" for earlier, later in itertools.pairwise(seconds))
        is_steep = seconds[-1] > NOISE_SECONDS and seconds[-1] / seconds[-2] > MOST_GROWTH
        steep += is_steep
        print(
            f"{shown:<58}" + "".join(f"{each:9.2f}" for each in seconds) + f"   {told}" + "  STEEP" * is_steep,
            flush=True,
        )
    print(f"{steep} of them grow faster than the work" if steep else "nothing grows faster than linearly")
    return 1 if steep else 0


def documents() -> dict[str, dict[str, Any]]:
    """What the small fleet says, with its surroundings, and with something in every list."""
    around = Around(small_fleet())
    records = around.fleet().surveys.records
    found = {}
    for record in records:
        document = record.survey.model_dump(mode="json", exclude={"noise"})
        for section, field in Survey.model_fields.items():
            kind = field.annotation
            if isinstance(kind, type) and issubclass(kind, Section) and not document[section]["data"]:
                planted = Planter(lambda path: path, lambda path: path).model(kind, section)
                document[section] = planted.model_dump(mode="json")
        found[record.machines[0]] = hostile.as_printed(document)
    return found


DOCUMENTS = documents()


def growing_places() -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Every list and map with something in it."""
    for name, document in DOCUMENTS.items():
        for place in places(document):
            if place[0] not in ("pings", "tls_versions"):
                yield name, place


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to all lists, and to maps of free names, within a JSON value."""
    if isinstance(value, list):
        if value:
            yield at
        for number, member in enumerate(value[:1]):
            yield from places(member, (*at, number))
    elif isinstance(value, dict):
        if (
            value
            and at
            and at[-1] in ("environment", "settings", "data", "facts")
            and all(isinstance(each, str) for each in value.values())
        ):
            yield at
        for key, member in value.items():
            yield from places(member, (*at, key))


def grown(document: dict[str, Any], place: tuple[Any, ...], size: int) -> dict[str, Any]:
    """The document with so many entries there, each a little different from the others."""
    changed = copy.deepcopy(document)
    at: Any = changed
    for step in place[:-1]:
        at = at[step]
    value = at[place[-1]]
    if isinstance(value, list):
        at[place[-1]] = [varied(value[number % len(value)], number) for number in range(size)]
    else:
        at[place[-1]] = value | {f"name-{number}": "value" for number in range(size)}
    return changed


FREE = frozenset(
    {"name", "path", "text", "detail", "sid", "account", "remote_address", "where", "signature", "instance"}
)


def varied(value: Any, number: int) -> Any:
    """Another one like it: texts that are free get a number, ports and the like stay."""
    if isinstance(value, str):
        return f"{value}{number}"
    if not isinstance(value, dict):
        return value
    return {
        key: f"{member}{number}" if key in FREE and isinstance(member, str) and number else copy.deepcopy(member)
        for key, member in value.items()
    }


def measured(name: str, place: tuple[Any, ...], size: int) -> float:
    """CPU seconds of a whole run."""
    answers = {each: hostile.framed(document, packed=True) for each, document in DOCUMENTS.items()}
    answers[name] = hostile.framed(grown(DOCUMENTS[name], place, size), packed=True)
    with pytest.MonkeyPatch.context() as patch:
        start = time.process_time()
        hostile.run(patch, answers, machine_timeout=600)
        return time.process_time() - start


if __name__ == "__main__":
    sys.exit(main())
