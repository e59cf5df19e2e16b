"""A way that takes long: packets that the router leads into a TUN device come out of it after so many seconds.

Debian's kernels have netem for that; others may not, so this is a box of its own. Arguments: the device, the seconds.
"""

from __future__ import annotations

import fcntl
import os
import select
import struct
import sys
import time
from collections import deque

_TUNSETIFF = 0x400454CA
_IFF_TUN_NO_PI = 0x1001


def main() -> None:
    """Until it is ended."""
    device, seconds = sys.argv[1], float(sys.argv[2])
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, _TUNSETIFF, struct.pack("16sH", device.encode(), _IFF_TUN_NO_PI))
    waiting: deque[tuple[float, bytes]] = deque()
    print("ready", flush=True)
    while True:
        left = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        if select.select([tun], [], [], left)[0]:
            waiting.append((time.monotonic() + seconds, os.read(tun, 65536)))
        while waiting and waiting[0][0] <= time.monotonic():
            os.write(tun, waiting.popleft()[1])


if __name__ == "__main__":
    main()
