"""A DNS server in the router that answers badly: how, is its second argument.

    servfail        every query fails
    loop <name>     that name is an alias of itself
    slow            answers after 2 s
    garbage         what comes back is no DNS
    long            answers are cut off, and no server listens on TCP
    refuses <name>  that name is refused
    deaf            answers no question for IPv6
    dangling <name> that name is an alias of one that has no record
    flips <name> <address>  every second question for that name gets that address
    elsewhere       answers come from another address of the router

Arguments: the address, the mood, names. Other names have the addresses of `/mnt/router/dns-a.hosts`.
"""

from __future__ import annotations

import socket
import struct
import sys
import threading
import time
from itertools import count
from pathlib import Path

_A, _CNAME, _AAAA = 1, 5, 28
_asked = count()


def main() -> None:
    """Until it is ended."""
    address, mood, *names = sys.argv[1:]
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, 53))
    lines = Path("/mnt/router/dns-a.hosts").read_text(encoding="ascii").splitlines()
    records = {name: given for given, name in (line.split() for line in lines)}
    while True:
        query, asker = server.recvfrom(4096)
        given = (query, asker, mood, names, records)
        threading.Thread(target=_answer, args=(server, *given), daemon=True).start()


def _answer(
    server: socket.socket, query: bytes, asker: object, mood: str, names: list[str], records: dict[str, str]
) -> None:
    end = query.index(b"\0", 12) + 5
    question = query[12:end]
    labels, place = [], 0
    while length := question[place]:
        labels.append(question[place + 1 : place + 1 + length].decode("ascii", "replace"))
        place += 1 + length
    name, kind = ".".join(labels).lower(), struct.unpack(">H", question[-4:-2])[0]
    if mood == "garbage":
        server.sendto(b"HTTP/1.1 400 Bad Request\r\n\r\n", asker)  # type: ignore[arg-type]
        return
    if mood == "deaf" and kind == _AAAA:
        return
    if mood == "slow":
        time.sleep(2)
    code, answers = _records(mood, name, kind, names, records)
    header = query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, 1 if answers else 0, 0, 0)
    if mood == "elsewhere":
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind(("10.10.3.1", 0))
    server.sendto(header + question + answers, asker)  # type: ignore[arg-type]


def _records(mood: str, name: str, kind: int, names: list[str], records: dict[str, str]) -> tuple[int, bytes]:
    """The answer's code, with its flag for an answer that is cut off, and its records."""
    if mood in {"long", "servfail"}:
        return (0x200 if mood == "long" else 2), b""
    if name in names and mood == "refuses":
        return 5, b""
    if name in names and mood == "loop":
        return 0, b"\xc0\x0c" + struct.pack(">HHIH", _CNAME, 1, 60, 2) + b"\xc0\x0c"
    if name in names and mood == "dangling":
        zone = 13 + name.index(".")
        return 3, b"\xc0\x0c" + struct.pack(">HHIH", _CNAME, 1, 60, 10) + b"\7retired\xc0" + bytes([zone])
    if name not in records:
        return 3, b""
    if mood == "flips" and kind == _A and name == names[0] and next(_asked) % 2:
        records = {name: names[1]}
    address = b"\xc0\x0c" + struct.pack(">HHIH", _A, 1, 60, 4) + socket.inet_aton(records[name])
    return 0, address if kind == _A else b""


if __name__ == "__main__":
    main()
