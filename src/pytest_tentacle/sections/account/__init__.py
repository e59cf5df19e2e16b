from __future__ import annotations

from .checks import account_has_full_control

__all__ = [
    "account_has_full_control",
]
