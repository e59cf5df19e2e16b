from __future__ import annotations

from .checks import *
from .connects import *
