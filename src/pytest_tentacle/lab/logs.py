"""The lab machines' logs, in a real Tentacle's words (tentacle-seen 4.3): a healthy start, and what faults add."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .blueprint import Blueprint

RULE = "=" * 80


def log_text(machine: Blueprint, pid: int) -> str:
    """The log of a service that started 30 hours ago, and then whatever the machine's fault made it write."""
    start = datetime.now().astimezone() - timedelta(hours=30)
    lines = [_line(start, pid, "INFO", message) for message in _start(machine)]
    for minutes_ago, level, message in machine.log:
        when = datetime.now().astimezone() - timedelta(minutes=minutes_ago)
        lines.append(_line(when, pid, level, message))
    return "\n".join(lines) + "\n"


def _start(machine: Blueprint) -> list[str]:
    name = "OctopusServer" if machine.is_server else "Tentacle"
    version = "2025.4.10" if machine.is_server else "8.3.3000"
    messages = [
        RULE,
        f"{'Octopus Server' if machine.is_server else 'Tentacle'} version {version} ({version}) instance {name}",
        "==== RunAgentCommand ====",
        f"CommandLine: {name} agent --instance {name} --noninteractive",
    ]
    messages += [
        f"Agent will trust Octopus Servers with the thumbprint: {trust.thumbprint}" for trust in machine.trusts
    ]
    if not machine.trusts and not machine.is_server:
        messages.append("The agent is not configured to trust any Octopus Servers.")
    polled = [trust for trust in machine.trusts if trust.address]
    for trust in polled:
        messages.append(
            f"Agent will poll Octopus Server at {trust.address}/ for subscription {trust.subscription} "
            f"expecting thumbprint {trust.thumbprint}"
        )
        messages.append("Agent will not use a proxy server")
    listening = machine.sockets and machine.presents is not None
    if listening:
        place = f"listen://{machine.address}:{machine.port}/"
        messages.append(f"{place:<30}    1  Listener started")
        if not machine.is_server:
            messages.append(f"Agent listening on: {machine.address}:{machine.port}")
            messages += [
                f"{place:<30}   14  Client at {peer}:50123 authenticated as {trust.thumbprint}"
                for peer, trust in zip(machine.heard_from, machine.trusts, strict=False)
            ]
    elif not machine.is_server:
        messages.append("Agent will not listen on any TCP ports")
    messages += [
        f"{trust.address + '/' if trust.address else '':<30}    9  Secure connection established. Server at "
        f"[::ffff:{machine.address}]:10943 identified by thumbprint: {trust.thumbprint}, using protocol Tls13"
        for trust in polled
        if trust.subscription
    ]
    return messages


def _line(when: datetime, pid: int, level: str, message: str) -> str:
    stamp = f"{when:%Y-%m-%d %H:%M:%S}.{when.microsecond // 100:04d}"
    return f"{stamp}  {pid:>5}      1 {level:>5}  {message}"
