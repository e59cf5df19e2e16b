"""Mishaps of a link, as the logs of its two ends tell them: each is one fault of `faults_logs`.

When they happened follows how far the link came (talk, trust, handshake, reach: the later the nearer to now), so that
several on one machine are a history in which it gets worse, and none proves that another is over.
"""

from __future__ import annotations

from pytest_tentacle.lab.blueprint import Blueprint
from pytest_tentacle.lab.faults.breaking import Site

from .words import (
    Link,
    broken_read,
    client_fails,
    comes_to_listener,
    link_of,
    no_tls,
    secured,
    socket_error,
    system_text,
)

TALK, TRUST, SECURE, REACH, NAME = 150.0, 120.0, 90.0, 60.0, 40.0
"""Minutes ago."""

_PROXY = "10.1.1.1"
_TRANSACTION = "Unexpected exception executing transaction."
_ENDED = "System.IO.EndOfStreamException: Attempted to read past the end of the stream."
_AUTHENTICATION = "System.Security.Authentication.AuthenticationException"
_INITIALIZATION = "Halibut.Transport.Protocol.ConnectionInitializationFailedException"
_PROTOCOL = "Halibut.Transport.Protocol.ProtocolException"
_PROXY_ERROR = "Halibut.Transport.Proxy.Exceptions.ProxyException"


def _starting(link: Link) -> str:
    return f"Connection initialization failed while connecting to {link.url}"


def _authenticating(link: Link) -> str:
    return f"Authentication failed while setting up connection to {link.url}"


def _connecting(link: Link) -> str:
    return f"Socket communication error while connecting to {link.url}"


def _handshake_fails(link: Link, exception: str, inner: str | None = None) -> None:
    client_fails(link, SECURE, _authenticating(link), exception, inner, attempts=1, after=True)


def _unexpected(link: Link, subject: str, actual: str) -> None:
    text = (
        f"The server at {link.url} presented an unexpected security certificate. We expected the server to present a "
        f"certificate with the thumbprint '{link.listener.certificate.thumbprint}'. Instead, it presented a "
        f"certificate "
        f"with a thumbprint of '{actual}' and subject '{subject}'. This usually happens when the client has been "
        "configured to expect the server to have the wrong certificate."
    )
    heading = None if link.polls else _authenticating(link)
    exception = f"Halibut.Transport.UnexpectedCertificateException: {text}"
    client_fails(link, SECURE, heading, exception, text, attempts=1, after=True)


def certificate_replaced(machine: Blueprint, site: Site) -> None:
    """TT101: the listening end was reinstalled; the other end expects its old certificate."""
    link = link_of(machine, site)
    name = "Octopus Server" if link.listener.is_server else "Octopus Tentacle"
    _unexpected(link, f"CN={name}", site.fresh(name).thumbprint)


def inspected_at_times(machine: Blueprint, site: Site) -> None:
    """TT102: a box opens TLS, now and then."""
    inspector = "Corporate TLS Inspection CA"
    _unexpected(link_of(machine, site), f"CN={inspector}, O=Example", site.fresh(inspector).thumbprint)


def _hung_up(link: Link) -> None:
    """What the two ends write at the usual level when the client is not trusted."""
    secured(link, TRUST + 0.01)
    client_fails(link, TRUST, _TRANSACTION if link.polls else _starting(link), _ENDED, after=link.polls)
    if not link.polls:
        comes_to_listener(link, TRUST)


def thumbprint_not_trusted(machine: Blueprint, site: Site) -> None:
    """TT103: the listener, whose log is at level Debug, does not trust the client."""
    link = link_of(machine, site)
    _hung_up(link)
    link.at_listener(
        TRUST,
        "DEBUG",
        f"A client at {link.peer} connected, and attempted a message exchange, but it presented a client certificate "
        f"with "
        f"the thumbprint '{link.client.certificate.thumbprint}' which is not in the list of thumbprints that we trust",
    )


def not_trusted_by_octopus_2(machine: Blueprint, site: Site) -> None:
    """TT103 in the words of Octopus 2."""
    link = link_of(machine, site)
    link.listener.log.add(
        TRUST,
        "INFO",
        f"Rejecting connection: the client at {link.client.address}:50123 provided a certificate with thumbprint "
        f"{link.client.certificate.thumbprint} while the server trusts {site.fresh('Octopus Tentacle').thumbprint}",
    )


def certificate_not_offered(machine: Blueprint, site: Site) -> None:
    """TT104: the client's certificate is so weak that its system does not offer it; the log is at level Debug."""
    link = link_of(machine, site)
    _hung_up(link)
    text = (
        f"A client at {link.peer} connected, and attempted a message exchange, but did not present a client certificate"
    )
    link.at_listener(TRUST, "DEBUG", text)


def hung_up_after_handshake(machine: Blueprint, site: Site) -> None:
    """TT105: not trusted, and the listener says nothing at its usual level; if it is a Tentacle, TT132."""
    _hung_up(link_of(machine, site))


def never_let_in(machine: Blueprint, site: Site) -> None:
    """TT132: what a listening Tentacle's own log shows, where the server's cannot be read."""
    comes_to_listener(link_of(machine, site), TRUST)


def connection_reset(machine: Blueprint, site: Site) -> None:
    """TT106: something between the two resets connections, and Halibut speaks of trust."""
    link = link_of(machine, site)
    own = link.client.certificate.thumbprint
    if link.polls:
        text = (
            f"The server {link.url} aborted the connection before it was fully established. This usually means that "
            f"the "
            f"server rejected the certificate that we provided. We provided a certificate with a thumbprint of '{own}'."
        )
        client_fails(link, TALK, None, f"Halibut.HalibutClientException: {text}", text)
    else:
        text = (
            f"The remote host at {link.url} reset the connection. This may mean that the expected listening service "
            f"does "
            f"not trust the thumbprint {own} or was shut down."
        )
        client_fails(link, TALK, text, socket_error(link.client, "reset"))
    client_fails(link, TALK - 10, _TRANSACTION, broken_read(link.client, "reset"))


def peer_refuses(machine: Blueprint, site: Site) -> None:
    """TT107: nothing listens at the address."""
    link = link_of(machine, site)
    text = (
        f"The remote host at {link.url} refused the connection. This may mean that the expected listening service is "
        f"not "
        "running."
    )
    client_fails(link, REACH, text, socket_error(link.client, "refused"), after=link.polls)


def packets_dropped(machine: Blueprint, site: Site) -> None:
    """TT108: a firewall swallows the attempts."""
    link = link_of(machine, site)
    text = "The client was unable to establish the initial connection within the timeout 00:01:00."
    heading = _TRANSACTION if link.polls else f"{text} Retrying in 1.0 seconds."
    client_fails(link, REACH, heading, f"Halibut.HalibutClientException: {text}", seconds=61)


def address_does_not_answer(machine: Blueprint, site: Site) -> None:
    """TT108 in the system's words: its own time-out is shorter than Halibut's."""
    link = link_of(machine, site)
    client_fails(link, REACH, _connecting(link), socket_error(link.client, "silent"))


def connection_went_quiet(machine: Blueprint, site: Site) -> None:
    """TT109: a firewall forgets idle connections."""
    link = link_of(machine, site)
    text = (
        f"The connection to the host at {link.url} timed out. There may be problems with the network. The connection "
        f"will "
        "be retried."
    )
    client_fails(link, TALK, text, broken_read(link.client, "silent"), after=True)


def hello_unanswered(machine: Blueprint, site: Site) -> None:
    """TT109: something accepts connections and never answers the TLS hello. A server has no line but the task's."""
    link = link_of(machine, site)
    exception = "System.OperationCanceledException: The ReadAsync operation was cancelled."
    client_fails(link, SECURE, _TRANSACTION, exception, attempts=0, after=not link.polls)


def name_lost(machine: Blueprint, site: Site) -> None:
    """TT110: the client could not resolve the listener's name."""
    link = link_of(machine, site)
    client_fails(link, NAME, _connecting(link), socket_error(link.client, "no name"), attempts=1)


def closed_before_tls(machine: Blueprint, site: Site) -> None:
    """TT112: a load balancer without a living member."""
    exception = "System.IO.IOException: Received an unexpected EOF or 0 bytes from the transport stream."
    client_fails(link_of(machine, site), SECURE, _TRANSACTION, exception)


def no_common_tls(machine: Blueprint, site: Site) -> None:
    """TT113: the two ends have no version of TLS, or no cipher suite, in common; the listener's log is at Debug."""
    link = link_of(machine, site)
    outer, inner = no_tls(link.client)
    _handshake_fails(link, f"{_AUTHENTICATION}: {outer}\n ---> {inner}", outer)
    outer, inner = no_tls(link.listener)
    seen = inner.replace("0A00042E", "0A0000C1").replace("tlsv1 alert protocol version", "no shared cipher")
    heading = f"Client failed authentication: {link.peer}"
    link.at_listener(SECURE, "DEBUG", heading, f"{_AUTHENTICATION}: {outer}", f" ---> {seen}")


def handshake_refused(machine: Blueprint, site: Site) -> None:
    """TT113: the other end answers the hello with an alert, and then fails without a reason."""
    link = link_of(machine, site)
    failed = f"{_AUTHENTICATION}: Authentication failed, see inner exception."
    alert = "Interop+Crypto+OpenSslCryptographicException: error:0A000410:SSL routines::sslv3 alert handshake failure"
    _handshake_fails(link, f"{failed}\n ---> {alert}")
    _handshake_fails(link, failed)
    heading = f"Client failed authentication: {link.peer}"
    link.at_listener(SECURE, "DEBUG", heading, "System.IO.IOException: Authentication failed.")


def parameters_invalid(machine: Blueprint, site: Site) -> None:
    """TT113: Schannel and a key of 512 bits."""
    outer = "A call to SSPI failed, see inner exception."
    inner = "System.ComponentModel.Win32Exception: One or more of the parameters passed to the function was invalid"
    _handshake_fails(link_of(machine, site), f"{_AUTHENTICATION}: {outer}\n ---> {inner}", outer)


def key_too_small(machine: Blueprint, site: Site) -> None:
    """TT114: the Tentacle's certificate has 1,024 bits, and its own OpenSSL refuses it (tentacle-seen 1.3)."""
    link = link_of(machine, site)
    weak = "Interop+OpenSsl+SslException: Using SSL certificate failed with OpenSSL error - ee key too small."
    if link.polls:
        client_fails(link, SECURE, _TRANSACTION, weak)
        return
    alert = "Authentication failed because the remote party sent a TLS alert: 'ProtocolVersion'."
    _handshake_fails(link, f"{_AUTHENTICATION}: {alert}")
    link.at_listener(SECURE, "DEBUG", f"Client failed authentication: {link.peer}", weak)


def requests_not_collected(machine: Blueprint, site: Site) -> None:
    """TT115: the server has work, and nobody fetches it in time."""
    link = link_of(machine, site)
    link.server.log.add(
        TALK,
        "ERROR",
        f"An error occurred when sending a request to '{link.subscription}', before the request could begin: A request "
        f"was "
        "sent to a polling endpoint, but the polling endpoint did not collect the request within the allowed time "
        "(00:02:00), so the request timed out.",
    )


def request_not_answered(machine: Blueprint, site: Site) -> None:
    """TT116: a script hangs."""
    link = link_of(machine, site)
    if link.polls:
        link.server.log.add(
            TALK,
            "ERROR",
            f"An error occurred when sending a request to '{link.subscription}', after the request began: A request "
            f"was "
            "sent to a polling endpoint, the polling endpoint collected it but the request was cancelled before the "
            "polling endpoint responded.",
        )
        return
    exception = "Halibut.HalibutClientException: No response was received from the endpoint within the allowed time."
    client_fails(link, TALK, _TRANSACTION, exception, attempts=1, after=True)


def too_many_connections(machine: Blueprint, site: Site) -> None:
    """TT117: copies of the machine poll with its subscription."""
    link = link_of(machine, site)
    link.at_listener(
        TRUST,
        "ERROR",
        f"A polling client at {link.peer} has exceeded the maximum number of active connections (1) for subscription "
        f"{link.subscription}. New connections will be rejected",
    )


def proxy_down(machine: Blueprint, site: Site) -> None:
    """TT118: nothing listens at the proxy's address; before that it was no proxy, and its name was unknown."""
    link = link_of(machine, site)
    to = f"{_PROXY_ERROR}: Connection to proxy host"
    causes = (
        f"{to} proxy.example on port 8080 failed: {system_text(link.client, 'no name')}",
        f"{_PROXY_ERROR}: No HTTP response received from proxy destination.  Server response: SSH-2.0-OpenSSH_9.2.",
        f"{to} {_PROXY} on port 8080 failed: {system_text(link.client, 'refused')}",
    )
    for number, exception in enumerate(causes):
        client_fails(link, REACH - number, _TRANSACTION, exception, attempts=1)


def proxy_refuses(machine: Blueprint, site: Site) -> None:
    """TT119: the proxy wants a user; it has said other things before."""
    link = link_of(machine, site)
    answers = (
        (
            "502 code - Bad Gateway.  If you are connecting to a Microsoft ISA destination please refer to knowledge "
            "based "
            "article Q283284 for more information.  Server response: Bad Gateway"
        ),
        "503 code - Service Unavailable",
        "403 code - Forbidden",
        "407 code - Proxy Authentication Required",
    )
    for number, answer in enumerate(answers):
        exception = f"{_PROXY_ERROR}: Proxy destination ::ffff:{_PROXY} on port 8080 responded with a {answer}"
        client_fails(link, REACH - number, _TRANSACTION, exception, attempts=1)


def web_socket_unreachable(machine: Blueprint, site: Site) -> None:
    """TT120: the server has no web socket there. Only Tentacles on .NET Framework poll so (tentacle-facts 1.9)."""
    exception = "System.Net.WebSockets.WebSocketException (0x80004005): Unable to connect to the remote server"
    client_fails(link_of(machine, site), REACH, _TRANSACTION, exception)


def plain_http_answers(machine: Blueprint, site: Site) -> None:
    """TT121: a plain web server has the port."""
    text = "Cannot determine the frame size or a corrupted frame was received."
    _handshake_fails(link_of(machine, site), f"{_AUTHENTICATION}: {text}")


def unheard_of(machine: Blueprint, site: Site) -> None:
    """TT131: an exception that the catalogue does not know, under each of Halibut's headings."""
    link = link_of(machine, site)
    exception = "System.ObjectDisposedException: Cannot access a disposed object."
    client_fails(link, TALK, _TRANSACTION, exception)
    client_fails(link, TALK - 10, _connecting(link), exception)


def no_route(machine: Blueprint, site: Site) -> None:
    """TT133: the route to the other network is gone."""
    link = link_of(machine, site)
    client_fails(link, REACH, _connecting(link), socket_error(link.client, "no route"), after=link.polls)


def _answered(link: Link, inner: str) -> None:
    client_fails(link, TALK, _starting(link), f"{_INITIALIZATION}: {inner}", after=link.polls)


def web_page_inserted(machine: Blueprint, site: Site) -> None:
    """TT951: a proxy answers in the other end's place, first without header lines and then with them."""
    link = link_of(machine, site)
    add = link.client.log.add
    add(TALK + 0.01, "ERROR", link.to_listener("Response:"))
    for line in ("HTTP/1.0 200 OK", "<html><body><h1>Access denied</h1></body></html>"):
        add(TALK + 0.01, "ERROR", link.to_listener(line))
    _answered(link, "Unable to process remote identity; unknown identity type: 'HTTP/1.0'")
    _answered(link, "Unable to receive the remote identity; the following line was not empty.")


def identity_missing(machine: Blueprint, site: Site) -> None:
    """TT952: an old peer with a weak certificate sends an empty line."""
    _answered(link_of(machine, site), "Unable to receive the remote identity; the identity line was empty.")


def traffic_changed(machine: Blueprint, site: Site) -> None:
    """TT953: a box changes control words, line ends, identities and messages."""
    link = link_of(machine, site)
    client_fails(link, TALK, _TRANSACTION, f"{_PROTOCOL}: Expected PROCEED, got: HELLO", after=True)
    _answered(link, "Unexpected byte after '\r' in control message: 0x58")
    _answered(link, "Expected the remote endpoint to identity as a server. Instead, it identified as: Client")
    text = "The archive entry was compressed using an unsupported compression method."
    client_fails(link, TALK, _TRANSACTION, f"System.IO.InvalidDataException: {text}", after=True)
    missing = f"{_PROTOCOL}: The remote did not supply a subscription ID."
    link.at_listener(TALK, "ERROR", f"Remote failed to identify itself at {link.peer}.", missing)


def messages_cut(machine: Blueprint, site: Site) -> None:
    """TT954: traffic is cut short."""
    exception = (
        "System.IO.IOException: Data stream size mismatch detected during send. Declared length: 512, actual: 488"
    )
    client_fails(link_of(machine, site), TALK, _TRANSACTION, exception, after=True)
