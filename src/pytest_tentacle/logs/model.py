"""What a log says, as records: files, peers, starts, the place that it is of."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from pytest_tentacle.values import Value


class LogRecord(Value):
    """One record of a product's log: its line and the lines that belong to it, which often hold the cause.

    `time` is the machine's local time as written; `pid` tells the agent from calls of the command line; `text` is cut
    to 2,000 characters at most; `signature` is the catalogue's entry that it matched. Records of one signature that
    tell the same facts are one: `time`, `number` and `text` are those of the last of them.
    """

    time: str
    level: str
    pid: int | None = None
    text: str
    signature: str | None = None
    facts: dict[str, str] = Field(default_factory=dict)
    """The signature's named facts, and `endpoint`: whom it concerns by Halibut's column, such as `https://h:10943/`."""
    number: int = 0
    """Its place among the records that were read: it grows with the file, whatever the machine's clock did."""
    count: int = 1
    first_time: str | None = None
    """When the first of `count` was written; None for a single one."""
    command: str | None = None
    """Name of the command that wrote it, such as `ShowThumbprintCommand`; None for the agent, or where nobody knows."""
    instance: str | None = None
    """In a log of before home is known: the instance that its process was started for, `Default` where it was none."""


class PolledServer(Value):
    """A server that an agent said at its start it would poll."""

    address: str
    subscription: str
    thumbprint: str


class Startup(Value):
    """What an agent said when it started: what the process really runs with, whatever the file says by now."""

    time: str
    number: int
    pid: int | None = None
    version: str | None = None
    instance: str | None = None
    command_line: str | None = None
    environment: dict[str, str] = Field(default_factory=dict)
    trusted: tuple[str, ...] = ()
    """Thumbprints, as written; one for each entry."""
    trusts_nobody: bool = False
    polls: tuple[PolledServer, ...] = ()
    polling_connections: int | None = None
    proxies: tuple[str, ...] = ()
    """Its lines about proxies, as written."""
    listening: str | None = None
    """Where it listens, as written, such as `[::]:10933`."""
    listens: bool | None = None
    """False: it said that it will not listen. None: it did not come that far."""


class LogPeer(Value):
    """The connections that one address opened to a listener, as far as the part that was read tells."""

    address: str
    accepted: int = 0
    accepted_time: str | None = None
    """Of the last one."""
    authenticated: int = 0
    authenticated_time: str | None = None
    authenticated_number: int | None = None
    """Of the last one, as in `LogRecord.number`."""
    authenticated_times: tuple[str, ...] = ()
    """Of the last ones, at most twelve. None at all in surveys of before."""
    thumbprints: tuple[str, ...] = ()
    """That it was authenticated as."""
    unanswered: int = 0
    """Connections accepted and not authenticated since the last one that was, or since the last start of the agent."""
    unanswered_times: tuple[str, ...] = ()
    """When the last ones of these were accepted, at most twelve."""


class LogLink(Value):
    """TLS connections that a client got through to one endpoint: the other end's certificate was the expected one.

    It is written before the other end decides whether it trusts the client (tentacle-seen 4.3).
    """

    endpoint: str
    count: int
    time: str
    number: int
    """Of the last one, as in `LogRecord.number`."""
    thumbprint: str | None = None
    protocol: str | None = None
    address: str | None = None
    """Where the last one led: the other end's address, or the proxy's."""
    times: tuple[str, ...] = ()
    """Of the last ones, at most twelve. None at all in surveys of before."""


class LogCall(Value):
    """A call of the command line that changes something: the last one of its command."""

    command: str
    """By its class, such as `RegisterMachineCommand`."""
    time: str
    number: int
    """As in `LogRecord.number`, of its last record."""
    failure: str | None = None
    """The error that it ended with, cut to 2,000 characters; None where it wrote none."""
    signature: str | None = None
    """The catalogue's entry that this error matched."""


class LogHome(Value):
    """The last process of an instance that found its home, as the log of before it is known tells."""

    instance: str
    time: str
    number: int
    """As in `LogRecord.number`."""


class LogFile(Value):
    """What a log's end says: the records that matter, oldest first."""

    product: Literal["tentacle", "server"]
    instance: str
    """Empty for a log of before home is known: what processes of any instance write there names theirs."""
    account: str | None = None
    """Whose log of before home is known it is; None for an instance's own."""
    path: str
    size: int | None = None
    modified_utc: datetime | None = None
    complete: bool = True
    """False when only the end was read, or older records were dropped."""
    error: Literal["not-found", "denied", "unreadable"] | None = None
    starts: int = 0
    """How often the agent started, as far as the part that was read tells."""
    start_times: tuple[str, ...] = ()
    """When, the last ten at most."""
    start_versions: tuple[str, ...] = ()
    """Of each of these the program's version; empty where it said none. None at all in surveys of before."""
    startup: Startup | None = None
    """The last start of the agent, where it is in the part that was read."""
    records: tuple[LogRecord, ...] = ()
    read: int = 0
    """How many records the part that was read has."""
    first_time: str | None = None
    last_time: str | None = None
    peers: tuple[LogPeer, ...] = ()
    links: tuple[LogLink, ...] = ()
    homes: tuple[LogHome, ...] = ()
    calls: tuple[LogCall, ...] = ()
    """Of the calls that were to register it, the last of each command."""
    dropped: int = 0
    """How many kinds of records, peers and links were left out for want of room."""
