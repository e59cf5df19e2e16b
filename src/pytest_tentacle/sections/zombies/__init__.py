from __future__ import annotations

from .checks import nothing_left_over_holds_the_port

__all__ = [
    "nothing_left_over_holds_the_port",
]
