"""One inventory file, read and checked on its own: its defaults, groups and entries as layers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from .faults import Faults, Place
from .fields import invisible_in
from .file_model import (
    Defaults,
    GroupSettings,
    InventoryFile,
    OctopusSettings,
    ServerDefaults,
    ServerEntry,
    TentacleDefaults,
    TentacleEntry,
)
from .layers import Layer, LayerReader
from .nodes import Entry, ListValue, MapValue, ScalarValue, Value, is_null, kind_of


@dataclass(frozen=True)
class Declaration:
    """A machine as it is declared, the defaults of its file below it, and between them what Octopus says of it."""

    layer: Layer
    defaults: Layer | None
    below: Layer | None = None


@dataclass(frozen=True)
class OctopusBlock:
    """The `octopus:` block of a file."""

    place: Place
    layer: Layer


@dataclass
class Document:
    """What one file declares."""

    file: str
    groups: dict[str, Layer] = field(default_factory=dict)
    servers: list[Declaration] = field(default_factory=list)
    tentacles: list[Declaration] = field(default_factory=list)
    defaults: dict[str, Layer] = field(default_factory=dict)
    """For `servers` and `tentacles`, where the file has entries or defaults of them."""
    octopus: OctopusBlock | None = None
    is_lab: bool = False
    lab_settings: dict[str, Any] = field(default_factory=dict)


def document_of(file: str, root: MapValue, reader: LayerReader, faults: Faults) -> Document:
    """What a map that is the root of an inventory declares; faults are noted."""
    return _DocumentReader(root, reader, faults).read(Document(file))


class _DocumentReader:
    def __init__(self, root: MapValue, reader: LayerReader, faults: Faults) -> None:
        self._root = root
        self._reader = reader
        self._faults = faults

    def read(self, document: Document) -> Document:
        self._refuse_unknown(self._root, InventoryFile, "the inventory")
        defaults = self._map(self._root, "defaults")
        self._refuse_unknown(defaults, Defaults, "defaults")
        document.groups = self._groups()
        document.defaults = {
            "servers": self._defaults(defaults, "server", ServerDefaults),
            "tentacles": self._defaults(defaults, "tentacle", TentacleDefaults),
        }
        document.servers = self._entries("servers", ServerEntry, document.defaults["servers"])
        document.tentacles = self._entries("tentacles", TentacleEntry, document.defaults["tentacles"])
        document.octopus = self._octopus()
        self._read_lab(document)
        return document

    def _map(self, parent: MapValue, key: str) -> MapValue:
        """The map behind a key; an empty one where there is none."""
        entry = parent.entries.get(key)
        if entry is not None and isinstance(entry.value, MapValue):
            return entry.value
        if entry is not None and not is_null(entry.value):
            self._wrong_type(key, "a mapping", entry.value)
        return MapValue(parent.place)

    def _wrong_type(self, key: str, wanted: str, value: Value) -> None:
        self._faults.add(value.place, f"{key} must be {wanted}, not {kind_of(value)}")

    def _refuse_unknown(self, node: MapValue, model: type[BaseModel], of: str) -> None:
        for key, entry in node.entries.items():
            if key not in model.model_fields:
                invisible = invisible_in(key)
                near = self._faults.near(key, model.model_fields)
                hint = near or f"known are {', '.join(model.model_fields)}"
                if invisible is not None:
                    hint = f"it has an invisible character: {invisible}; {hint}"
                alone = is_null(entry.value) and near is None  # `password:hunter2` without a blank is one
                self._faults.add(entry.key_place, f"unknown key of {of}", None if alone else key, hint)

    def _defaults(self, node: MapValue, key: str, model: type[BaseModel]) -> Layer:
        return self._reader.read(self._map(node, key), model)

    def _groups(self) -> dict[str, Layer]:
        node = self._map(self._root, "groups")
        groups = {}
        for name, entry in node.entries.items():
            self._check_group_name(name, entry)
            groups[name] = self._reader.read(self._map(node, name), GroupSettings)
        return groups

    def _check_group_name(self, name: str, entry: Entry) -> None:
        """By the rules for a machine's name: both stand in --limit."""
        probe = MapValue(entry.key_place, {"name": Entry(entry.key_place, ScalarValue(name, "text", entry.key_place))})
        self._reader.read(probe, TentacleEntry)

    def _entries(self, key: str, model: type[BaseModel], defaults: Layer) -> list[Declaration]:
        entry = self._root.entries.get(key)
        if entry is None or is_null(entry.value):
            return []
        if not isinstance(entry.value, ListValue):
            self._wrong_type(key, "a list", entry.value)
            return []
        layers = (self._entry(item, key, model) for item in entry.value.items)
        return [Declaration(layer, defaults) for layer in layers if layer is not None]

    def _entry(self, item: Value, key: str, model: type[BaseModel]) -> Layer | None:
        if isinstance(item, ScalarValue) and not is_null(item):  # a name alone
            item = MapValue(item.place, {"name": Entry(item.place, item)})
        if isinstance(item, MapValue):
            return self._reader.read(item, model)
        self._wrong_type(f"an entry of {key}", "a name or a mapping", item)
        return None

    def _octopus(self) -> OctopusBlock | None:
        entry = self._root.entries.get("octopus")
        if entry is None or is_null(entry.value):
            return None
        node = self._map(self._root, "octopus")
        return OctopusBlock(node.place, self._reader.read(node, OctopusSettings))

    def _read_lab(self, document: Document) -> None:
        entry = self._root.entries.get("lab")
        if entry is None or is_null(entry.value):
            return
        if isinstance(entry.value, ScalarValue):
            if entry.value.kind != "bool":
                self._faults.add(entry.value.place, "lab must be true, false or a mapping", entry.value.text)
            document.is_lab = entry.value.text.lower() == "true"
            return
        document.is_lab = True
        document.lab_settings = self._reader.free_map(entry.value, "lab")
