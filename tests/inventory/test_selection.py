"""Which machines `--limit` and `--mode` leave."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_tentacle.inventory import Selection, SelectionError, select
from pytest_tentacle.inventory.model import Inventory, Mode, OctopusServer, Tentacle

INVENTORY = Inventory(
    servers=(OctopusServer(name="octo-1"), OctopusServer(name="octo-2", groups=("dmz",)), OctopusServer(name="idle")),
    tentacles=(
        Tentacle(name="web-1", mode=Mode.LISTENING, servers=("octo-1",), groups=("web",)),
        Tentacle(name="web-2", mode=Mode.POLLING, servers=("octo-1", "octo-2"), groups=("web", "dmz")),
        Tentacle(name="db-1", servers=("octo-2",), groups=("db",)),
        Tentacle(name="lone"),
    ),
)
EVERYTHING = ("octo-1", "octo-2", "idle", "web-1", "web-2", "db-1", "lone")


class TestLimits:
    @pytest.mark.parametrize(
        ("limits", "machines", "peers"),
        [
            ([], EVERYTHING, ()),
            (["web-1"], ("web-1",), ("octo-1",)),
            (["WEB-1"], ("web-1",), ("octo-1",)),
            (["lone"], ("lone",), ()),
            (["web-2", "web-1"], ("web-1", "web-2"), ("octo-1", "octo-2")),
            (["web-2,web-1"], ("web-1", "web-2"), ("octo-1", "octo-2")),
            ([" web-1 , ,db-1 "], ("web-1", "db-1"), ("octo-1", "octo-2")),
            (["web"], ("web-1", "web-2"), ("octo-1", "octo-2")),
            (["dmz"], ("octo-2", "web-2"), ("octo-1",)),
            (["*-1"], ("octo-1", "web-1", "db-1"), ("octo-2",)),
            (["web-[2-9]"], ("web-2",), ("octo-1", "octo-2")),
            (["?eb-1"], ("web-1",), ("octo-1",)),
            (["octo-1"], ("octo-1",), ()),
            (["octo-1,web-1"], ("octo-1", "web-1"), ()),
            (["!web"], ("octo-1", "octo-2", "idle", "db-1", "lone"), ()),
            (["!web", "web-1,db"], ("db-1",), ("octo-2",)),
            (["web", "!octo-2"], ("web-1", "web-2"), ("octo-1",)),
            (["web", "!dmz"], ("web-1",), ("octo-1",)),
            (["web,!octo-*"], ("web-1", "web-2"), ()),
        ],
    )
    def test_selects(self, limits, machines, peers):
        """Terms add up, exclusions win, and servers at the other end of a link are peers unless they are excluded."""
        assert select(INVENTORY, limits, None) == Selection(machines, peers)

    @pytest.mark.parametrize("term", ["web-9", "!web-9", "x*", "!x*"])
    def test_a_term_that_matches_nothing(self, term):
        """Each term must match, an exclusion too: a typing error there would test too much."""
        with pytest.raises(SelectionError) as caught:
            select(INVENTORY, ["web-1", term], None)
        assert caught.value.term == term
        assert str(caught.value).startswith(f"--limit {term!r} matches no machine and no group.")

    def test_the_nearest_names_are_told(self):
        """Names of machines and of groups are offered."""
        with pytest.raises(SelectionError, match=r"Nearest: web-2, web-1, web\.$"):
            select(INVENTORY, ["web-22"], None)
        with pytest.raises(SelectionError, match=r"Nearest: dmz\.$"):
            select(INVENTORY, ["dmzz"], None)

    @pytest.mark.parametrize("limit", ["", " , "])
    def test_an_empty_limit(self, limit):
        """An unset variable in a script must not select everything."""
        with pytest.raises(SelectionError, match="--limit is empty"):
            select(INVENTORY, [limit], None)

    def test_nothing_left(self):
        """A selection that ends up empty is an error that says what was asked."""
        with pytest.raises(
            SelectionError, match=r"^No machine is left by --limit 'web' and --limit '!web'\.$"
        ) as caught:
            select(INVENTORY, ["web", "!web"], None)
        assert caught.value.term is None

    @given(
        included=st.lists(st.sampled_from(EVERYTHING), unique=True),
        excluded=st.lists(st.sampled_from(EVERYTHING), unique=True),
        joined=st.booleans(),
        order=st.randoms(),
    )
    def test_is_a_set_difference(self, included, excluded, joined, order):
        """Whatever the order and the commas: the included without the excluded, in the order of the inventory."""
        terms = [*included, *(f"!{name}" for name in excluded)]
        order.shuffle(terms)
        expected = tuple(n for n in EVERYTHING if n in (included or EVERYTHING) and n not in excluded)
        limits = [",".join(terms)] if joined and terms else terms
        if not expected:
            with pytest.raises(SelectionError):
                select(INVENTORY, limits, None)
            return
        selection = select(INVENTORY, limits, None)
        assert selection.machines == expected
        assert not set(selection.peers) & (set(expected) | set(excluded))


class TestMode:
    @pytest.mark.parametrize(
        ("limits", "mode", "machines", "peers"),
        [
            ([], Mode.LISTENING, ("octo-1", "octo-2", "idle", "web-1", "db-1", "lone"), ()),
            ([], Mode.POLLING, ("octo-1", "octo-2", "idle", "web-2", "db-1", "lone"), ()),
            (["web"], Mode.POLLING, ("web-2",), ("octo-1", "octo-2")),
            (["octo-1,idle"], Mode.POLLING, ("octo-1",), ()),
            (["db"], Mode.POLLING, ("db-1",), ("octo-2",)),
        ],
    )
    def test_selects(self, limits, mode, machines, peers):
        """Undeclared modes stay; servers stay without limits, else if they have a Tentacle of the mode."""
        assert select(INVENTORY, limits, mode) == Selection(machines, peers)

    def test_no_tentacle_of_the_mode(self):
        """Servers alone are no answer to --mode."""
        inventory = Inventory(servers=INVENTORY.servers, tentacles=INVENTORY.tentacles[:1])
        with pytest.raises(SelectionError, match=r"^No Tentacle of the inventory is polling\.$"):
            select(inventory, [], Mode.POLLING)

    def test_limits_and_mode_leave_nothing(self):
        """What was asked is told, limit and mode."""
        with pytest.raises(SelectionError, match=r"--limit 'web-1' and --mode polling"):
            select(INVENTORY, ["web-1"], Mode.POLLING)
