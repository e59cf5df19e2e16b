from __future__ import annotations

from .certificate import *
from .checks import *
from .octopus import *
from .private_key import *
