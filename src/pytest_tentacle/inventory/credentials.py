"""An inventory's secrets: which they are, so that reports can be cleaned of them, and the inventory without them."""

from __future__ import annotations

from typing import TypeVar

from .model import Inventory, Machine
from .secrets import Secret

M = TypeVar("M", bound=Machine)


def known_secrets(inventory: Inventory) -> frozenset[str]:
    """Every password and passphrase of the inventory, in clear."""
    found = frozenset[Secret]().union(*(machine.transport.secrets for machine in inventory.machines))
    return frozenset(secret.get_secret_value() for secret in found)


def without_credentials(inventory: Inventory) -> Inventory:
    """The inventory as it may be saved: transports without users, secrets, and the paths of keys and certificates.

    Host and port stay, so that every machine keeps its `host_key`.
    """
    return inventory.model_copy(
        update={
            "servers": tuple(_bare(server) for server in inventory.servers),
            "tentacles": tuple(_bare(tentacle) for tentacle in inventory.tentacles),
            "secret_files": (),
        },
    )


def _bare(machine: M) -> M:
    return machine.model_copy(update={"transport": machine.transport.without_credentials()})
