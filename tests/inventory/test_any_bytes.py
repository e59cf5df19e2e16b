"""Whatever a file holds, it is an inventory, or its faults are told."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytest_tentacle.inventory import InventoryError, load
from pytest_tentacle.inventory.faults import Faults, Place
from pytest_tentacle.inventory.nodes import parse


class TestAnyBytes:
    @given(
        raw=st.binary(max_size=60) | st.text(alphabet="ab:-[]{}&*!|>'\"#%@`,?<~ \n\t\\$", max_size=40).map(str.encode)
    )
    def test_never_raise(self, raw):
        """Whatever a file holds: it is a tree, or there is a fault; nothing is raised."""
        faults = Faults()
        root = parse("f", raw, faults)
        assert root is not None or faults
        for fault in faults.error(["f"]).faults:
            assert str(fault).startswith(str(Place("f", fault.line, fault.column)))

    @given(
        value=st.recursive(
            st.sampled_from(["~", "true", "1", "a", "''", "'${env:A}'", "'${x:y}'", "1.5", "2024-01-01", "winrm"]),
            lambda inner: (
                st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
                | st.dictionaries(
                    st.sampled_from(["name", "transport", "kind", "port", "groups", "lab", "password", "x"]),
                    inner,
                    max_size=3,
                ).map(lambda items: "{" + ", ".join(f"{k}: {v}" for k, v in items.items()) + "}")
            ),
            max_leaves=8,
        ),
        key=st.sampled_from(["defaults", "groups", "servers", "tentacles", "lab", "other"]),
    )
    def test_any_shape_loads_or_is_told(self, tmp_path_factory, key, value):
        """Any YAML in any place gives an inventory or an InventoryError, never another exception."""
        path = tmp_path_factory.getbasetemp() / "shape.yaml"
        path.write_text(f"{key}: {value}\ntentacles: [t]\n" if key != "tentacles" else f"tentacles: [{value}]\n")
        try:
            inventory = load([path], {"A": "a"})
        except InventoryError as error:
            told = [fault.line > 0 for fault in error.faults]
        else:
            told = [bool(inventory.machines)]
        assert told
        assert all(told)
