"""Guide, "Communication Settings": who is trusted, and where a polling Tentacle polls."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tentacle.inventory.model import Mode, OctopusServer, Tentacle
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.entries import (
    Entry,
    entries_of,
    is_balanced,
    is_of_these_alone,
    needs_no_other,
    node_of,
    own_addresses,
)
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.judging.thumbprints import as_thumbprint, fault_in
from pytest_tentacle.sections.connections.web_sockets import standing_or_unknown
from pytest_tentacle.survey.configuration import TrustedServer

from .checks import POLLING_STYLE

_BALANCED = "Octopus recommends an address of its own for each node, or work may wait for its turn"
_READS_OF_TRUST = ("instances", "services", "peer.instances", "peer.services", "peer.probes")


@check(codes=("TT320",), reads=_READS_OF_TRUST)
def some_server_is_trusted(subject: Subject) -> Iterator[Finding]:
    """At least one Octopus Server is trusted."""
    if not subject.is_tentacle or subject.settings.trusted_error:
        return
    path = subject.instance.configuration.path
    trusted = subject.settings.trusted
    if trusted:
        yield Evidence(path, f"trusts {', '.join(dict.fromkeys(entry.thumbprint or '?' for entry in trusted))}")
        return
    yield _problem(
        subject,
        "TT320",
        "at least one Octopus Server is trusted",
        "the list of trusted servers is empty",
        **_its_server(subject),
    )


@check(codes=("TT321",), reads=(*_READS_OF_TRUST, "probes"))
def declared_servers_are_trusted(subject: Subject) -> Iterator[Finding]:
    """Each declared server's thumbprint is among the trusted ones, or the polled ones where the Tentacle polls."""
    if not subject.is_tentacle or not subject.settings.trusted:
        return
    settings = subject.settings
    entries = [entry for entry in settings.trusted if subject.mode is not Mode.POLLING or entry.style == POLLING_STYLE]
    trusted = {as_thumbprint(entry.thumbprint) for entry in entries}
    if any(entry.is_web_socket for entry in entries_of(settings)):
        return  # then it is the web server's certificate that is trusted (Octopus issue 6722)
    for server in subject.peers:
        expected = as_thumbprint(server.expected_thumbprint)
        if expected is None or not entries:
            continue
        if expected in trusted:
            yield Evidence(subject.instance.configuration.path, f"trusts {server.name} ({expected})")
            continue
        present = ", ".join(dict.fromkeys(entry.thumbprint or "?" for entry in entries))
        yield _problem(
            subject,
            "TT321",
            f"{server.name} is trusted: {expected}",
            f"only {present} is trusted",
            server=server.name,
            thumbprint=expected,
            **_polled_instead(subject, server),
        )


@check(codes=("TT322", "TT323"), reads=(*_READS_OF_TRUST, "probes"))
def trusted_thumbprints_are_well_formed(subject: Subject) -> Iterator[Finding]:
    """Trusted thumbprints are 40 hexadecimal digits; those of polled servers in upper case."""
    if not subject.is_tentacle:
        return
    for text, styles in _by_text(subject.settings.trusted).items():
        fault, meant = fault_in(text), as_thumbprint(text)
        if fault:
            shown = text.encode("unicode_escape").decode("ascii") or "(nothing)"
            facts = _its_server(subject) | _spare(subject) | _named(meant) | {"configured": shown}
            wanted = "trusted thumbprints are 40 hexadecimal digits"
            yield _problem(subject, "TT322", wanted, f"{shown}: {fault}", **facts)
        elif text != text.upper() and POLLING_STYLE in styles:
            yield _problem(
                subject,
                "TT323",
                "thumbprints of polled servers are in upper case",
                f"{text} is compared letter by letter, and never equal",
                thumbprint=text.upper(),
                configured=text,
                **_spare(subject),
            )


@check(codes=("TT315",), reads=(*_READS_OF_TRUST, "probes"))
def polling_entries_are_complete(subject: Subject) -> Iterator[Finding]:
    """Each polling entry has an address and a subscription."""
    if not subject.is_tentacle:
        return
    for entry in subject.settings.trusted:
        if entry.style != POLLING_STYLE:
            continue
        missing = [
            word for word, value in (("address", entry.address), ("subscription", entry.subscription_id)) if not value
        ]
        if missing:
            yield _problem(
                subject,
                "TT315",
                "a polling entry has an address and a subscription",
                f"the entry for {entry.thumbprint or '?'} has no {' and no '.join(missing)}: the Tentacle skips it",
                **_its_server(subject) | _spare(subject) | _named(entry.thumbprint),
            )


@check(
    codes=("TT313", "TT314"),
    reads=("instances", "services", "probes", "connections", "peer.probes", "peer.instances", "peer.services"),
)
def declared_servers_are_polled(subject: Subject) -> Iterator[Finding]:
    """A polling Tentacle has an address of each declared server node, on one of its polling ports.

    An address that is not declared for any node counts for a node whose certificate answers there: an alias.
    """
    machine = subject.machine
    if not isinstance(machine, Tentacle) or subject.mode is not Mode.POLLING:
        return
    entries = entries_of(subject.settings)
    nodes = subject.peers
    path = subject.instance.configuration.path
    aliases = [entry for entry in entries if node_of(entry, subject, entries) is None]
    for node in nodes:
        own = [entry for entry in entries if node_of(entry, subject, entries) is node]
        right = [entry for entry in own if _on_its_port(entry, node)]
        translated = next((entry for entry in own if _is_translated(entry, node, subject)), None)
        balanced = next((each for each in entries if each not in own and _is_in_turn(each, node, subject)), None)
        if right:
            yield Evidence(path, f"polls {node.name} at {right[0].address}")
        elif translated:
            yield Evidence(
                path, f"polls {node.name} at {translated.address}, a port that leads to it (NAT, a balancer)"
            )
        elif own:
            yield _wrong_port(subject, node, own[0])
        elif balanced and balanced not in aliases:
            yield Evidence(path, f"polls {node.name} in its turn at {balanced.address}: {_BALANCED}")
        else:
            alias = next((entry for entry in aliases if entry.leads_to(node, subject)), None)
            if alias is not None:
                aliases.remove(alias)
                yield Evidence(subject.instance.configuration.path, f"polls {node.name} as {alias.address}")
            elif balanced:
                yield Evidence(path, f"polls {node.name} in its turn at {balanced.address}: {_BALANCED}")
            elif not _explained(subject, entries):
                doubt = next((entry for entry in aliases if _may_lead_to(entry, node, subject)), None)
                yield _in_doubt(subject, node, doubt) if doubt else _missing(subject, node, entries)


def _by_text(trusted: tuple[TrustedServer, ...]) -> dict[str, set[int | None]]:
    found: dict[str, set[int | None]] = {}
    for entry in trusted:
        found.setdefault(entry.thumbprint or "", set()).add(entry.style)
    return found


def _explained(subject: Subject, entries: tuple[Entry, ...]) -> bool:
    """Whether another problem of the settings says already why there is no address at all."""
    polling = [entry for entry in subject.settings.trusted if entry.style == POLLING_STYLE]
    return not entries or any(not entry.address for entry in polling)


def _may_lead_to(entry: Entry, node: Subject, subject: Subject) -> bool:
    """Whether an address that is declared for no node may be this one's for all that was seen.

    A web socket shows the portal's certificate, a proxy's way is not ours, and a probe may be missing; and whose page
    it is nobody can say where the node's own certificate is not known.
    """
    proxy = subject.settings.polling_proxy
    probe = entry.probe(subject)
    if entry.is_web_socket or (proxy.host and not proxy.use_default):
        return True
    if probe is None or (probe.failed is None and probe.page is None):
        return True
    return node.expected_thumbprint is None and probe.shows_page


def _in_doubt(subject: Subject, node: Subject, entry: Entry) -> Finding:
    """A web socket whose connection stands leads to the portal, behind which the nodes are."""
    if entry.is_web_socket and isinstance(stands := standing_or_unknown(subject, entry), Evidence):
        return stands
    return _unclear(subject, node, entry)


def _unclear(subject: Subject, node: Subject, entry: Entry) -> Unknown:
    return Unknown(
        f"whether {entry.address}, which {subject.name} polls, leads to {node.name} could not be seen",
        f"If it does, declare its host for {node.name}: addresses: [{entry.host}].",
    )


def _on_its_port(entry: Entry, node: Subject) -> bool:
    return entry.is_web_socket or entry.is_gateway_of(node) or entry.port in _ports(node)


def _is_in_turn(entry: Entry, node: Subject, subject: Subject) -> bool:
    """Whether an address is that of several nodes: their certificates answer, or nobody looked."""
    return is_balanced(entry, node, subject) or (entry.names(node) and _may_lead_to(entry, node, subject))


def _is_translated(entry: Entry, node: Subject, subject: Subject) -> bool:
    """Whether a port that is not declared leads to the node all the same, which itself listens on another one."""
    try:
        if entry.port == node.expected_port:
            return False  # the server's own port is not the one that is declared
    except (Unknown, Blocked):
        pass
    return entry.leads_to(node, subject)


def _ports(node: Subject) -> tuple[int, ...]:
    return node.machine.polling_ports if isinstance(node.machine, OctopusServer) else ()


def _wrong_port(subject: Subject, node: Subject, entry: Entry) -> Problem:
    declared = " or ".join(map(str, _ports(node)))
    return _problem(
        subject,
        "TT314",
        f"polls {node.name} on port {declared}",
        f"polls {entry.address}, port {entry.port}",
        server=node.name,
        port=entry.port,
        declared=_ports(node)[0] if _ports(node) else None,
        host=entry.host,
        thumbprint=entry.thumbprint,
        configured=(entry.thumbprint or "").upper() or None,
        **_to_keep(subject, node, entry),
        **_case_of(entry.thumbprint),
    )


def _case_of(thumbprint: str | None) -> dict[str, object]:
    """Whether an entry has lower-case letters, by which calls that compare letter by letter do not find its server."""
    text = thumbprint or ""
    miscased = text != text.upper()
    return {"miscased": miscased} | ({"lower_case": text, "upper_case": text.upper()} if miscased else {})


def _polled_instead(subject: Subject, server: Subject) -> dict[str, object]:
    """The thumbprint that is expected where this server is polled, and whether it may be replaced."""
    if subject.mode is not Mode.POLLING:
        return {}
    addresses = own_addresses(subject, server)
    own = {entry.thumbprint for entry in entries_of(subject.settings) if entry.address in addresses}
    if len(own) > 1:
        return {}
    found = next(iter(own), None)
    replaceable = found is not None and is_of_these_alone(found, [server], subject)
    return {"replaceable": replaceable, "unreplaceable": not replaceable} | ({"configured": found} if found else {})


def _to_keep(subject: Subject, node: Subject, wrong: Entry) -> dict[str, object]:
    """The addresses that `clear-trusted-servers` must keep; an entry without one makes that command fail."""
    trusted = subject.settings.trusted
    keepable = all(entry.address for entry in trusted)
    port = next(iter(_ports(node)), None)
    others = [entry.address for entry in trusted if entry.address and entry.address != wrong.address]
    kept = ",".join(dict.fromkeys([f"https://{wrong.host}:{port}", *others]))
    return {"keepable": keepable, "unkeepable": not keepable, "keep": kept}


def _named(thumbprint: str | None) -> dict[str, object]:
    return {"thumbprint": thumbprint} if thumbprint else {}


def _spare(subject: Subject) -> dict[str, object]:
    """Whether nobody needs the entry that is wrong, since each declared server has a whole one."""
    spare = needs_no_other(subject)
    return {"spare": spare, "needed": not spare}


def _missing(subject: Subject, node: Subject, entries: tuple[Entry, ...]) -> Problem:
    name = node.machine.dns_name or node.machine.ip or node.name
    declared = " or ".join(map(str, _ports(node)))
    expected = as_thumbprint(node.expected_thumbprint)
    own = [entry.thumbprint for entry in subject.settings.trusted if as_thumbprint(entry.thumbprint) == expected]
    return _problem(
        subject,
        "TT313",
        f"polls {node.name} ({name}:{declared})",
        f"polls only {', '.join(entry.address for entry in entries)}, which is not declared for {node.name}",
        server=node.name,
        polled=f"https://{name}:{next(iter(_ports(node)), 10943)}",
        **_case_of(next((text for text in own if text != (text or "").upper()), None)),
    )


def _its_server(subject: Subject) -> dict[str, object]:
    """What a remedy needs of the declared server; of the first where there are several."""
    node = next(iter(subject.peers), None)
    if node is None:
        return {}
    return {
        "server": node.name,
        "host": node.machine.dns_name or node.machine.ip,
        "declared": _ports(node)[0] if _ports(node) else None,
        "thumbprint": as_thumbprint(node.machine.thumbprint or node.presented_here),
    }


def _problem(subject: Subject, code: str, expected: str, actual: str, **facts: object) -> Problem:
    configuration = subject.instance.configuration
    return Problem(
        code,
        subject.name,
        expected=expected,
        actual=actual,
        evidence=(Evidence(configuration.path, actual),),
        facts={"instance": subject.instance_name, "file": configuration.path, **facts},
    )
