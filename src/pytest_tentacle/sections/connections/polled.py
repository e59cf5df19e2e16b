"""Guide, "Checking a Polling Tentacle": from the Tentacle's machine to every server node."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tentacle.guide.consequences import NOWHERE_TO_POLL
from pytest_tentacle.inventory.model import OctopusServer
from pytest_tentacle.judging.check import Finding
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.links import Entry, entries_of, is_balanced, node_of, nodes_of, unnamed_web_socket
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.judging.thumbprints import as_thumbprint
from pytest_tentacle.link import By, Probe
from pytest_tentacle.link.hosts import plain_address, plain_host
from pytest_tentacle.survey.targets import names_of, polling_target, polling_targets

from .link_verdict import UNPROBED, Link, is_well, judge_link, standing_in_the_way
from .probe_verdict import describe
from .web_sockets import standing_or_unknown


def links_to_polled_servers(subject: Subject) -> Iterator[Finding]:
    """From the Tentacle's machine, https://<dns name or ip>:<polling port> of each server node shows the server's page.

    Its own configured addresses come first: they are what it uses. A node that none of them leads to is judged by what
    is declared for it.
    """
    subject.own_probes()
    entries, proxy = _own_way(subject)
    nodes = nodes_of(subject)
    if not nodes and not entries:
        raise _nowhere(subject)
    reached: set[str] = set()
    for entry in entries:
        node = _node_of(entry, entries, subject, reached)
        if node is not None:
            reached.add(node.name)
        yield from _through(proxy, f"{subject.name} polls {entry.address}", _judge_entry(subject, entry, node))
    if unnamed_web_socket(entries, nodes):
        return
    for node in nodes:
        if node.name not in reached and not any(is_balanced(entry, node, subject) for entry in entries):
            yield from _through(proxy, f"{subject.name} polls", _judge_declared(subject, node))


def _own_way(subject: Subject) -> tuple[tuple[Entry, ...], str | None]:
    """The configured addresses, and the proxy before them; nothing where the settings cannot be read."""
    try:
        proxy = subject.settings.polling_proxy
        return entries_of(subject.settings), None if proxy.use_default else proxy.host
    except (Unknown, Blocked):
        return (), None


def _nowhere(subject: Subject) -> Unknown | Blocked:
    standing = subject.first_problem(NOWHERE_TO_POLL, "communication-settings")
    if standing:
        return Blocked(standing.code, subject.name, "there is no server to poll")
    return Unknown(f"no server is declared for {subject.name}", "Declare it in the inventory: servers: [<name>].")


def _node_of(entry: Entry, entries: tuple[Entry, ...], subject: Subject, reached: set[str]) -> Subject | None:
    """The node that an address is declared for, else one whose certificate answers there."""
    declared = node_of(entry, subject, entries)
    if declared is not None:
        return declared
    free = (node for node in nodes_of(subject) if node.name not in reached)
    return next((node for node in free if entry.leads_to(node, subject)), None)


def _judge_entry(subject: Subject, entry: Entry, node: Subject | None) -> Iterator[Finding]:
    """An address of the Tentacle's own settings; for a declared node, its IP address is the second try."""
    if entry.is_web_socket:
        yield standing_or_unknown(subject, entry)
        return
    probe = entry.probe(subject)
    literal = plain_address(entry.host) is not None
    ip = node.machine.ip if node and entry.names(node) else None
    second = subject.own_probe(polling_target(subject.name, node.name, ip, entry.port)) if node and ip else None
    known = as_thumbprint(node.expected_thumbprint) if node else None
    link = Link(
        machine=subject.name,
        vantage=subject.name,
        end=node,
        product="server",
        thumbprint=known or as_thumbprint(entry.thumbprint),
        by_name=None if literal else probe,
        by_address=probe if literal else second,
        declared_ip=ip,
    )
    if probe is None:
        yield standing_in_the_way(node) or Unknown(f"{subject.name} did not probe {entry.address}", UNPROBED)
        return
    yield from judge_link(link)


def _judge_declared(subject: Subject, node: Subject) -> Iterator[Finding]:
    """A node that the settings do not name, by what is declared for it; the first that shows the page will do."""
    machine = node.machine
    if not isinstance(machine, OctopusServer):
        return
    hosts = names_of(machine)
    if not hosts:
        yield Unknown(
            f"neither a DNS name nor an IP address of {node.name} is declared", "Declare dns_name, ip, or both."
        )
        return
    thumbprint = as_thumbprint(node.expected_thumbprint)
    for target in polling_targets(subject.name, machine):
        probe = subject.own_probe(target)
        further = plain_host(target.host) not in {plain_host(host) for host in (machine.dns_name, machine.ip) if host}
        if probe is not None and further and is_well(probe, subject.name, "server", thumbprint):
            yield Evidence(f"probe from {subject.name}", describe(probe))
            return
    findings = [tuple(judge_link(_declared_link(subject, machine, node, port))) for port in machine.polling_ports]
    well = (found for found in findings if all(isinstance(each, Evidence) for each in found))
    yield from next(well, findings[0] if findings else ())


def _declared_link(subject: Subject, machine: OctopusServer, node: Subject, port: int) -> Link:
    hosts = names_of(machine)
    name = next((host for host, by in hosts if by is By.NAME), None)
    address = machine.ip or next((host for host, by in hosts if by is By.ADDRESS), None)

    def probe(host: str | None) -> Probe | None:
        return subject.own_probe(polling_target(subject.name, node.name, host, port)) if host else None

    return Link(
        machine=subject.name,
        vantage=subject.name,
        end=node,
        product="server",
        thumbprint=as_thumbprint(node.expected_thumbprint),
        by_name=probe(name),
        by_address=probe(address),
        declared_ip=machine.ip,
    )


def _through(proxy: str | None, who: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """A Tentacle that polls through a proxy does not use the direct way: if that fails, it says nothing."""
    for finding in findings:
        if proxy and isinstance(finding, Problem):
            yield Unknown(
                f"{who} through the proxy {proxy}; the direct way, which it does not use, fails: {finding.actual}",
                "Check the proxy (guide, proxy servers), or look at the Tentacle's log.",
            )
        else:
            yield finding
