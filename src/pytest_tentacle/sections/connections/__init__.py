from __future__ import annotations

from .across import *
from .firewall import *
from .here import *
from .octopus import *
from .sockets import *
from .ways import *
