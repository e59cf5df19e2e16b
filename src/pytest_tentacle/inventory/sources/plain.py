"""Plain values that a program gave, as the nodes of a file: with a place, and without any meaning of `${...}`."""

from __future__ import annotations

from typing import Any, cast

from pytest_tentacle.inventory.faults import Place
from pytest_tentacle.inventory.nodes import Entry, ListValue, MapValue, ScalarValue, Value


def nodes_of(value: dict[str, Any], place: Place) -> MapValue:
    """A map of plain values: texts, numbers, booleans, None, lists, maps, and nodes, which stay as they are."""
    return cast("MapValue", _node(value, place))


def _node(value: Any, place: Place) -> Value:
    match value:
        case MapValue() | ListValue() | ScalarValue():
            return value
        case dict():
            return MapValue(place, {str(key): Entry(place, _node(each, place)) for key, each in value.items()})
        case list() | tuple():
            return ListValue(place, [_node(each, place) for each in value])
        case bool() | None:
            return ScalarValue("" if value is None else str(value).lower(), "null" if value is None else "bool", place)
        case _:
            number = isinstance(value, int | float)
            return ScalarValue(str(value), "number" if number else "literal", place)
