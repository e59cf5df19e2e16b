"""Something answers in the peer's place, or opens the connection on its way (guide, "Watch out for proxy servers")."""

from __future__ import annotations

from .cut_off import CUT_OFF
from .strangers import STRANGERS

INTERCEPTION = (*STRANGERS, *CUT_OFF)
