from __future__ import annotations

from .access_control import *
from .checks import *
