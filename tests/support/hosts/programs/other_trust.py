"""Makes one of the thumbprints that a Tentacle trusts another's: FILE NUMBER, of its configuration file, from 0."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ANOTHER = "AB" * 20


def main() -> None:
    """In the order in which the file has them."""
    path, wanted = Path(sys.argv[1]), int(sys.argv[2])
    numbers = iter(range(99))
    text = path.read_text(encoding="utf-8")
    changed = re.sub(
        r'("|&quot;)Thumbprint\1: \1([0-9A-F]{40})\1',
        lambda found: found[0].replace(found[2], ANOTHER) if next(numbers) == wanted else found[0],
        text,
    )
    if changed == text:
        sys.exit(f"{path} has no thumbprint number {wanted}")
    path.write_text(changed, encoding="utf-8")


if __name__ == "__main__":
    main()
