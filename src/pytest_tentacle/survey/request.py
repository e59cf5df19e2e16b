"""What a survey script is asked to do, and how the question travels to a machine."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pytest_tentacle.link import PingOrder, Target

ASKED = "asked"
"""What a script says of a target that we asked for: its number in the request. It never learns whose link that is."""


@dataclass(frozen=True)
class Request:
    """One script run's task.

    Attributes:
        gather: read all sections (round 1), or only probe (round 2).
        targets: links to probe, besides those that the script finds in the machine's own configuration when it
            gathers: the local port of each listening instance and server, and each address that a polling instance is
            configured with. With the answers to these come their numbers in this row; with the others the instance.
        ports: TCP ports whose listeners are of interest, besides those found in the configuration.
        probe_seconds: budget of one probe, all stages together.
        budget_seconds: budget of the whole script; what is not done by then is reported as unknown or unavailable.
        ping: also ping, so often or so long, the `ping_targets` and, when it gathers, the addresses that polling
            instances are configured with; None: do not ping.
        names: DNS names that the machine is declared with; it is asked what they resolve to on itself.
        peers: hosts of the other ends of its links; the machine is asked for its way to each.
        identity: speak the Halibut identity lines as well (`--probe-identity`).
        tls_versions: also try each version of TLS once with each of the `version_targets` and, when it gathers, with
            the addresses that polling instances are configured with.
    """

    gather: bool = True
    targets: tuple[Target, ...] = ()
    ports: tuple[int, ...] = ()
    probe_seconds: float = 5.0
    budget_seconds: float = 45.0
    identity: bool = False
    names: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()
    ping: PingOrder | None = None
    ping_targets: tuple[Target, ...] = ()
    tls_versions: bool = False
    version_targets: tuple[Target, ...] = ()


def script_seconds(machine_timeout: float) -> float:
    """What a script may use of a machine's budget: the log-on needs the rest."""
    return max(5.0, machine_timeout * 0.75)


SURVEY_SECONDS = 15.0
"""What a survey's script may take on a large machine before it comes to the pings."""


def no_room_for(order: PingOrder, machine: float, probe: float, *, tls_versions: bool) -> str | None:
    """Why pings do not fit into the seconds of a machine's budget; None where they do."""
    needed = order.all_seconds(probe) + SURVEY_SECONDS + (probe if tls_versions else 0)
    if needed <= script_seconds(machine):
        return None
    enough = math.ceil(needed * machine / script_seconds(machine))
    return (
        f"pinging takes up to {order.all_seconds(probe):g} s on each machine, which --machine-timeout {machine:g} "
        f"has no room for: give --machine-timeout {enough}, or ping less"
    )


@dataclass(frozen=True)
class Call:
    """A command line and the bytes for its stdin.

    Attributes:
        nonce: marks the answer among whatever else the machine prints.
        gather: whether sections were asked for, or only probes.
        is_windows: whether a PowerShell runs it.
        silence: why a section is not there of which the script said nothing.
    """

    command: str
    stdin: bytes
    nonce: str
    gather: bool = True
    is_windows: bool = False
    silence: str = "the script said nothing of it"
