"""Loopback addresses for lab machines: a block of 127.0.0.0/8 of this process's own, so that labs run side by side."""

from __future__ import annotations

import random
import socket

MACHINES_PER_NETWORK = 90
"""Own addresses end in 10..99; the same plus 100 is where a middle box stands."""


class Addresses:
    """Hands out addresses; all machines use the same ports: the products' own, where those are free."""

    def __init__(self) -> None:
        # Drawn from the system, so that two labs started at once do not draw alike.
        generator = random.SystemRandom()
        self._second, self._third = generator.randrange(1, 250), generator.randrange(0, 200)
        self._taken = 0

    def take(self) -> str:
        """The next address."""
        network, host = divmod(self._taken, MACHINES_PER_NETWORK)
        self._taken += 1
        return f"127.{self._second}.{self._third + network}.{10 + host}"

    def free_port(self, wanted: int) -> int:
        """The wanted port, or the next one that this machine's own services leave free."""
        probe = f"127.{self._second}.{self._third}.1"
        for port in range(wanted, wanted + 200, 2):
            if _can_bind(probe, port) and _can_bind(probe, port + 1):
                return port
        raise OSError(f"no free port from {wanted} on {probe}")


def _can_bind(address: str, port: int) -> bool:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((address, port))
            trial.listen(1)
        except OSError:
            return False
    return True
