"""What a lab machine's product wrote into its log: its starts, its records, the form of a line."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

RULE = "=" * 80


BANNER = "=" * 79
"""What stands above an error that ends a process."""


STARTED = 30 * 60.0
"""Minutes ago that a healthy machine's service started."""


class Layout(StrEnum):
    """The forms of a line, of four ages of the products (tentacle-facts 3.2)."""

    PROCESS = "{time}  {pid:>5}  {thread:>5} {level:>5}  {text}"
    THREAD = "{time}  {thread:>5} {level:>5}  {text}"
    BARE = "{time} {level:>5}  {text}"
    BARS = "{time} | {level:>5} | {text}"


@dataclass
class Start:
    """One start of the service.

    Attributes:
        minutes_ago: when it began.
        pid: of the process; None: the one that runs at the survey.
        ends: whether the agent came to saying that it listens, or that it will not.
        trust: what it says of the servers that it trusts; None: what its configuration says at the survey.
    """

    minutes_ago: float
    pid: int | None = None
    ends: bool = True
    trust: tuple[str, ...] | None = None


@dataclass
class Said:
    """One record; further lines may follow in its text."""

    minutes_ago: float
    level: str
    text: str
    pid: int | None = None
    thread: int = 9


@dataclass
class Lost:
    """A process that did not learn where its home is.

    Attributes:
        instance: that it was started for.
        command: that it named before it gave up; None: it did not come that far.
        records: levels and texts.
    """

    minutes_ago: float
    pid: int
    instance: str
    records: tuple[tuple[str, str], ...]
    command: str | None = None


@dataclass
class Log:
    """What a machine's product has written.

    Attributes:
        rotated: minutes ago that the file was begun; what is older stands in the archive. None: there is no archive.
        before_proxy: the process started before the proxy to poll through was configured.
    """

    layout: Layout = Layout.PROCESS
    rotated: float | None = None
    before_proxy: bool = False
    starts: list[Start] = field(default_factory=lambda: [Start(STARTED)])
    said: list[Said] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)

    def add(self, minutes_ago: float, level: str, text: str, *below: str, pid: int | None = None) -> None:
        """One record. `below` are the lines under the heading; `pid` None is the service's own process."""
        self.said.append(Said(minutes_ago, level, "\n".join((text, *below)), pid))

    def call(self, minutes_ago: float, command: str, *records: tuple[str, str], pid: int = 5100) -> None:
        """A call of the command line, which writes into the same file: levels and texts (tentacle-seen 4.3)."""
        own = (
            (RULE, *introduction("Tentacle", "8.3.3000")),
            (f"==== {command} ====", f"CommandLine: Tentacle {command}"),
        )
        for text in (text for part in own for text in part):
            self.add(minutes_ago, "INFO", text, pid=pid)
        for level, text in records:
            self.add(minutes_ago, level, text, pid=pid)


def introduction(product: str, version: str, instance: str = "Tentacle") -> tuple[str, str]:
    """The first two records of a process: product and version, and where it runs."""
    lines = ("OperatingSystem: lab", "OsBitVersion: x64", "Is64BitProcess: True", "ProcessorCount: 2")
    return (
        f"{product} version {version} ({version}) instance {instance}",
        "Environment Information:\n" + "\n".join(f"  {line}" for line in lines),
    )
