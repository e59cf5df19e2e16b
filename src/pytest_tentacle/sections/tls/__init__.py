from __future__ import annotations

from .checks import *
from .dotnet import *
from .root_lists import *
