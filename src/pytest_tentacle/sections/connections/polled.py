"""Guide, "Checking a Polling Tentacle": from the Tentacle's machine to every server node."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pytest_tentacle.guide.consequences import NOWHERE_TO_POLL
from pytest_tentacle.judging.check import Finding
from pytest_tentacle.judging.entries import Entry
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.links import (
    Link,
    Way,
    no_address_declared,
    no_server_declared,
    on_its_way,
    polled_links,
    shows_own_page,
)
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.link import By, Probe
from pytest_tentacle.link.hosts import plain_address, plain_host
from pytest_tentacle.survey.surroundings import ProxyConnect

from .link_verdict import UNPROBED, is_well, judge_link, standing_in_the_way
from .probe_verdict import describe
from .relayed import accounts_proxy, connected_by_its_log
from .web_sockets import judged

_LET_THROUGH, _WANTS_A_USER = 200, 407
"""What a proxy answers to CONNECT where it has connected, and where it asks for a user."""


def links_to_polled_servers(subject: Subject) -> Iterator[Finding]:
    """From the Tentacle's machine, https://<dns name or ip>:<polling port> of each server node shows the server's page.

    Its own configured addresses come first: they are what it uses. A node that none of them leads to is judged by what
    is declared for it.
    """
    links = polled_links(subject)
    if not links:
        raise _nowhere(subject)
    for link in links:
        findings = _judge_entry(link, link.entry) if link.entry else _judge_declared(link)
        let_through, met = _let_through(link)
        if let_through is not None:
            yield from _by_proxy(link, findings, let_through, met)
        else:
            yield from on_its_way(_as_its_process_says(link), findings)


def _as_its_process_says(link: Link) -> Link:
    """With the proxy of its account, where its process says that it polls through that one."""
    if link.proxy is not None or link.entry is None:
        return link
    return replace(link, proxy=accounts_proxy(link.tentacle, link.entry))


def _let_through(link: Link) -> tuple[Evidence | None, Probe | None]:
    """That its proxy let the very survey through to the address that it polls, and what was seen behind the tunnel.

    Or that its process came through the proxy of its account, which the survey's account need not have, or through one
    that asked the survey for a user: only the Tentacle has one.
    """
    if link.entry is None:
        return None, None
    if link.proxy is None:
        uses = accounts_proxy(link.tentacle, link.entry)
        return (connected_by_its_log(link.tentacle, link.entry) if uses else None), None
    try:
        connects = link.tentacle.read(FACTS.proxy_connects)
    except Unknown:
        return None, None
    host, port, instance = plain_host(link.entry.host), link.entry.port, link.tentacle.instance_name.lower()
    for row in connects:
        if (row.instance.lower(), plain_host(row.host), row.port) != (instance, host, port):
            continue
        if row.status == _WANTS_A_USER:
            return connected_by_its_log(link.tentacle, link.entry), None
        if row.status == _LET_THROUGH and not shows_own_page(row):
            words = f"the proxy {row.proxy} let it through to {row.host}:{row.port}"
            return Evidence(f"CONNECT from {link.tentacle.name}", words), behind(row)
    return None, None


def behind(row: ProxyConnect) -> Probe | None:
    """What a look through a proxy's tunnel found; None where nobody looked."""
    if row.tls is None:
        return None
    by = By.NAME if plain_address(row.host) is None else By.ADDRESS
    return Probe(host=row.host, port=row.port, by=by, tls=row.tls, page=row.page)


def _by_proxy(link: Link, findings: Iterator[Finding], let_through: Evidence, met: Probe | None) -> Iterator[Finding]:
    """The proxy's answer, and what a look through its tunnel met, instead of what is met on the direct way.

    A proxy may open a tunnel to anybody, and inspect what goes through it: who answers there is judged as on any link.
    """
    yield let_through
    if met is not None:
        by_name = met.by is By.NAME
        for finding in judge_link(link, Way(met if by_name else None, None if by_name else met)):
            yield _through(link, finding) if isinstance(finding, Problem) else finding
    for finding in findings:
        if isinstance(finding, Problem):
            yield Evidence(let_through.source, f"the direct way, which it does not go, fails: {finding.actual}")
        elif met is None or isinstance(finding, Evidence):
            yield finding


def _through(link: Link, problem: Problem) -> Problem:
    """A problem behind the proxy's tunnel, which says so."""
    actual = f"through the proxy {link.proxy}, {problem.actual}"
    return replace(problem, actual=actual, facts=problem.facts | {"proxy": link.proxy})


def _nowhere(subject: Subject) -> Unknown | Blocked:
    standing = subject.first_problem(NOWHERE_TO_POLL, "communication-settings")
    if standing:
        return Blocked(standing.code, subject.name, "there is no server to poll")
    return no_server_declared(subject)


def _judge_entry(link: Link, entry: Entry) -> Iterator[Finding]:
    """An address of the Tentacle's own settings; for a declared node, its IP address is the second try."""
    if link.is_web_socket:
        yield judged(link, entry)
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
