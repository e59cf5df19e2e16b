"""A layer: the settings that one map of a file holds, checked, each with its place; and how layers are merged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, cast

from pydantic import BaseModel, ValidationError

from .faults import Faults, Place
from .fields import FieldError, invisible_in
from .file_model import (
    PATH_KEYS,
    SECRET_KEYS,
    TRANSPORT_MODELS,
    TransportPart,
    Waive,
)
from .nodes import ListValue, MapValue, ScalarValue, Value, is_null, kind_of, place_at, plain, value_at
from .references import References, path_beside

_KIND_NAMES = ", ".join(TRANSPORT_MODELS)
_MODEL_NAMES = {
    "ServerDefaults": "a server",
    "TentacleDefaults": "a Tentacle",
    "ServerEntry": "a server",
    "TentacleEntry": "a Tentacle",
    "GroupSettings": "a group",
    "OctopusSettings": "octopus",
    "Waive": "a waiver",
    "TransportPart": "a transport",
} | {model.__name__: f"transport {kind}" for kind, model in TRANSPORT_MODELS.items()}
_EXPECTED_WORD = re.compile(r"'([^']+)'")


class _Faulty:
    """Stands for a value that is noted as a fault already: nothing more is said about it."""


FAULTY: Final = _Faulty()


class Setting(NamedTuple):
    """A key's checked value. None clears what is inherited; FAULTY is noted already."""

    value: Any
    place: Place
    key_place: Place
    item_places: tuple[Place, ...] = ()
    """Of a list's items."""


@dataclass
class Layer:
    """The settings of one map of a file, or of several on one another."""

    place: Place
    settings: dict[str, Setting] = field(default_factory=dict)
    transport: dict[str, Setting] = field(default_factory=dict)
    transport_place: Place | None = None
    lab: dict[str, Any] = field(default_factory=dict)
    lab_place: Place | None = None

    def value(self, key: str) -> Any:
        """A setting's value; None where it is not set, cleared or faulty."""
        setting = self.settings.get(key)
        return None if setting is None or setting.value is FAULTY else setting.value

    def place_of(self, key: str, item: int = 0) -> Place:
        """Where a setting's value, or an item of it, is written; the map's place where it is not set."""
        setting = self.settings.get(key)
        if setting is None:
            return self.place
        return setting.item_places[item] if setting.item_places else setting.place


class LayerReader:
    """Reads maps of a file into layers, noting every fault."""

    def __init__(self, references: References, faults: Faults) -> None:
        self._references = references
        self._faults = faults

    def read(self, node: MapValue, model: type[BaseModel]) -> Layer:
        """The settings of a map that a model describes; of two keys for one thing the first holds."""
        layer = Layer(node.place, self._settings(node, model, aside=("transport", "lab")))
        if (transport := node.entries.get("transport")) is not None:
            layer.transport_place = transport.key_place
            layer.transport = self._transport(transport.key_place, transport.value)
        if (lab := node.entries.get("lab")) is not None:
            layer.lab_place = lab.key_place
            layer.lab = self.free_map(lab.value, "lab")
        self._join_server_keys(layer)
        return layer

    def free_map(self, node: Value, key: str) -> dict[str, Any]:
        """A map whose keys nobody checks; empty where it is none, which is noted."""
        if isinstance(node, MapValue):
            return cast("dict[str, Any]", plain(node))
        if not is_null(node):
            self._faults.add(node.place, f"{key} must be a mapping, not {kind_of(node)}")
        return {}

    def _join_server_keys(self, layer: Layer) -> None:
        """`server` is short for `servers`, so that either takes the place of either that is inherited."""
        short = layer.settings.pop("server", None)
        if short is None:
            return
        if "servers" in layer.settings:
            self._faults.add(short.key_place, "server and servers are both written", hint="keep one of them")
        layer.settings.setdefault("servers", short)

    def _transport(self, key_place: Place, node: Value) -> dict[str, Setting]:
        if is_null(node):
            return {}
        if isinstance(node, ScalarValue):
            return {"kind": Setting(self._kind(node), node.place, key_place)}
        if isinstance(node, ListValue):
            self._faults.add(node.place, f"transport must be one of {_KIND_NAMES}, or a mapping, not a list")
            return {"kind": Setting(FAULTY, node.place, key_place)}
        model: type[BaseModel] = TransportPart
        kind = node.entries.get("kind")
        if kind is not None:
            word = self._kind(kind.value)
            if word is FAULTY:
                return {"kind": Setting(FAULTY, node.place, key_place)}
            model = TRANSPORT_MODELS[word]
        return self._settings(node, model, aside=())

    def _kind(self, node: Value) -> Any:
        if isinstance(node, ScalarValue):
            word = self._references.text(node)
            if word is None or word in TRANSPORT_MODELS:
                return FAULTY if word is None else word
            hint = self._faults.near(node.text, TRANSPORT_MODELS)
            # what is near none of the words may be a password, typed one line too early
            self._faults.add(node.place, f"transport must be one of {_KIND_NAMES}", node.text if hint else None, hint)
        else:
            self._faults.add(node.place, f"kind must be one of {_KIND_NAMES}, not {kind_of(node)}")
        return FAULTY

    def _settings(self, node: MapValue, model: type[BaseModel], aside: Iterable[str]) -> dict[str, Setting]:
        """Check a map against a model; whatever is faulty in it is noted, and stands as FAULTY."""
        result: dict[str, Setting] = {}
        given: dict[str, Any] = {}
        for key, entry in node.entries.items():
            if key in aside:
                continue
            value: Any = None
            if key in SECRET_KEYS and key in model.model_fields:
                value = self._secret(entry.value, key)
                result[key] = Setting(value, entry.value.place, entry.key_place)
                continue
            if not is_null(entry.value) or (key in model.model_fields and model.model_fields[key].is_required()):
                value = self._plain(entry.value)
            if value is FAULTY:
                result[key] = Setting(FAULTY, entry.value.place, entry.key_place)
            else:
                given[key] = value
        checked = self._check(node, model, given, result)
        for key in given:
            if key not in result:
                entry = node.entries[key]
                value = getattr(checked, key)
                if key in PATH_KEYS and value is not None:
                    value = path_beside(entry.value.place.file, value)
                items = entry.value.items if isinstance(entry.value, ListValue) else ()
                places = tuple(item.place for item in items)
                result[key] = Setting(value, entry.value.place, entry.key_place, places)
        return result

    def _secret(self, node: Value, key: str) -> Any:
        if is_null(node):
            return None
        if isinstance(node, ScalarValue):
            source = self._references.secret_source(node, key)
            return FAULTY if source is None else source
        self._faults.add(node.place, f"{key} must be text, not {kind_of(node)}")
        return FAULTY

    def _plain(self, node: Value) -> Any:
        """Text, bool, None, and lists and maps of them; numbers stay text, for their spelling."""
        match node:
            case MapValue(entries=entries):
                return {key: self._plain(entry.value) for key, entry in entries.items()}
            case ListValue(items=items):
                values = [self._plain(item) for item in items]
                return FAULTY if FAULTY in values else values
            case ScalarValue(kind="null"):
                return None
            case ScalarValue(kind="bool", text=text):
                return text.lower() == "true"
            case ScalarValue():
                text_value = self._references.text(node)
                return FAULTY if text_value is None else text_value

    def _check(
        self, node: MapValue, model: type[BaseModel], given: dict[str, Any], result: dict[str, Setting]
    ) -> BaseModel | None:
        """The model's instance of what is right in `given`; what is wrong goes into `result` as FAULTY."""
        right = dict(given)
        for name in result:  # so that a required key that is faulty is not called missing as well
            right.pop(name, None)
        while True:
            try:
                return model.model_validate(right)
            except ValidationError as error:
                details = error.errors(include_url=False)
            for detail in details:
                self._note(node, model, detail, result)
            wrong = {str(detail["loc"][0]) for detail in details}
            for key in wrong:
                if key in right:
                    entry = node.entries[key]
                    result[key] = Setting(FAULTY, entry.value.place, entry.key_place)
            remaining = {key: value for key, value in right.items() if key not in wrong}
            if any(detail["type"] == "missing" for detail in details) or len(remaining) == len(right):
                return model.model_construct(**remaining)
            right = remaining

    def _note(self, node: MapValue, model: type[BaseModel], detail: Any, result: dict[str, Setting]) -> None:
        location: tuple[int | str, ...] = detail["loc"]
        key = str(location[0])
        inner = location[-1]
        if key == "waive" and len(location) > 1 and isinstance(inner, str):
            model, key = Waive, inner
        kind: str = detail["type"]
        if kind == "extra_forbidden":
            alone = is_null(value_at(node, location))
            self._note_unknown_key(place_at(node, location, of_key=True), key, model, alone=alone)
            return
        if kind == "missing":
            if str(location[0]) not in result:
                place = place_at(node, location)
                self._faults.add(place, f"the key {key} of {_MODEL_NAMES[model.__name__]} is missing")
            return
        place = place_at(node, location)
        written = _written(node, location)
        problem = detail.get("ctx", {}).get("error")
        if isinstance(problem, FieldError):
            shown = written if problem.show else None
            self._faults.add(place, f"{key} {problem.predicate}", shown, problem.hint)
            return
        words = _EXPECTED_WORD.findall(str(detail.get("ctx", {}).get("expected", "")))
        if words:
            hint = self._faults.near(written, words) if written else None
            self._faults.add(place, f"{key} must be one of {', '.join(words)}", written if hint else None, hint)
        else:
            self._faults.add(place, f"{key}: {detail['msg']}", written)

    def _note_unknown_key(self, place: Place, key: str, model: type[BaseModel], *, alone: bool) -> None:
        transport_keys = TransportPart.model_fields
        hint = self._faults.near(key, model.model_fields)
        if alone and (hint is None or ":" in key):  # `password:hunter2` without a blank is one
            message = f"unknown key of {_MODEL_NAMES[model.__name__]}, with nothing behind it"
            self._faults.add(place, message, hint="a key needs a colon and a space before its value")
            return
        if (invisible := invisible_in(key)) is not None:
            hint = f"it has an invisible character: {invisible}" + (f"; {hint}" if hint else "")
        elif hint is None and key in transport_keys and "transport" in model.model_fields:
            hint = "it belongs into transport:"
        elif hint is None and key in transport_keys:
            hint = "it is a key of another kind of transport"
        self._faults.add(place, f"unknown key of {_MODEL_NAMES[model.__name__]}", key, hint)


def _written(node: MapValue, location: tuple[int | str, ...]) -> str | None:
    """The value at a location as it is spelled: what `${env:...}` gave is not shown. None for maps and lists."""
    value = value_at(node, location)
    return value.text if isinstance(value, ScalarValue) else None


def merged(layers: Sequence[Layer]) -> Layer:
    """Layers on one another: the later one wins, key by key.

    So within transport too, unless a layer names another kind of it: then nothing of the transport below is left.
    """
    result = Layer(layers[-1].place)
    for layer in layers:
        result.settings.update(layer.settings)
        if layer.transport_place is not None:
            result.transport_place = layer.transport_place
            kind = layer.transport.get("kind")
            below = result.transport.get("kind")
            if kind is not None and below is not None and kind.value != below.value:
                result.transport = {}
            result.transport = {**result.transport, **layer.transport}
        if layer.lab_place is not None:
            result.lab_place = layer.lab_place
            result.lab = {**result.lab, **layer.lab}
    return result
