"""`pytest-tentacle pong`: answers `ping`, and Octopus's own TentaclePing, at the other end of a way."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time

from pytest_tentacle.link.deadline import Deadline
from pytest_tentacle.link.pings.pong import Event, Pong

_GLANCE = 0.2


def add(parser: argparse.ArgumentParser) -> None:
    """What may follow the command."""
    parser.add_argument("--port", type=int, required=True, help="TCP port to listen on; 0 for any free one")
    parser.add_argument("--bind", metavar="ADDR", help="address to listen on (default: all, IPv4 and IPv6)")
    parser.add_argument("--duration", type=float, metavar="SECONDS", help="stop after this time")


def run(options: argparse.Namespace) -> int:
    """Exit code 0 after Ctrl-C or `--duration`, 1 where the port cannot be had."""
    pong = Pong(options.port, bind=options.bind, on_event=_print)
    try:
        pong.start()
    except (OSError, OverflowError) as error:
        sys.stderr.write(f"cannot listen on port {options.port}: {error}\n")
        return 1
    try:
        sys.stdout.write(f"listening on port {pong.port}, thumbprint {pong.certificate.thumbprint}; Ctrl-C ends it\n")
        sys.stdout.flush()
        deadline = None if options.duration is None else Deadline(options.duration)
        with contextlib.suppress(KeyboardInterrupt):  # the way to end it
            while deadline is None or deadline.left:
                time.sleep(_GLANCE if deadline is None else min(_GLANCE, deadline.left))
    finally:
        pong.stop()
    return 0


def _print(event: Event) -> None:
    sys.stdout.write(f"{event.time_utc:%Y-%m-%dT%H:%M:%SZ} {event.client} {event.what}\n")
    sys.stdout.flush()
