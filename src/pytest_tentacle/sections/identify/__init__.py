from __future__ import annotations

from .before_home import *
from .both_ends import *
from .calls import *
from .checks import *
from .octopus import *
from .registering import *
from .running_settings import *
