from __future__ import annotations

from .checks import help_is_shown_within_a_second

__all__ = [
    "help_is_shown_within_a_second",
]
