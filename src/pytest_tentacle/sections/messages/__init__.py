from __future__ import annotations

from .checks import own_log_holds_no_such_message, servers_logs_hold_no_such_message

__all__ = [
    "own_log_holds_no_such_message",
    "servers_logs_hold_no_such_message",
]
