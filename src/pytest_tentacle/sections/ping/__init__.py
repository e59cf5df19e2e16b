from __future__ import annotations

from .checks import every_attempt_goes_well

__all__ = [
    "every_attempt_goes_well",
]
