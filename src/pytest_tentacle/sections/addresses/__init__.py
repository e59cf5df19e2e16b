from __future__ import annotations

from .checks import *
from .own_names import *
from .resolving import *
from .several import *
