"""The port on the machine itself (guide, "Check the Connections" and "Zombie Child Processes")."""

from __future__ import annotations

from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.commands import (
    DELAYED_WINDOWS,
    RESTART_LINUX,
    RESTART_WINDOWS,
    START_LINUX,
    START_WINDOWS,
    WHO_LINUX,
)
from pytest_tentacle.guide.consequences import NO_PORT, STARTLESS, UNANSWERED
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.link.hosts import plain_address

_RESERVED = "$ netsh interface ipv4 show excludedportrange protocol=tcp"


_TAKES_ANY_PORT = frozenset({"lsass.exe", "services.exe", "wininit.exe", "spoolsv.exe", "svchost.exe"})
"""Parts of Windows that listen for RPC at whatever port they are given when they start."""


def _changed_since(view: View, _problem: Problem) -> Clue | None:
    """The configuration file is younger than the process."""
    started = view.service.started_utc if view.service else None
    try:
        file = view.subject.instance.configuration
    except (Unknown, Blocked):
        return None
    if started is None or file.modified_utc is None or file.modified_utc <= started:
        return None
    words = (
        f"{file.path} was changed at {file.modified_utc:%H:%M:%S on %Y-%m-%d}, the process started before, at "
        f"{started:%H:%M:%S on %Y-%m-%d} (UTC)"
    )
    return Clue(evidence=(Evidence(f"{view.name}", words),))


def _could_not_open(view: View, problem: Problem) -> Clue | None:
    if _changed_since(view, problem) is not None:
        return None
    return Clue(unsure="Why it could not open the port stands in the log of {who}, after the last start.")


def _is_tentacle(problem: Problem) -> bool:
    text = f"{problem.facts.get('process') or ''} {problem.facts.get('executable') or ''}".lower()
    return "tentacle" in text or "octopus.server" in text


def _second_instance(_view: View, problem: Problem) -> Clue | None:
    return Clue() if _is_tentacle(problem) else None


def _other_program(view: View, problem: Problem) -> Clue | None:
    if _is_tentacle(problem) or problem.facts.get("engine"):
        return None
    return Clue() if _forwarded(view, problem) is None and _part_of_windows(view, problem) is None else None


def _forwarded(view: View, problem: Problem) -> Clue | None:
    """Windows holds it by its service IP Helper, as for a forwarding of `netsh interface portproxy`."""
    listeners = view.survey.listeners.data if view.survey else None
    holder = next((each for each in listeners or () if each.port == problem.facts.get("port") and each.owner), None)
    line = (holder.owner.command_line or "").lower() if holder is not None and holder.owner is not None else ""
    return Clue() if "svchost" in line and line.rstrip().endswith("iphlpsvc") else None


def _part_of_windows(view: View, problem: Problem) -> Clue | None:
    """A part of Windows itself, which asks for no port of its own choice: it was given one that was free at boot."""
    folder, _, program = str(problem.facts.get("executable") or "").lower().rpartition("\\")
    given = program in _TAKES_ANY_PORT and folder.endswith("\\windows\\system32")
    return Clue() if given and view.system == "windows" and _forwarded(view, problem) is None else None


def _container(_view: View, problem: Problem) -> Clue | None:
    engine, there = problem.facts.get("engine"), problem.facts.get("container")
    if not engine:
        return None
    return Clue(facts={"container": f"{engine}, {there}" if there else engine})


def _address_came_later(view: View, problem: Problem) -> Clue | None:
    """The address that its start did not find is one of the machine's by now."""
    host = view.survey.host.data if view.survey else None
    if problem.facts.get("signature") != "address-not-local" or host is None:
        return None
    try:
        address = plain_address(view.subject.settings.listen_ip or "")
    except (Unknown, Blocked):
        return None
    if address is None or address not in {plain_address(each) for each in host.addresses}:
        return None
    words = f"{view.name} has {address} now" + (
        f", and was started at {host.boot_utc:%H:%M:%S} UTC" if host.boot_utc else ""
    )
    return Clue(facts={"address": address}, evidence=(Evidence(f"host {view.name}", words),))


_WAIT = (
    "Start it now. That it comes up at the next boot as well, let it wait for the network, or listen on every address "
    "(configure --listenIpAddress Any, then a restart) where nothing speaks against that"
)

LOCAL_PORT: tuple[CauseKind, ...] = (
    CauseKind(
        "TC1341",
        "The service was started before the machine had its address",
        "The service on {who} ended because the address that it is to listen on ({address}) was not there yet; it is "
        "now. The service came before the network at boot, or the interface was down for a while.",
        frozenset({"TT134"}),
        (f"{_WAIT}. Windows can start it some minutes after the others:", START_WINDOWS, DELAYED_WINDOWS),
        (
            (
                f"{_WAIT}. In a drop-in of the unit, [Unit] with Wants=network-online.target and "
                "After=network-online.target has it wait:"
            ),
            START_LINUX,
            '$ sudo systemctl edit "<service>"',
        ),
        _address_came_later,
        consequences=STARTLESS | UNANSWERED | {"TT203", "TT202", "TT501"},
        fold_by=("address",),
        rank=24,
        confidence=Confidence.LIKELY,
        told_apart_by=frozenset({"host", "instances"}),
    ),
    CauseKind(
        "TC5011",
        "The process could not open its port",
        "The service on {who} is running, but nothing listens on port {port}: the service could not open it, "
        "because it lacks the right or because the system reserves the port.",
        frozenset({"TT501"}),
        (
            "Read its log after the last start, see whether the port is reserved, then restart it:",
            _RESERVED,
            RESTART_WINDOWS,
        ),
        ("Read its log after the last start, then restart it:", WHO_LINUX, RESTART_LINUX),
        _could_not_open,
        consequences=UNANSWERED | STARTLESS | {"TT134"},
        fold_by=("port",),
        rank=30,
        confidence=Confidence.POSSIBLE,
    ),
    CauseKind(
        "TC5012",
        "The settings were changed, but the service was not restarted",
        "The configuration of {who} was changed after the service had started. The running process does not know "
        "about the change, so nothing listens on port {port} yet.",
        frozenset({"TT501"}),
        ("Restart the service:", RESTART_WINDOWS),
        ("Restart the service:", RESTART_LINUX),
        _changed_since,
        consequences=UNANSWERED,
        rank=25,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5021",
        "Another program holds the port",
        "Port {port} of {who} is held by {process} (pid {pid}), so the service cannot open it.",
        frozenset({"TT502"}),
        (
            "See what the program is for; stop it or move one of the two to another port, then start the service:",
            '$ Get-Process -Id "<pid>" | Select-Object Id, Name, Path, StartTime',
            RESTART_WINDOWS,
        ),
        (
            "See what the program is for; stop it or move one of the two to another port, then start the service:",
            '$ ps -o pid,ppid,user,lstart,args -p "<pid>"',
            RESTART_LINUX,
        ),
        _other_program,
        consequences=NO_PORT | {"TT504"},
        fold_by=("port", "process"),
        rank=15,
    ),
    CauseKind(
        "TC5024",
        "Windows forwards the port to another address",
        "Port {port} of {who} is held by Windows itself (service IP Helper, pid {pid}), so the service cannot open it: "
        "somebody forwards it (netsh interface portproxy), as programs for containers and WSL do and leave behind.",
        frozenset({"TT502"}),
        (
            (
                "See where it leads. If nobody needs that forwarding any more, delete that one entry (netsh interface "
                "portproxy delete, with the listenport and listenaddress that are shown), then start the service. To "
                "end svchost does not help: the entry outlives a restart."
            ),
            "$ netsh interface portproxy show all",
            RESTART_WINDOWS,
        ),
        ("This concerns Windows only. See who holds the port:", WHO_LINUX, RESTART_LINUX),
        _forwarded,
        consequences=NO_PORT | {"TT504"},
        fold_by=("port",),
        rank=15,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5025",
        "A part of Windows was given the port when the machine started",
        "Port {port} of {who} is held by {process} (pid {pid}), a part of Windows that listens at whatever port it is "
        "given when it starts: the range of dynamic ports seems to begin below {port}, which is not so by default.",
        frozenset({"TT502"}),
        (
            (
                "That process has to keep running. See the range of dynamic ports; by default it is 49152 to 65535. "
                "Let it begin above the ports of services again (netsh int ipv4 set dynamicport), unless somebody "
                "needs it as it is; then reserve this port for who asks for it by its number, as soon as it is free "
                "(netsh int ipv4 add excludedportrange). The process gives it up with the next restart of the machine:"
            ),
            "$ netsh int ipv4 show dynamicport tcp",
            _RESERVED,
        ),
        ("This concerns Windows only. See who holds the port:", WHO_LINUX, RESTART_LINUX),
        _part_of_windows,
        consequences=NO_PORT | {"TT504"},
        fold_by=("port", "process"),
        rank=15,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5023",
        "A container's published port is the service's",
        "Port {port} of {who} is published for a container ({container}; {process}, pid {pid}, holds it), so the "
        "service cannot open it.",
        frozenset({"TT502"}),
        (
            (
                "See which container it is. Publish it at another port, or give the service another one, then start "
                "the service; a program that is ended by hand leaves the container without its port:"
            ),
            '$ docker ps --filter "publish=<port>"',
            RESTART_WINDOWS,
        ),
        (
            (
                "See which container it is. Publish it at another port, or give the service another one, then start "
                "the service; a program that is ended by hand leaves the container without its port:"
            ),
            '$ sudo docker ps --filter "publish=<port>"',
            "With Podman, as the user who runs it:",
            "$ podman ps --format '{{.Names}} {{.Ports}}'",
            RESTART_LINUX,
        ),
        _container,
        consequences=NO_PORT | {"TT504"},
        fold_by=("port", "container"),
        rank=15,
    ),
    CauseKind(
        "TC5022",
        "Another instance of Tentacle holds the port",
        "Port {port} of {who} is held by another Tentacle process (pid {pid}): a second instance with the same port, "
        "or one that was started by hand.",
        frozenset({"TT502"}),
        (
            "See which instance it is; give one of them another port, or end the one that is not a service:",
            '$ Get-CimInstance Win32_Process | Where-Object ProcessId -eq "<pid>" | Select-Object CommandLine',
            RESTART_WINDOWS,
        ),
        (
            "See which instance it is; give one of them another port, or end the one that is not a service:",
            '$ ps -o pid,ppid,user,lstart,args -p "<pid>"',
            RESTART_LINUX,
        ),
        _second_instance,
        consequences=NO_PORT | {"TT402", "TT504"},
        fold_by=("port",),
        rank=15,
    ),
)
