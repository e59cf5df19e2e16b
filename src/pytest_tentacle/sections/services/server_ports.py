"""Guide, "Check the Octopus and Tentacle Services are Running": what else an Octopus Server needs to run and be found.

Besides the polling port it opens those of its portal, of its web socket, and 8443. On Windows http.sys opens portal and
web socket for it (windows-reality 8f); where the server's own process holds the port, it does without.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tentacle.judging.away import AWAY_READS, away
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.sections.account.rights import has_rights
from pytest_tentacle.sections.connections.here import holder_words, is_own, listener_line
from pytest_tentacle.sections.connections.reserved import (
    HTTP_SYS_PID,
    Prefix,
    bindings_of,
    entries_of_descriptor,
    prefix_of,
    reservations_of,
    served_prefixes,
)
from pytest_tentacle.sections.versions import version_of
from pytest_tentacle.survey.model import Listener, ServiceState
from pytest_tentacle.survey.surroundings import Access, Binding, Permissions, Reservations

_GRPC_PORT, _GRPC_SINCE = 8443, (2025, 3)
"""Since then a server does not start where it cannot open that port (tentacle-history, Issues#9669)."""

_REGISTER = 0x20
"""What lets register a prefix: generic execute, which http.sys maps as files do (netsh shows it as GX)."""

_EVERYWHERE = frozenset({"0.0.0.0", "::", "*"})
_NEEDS_NO_RESERVATION = frozenset({"S-1-5-18", "S-1-5-32-544"})


@check(codes=("TT209",), reads=("instances", "services", "listeners", "reservations", "products", *AWAY_READS))
def servers_further_ports_are_free_for_it(subject: Subject) -> Iterator[Finding]:
    """Nobody else holds the further ports of an Octopus Server: its portal's, its web socket's, 8443."""
    wanted = _prefixes(subject)
    if wanted is None:
        return
    listeners = subject.read(FACTS.listeners)
    reservations = _reservations(subject)
    for port, what in _ports(subject, wanted).items():
        there = [each for each in listeners if each.port == port and each.pid is not None]
        shared = any(_is_shared(subject, each) for each in there)
        hosts = {prefix.host for prefix in wanted if prefix.port == port}
        in_the_way = {each: None if shared else _is_in_the_way(subject, each, hosts) for each in there}
        strangers = [each for each, found in in_the_way.items() if found]
        if strangers:
            yield _taken(subject, port, what, strangers)
        elif there and not shared and None in in_the_way.values():
            yield _may_be_taken(subject, port, what, there)
        for each in there if not strangers else ():
            yield Evidence(f"sockets of {subject.name}", f"{what}: {listener_line(each)}")
    if not _is_stopped(subject) or reservations is None:
        return
    for prefix in wanted:
        same = [each for each in served_prefixes(reservations) if prefix.is_the_same_as(each)]
        for other in [each for each in same if each.host == prefix.host][:1]:
            yield _registered(subject, prefix, other)
        for other in [each for each in same if each.host == "+" != prefix.host][:1]:
            yield Unknown(
                f"whether {other.text}, which is registered at http.sys of {subject.name}, is in the way of "
                f"{prefix.text} is not known: the server may register that name for every host",
                "See whose it is: netsh http show servicestate view=requestq.",
            )


@check(
    codes=("TT210", "TT211", "TT212"),
    reads=("instances", "services", "reservations", "permissions", *AWAY_READS),
)
def web_server_is_set_up(subject: Subject) -> Iterator[Finding]:
    """http.sys has what the server's URL prefixes need: a certificate with its key, and the right to register them."""
    wanted = _prefixes(subject)
    if wanted is None or not _is_windows(subject):
        return
    reservations = subject.read(FACTS.reservations)
    served = served_prefixes(reservations)
    for prefix in wanted:
        if any(prefix.is_the_same_as(each) for each in served):
            source = f"http.sys of {subject.name}"
            yield Evidence(source, f"{prefix.text} is registered")
            if prefix.is_secure:
                yield from _certificate(subject, prefix, reservations)
        elif _is_stopped(subject):
            yield from _right(subject, prefix, reservations)
        else:
            yield Evidence(f"http.sys of {subject.name}", f"{prefix.text} is not among what was seen there")


def _prefixes(subject: Subject) -> tuple[Prefix, ...] | None:
    """The URL prefixes of a server that runs on the machine itself; None where there is none, or no settings."""
    if subject.is_tentacle or away(subject) is not None:
        return None
    try:
        settings = subject.server_settings
    except Blocked:
        return None
    texts = (*settings.web_listen_prefixes, *((settings.web_socket_prefix,) if settings.web_socket_prefix else ()))
    return tuple(found for text in texts if (found := prefix_of(text)) is not None)


def _ports(subject: Subject, wanted: tuple[Prefix, ...]) -> dict[int, str]:
    """What each port is for; the polling port only where nobody polls, since the welcome page's step has it else."""
    found = {prefix.port: prefix.text for prefix in wanted}
    polling = subject.expected_port
    if polling is not None and subject.name not in subject.fleet.polled_servers:
        found[polling] = "the polling port"
    if _is_stopped(subject) and _opens_grpc(subject):
        found.setdefault(_GRPC_PORT, "the port for Kubernetes, unless another one is set")
    return found


def _opens_grpc(subject: Subject) -> bool:
    try:
        parts = (version_of(subject) or "").split(".")
    except Unknown:
        return False
    numbers = [int(part) for part in parts[:2] if part.isdigit()]
    return len(numbers) == 2 and tuple(numbers) >= _GRPC_SINCE  # noqa: PLR2004  year and release


def _is_stopped(subject: Subject) -> bool:
    """Whether the service is there and does not run: one without a service may run by hand, and a start takes long."""
    service = subject.service
    return service is not None and service.state is ServiceState.STOPPED


def _is_shared(subject: Subject, listener: Listener) -> bool:
    """Whether the server itself listens there, or http.sys, which many programs share."""
    return is_own(subject, listener) or (_is_windows(subject) and listener.pid == HTTP_SYS_PID)


def _is_in_the_way(subject: Subject, listener: Listener, hosts: set[str]) -> bool | None:
    """Whether a listener keeps others from the port at these hosts; None where nobody can tell.

    No hosts: every address is wanted. Beside a socket of one address Linux refuses one of all addresses; Windows does
    if that one is exclusive ("Sharing Transport Addresses" in Microsoft's network driver documentation), which is not
    known of Octopus Server's. Whether it opens all addresses for `localhost` is not known either.
    """
    address = listener.address.strip("[]")
    is_loopback = address == "::1" or address.startswith("127.")
    if address in _EVERYWHERE or address in hosts or (is_loopback and "localhost" in hosts):
        return True
    if all(host[:1].isdigit() or ":" in host for host in hosts) and hosts:
        return False
    wants_all = hosts != {"localhost"}
    return True if wants_all and not _is_windows(subject) else None


def _is_windows(subject: Subject) -> bool:
    return subject.system == "windows"


def _reservations(subject: Subject) -> Reservations | None:
    try:
        return subject.read(FACTS.reservations)
    except Unknown:
        return None


def _facts(subject: Subject, port: int, url: str) -> dict[str, object]:
    service = subject.service
    return {
        "instance": subject.instance_name,
        "service": service.name if service else None,
        "port": port,
        "url": url,
    }


def _taken(subject: Subject, port: int, what: str, strangers: list[Listener]) -> Problem:
    first = strangers[0]
    return Problem(
        "TT209",
        subject.name,
        expected=f"port {port} ({what}) is free for {_service_words(subject)}",
        actual=holder_words(first),
        evidence=tuple(Evidence(f"sockets of {subject.name}", listener_line(each)) for each in strangers),
        facts=_facts(subject, port, what)
        | {
            "pid": first.pid,
            "process": first.owner.name if first.owner else None,
            "holder": holder_words(first),
        },
    )


def _may_be_taken(subject: Subject, port: int, what: str, there: list[Listener]) -> Unknown:
    return Unknown(
        f"whether {holder_words(there[0])} at {there[0].address} is in the way of port {port} ({what}) of "
        f"{subject.name} is not known: it has one address only",
        "See what the program is for.",
    )


def _registered(subject: Subject, prefix: Prefix, other: Prefix) -> Problem:
    holder = f"it is registered at http.sys as {other.text}, while the service does not run"
    return Problem(
        "TT209",
        subject.name,
        expected=f"{prefix.text} is free for {_service_words(subject)}",
        actual=holder,
        evidence=(Evidence(f"http.sys of {subject.name}", other.text),),
        facts=_facts(subject, prefix.port, prefix.text) | {"pid": HTTP_SYS_PID, "process": "System", "holder": holder},
    )


def _service_words(subject: Subject) -> str:
    service = subject.service
    return f"service {service.name}" if service else f"instance {subject.instance_name}"


def _certificate(subject: Subject, prefix: Prefix, reservations: Reservations) -> Iterator[Finding]:
    source = f"http.sys of {subject.name}"
    if reservations.bindings is None:
        if reservations.unread_settings is None:  # a survey of before does not tell
            yield Evidence(source, "which certificates are bound was not read")
        else:
            yield Unknown(
                f"which certificates are bound on {subject.name} was not read: {reservations.unread_settings}",
                "Look by hand: netsh http show sslcert.",
            )
        return
    bound = bindings_of(reservations.bindings, prefix.host, prefix.port)
    if not reservations.bindings:  # where no binding was seen at all, nothing proves that they are kept where we look
        yield Unknown(
            f"which certificate is bound for {prefix.text} on {subject.name} is not known: no binding was found there",
            "Look by hand: netsh http show sslcert.",
        )
        return
    if not bound:
        others = ", ".join(each.endpoint for each in reservations.bindings)
        yield Problem(
            "TT210",
            subject.name,
            expected=f"a certificate is bound for {prefix.text}",
            actual=f"none is bound on port {prefix.port} for {prefix.host}, only on {others}",
            evidence=(Evidence(source, f"bindings: {others}"),),
            facts=_facts(subject, prefix.port, prefix.text),
        )
        return
    broken = [each for each in bound if each.stored is False or (each.stored and each.has_key is False)]
    if len(broken) < len(bound):
        for each in bound:
            yield Evidence(source, _binding_words(each))
        return
    first = broken[0]
    why = "has no private key in" if first.stored else "is not in"
    yield Problem(
        "TT211",
        subject.name,
        expected=f"the certificate that is bound for {prefix.text} is in its store, with its private key",
        actual=f"{first.thumbprint}, bound to {first.endpoint}, {why} the machine's store {first.store}",
        evidence=tuple(Evidence(source, _binding_words(each)) for each in bound),
        facts=_facts(subject, prefix.port, prefix.text)
        | {"thumbprint": first.thumbprint, "store": first.store, "endpoint": first.endpoint},
    )


def _binding_words(binding: Binding) -> str:
    if binding.central:
        return "certificates come from a central store of files"
    return f"{binding.endpoint}: {binding.thumbprint or 'a certificate that could not be read'}, store {binding.store}"


def _right(subject: Subject, prefix: Prefix, reservations: Reservations) -> Iterator[Finding]:
    """Whether the account of a service that does not run may register the prefix.

    Without a reservation administrators alone may, Local System among them. Whether they may as well where it is
    reserved for others is not known for sure, nor whether a reservation of another host holds for this one, nor, where
    there is none, whether the server uses http.sys at all: that is said and not judged.
    """
    source = f"http.sys of {subject.name}"
    if reservations.prefixes is None:
        return
    own, others = reservations_of(reservations.prefixes, prefix)
    known = [(each, entries_of_descriptor(each.descriptor)) for each in (*own, *others)]
    who = _account(subject)
    if who is None or any(entries is None for _, entries in known):
        yield Evidence(source, f"whether the service may register {prefix.text} is not known")
        return
    if not _NEEDS_NO_RESERVATION.isdisjoint({who.sid, *who.groups}):
        yield Evidence(source, f"{who.account} is an administrator, who may register {prefix.text}")
        return
    allowed = {has_rights(Access(path=each.url, entries=entries), who, _REGISTER) for each, entries in known}
    if True in allowed:
        yield Evidence(source, f"a prefix that covers {prefix.text} is reserved for {who.account}")
        return
    in_doubt = None in allowed or not who.groups_complete  # the administrators may be among those that nobody told
    if not own or in_doubt:
        why = "not all of its groups are" if in_doubt else "nothing is reserved for its host"
        yield Unknown(
            f"whether {who.account} may register {prefix.text} on {subject.name} is not known: {why}",
            "Look by hand: netsh http show urlacl.",
        )
        return
    found, entries = known[0]
    reserved = f"reserved for {', '.join(each.sid for each in entries or () if not each.deny) or 'nobody'}"
    yield Problem(
        "TT212",
        subject.name,
        expected=f"{who.account}, whom the service runs as, may register {prefix.text}",
        actual=f"{found.url} is {reserved}, and {who.account} ({who.sid}) is no administrator",
        evidence=(Evidence(source, f"{found.url}: {reserved}"),),
        facts=_facts(subject, prefix.port, prefix.text) | {"account": who.account},
    )


def _account(subject: Subject) -> Permissions | None:
    """The service's account with its groups; None where nobody told its SID."""
    try:
        rows = subject.read(FACTS.permissions)
    except Unknown:
        return None
    name = subject.instance_name.lower()
    row = next((each for each in rows if each.product == "server" and each.instance.lower() == name), None)
    return row if row is not None and row.sid else None
