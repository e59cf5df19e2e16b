"""Something answers in the peer's place, or opens the connection on its way (guide, "Watch out for proxy servers")."""

from __future__ import annotations

from .cut_off import CUT_OFF
from .strangers import STRANGERS
from .two_owners import TWO_OWNERS

INTERCEPTION = (*STRANGERS, *CUT_OFF, *TWO_OWNERS)
