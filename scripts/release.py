"""Turn the changelog's "Unreleased" into a release, with the SHA-256 of each survey script that it sends.

    python scripts/release.py 1.0.0

Those who watch over machines allow a survey by that hash (docs/security-team.md), so each release tells its own. An
empty "Unreleased" is put before it.
"""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from pytest_tentacle.survey.scripts.shown import SYSTEMS, script_sha256

CHANGELOG = Path(__file__).resolve().parent.parent / "CHANGELOG.md"
UNRELEASED = "## Unreleased\n"
_VERSION = re.compile(r"\d+\.\d+\.\d+(?:[a-z]+\d+)?")


def released(text: str, version: str, day: str) -> str:
    """The changelog with a release in it.

    Args:
        text: the changelog.
        version: such as `1.0.0`.
        day: of the release, as `2027-01-31`.

    Raises ValueError where that is no version, is there already, or there is nothing to release.
    """
    if not _VERSION.fullmatch(version):
        raise ValueError(f"{version} is no version such as 1.0.0")
    if f"\n## {version} " in text:
        raise ValueError(f"{version} is released")
    head, found, rest = text.partition(UNRELEASED)
    if not found or not rest.partition("\n## ")[0].strip():
        raise ValueError("there is nothing to release")
    hashes = "".join(f"- `{system}`: `{script_sha256(system)}`\n" for system in SYSTEMS)
    told = f"Survey scripts (`pytest-tentacle script ...`), SHA-256:\n\n{hashes}"
    return f"{head}{UNRELEASED}\n## {version} ({day})\n\n{told}\n{rest.lstrip()}"


def main() -> int:
    """Write it."""
    if len(sys.argv) != 2:  # noqa: PLR2004  the program, and a version
        sys.exit(__doc__)
    text = CHANGELOG.read_text(encoding="utf-8")
    try:
        text = released(text, sys.argv[1], f"{datetime.now(UTC):%Y-%m-%d}")
    except ValueError as error:
        sys.exit(str(error))
    CHANGELOG.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
