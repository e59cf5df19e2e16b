"""A program in the kernel, as clouds' networks, agents of security and `ip vrf exec` load them: no rule of a packet filter.

    xdp <port|none> <pin>             drops TCP to or from that port where packets come in (`ip link set DEV xdpgeneric pinned PIN`)
    tc <port|none> <pin>              the same at a queue (`tc filter add dev DEV ingress bpf da pinned PIN`)
    connect <port|none> <cgroup>      refuses the processes of a control group connections to that port
    interface <device> <cgroup>       lets them use that device alone, as RestrictNetworkInterfaces= does
    device <device> <cgroup>          ties the sockets that they open to a device, as a VRF's are

`none`: it lets all through. Written in the kernel's own instructions, as no compiler for them is at hand.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import sys

_BPF, _LOAD, _PIN, _ATTACH = 321, 5, 6, 8
_KINDS = {"xdp": 6, "tc": 3, "connect": 18, "device": 9, "interface": 8}
_HOOKS = {"connect": (10,), "device": (2,), "interface": (0, 1)}
_PASS = {"xdp": 2, "tc": 0, "connect": 1, "device": 1, "interface": 1}
_DROP = {"xdp": 1, "tc": 2, "connect": 0, "interface": 0}


def _code(op: int, to: int = 0, source: int = 0, offset: int = 0, number: int = 0) -> bytes:
    return struct.pack("<BBhi", op, source << 4 | to, offset, number)


def _returned(number: int) -> bytes:
    return _code(0xB7, 0, number=number) + _code(0x95)


def _packets(kind: str, port: int) -> bytes:
    """IPv4's TCP with that port at either end is dropped; headers without options."""
    data, end = (0, 4) if kind == "xdp" else (76, 80)
    wire = socket.htons(port)
    # From the end: how many instructions each jump has to leave out is the number of those that follow.
    dropped, passed = _returned(_DROP[kind]), _returned(_PASS[kind])
    checks = [
        _code(0x71, 5, 2, 23),  # the protocol
        _code(0x55, 5, offset=4 + 2, number=6),  # another than TCP: passed
        _code(0x69, 5, 2, 36),  # the port that it goes to
        _code(0x15, 5, offset=4, number=wire),
        _code(0x69, 5, 2, 34),  # the port that it comes from
        _code(0x15, 5, offset=2, number=wire),
    ]
    checks[1] = _code(0x55, 5, offset=4, number=6)
    begin = [
        *(
            []
            if kind == "xdp"
            else [_code(0xBF, 6, 1), _code(0xB7, 2, number=54), _code(0x85, number=39), _code(0xBF, 1, 6)]
        ),
        _code(0x61, 2, 1, data),
        _code(0x61, 3, 1, end),
        _code(0xBF, 4, 2),
        _code(0x07, 4, number=54),
        _code(0x2D, 4, 3, len(checks)),  # too short: passed
    ]
    return b"".join([*begin, *checks]) + passed + dropped


def _program(kind: str, what: str) -> bytes:
    if kind == "device":
        return _code(0x62, 1, offset=0, number=socket.if_nametoindex(what)) + _returned(_PASS[kind])
    if kind == "interface":
        meets = _code(0x61, 2, 1, 40) + _code(0x15, 2, offset=2, number=socket.if_nametoindex(what))
        return meets + _returned(_DROP[kind]) + _returned(_PASS[kind])
    if what == "none":
        return _returned(_PASS[kind])
    if kind == "connect":
        meets = _code(0x61, 2, 1, 24) + _code(0x15, 2, offset=2, number=socket.htons(int(what)))
        return meets + _returned(_PASS[kind]) + _returned(_DROP[kind])
    return _packets(kind, int(what))


def _call(command: int, form: str, *values: int | bytes) -> int:
    given = struct.pack(form, *values).ljust(128, b"\0")
    number = ctypes.CDLL(None, use_errno=True).syscall(_BPF, command, ctypes.create_string_buffer(given, 128), 128)
    if number < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(number)


def main() -> None:
    """Loads it, and keeps it."""
    kind, what, where = sys.argv[1:]
    program = _program(kind, what)
    code, license_, log = (
        ctypes.create_string_buffer(program),
        ctypes.create_string_buffer(b"GPL"),
        ctypes.create_string_buffer(65536),
    )
    at = ctypes.addressof
    try:
        loaded = _call(
            _LOAD,
            "<IIQQIIQII16sII",
            _KINDS[kind],
            len(program) // 8,
            at(code),
            at(license_),
            1,
            65536,
            at(log),
            0,
            0,
            b"guard",
            0,
            _HOOKS.get(kind, (0,))[0],
        )
    except OSError:
        print(log.value.decode(), file=sys.stderr)
        raise
    if kind in _HOOKS:
        for hook in _HOOKS[kind]:
            _call(_ATTACH, "<IIII", os.open(where, os.O_RDONLY), loaded, hook, 0)
    else:
        path = ctypes.create_string_buffer(where.encode())
        _call(_PIN, "<QII", at(path), loaded, 0)


if __name__ == "__main__":
    main()
