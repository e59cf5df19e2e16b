"""Guide, "Checking a Polling Tentacle": from the Tentacle's machine to every server node."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tentacle.guide.consequences import NOWHERE_TO_POLL
from pytest_tentacle.judging.check import Finding
from pytest_tentacle.judging.entries import Entry
from pytest_tentacle.judging.finding import Blocked, Evidence, Unknown
from pytest_tentacle.judging.links import Link, no_address_declared, no_server_declared, on_its_way, polled_links
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.link.hosts import plain_host

from .link_verdict import UNPROBED, is_well, judge_link, standing_in_the_way
from .probe_verdict import describe
from .web_sockets import standing_or_unknown


def links_to_polled_servers(subject: Subject) -> Iterator[Finding]:
    """From the Tentacle's machine, https://<dns name or ip>:<polling port> of each server node shows the server's page.

    Its own configured addresses come first: they are what it uses. A node that none of them leads to is judged by what
    is declared for it.
    """
    links = polled_links(subject)
    if not links:
        raise _nowhere(subject)
    for link in links:
        yield from on_its_way(link, _judge_entry(link, link.entry) if link.entry else _judge_declared(link))


def _nowhere(subject: Subject) -> Unknown | Blocked:
    standing = subject.first_problem(NOWHERE_TO_POLL, "communication-settings")
    if standing:
        return Blocked(standing.code, subject.name, "there is no server to poll")
    return no_server_declared(subject)


def _judge_entry(link: Link, entry: Entry) -> Iterator[Finding]:
    """An address of the Tentacle's own settings; for a declared node, its IP address is the second try."""
    if link.is_web_socket:
        yield standing_or_unknown(link.tentacle, entry)
        return
    if link.entry_probe is None:
        yield standing_in_the_way(link.end) or Unknown(f"{link.vantage.name} did not probe {entry.address}", UNPROBED)
        return
    for way in link.ways:
        yield from judge_link(link, way)


def _judge_declared(link: Link) -> Iterator[Finding]:
    """A node that the settings do not name, by what is declared for it; the first that shows the page will do."""
    node = link.server
    if node is None or not link.targets:
        yield no_address_declared(node or link.tentacle)
        return
    first = {plain_host(host) for host in (node.machine.dns_name, node.machine.ip) if host}
    for probe in link.looks:
        if plain_host(probe.host) not in first and is_well(link, probe):
            yield Evidence(f"probe from {link.vantage.name}", describe(probe))
            return
    findings = [tuple(judge_link(link, way)) for way in link.ways]
    well = (found for found in findings if all(isinstance(each, Evidence) for each in found))
    yield from next(well, findings[0] if findings else ())
