"""Since when a link does not work, and what changed then: one timeline of both ends and Octopus."""

from __future__ import annotations

from .moments import Kind, Moment
from .story import History, histories_of

__all__ = ["History", "Kind", "Moment", "histories_of"]
