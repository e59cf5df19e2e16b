"""A kind of transport is one class, which says all of itself that others need to know."""

from __future__ import annotations

import pytest

from pytest_tentacle.inventory.credentials import known_secrets, without_credentials
from pytest_tentacle.inventory.file_model import TRANSPORT_MODELS
from pytest_tentacle.inventory.model import KINDS, SSH, Inventory, Local, NoTransport, OperatingSystem, Tentacle, WinRM
from pytest_tentacle.transport import TransportError, open_transport

EACH = (
    WinRM(host="Web.example", user="u", password="canary-1", certificate_key="/canary-2"),
    SSH(
        host="lin.example", user="u", password="canary-3", passphrase="canary-4", key="/canary-5",
        proxy_jump="canary-6@a.example,b.example",
    ),
    Local(),
    NoTransport(),
)  # fmt: skip


def test_an_inventory_can_write_each_kind() -> None:
    """The words of both lists are the same, and each is tried here."""
    assert list(KINDS) == list(TRANSPORT_MODELS) == [settings.kind for settings in EACH]


@pytest.mark.parametrize("settings", EACH, ids=lambda settings: settings.kind)
def test_what_is_saved_is_no_credential(settings) -> None:
    """Neither secrets nor users nor the paths of keys, and the same login all the same."""
    inventory = Inventory(tentacles=(Tentacle(name="t", transport=settings),))
    (saved,) = without_credentials(inventory).tentacles
    text = saved.model_dump_json()
    assert "canary" not in text
    assert saved.transport.users == ()
    assert saved.host_key == inventory.tentacles[0].host_key


def test_secrets_are_known() -> None:
    """Each password and passphrase of each kind."""
    machines = tuple(Tentacle(name=f"t{number}", transport=settings) for number, settings in enumerate(EACH))
    assert known_secrets(Inventory(tentacles=machines)) == {"canary-1", "canary-3", "canary-4"}


def test_what_each_says_of_itself() -> None:
    """Login, system, hosts and users."""
    winrm, ssh, local, none = EACH
    assert (winrm.login, winrm.default_os, winrm.hosts) == ("winrm://web.example:5986", "windows", ("Web.example",))
    assert (ssh.login, ssh.default_os) == ("ssh://lin.example:22", None)
    assert ssh.hosts == ("lin.example", "a.example", "b.example")
    assert ssh.users == ("u", "canary-6")
    assert (local.login, local.default_os in OperatingSystem) == ("local://", True)
    assert (none.login, none.default_os, none.hosts, none.users) == (None, None, (), ())


@pytest.mark.parametrize("settings", EACH, ids=lambda settings: settings.kind)
def test_each_can_be_opened_or_says_why_not(settings) -> None:
    """Nothing is contacted before `connect`."""
    if isinstance(settings, NoTransport):
        with pytest.raises(TransportError, match="without a log-on"):
            open_transport(settings)
    else:
        assert open_transport(settings).requests == 0
