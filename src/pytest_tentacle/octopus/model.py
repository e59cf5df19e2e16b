"""What was read of Octopus, as the rest of the product uses it. It travels in survey files, without any credential."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pytest_tentacle.values import Value


class Registration(Value):
    """One machine as Octopus knows it: a deployment target or a worker, in one space."""

    id: str
    """Such as `Machines-3`, unique on its server."""
    name: str
    kind: Literal["target", "worker"]
    space: str
    """The space's name."""
    space_id: str | None
    """None where the server has no spaces."""
    mode: Literal["listening", "polling"]
    uri: str | None
    """As Octopus has it."""
    scheme: str | None = None
    host: str | None = None
    """Of a listening machine: lower case, an IPv6 address without brackets."""
    port: int | None = None
    """Of a listening machine: 443 where the address has none, as .NET takes it."""
    has_port: bool = True
    subscription: str | None = None
    """Of a polling machine: its id in lower case."""
    thumbprint: str | None = None
    """As Octopus has it, to the character: the server compares it so."""
    proxy: str | None = None
    """`host:port` that the server connects through; `unknown` where it may not be read."""
    proxy_id: str | None = None
    disabled: bool = False
    policy: str | None = None
    """The machine policy's id."""
    health: str | None = None
    health_summary: str | None = None
    os: Literal["windows", "linux"] | None = None
    version: str | None = None
    """As of the last contact."""
    upgrade_required: bool = False
    signature_algorithm: str | None = None
    environments: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    tenant_tags: tuple[str, ...] = ()
    pools: tuple[str, ...] = ()
    link: str = ""
    """The machine's page in the portal."""
    fault: str | None = None
    """What is wrong with the registration itself: the address or the thumbprint is missing or cannot be read."""

    @property
    def groups(self) -> tuple[str, ...]:
        """The names by which `--limit` finds it."""
        return tuple(
            dict.fromkeys(
                [
                    f"space:{self.space}",
                    *(f"env:{name}" for name in self.environments),
                    *(f"role:{name}" for name in self.roles),
                    *(f"tenant:{name}" for name in self.tenants),
                    *(f"tag:{name}" for name in self.tenant_tags),
                    *(f"pool:{name}" for name in self.pools),
                    *([f"health:{self.health}"] if self.health else []),
                ]
            )
        )


class LeftOut(Value):
    """Machines that this suite does not look at, and why."""

    style: str
    reason: str
    names: tuple[str, ...]


class Policy(Value):
    """A machine policy's numbers, in seconds. None: this server does not say."""

    id: str
    name: str
    queue_seconds: float | None = None
    """How long a request for a polling Tentacle waits for it."""
    connect_seconds: float | None = None
    retries: bool | None = None
    health_interval: float | None = None
    health_schedule: str | None = None
    """The cron expression of its health checks, where they have no interval."""
    only_connectivity: bool | None = None
    may_be_offline: bool | None = None


class Node(Value):
    """One node of the server. It tells neither its host name nor its ports."""

    name: str
    offline: bool = False
    draining: bool = False
    last_seen: datetime | None = None
    running_tasks: int | None = None
    task_cap: int | None = None
    version: str | None = None


class Coverage(Value):
    """What the account may see. Lists are filtered without a word, so this says whether a list was whole."""

    spaces: int = 0
    partial: tuple[str, ...] = ()
    """Sentences: which lists are not whole, and which permission is missing."""
    granted: dict[str, tuple[str, ...]] | None = None
    """By permission, the ids of the spaces where the account has it, all of it or in part; an empty id stands for every
    space, and for what belongs to none. None: the account may not ask what it may."""

    def allows(self, permission: str, space_id: str | None = None) -> bool:
        """Whether it is worth asking: a refused question leaves a warning in the server's own log."""
        if self.granted is None:
            return True
        spaces = self.granted.get(permission, ())
        return bool(spaces) if space_id is None else "" in spaces or space_id in spaces


class MachineEvent(Value):
    """An audit event that concerns one machine."""

    category: str
    occurred: str
    message: str
    details: str = ""
    changed: tuple[str, ...] = ()
    """Paths of the settings that were changed, such as `/Endpoint/Thumbprint`."""


class ConnectionLine(Value):
    """An entry of the Connectivity tab: Halibut's own log of that machine, in the memory of one node."""

    level: str
    text: str
    occurred: str


class HealthTask(Value):
    """What one health check's task said of one machine."""

    id: str
    state: str
    started: str
    completed: str
    node: str | None = None
    """The server node that ran it."""
    lines: tuple[ConnectionLine, ...] = ()
    """Warnings and errors of the machine's part, else its last line; without times where only the raw log had it."""


class Discovery(Value):
    """The server's own look at a listening machine, without a client certificate: it proves the way, not the trust."""

    host: str
    port: int
    thumbprint: str | None = None
    """Of the certificate that it was shown."""
    error: str | None = None
    """What the server said where it met nothing."""
    node: str | None = None
    """The node that looked."""


class Evidence(Value):
    """What Octopus has to say about one registration, asked for where it is not healthy."""

    registration: str
    node: str | None = None
    events: tuple[MachineEvent, ...] = ()
    connection: tuple[ConnectionLine, ...] = ()
    task: HealthTask | None = None
    """The newest health check that looked at it, of the space's last two."""
    discovered: Discovery | None = None
    """What the server itself met at the machine's address; None where it was not asked to look."""
    unread: tuple[str, ...] = ()
    """What could not be read, and why."""


class Portal(Value):
    """Everything that was read of one Octopus Server."""

    url: str
    version: str = ""
    installation: str = ""
    spaces: tuple[str, ...] = ()
    stopped_spaces: tuple[str, ...] = ()
    """Spaces whose task queue is stopped: no health check runs there."""
    registrations: tuple[Registration, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    policies: tuple[Policy, ...] = ()
    nodes: tuple[Node, ...] = ()
    thumbprint: str | None = None
    """The server's own, by Configuration > Thumbprints."""
    signature_algorithm: str | None = None
    in_maintenance: bool | None = None
    potential_clone: bool | None = None
    operating_normally: bool | None = None
    all_read_only: bool | None = None
    """Whether no node writes to the database: no task runs."""
    all_draining: bool | None = None
    """Whether every node ends its tasks and takes no new ones."""
    health_description: str | None = None
    over_spaces: tuple[str, ...] = ()
    """Lists, such as `events`, that this server keeps over all spaces: they are asked for with a filter by space."""
    shared_queue: bool | None = None
    """Whether nodes share the queue for polling Tentacles (2026.4 and later); None: not known, False: they do not."""
    coverage: Coverage = Coverage()
    taken_utc: datetime
    requests: int = 0
    answered_by: tuple[str, ...] = ()
    """Names of the nodes that answered."""
    evidence: tuple[Evidence, ...] = ()
    events: tuple[MachineEvent, ...] = ()
    """Audit events of the server itself: of its certificate."""
    server_log: tuple[ConnectionLine, ...] = ()
    """Configuration > Diagnostics: what the answering node told since its start, without what is about our account."""
    unread: tuple[str, ...] = ()
    """What could not be read, each with the reason and what to do."""
