from __future__ import annotations

from .checks import *
from .last_resort import *
from .versions import *
