from __future__ import annotations

from .checks import *
from .octopus import *
from .process_account import *
from .registered import *
from .server_ports import *
