"""`csv:machines.csv`: a table of machines, a row each. Its columns are the keys of an entry, and those of a log-on."""

from __future__ import annotations

import csv
import io
from typing import Any

from pytest_tentacle.inventory.faults import Faults, Place, did_you_mean
from pytest_tentacle.inventory.file_model import ServerEntry, TentacleEntry, TransportPart
from pytest_tentacle.inventory.nodes import Entry, ListValue, MapValue, ScalarValue, Value

from .plain import nodes_of

_OWN = ("role", "transport")
_LISTS = frozenset({"groups", "servers", "addresses", "polling_ports"})
_LEFT_OUT = frozenset({"waive", "lab"})
_SAME = {
    "hostname": "dns_name",
    "fqdn": "dns_name",
    "address": "ip",
    "ip_address": "ip",
    "machine": "name",
}
"""What people call columns, where it is clear what they mean."""


def read_table(name: str, raw: bytes, faults: Faults) -> MapValue | None:
    """The table as the root of an inventory; None where it is none, which is noted.

    A row is a Tentacle, or with `server` in the column `role` a server node. Lists are divided by blanks or semicolons;
    `transport` is the kind of log-on, and `user`, `password`, `key` ... its settings. `${env:NAME}` means what it means
    in our own files, since a person wrote the table, too.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        faults.add(Place(name), "the table is not UTF-8", hint="save it as CSV UTF-8")
        return None
    rows = csv.reader(io.StringIO(text), _dialect(text))
    try:
        heading = [_column(each) for each in next(rows, [])]
        if not _heading_is_right(name, heading, faults):
            return None
        found: dict[str, list[Any]] = {"servers": [], "tentacles": []}
        for row in rows:
            if any(cell.strip() for cell in row):
                place = Place(name, rows.line_num, 1)
                role, entry = _entry(dict(zip(heading, row, strict=False)), place)
                found[role].append(entry)
    except csv.Error as error:
        faults.add(Place(name, rows.line_num, 1), f"the table cannot be read: {error}")
        return None
    groups = {group.text: None for entries in found.values() for entry in entries for group in _groups(entry)}
    return nodes_of({"groups": groups, **{key: value for key, value in found.items() if value}}, Place(name, 1, 1))


def _groups(entry: MapValue) -> list[ScalarValue]:
    value = entry.entries["groups"].value if "groups" in entry.entries else None
    return [item for item in value.items if isinstance(item, ScalarValue)] if isinstance(value, ListValue) else []


def _dialect(text: str) -> type[csv.Dialect]:
    """Excel writes semicolons where the decimal sign is a comma."""
    first = text.partition("\n")[0]
    sign = max(",;\t", key=first.count)

    class Found(csv.excel):
        delimiter = sign

    return Found


def _column(cell: str) -> str:
    word = cell.strip().lower().replace(" ", "_")
    return _SAME.get(word, word)


def _known() -> set[str]:
    keys = {*ServerEntry.model_fields, *TentacleEntry.model_fields} - _LEFT_OUT
    return {*keys, *_OWN, *(TransportPart.model_fields)}


def _heading_is_right(name: str, heading: list[str], faults: Faults) -> bool:
    place = Place(name, 1, 1)
    if "name" not in heading:
        faults.add(
            place, "the table has no column name", hint="its first row names the columns: name, mode, dns_name ..."
        )
        return False
    right = True
    for column in heading:
        if column and column not in _known():
            faults.add(place, "unknown column", column, did_you_mean(column, _known()))
            right = False
    settings = set(heading) & set(TransportPart.model_fields) - {"kind"}
    if settings and not {"kind", "transport"} & set(heading):
        faults.add(
            place, f"the column {min(settings)} needs a column transport", hint="in each row: winrm, ssh, local or none"
        )
        right = False
    if len(set(heading)) != len(heading):
        faults.add(place, "a column stands there twice")
        right = False
    return right


def _entry(cells: dict[str, str], place: Place) -> tuple[str, MapValue]:
    role = "servers" if cells.pop("role", "").strip().lower() in {"server", "octopus server", "node"} else "tentacles"
    entry = MapValue(place)
    own = {*TentacleEntry.model_fields, *ServerEntry.model_fields} - {"transport"}
    log_on = MapValue(place)
    for column, cell in cells.items():
        text = cell.strip()
        if not text or not column:
            continue
        if column in _LISTS:
            words = [word for word in text.replace(";", " ").split() if word]
            value: Value = ListValue(place, [ScalarValue(word, "text", place) for word in words])
        else:
            value = ScalarValue(text, "text", place)
        if column in own:
            entry.entries[column] = Entry(place, value)
        else:
            log_on.entries["kind" if column == "transport" else column] = Entry(place, value)
    if log_on.entries:
        entry.entries["transport"] = Entry(place, log_on)
    return role, entry
