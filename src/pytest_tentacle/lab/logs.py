"""The lab machines' logs, in a real Tentacle's words (tentacle-seen 4.3): starts, and what faults make them say."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

from pytest_tentacle.lab.log_entries import RULE, Layout, Said, Start, introduction

from .blueprint import Blueprint, Trust


def write_logs(machine: Blueprint, folder: Path, pid: int) -> None:
    """The log, and the archive of a machine whose log was rotated. `pid` is the service's own process."""
    name = "OctopusServer" if machine.is_server else "OctopusTentacle"
    said = _records(machine)
    rotated = machine.log.rotated
    older = [record for record in said if rotated is not None and record.minutes_ago > rotated]
    newer = said[len(older) :]
    if older:
        _write(folder / f"{name}.0.txt", older, machine, pid)
    _write(folder / f"{name}.txt", newer, machine, pid)


def write_early_log(machine: Blueprint, folder: Path, pid: int) -> None:
    """The log of before home is known: each start of the service begins there (tentacle-facts 3.1)."""
    home = "C:\\Octopus\\Logs" if machine.is_windows else "/etc/octopus/default/Logs"
    said = [
        Said(start.minutes_ago + 0.01, "INFO", text, start.pid, thread=1)
        for start in machine.log.starts
        for text in (*introduction("Tentacle", "8.3.3000"), f"Changing log folder from Octopus/Logs to {home}")
    ]
    for lost in machine.log.lost:
        texts = [("INFO", text) for text in introduction("Tentacle", "8.3.3000", instance=lost.instance)]
        if lost.command:
            texts.append(("INFO", f"==== {lost.command} ===="))
        said += [Said(lost.minutes_ago, *text, lost.pid, thread=1) for text in (*texts, *lost.records)]
    said.sort(key=lambda record: -record.minutes_ago)
    _write(folder / "OctopusTentacle.txt", said, machine, pid)


def _write(path: Path, records: list[Said], machine: Blueprint, pid: int) -> None:
    now = datetime.now().astimezone()
    text = "".join(_line(now, record, machine.log.layout, record.pid or pid) + "\n" for record in records)
    path.write_text(text, encoding="utf-8", newline="\r\n" if machine.is_windows else "\n")
    if records:  # a file is as old as its last line, which tells the zone of its times
        last = (now - timedelta(minutes=records[-1].minutes_ago)).timestamp()
        os.utime(path, (last, last))


def _records(machine: Blueprint) -> list[Said]:
    """All of them by time; those of one moment in the order in which they were said."""
    starts = [
        Said(start.minutes_ago, "INFO", text, start.pid, thread=1)
        for start in machine.log.starts
        for text in _start(machine, start)
    ]
    return sorted([*starts, *machine.log.said], key=lambda record: -record.minutes_ago)


def _start(machine: Blueprint, start: Start) -> list[str]:
    name = "OctopusServer" if machine.is_server else "Tentacle"
    who = ("Octopus Server", "2025.4.10") if machine.is_server else ("Tentacle", "8.3.3000")
    messages = [
        RULE,
        *introduction(*who, instance=name),
        "==== RunAgentCommand ====",
        f"CommandLine: {name} agent --instance {name} --noninteractive",
    ]
    messages += _trust(machine) if start.trust is None else start.trust
    polled = [trust for trust in machine.trusts if trust.address] if start.trust is None else []
    for trust in polled:
        messages.append(
            f"Agent will poll Octopus Server at {trust.address}/ for subscription {trust.subscription} "
            f"expecting thumbprint {trust.thumbprint}"
        )
        messages.append(_proxy(machine, trust.address or ""))
    return messages + _end(machine, polled) if start.ends else messages


def _proxy(machine: Blueprint, address: str) -> str:
    """What the agent says of the proxy that it polls a server through (tentacle-seen 4.3)."""
    host, port = (machine.settings.get(f"Octopus.Server.Proxy.Proxy{part}") for part in ("Host", "Port"))
    if not host or machine.log.before_proxy:
        return "Agent will not use a proxy server"
    return f"Agent will use the octopus configured proxy at {host}:{port} for server at {address}/"


def _trust(machine: Blueprint) -> list[str]:
    if machine.is_server:
        return []
    if not machine.trusts:
        return ["The agent is not configured to trust any Octopus Servers."]
    return [f"Agent will trust Octopus Servers with the thumbprint: {trust.thumbprint}" for trust in machine.trusts]


def _end(machine: Blueprint, polled: list[Trust]) -> list[str]:
    messages = []
    if _listened(machine):
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


def _listened(machine: Blueprint) -> bool:
    """Whether its starts came to listening: a service that is down by now did, as far as its settings tell."""
    if machine.service is not None and machine.service["state"] == "running":
        return bool(machine.sockets) and machine.presents is not None
    return machine.settings.get("Tentacle.Services.NoListen") != "true"


def _line(now: datetime, record: Said, layout: Layout, pid: int) -> str:
    when = now - timedelta(minutes=record.minutes_ago)
    time = f"{when:%Y-%m-%d %H:%M:%S}.{when.microsecond // 100:04d}"
    return layout.value.format(time=time, pid=pid, thread=record.thread, level=record.level, text=record.text)
