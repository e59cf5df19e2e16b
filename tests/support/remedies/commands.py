"""A model of what calls of Tentacle change, refuse and leave as it is; from Tentacle's source (tentacle-commands.md).

Not a mock of Tentacle: the rules by which a list of trusted servers changes, told in one place, so that what a remedy
prints can be carried out and looked at again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

LISTENING, POLLING = 1, 2
BLANK = "there is none yet"
COPIED = "another machine has it as well"
HTTPS = 443


class Refused(Exception):  # noqa: N818  an answer of the program, as its users know it
    """The call ends with another exit code than 0; nothing of it was done."""


@dataclass(frozen=True)
class Trusted:
    """An entry of TrustedOctopusServers."""

    thumbprint: str
    style: int
    address: str | None = None
    subscription: str | None = None

    def is_same(self, other: Trusted) -> bool:
        """By what entries are found when one is added: thumbprint without case, address as a URI."""
        return self.thumbprint.lower() == other.thumbprint.lower() and uri(self.address) == uri(other.address)


def uri(address: str | None) -> tuple[str, str, int] | None:
    """An address as two are compared."""
    if address is None:
        return None
    parts = urlsplit(address)
    return parts.scheme.lower(), (parts.hostname or "").lower(), parts.port or HTTPS


@dataclass
class Portal:
    """Octopus Server, as far as registrations and certificates go.

    Attributes:
        machines: subscription by name, of those that poll.
        polling: addresses at which a node answers.
        nodes: the same, node by node.
        url: of its web portal; the inventory's, or what a person knows.
        knows: which certificate of the Tentacle's it expects.
        names: of its nodes, in the inventory.
    """

    thumbprint: str
    polling: set[tuple[str, str, int] | None] = field(default_factory=set)
    machines: dict[str, str | None] = field(default_factory=dict)
    nodes: list[set[tuple[str, str, int] | None]] = field(default_factory=list)
    url: str = ""
    knows: str = "own"
    names: tuple[str, ...] = ()


@dataclass
class State:
    """One instance: its file, its process and its registration.

    Attributes:
        flaw: what is wrong with its certificate; a new one has none.
        bad_proxy: settings of a proxy that do not lead to the server.
        mode: how it is meant to be, `listening` or `polling`.
        declared_port: where its peers look for it.
        others: further Octopus Servers that it works for.
    """

    trusted: list[Trusted]
    portal: Portal
    no_listen: bool
    port: int = 10933
    listen_ip: str = ""
    certificate: str = "own"
    known_certificate: str = "own"
    damaged_list: bool = False
    service: str = "running"
    windows: bool = True
    proxy: dict[str, Any] = field(default_factory=dict)
    ran_with: tuple[Any, ...] = ()
    numbers: int = 0
    flaw: str = ""
    bad_proxy: dict[str, Any] | None = None
    mode: str = "listening"
    declared_port: int = 10933
    connections: int = 1
    others: list[Portal] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ran_with = self.settings() if self.service == "running" else ()

    def settings(self) -> tuple[Any, ...]:
        """All that a start reads."""
        rest = (self.no_listen, self.port, self.listen_ip, self.certificate, self.damaged_list, self.connections)
        return (tuple(self.trusted), *rest, tuple(sorted(self.proxy.items())))

    @property
    def needs_restart(self) -> bool:
        """Whether the process runs by other settings than the file has."""
        return self.service != "running" or self.ran_with != self.settings()

    @property
    def portals(self) -> list[Portal]:
        """All Octopus Servers that it works for."""
        return [self.portal, *self.others]

    def portal_with(self, options: dict[str, list[str]]) -> Portal:
        """The one that a call means, by the address of its web portal."""
        url = options.get("server", [""])[0].rstrip("/")
        return next((each for each in self.portals if each.url and each.url == url), self.portal)

    # -- what the commands are made of ---------------------------------------------------------------------------

    def add(self, entry: Trusted) -> None:
        """AddOrUpdateTrustedOctopusServer."""
        self._readable()
        same = [each for each in self.trusted if each.is_same(entry)]
        if len(same) > 1:
            raise Refused("Sequence contains more than one matching element")
        self.trusted = [*(each for each in self.trusted if each not in same), entry]

    def _readable(self) -> None:
        if self.damaged_list:
            raise Refused("Unable to parse configuration key 'TrustedOctopusServers'")

    def _new(self) -> str:
        self.numbers += 1
        return f"poll://new{self.numbers}/"

    # -- the commands --------------------------------------------------------------------------------------------

    def call(self, words: Sequence[str]) -> None:
        """One call, by its words after the program's name. Raises Refused; LookupError for what the model lacks."""
        verb, options = words[0], _options(words[1:])
        done = {
            "configure": self._configure,
            "update-trust": self._update_trust,
            "server-comms": self._server_comms,
            "clear-trusted-servers": self._clear,
            "poll-server": self._poll_server,
            "register-with": self._register,
            "new-certificate": self._new_certificate,
            "import-certificate": self._import_certificate,
            "service": self._service,
            "polling-proxy": self._proxy,
            "proxy": self._proxy,
            "show-thumbprint": lambda _options: None,
            "list-instances": lambda _options: None,
            "set-polling-connection-count": self._count,
            "show-configuration": lambda _options: None,
            "help": lambda _options: None,
            "version": lambda _options: None,
        }[verb]
        done(options)

    def restart(self) -> None:
        """`Restart-Service` and `systemctl restart`: a stopped one is started."""
        self.service = "running"
        self.ran_with = self.settings()

    def stop(self) -> None:
        self.service, self.ran_with = "stopped", ()

    def _configure(self, options: dict[str, list[str]]) -> None:
        if "reset-trust" in options:
            self.trusted, self.damaged_list = [], False
        for thumbprint in options.get("remove-trust", ()):
            self._readable()
            self.trusted = [each for each in self.trusted if each.thumbprint != thumbprint]
        for thumbprint in options.get("trust", ()):
            self.add(Trusted(thumbprint.strip(), LISTENING))
        if "port" in options:
            self.port = int(options["port"][0])
        if "noListen" in options:
            self.no_listen = options["noListen"][0].lower() == "true"
        if "listenIpAddress" in options:
            self.listen_ip = "" if options["listenIpAddress"][0].lower() == "any" else options["listenIpAddress"][0]

    def _update_trust(self, options: dict[str, list[str]]) -> None:
        self._readable()
        old, new = options["oldThumbprint"][0], options["newThumbprint"][0]
        self.trusted = [
            replace(each, thumbprint=new) if each.thumbprint.lower() == old.lower() else each for each in self.trusted
        ]

    def _server_comms(self, options: dict[str, list[str]]) -> None:
        self._readable()
        if not self.trusted:
            raise Refused("Before server communications can be modified, trust must be established")
        thumbprint = options["thumbprint"][0]
        if thumbprint not in {each.thumbprint for each in self.trusted}:
            raise Refused("No trusted server was found with the supplied thumbprint")
        if options["style"][0] == "TentaclePassive":
            self.add(Trusted(thumbprint, LISTENING))
            return
        address = f"https://{options['host'][0]}:{options.get('port', ['10943'])[0]}"
        entry = Trusted(thumbprint, POLLING, address)
        same = [each.subscription for each in self.trusted if each.is_same(entry) and each.subscription]
        of_it = [each.subscription for each in self.trusted if each.style == POLLING and each.thumbprint == thumbprint]
        self.add(replace(entry, subscription=next(iter([*same, *of_it]), None) or self._new()))

    def _clear(self, options: dict[str, list[str]]) -> None:
        self._readable()
        keep = {uri(address) for address in ",".join(options.get("keep", ())).split(",") if address}
        if any(each.address is None for each in self.trusted):
            raise Refused("Object reference not set to an instance of an object")
        self.trusted = [each for each in self.trusted if uri(each.address) in keep]

    def _poll_server(self, options: dict[str, list[str]]) -> None:
        self._readable()
        portal = self.portal_with(options)
        address = _polled_by(options, portal)
        if uri(address) not in portal.polling:
            raise Refused("the polling port is not reached")
        own = [each for each in self.trusted if each.thumbprint == portal.thumbprint]
        if not own:
            raise Refused("The Octopus Server with the thumbprint is not yet trusted")
        subscription = next((each.subscription for each in own if each.style == POLLING and each.subscription), None)
        if subscription is None:
            raise Refused("This Tentacle has not been configured to connect to the specified Octopus Server")
        self.add(Trusted(portal.thumbprint, POLLING, address, subscription))

    def _register(self, options: dict[str, list[str]]) -> None:
        self._readable()
        for wanted in ("server", "apiKey", "environment", "role"):
            if wanted not in options:
                raise Refused(f"Please specify --{wanted}")
        name, portal = options.get("name", ["host"])[0], self.portal_with(options)
        if name in portal.machines and "force" not in options:
            raise Refused(f"A machine named '{name}' already exists in the environment.")
        if options.get("comms-style", ["TentaclePassive"])[0] == "TentaclePassive":
            self.add(Trusted(portal.thumbprint, LISTENING))
            self._tell(portal)
            return
        address = _polled_by(options, portal)
        if uri(address) not in portal.polling:
            raise Refused("the polling port is not reached after 5 tries")
        same = [each for each in self.trusted if each.style == POLLING and uri(each.address) == uri(address)]
        subscription = next((each.subscription for each in same if each.subscription), None) or self._new()
        portal.machines[name] = subscription
        self._tell(portal)
        self.add(Trusted(portal.thumbprint, POLLING, address, subscription))

    def _tell(self, portal: Portal) -> None:
        """A server learns the certificate of now; all must, for the Tentacle to be known by it."""
        portal.knows = self.certificate
        if all(each.knows == self.certificate for each in self.portals):
            self.known_certificate = self.certificate

    def _new_certificate(self, options: dict[str, list[str]]) -> None:
        if "if-blank" not in options:
            self.numbers += 1
            self.certificate = f"new{self.numbers}"
        if "if-blank" not in options or self.flaw == BLANK:
            self.flaw = ""

    def _import_certificate(self, options: dict[str, list[str]]) -> None:
        if not options.get("from-file"):
            raise Refused("Please specify the certificate to import")
        self.flaw = ""

    def _count(self, options: dict[str, list[str]]) -> None:
        self.connections = int(options["pollingConnectionCount"][0])

    def _service(self, options: dict[str, list[str]]) -> None:
        if "restart" in options and (self.service == "running" or not self.windows):
            self.restart()
        if "stop" in options:
            self.stop()
        if "install" in options and self.service == "missing":
            self.service = "stopped"
        if "start" in options:
            if self.service == "missing":
                raise Refused("Start requested for service, but no service with this name was found.")
            if self.service != "running":
                self.restart()

    def _proxy(self, options: dict[str, list[str]]) -> None:
        on = options.get("proxyEnable", [""])[0].lower() == "true"
        host = options.get("proxyHost", [""])[0]
        self.proxy["UseDefaultProxy"] = "true" if on and not host else "false"
        self.proxy["ProxyHost"] = host if on else ""
        for option, key in (("proxyPort", "ProxyPort"), ("proxyUsername", "ProxyUsername")):
            if option in options:
                self.proxy[key] = options[option][0]


@dataclass
class ServerState:
    """Octopus Server, as far as its polling port goes: what its file has, and what its process runs by."""

    port: int
    ran_with: int

    def call(self, words: Sequence[str]) -> None:
        """One call of Octopus.Server. Raises Refused; LookupError for what the model lacks."""
        verb, options = words[0], _options(words[1:])
        if verb == "configure":
            port = int(options["commsListenPort"][0])
            if not 0 < port < 2**16:
                raise Refused("is no port")
            self.port = port
        elif verb not in {"show-thumbprint", "list-instances", "show-configuration"}:
            raise LookupError(verb)

    def restart(self) -> None:
        """`Restart-Service`, which also ends running tasks."""
        self.ran_with = self.port


def _options(words: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    name = None
    for word in words:
        if word.startswith("--"):
            name, _, value = word[2:].partition("=")
            found.setdefault(name, []).extend([value] if value else [])
        elif name is not None:
            found[name].append(word)
    return found


def _polled_by(options: dict[str, list[str]], portal: Portal) -> str:
    """The address that a call names; by a port alone (before 6.3.341) it is the portal's host, which leads to the server."""
    if "server-comms-address" in options:
        return options["server-comms-address"][0]
    port = int(options["server-comms-port"][0])
    return next((f"https://{each[1]}:{port}" for each in sorted(filter(None, portal.polling)) if each[2] == port), "")
