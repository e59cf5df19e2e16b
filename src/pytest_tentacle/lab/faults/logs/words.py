"""What the two ends of a link write into their logs when it fails (tentacle-seen 1.2, 2, 2.1 and 2.2).

A listening Tentacle's server tries five times and then gives the task up; a polling Tentacle says so once and retries.
The heading is generic and the cause stands below it. What the operating system says is in the words of the end that
writes.
"""

from __future__ import annotations

from dataclasses import dataclass

from pytest_tentacle.lab.blueprint import Blueprint
from pytest_tentacle.lab.faults.breaking import Site

TRACE = (
    "   at Halibut.Transport.Protocol.MessageExchangeStream.ReadRemoteIdentityAsync(CancellationToken "
    "cancellationToken)\n"
    "   at Halibut.Transport.SecureClient.ExecuteTransactionAsync(ExchangeActionAsync protocolHandler, "
    "CancellationToken cancellationToken)"
)
_SOCKET = "System.Net.Sockets.SocketException"
_SYSTEM: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "refused": (
        ("10061", "No connection could be made because the target machine actively refused it."),
        ("111", "Connection refused"),
    ),
    "reset": (
        ("10054", "An existing connection was forcibly closed by the remote host."),
        ("104", "Connection reset by peer"),
    ),
    "silent": (
        (
            "10060",
            (
                "A connection attempt failed because the connected party did not properly respond after a period of "
                "time, "
                "or "
                "established connection failed because connected host has failed to respond."
            ),
        ),
        ("110", "Connection timed out"),
    ),
    "aborted": (
        ("10053", "An established connection was aborted by the software in your host machine."),
        ("32", "Broken pipe"),
    ),
    "no name": (("11001", "No such host is known."), ("00000001, 11", "Name or service not known")),
    "no route": (("10065", "A socket operation was attempted to an unreachable host."), ("113", "No route to host")),
    "in use": (
        ("10048", "Only one usage of each socket address (protocol/network address/port) is normally permitted."),
        ("98", "Address already in use"),
    ),
    "not local": (
        ("10049", "The requested address is not valid in its context."),
        ("99", "Cannot assign requested address"),
    ),
    "forbidden": (
        ("10013", "An attempt was made to access a socket in a way forbidden by its access permissions."),
        ("13", "Permission denied"),
    ),
}
"""Errors of sockets by number and text: Windows', then the GNU C library's."""

_NO_TLS = (
    (
        "A call to SSPI failed, see inner exception.",
        (
            "System.ComponentModel.Win32Exception (0x80090331): The client and server cannot communicate, because they "
            "do "
            "not "
            "possess a common algorithm."
        ),
    ),
    (
        "Authentication failed, see inner exception.",
        (
            "Interop+OpenSsl+SslException: SSL Handshake failed with OpenSSL error - SSL_ERROR_SSL.\n"
            " ---> Interop+Crypto+OpenSslCryptographicException: error:0A00042E:SSL routines::tlsv1 alert protocol "
            "version"
        ),
    ),
)


def system_text(machine: Blueprint, what: str) -> str:
    """What the machine's system calls an error, in English."""
    return _SYSTEM[what][0 if machine.is_windows else 1][1]


def socket_error(machine: Blueprint, what: str) -> str:
    """The same as .NET's exception, with its number."""
    number, text = _SYSTEM[what][0 if machine.is_windows else 1]
    return f"{_SOCKET} ({number}): {text}"


def broken_read(machine: Blueprint, what: str) -> str:
    """An error of a connection that stood."""
    return f"System.IO.IOException: Unable to read data from the transport connection: {system_text(machine, what)}"


def no_tls(machine: Blueprint) -> tuple[str, str]:
    """What Schannel, or OpenSSL, says of a handshake without a common version: outer and inner text."""
    return _NO_TLS[0 if machine.is_windows else 1]


@dataclass(frozen=True)
class Link:
    """A Tentacle and its server, and where the one finds the other."""

    tentacle: Blueprint
    server: Blueprint

    @property
    def polls(self) -> bool:
        """Whether the Tentacle connects."""
        return self.tentacle.presents is None

    @property
    def client(self) -> Blueprint:
        """The end that connects."""
        return self.tentacle if self.polls else self.server

    @property
    def listener(self) -> Blueprint:
        """The end that is connected to."""
        return self.server if self.polls else self.tentacle

    @property
    def subscription(self) -> str:
        """The polling Tentacle's."""
        return next(trust.subscription for trust in self.tentacle.trusts if trust.subscription)

    @property
    def url(self) -> str:
        """The listener's, as the client knows it."""
        return f"https://{self.listener.name}.lab:{self.listener.port}/"

    @property
    def peer(self) -> str:
        """The client, as a listener of today's default sees it."""
        return f"[::ffff:{self.client.address}]:50123"

    def to_listener(self, text: str) -> str:
        """A client's line."""
        return f"{self.url:<30}   12  {text}"

    def at_listener(self, minutes_ago: float, level: str, text: str, *below: str) -> None:
        """A listener's record."""
        place = f"listen://[::]:{self.listener.port}/"
        self.listener.log.add(minutes_ago, level, f"{place:<30}   91  {text}", *below)


def link_of(tentacle: Blueprint, site: Site) -> Link:
    """The link with the first of its servers."""
    return Link(tentacle, site.servers_of(tentacle)[0])


def client_fails(
    link: Link,
    minutes_ago: float,
    heading: str | None,
    exception: str,
    inner: str | None = None,
    *,
    attempts: int = 5,
    after: bool = False,
    seconds: float = 1.1,
) -> None:
    """The client's records of a failing link, and the connection that stands no more.

    `heading` None: a poller has no line but the one that says that it retries. `inner` is the exception's own text
    where it is not the whole of it; `after` chooses between the two words of the last line, which mean nothing
    (tentacle-seen 3).
    """
    log, client = link.client.log, link.client
    message = inner or exception.partition(": ")[2].partition("\n")[0]
    words = "after the request began" if after else "before the request could begin"
    failed = f"An error occurred when sending a request to '{link.url}', {words}: {message}"
    if link.polls:
        client.sockets = [socket for socket in client.sockets if socket["state"] != "established"]
        for cycle in range(3):
            at = minutes_ago - 2.1 * cycle
            if heading is not None:
                log.add(at, "ERROR", link.to_listener(heading), exception, TRACE)
            log.add(at, "ERROR", link.to_listener(f"Halibut client exception: {failed}. Retrying in 5.0 seconds"))
        return
    for attempt in range(attempts):
        log.add(minutes_ago - attempt * seconds / 60, "ERROR", link.to_listener(heading or ""), exception, TRACE)
    log.add(
        minutes_ago - attempts * seconds / 60,
        "ERROR",
        "Health check failed",
        f"Halibut.HalibutClientException: {failed}",
        f" ---> {exception}",
        TRACE,
    )


def comes_to_listener(link: Link, minutes_ago: float, *, attempts: int = 5) -> None:
    """The listener's only lines, at the usual level, about a client that it turns away (tentacle-facts 3.2)."""
    for attempt in range(attempts):
        peer = f"[::ffff:{link.client.address}]:{50200 + attempt}"
        link.at_listener(minutes_ago - attempt * 1.1 / 60, "INFO", f"Accepted TCP client: {peer}")


def secured(link: Link, minutes_ago: float) -> None:
    """The client's line about a TLS connection, which is written before trust is decided."""
    text = (
        f"Secure connection established. Server at [::ffff:{link.listener.address}]:{link.listener.port} identified by "
        f"thumbprint: {link.listener.certificate.thumbprint}, using protocol Tls13"
    )
    link.client.log.add(minutes_ago, "INFO", link.to_listener(text))


def let_in(link: Link, minutes_ago: float) -> None:
    """The listener's lines about a client that it trusts."""
    link.at_listener(minutes_ago, "INFO", f"Accepted TCP client: {link.peer}")
    text = f"Client at {link.peer} authenticated as {link.client.certificate.thumbprint}"
    link.at_listener(minutes_ago, "INFO", text)
