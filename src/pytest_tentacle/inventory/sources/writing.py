"""A source's machines as the text of an inventory file of ours, to be reviewed and kept."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from ruamel.yaml import YAML

from pytest_tentacle.inventory.file_model import SECRET_KEYS

_SECRET = "${env:TENTACLE_PASSWORD}"  # noqa: S105  a reference
_HEAD = "# yaml-language-server: $schema=schema.json\n"


def inventory_text(entries: dict[str, Any], source: str, notes: Sequence[str] = ()) -> str:
    """The YAML of plain entries.

    A secret that the source gave is not written: a reference to the variable TENTACLE_PASSWORD stands there.

    Args:
        entries: as a file has them, under `groups`, `servers` and `tentacles`.
        source: where they come from, for the first line.
        notes: sentences that belong beside them.
    """
    yaml = YAML()
    yaml.width = 160
    yaml.indent(mapping=2, sequence=4, offset=2)
    text = io.StringIO()
    yaml.dump({key: _shown(value) for key, value in entries.items() if value}, text)
    lines = [f"Machines of {source}. Review it, add how to log on, and run: pytest --inventory=FILE", *notes]
    return _HEAD + "".join(f"# {' '.join(line.split())}\n" for line in lines) + "\n" + text.getvalue()


def _shown(value: Any, key: str = "") -> Any:
    if key in SECRET_KEYS and value is not None:
        return _SECRET
    if isinstance(value, dict):
        return {name: _shown(each, name) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(each) for each in value]
    return value
