"""What a log holds on a machine that is well: other languages and ages, clocks that go back, noise, and what is over."""

from __future__ import annotations

from datetime import timedelta

from support.fleets.whole import LISTEN, POLL, Whole, line, started

from . import setup

PEER = "[::ffff:198.51.100.200]:40000"

_APART = (
    "loading",
    "account",
    "tls",
    "version",
    "firewall",
    "events",
    "start",
    "disk",
    "server",
    "language",
    "transport",
)
"""Aspects of which no check of a log knows anything: pairs with them would be tried for nothing."""


def _pid(world: Whole, name: str) -> int:
    return 2136 if world[name].machine.mode == "listening" else 900


def _polls(world: Whole, name: str, text: str) -> None:
    """More of a poller's log, of the address that it polls by its settings."""
    world.logs[name] += text.replace("https://octo-1.example:10943/", world[name].trusted[0]["Address"])


def _last_word(world: Whole, name: str, ago: float = 60) -> str:
    """What the machine says when all is well."""
    if world[name].machine.mode == "listening":
        return world.visit(name, "octo-1", ago=ago)
    said = world.secured(name, "octo-1", ago=timedelta(seconds=ago))
    return said.replace("https://octo-1.example:10943/", world[name].trusted[0]["Address"])


@setup("log", modes=("listening",), unlike=_APART)
def visitors_in_german(world: Whole, name: str) -> None:
    """A scanner at a German Windows: the .NET Framework speaks the system's language."""
    for ago, text in (
        (500, "Von der Übertragungsverbindung können keine Daten gelesen werden: Eine vorhandene Verbindung wurde vom Remotehost geschlossen."),
        (400, "Fehler beim Handshake aufgrund eines unerwarteten Paketformats."),
        (300, "Unerwartetes EOF oder 0 Bytes vom Transportstream."),
    ):  # fmt: skip
        world.say(name, "INFO", f"{LISTEN}Accepted TCP client: {PEER}", ago)
        heading = f"{LISTEN}Unhandled error when handling request from client: {PEER}"
        world.say(name, "ERROR", f"{heading}\nSystem.IO.IOException: {text}", ago - 1)


@setup("log", modes=("listening",), unlike=_APART)
def visitors_in_japanese(world: Whole, name: str) -> None:
    """The same on a Japanese one."""
    text = "転送接続からデータを読み取れません: 既存の接続はリモート ホストに強制的に切断されました。"
    world.say(name, "INFO", f"{LISTEN}Accepted TCP client: {PEER}", 300)
    world.say(name, "ERROR", f"{LISTEN}Socket IO exception: {PEER}\nSystem.IO.IOException: {text}", 299)


@setup("log", modes=("listening",), unlike=_APART)
def idle_for_hours_in_3_x(world: Whole, name: str) -> None:
    """Octopus 3.4: every ten minutes of idleness an error, as information, of a connection that had been let in."""
    for ago in (7000, 6000, 5000):
        world.logs[name] += world.visit(name, "octo-1", ago=ago)
        text = (
            f"{LISTEN}Unhandled error when handling request from client: [::ffff:192.0.2.10]:50000\nSystem.IO.IOException: "
            "Unable to read data from the transport connection: A connection attempt failed because the connected party "
            "did not properly respond after a period of time, or established connection failed because connected host "
            "has failed to respond. ---> System.Net.Sockets.SocketException: A connection attempt failed"
        )
        world.say(name, "INFO", text, ago - 600)


@setup("log", unlike=_APART)
def rolled_at_midnight(world: Whole, name: str) -> None:
    """The log was begun anew some hours ago: no start in it, and little else."""
    ago = 3000
    world.logs[name] = line(ago, "INFO", "WorkspaceCleanerTask.Start(): Starting", _pid(world, name)) + _last_word(
        world, name, ago - 10
    )


@setup("log", unlike=_APART)
def hour_that_came_twice(world: Whole, name: str) -> None:
    """Summer time ended: after 02:59 it was 02:00 again."""
    pid = _pid(world, name)
    world.logs[name] += line(3000, "INFO", "WorkspaceCleanerTask: deleting", pid)
    world.logs[name] += line(5000, "INFO", "WorkspaceCleanerTask: deleting", pid)
    world.logs[name] += _last_word(world, name, 100)


@setup("log", modes=("polling",), unlike=_APART)
def server_was_maintained(world: Whole, name: str) -> None:
    """This night the server was upgraded: refused for a while, then all was well again."""
    refused = (
        f"{POLL}The remote host at https://octo-1.example:10943/ refused the connection. This may mean that the expected "
        "listening service is not running."
    )
    for ago in (30_000, 29_900, 29_700, 29_400):
        _polls(world, name, line(ago, "ERROR", refused, 900))
        again = f"{POLL}Halibut client exception: Connection refused. Retrying in 5.0 seconds"
        _polls(world, name, line(ago, "ERROR", again, 900))
    _polls(world, name, world.secured(name, "octo-1", ago=timedelta(seconds=29_000)))


@setup("log", modes=("polling",), unlike=_APART)
def network_hiccup_of_a_minute_ago(world: Whole, name: str) -> None:
    """A short break, healed before anybody looked: the connection stands, and the last word is a success."""
    text = "System.IO.IOException: Unable to read data from the transport connection: Connection reset by peer."
    _polls(world, name, line(90, "ERROR", f"{POLL}Unexpected exception executing transaction.\n{text}", 900))
    _polls(world, name, world.secured(name, "octo-1", ago=timedelta(seconds=80)))


@setup("log", modes=("polling",), unlike=_APART)
def broken_sessions_of_4_x(world: Whole, name: str) -> None:
    """Tentacle 3.24 to 4.0.2: errors as information, with a comma; then it polls again."""
    lost = (
        f"{POLL}The connection to the host at https://octo-1.example:10943/ timed out, there may be problems with the "
        "network, connection will be retried."
    )
    _polls(world, name, line(20_000, "INFO", lost, 900))
    loop = f"{POLL}Exception in the polling loop, sleeping for 5 seconds. This may be cause by a network error"
    _polls(world, name, line(19_999, "INFO", loop, 900))
    _polls(world, name, world.secured(name, "octo-1", ago=timedelta(seconds=19_990)))


@setup("log", unlike=_APART)
def calls_of_an_administrator(world: Whole, name: str) -> None:
    """Somebody asked for the configuration, in a name that there is not, and without elevation."""
    for pid, command, text in (
        (5001, "ShowConfigurationCommand", "Instance Nope of Tentacle has not been configured on this machine."),
        (5002, "ServiceCommand", "This command requires elevation. Please re-run from an elevated shell."),
        (5003, "ListInstancesCommand", ""),
    ):
        world.logs[name] += line(200, "INFO", "=" * 80, pid) + line(200, "INFO", f"==== {command} ====", pid)
        world.logs[name] += line(199, "FATAL", text, pid) if text else ""
    world.logs[name] += _last_word(world, name)


@setup("log", unlike=_APART)
def upgraded_an_hour_ago(world: Whole, name: str) -> None:
    """The portal upgraded it: the old process said good-bye with errors, the new one works."""
    pid = _pid(world, name)
    hour = timedelta(hours=1)
    before = world.logs[name].replace(f" {pid:>6} ", " 004711 ")
    stop = line(hour + timedelta(seconds=20), "INFO", "Listener stopped", 4711)
    stop += line(hour + timedelta(seconds=19), "ERROR", f"{LISTEN}Unhandled error when handling request from client: {PEER}\nA task was canceled.", 4711)  # fmt: skip
    if world[name].machine.mode == "listening":
        again = started(pid, "Agent listening on: [::]:10933", ago=hour)
    else:
        again = world.polls_at_start(name, ago=hour)
    world[name].service["started_utc"] = world[name].service["started_utc"] + timedelta(days=3) - hour
    world.logs[name] = before + stop + again + _last_word(world, name, 3000)


@setup("log", unlike=_APART)
def full_disk_of_last_week(world: Whole, name: str) -> None:
    """A week ago the disk was full, and deployments met another process's lock; both are long over."""
    week = 7 * 86_400
    world.logs[name] = (
        line(week, "ERROR", "System.IO.IOException: There is not enough space on the disk.", 77)
        + line(week - 5, "ERROR", "Access to the path 'C:\\Octopus\\Work' is denied.", 77)
        + world.logs[name]
    )


@setup("log", modes=("listening",), unlike=_APART)
def browsers_and_scanners(world: Whole, name: str) -> None:
    """People look at the welcome page, and a vulnerability scanner tries every version of TLS and HTTP."""
    for number, text in enumerate(
        (
            "Client failed authentication: {peer}\nSystem.Security.Authentication.AuthenticationException: Authentication failed, see inner exception.\n ---> error:0A00010B:SSL routines::wrong version number",
            "Client failed authentication: {peer}\nSystem.Security.Authentication.AuthenticationException: Cannot determine the frame size or a corrupted frame was received.",
            "Client failed authentication: {peer}\nSystem.Security.Authentication.AuthenticationException: A call to SSPI failed, see inner exception. ---> System.ComponentModel.Win32Exception: The client and server cannot communicate, because they do not possess a common algorithm",
            "A client at {peer} connected, and attempted a message exchange, but did not present a client certificate",
            "Remote failed to identify itself.\nSystem.OperationCanceledException: The ReadAsync operation was cancelled.",
            "Unhandled error when handling request from client: {peer}\nHalibut.Transport.Protocol.ProtocolException: Unable to process remote identity; unknown identity type: 'GET'",
        )
    ):  # fmt: skip
        peer = f"[::ffff:198.51.100.201]:{41000 + number}"
        world.say(name, "INFO", f"{LISTEN}Accepted TCP client: {peer}", 900 - number * 20)
        world.say(name, "INFO", LISTEN + text.format(peer=peer), 899 - number * 20)
