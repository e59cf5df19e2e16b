"""Faults whose signs are in logs: one or more for each code of "Identify the problem" and "Other error messages".

Each writes what the products write at that mishap, on the end that it happens to and, where both ends notice, on both;
and changes what else is different then: a service that cannot start is down, a poller that is turned away has no
connection.
"""

from __future__ import annotations

from collections.abc import Callable

from pytest_tentacle.lab.blueprint import Blueprint
from pytest_tentacle.lab.faults.breaking import Site
from pytest_tentacle.lab.log_entries import Layout, Start

from . import links, starts
from .words import broken_read, let_in, link_of, secured, socket_error

_RESTARTED = 4.0
"""Minutes ago: after all that went wrong, and long enough for a poller's failure to have come again."""


def recovered(machine: Blueprint, site: Site) -> None:
    """No code: a bad day that ended with a restart after which it works."""
    service, presents = dict(machine.service or {}), machine.presents
    sockets, processes = list(machine.sockets), list(machine.processes)
    starts.port_in_use(machine, site)
    starts.key_not_readable(machine, site)
    starts.dies_unexplained(machine, site)
    starts.registration_fails(machine, site)
    machine.presents = presents
    for mishap in (links.peer_refuses, links.name_lost, links.hung_up_after_handshake):
        mishap(machine, site)
    machine.service, machine.sockets, machine.processes = service, sockets, processes
    machine.log.starts.append(Start(_RESTARTED))
    starts.began(machine, _RESTARTED)
    link = link_of(machine, site)
    secured(link, _RESTARTED - 0.02)
    let_in(link, _RESTARTED - 0.02)


def visited(machine: Blueprint, _: Site) -> None:
    """No code: scanners, load balancers and browsers come to the port (tentacle-seen 1.2)."""
    peer = "[::ffff:198.51.100.7]:40500"
    place = f"{f'listen://[::]:{machine.port}/':<30}   91  "
    unhandled = f"{place}Unhandled error when handling request from client: {peer}"
    socket = f"{place}Socket IO exception: {peer}"
    denied = f"{place}Client failed authentication: {peer}"
    records = (
        ("ERROR", unhandled, "System.IO.IOException: Received an unexpected EOF or 0 bytes from the transport stream."),
        ("ERROR", unhandled, "System.IO.EndOfStreamException: Attempted to read past the end of the stream."),
        (
            "ERROR",
            unhandled,
            "System.ArgumentOutOfRangeException: Index and length must refer to a location within the string.",
        ),
        ("ERROR", unhandled, "System.Threading.Tasks.TaskCanceledException: A task was canceled."),
        ("ERROR", unhandled, "System.FormatException: Input string was not in a correct format."),
        (
            "ERROR",
            f"{place}Remote failed to identify itself.",
            "System.OperationCanceledException: The ReadAsync operation was cancelled.",
        ),
        ("ERROR", socket, broken_read(machine, "reset")),
        ("ERROR", socket, broken_read(machine, "aborted")),
        ("ERROR", socket, socket_error(machine, "silent")),
        (
            "DEBUG",
            denied,
            (
                "System.Security.Authentication.AuthenticationException: Cannot determine the frame size or a "
                "corrupted "
                "frame "
                "was received."
            ),
        ),
        ("WARN", "Tentacle is not running with elevated permissions", ""),
        ("WARN", "Rejected connection from 198.51.100.7:40500 as it is not Web Socket request", ""),
        ("WARN", "The Script Pod 'octopus-script-abc' could not be found.", ""),
    )
    for number, (level, heading, below) in enumerate(records):
        machine.log.add(90 - number, level, heading, *((below,) if below else ()))


def layout_of_containers(machine: Blueprint, _: Site) -> None:
    """No code: the log has bars."""
    machine.log.layout = Layout.BARS


def layout_of_tentacle_3(machine: Blueprint, _: Site) -> None:
    """No code: the log has no process numbers."""
    machine.log.layout = Layout.THREAD


def layout_of_tentacle_2(machine: Blueprint, _: Site) -> None:
    """No code: the log has neither process nor thread."""
    machine.log.layout = Layout.BARE


def rotated_at_midnight(machine: Blueprint, _: Site) -> None:
    """No code: what is older than 38 minutes stands in the archive."""
    machine.log.rotated = 38


FAULTS_LOGS: dict[str, Callable[[Blueprint, Site], None]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        links.certificate_replaced, links.inspected_at_times, links.thumbprint_not_trusted,
        links.not_trusted_by_octopus_2, links.certificate_not_offered,
        links.hung_up_after_handshake, links.never_let_in, links.connection_reset,
        links.peer_refuses, links.packets_dropped, links.address_does_not_answer, links.connection_went_quiet,
        links.hello_unanswered, links.name_lost, links.closed_before_tls,
        links.no_common_tls, links.handshake_refused, links.parameters_invalid,
        links.key_too_small, links.requests_not_collected, links.request_not_answered,
        links.too_many_connections, links.proxy_down, links.proxy_refuses,
        links.web_socket_unreachable, links.plain_http_answers, links.unheard_of, links.no_route,
        links.web_page_inserted, links.identity_missing, links.traffic_changed,
        links.messages_cut,
        starts.port_in_use, starts.portal_port_in_use, starts.address_not_local,
        starts.port_reserved, starts.key_not_readable, starts.key_gone,
        starts.configuration_of_another_machine, starts.machine_key_damaged,
        starts.configuration_damaged, starts.configuration_moved, starts.disk_full,
        starts.rights_taken, starts.started_without_server, starts.accepting_fails,
        starts.dies_unexplained, starts.watchdog_gives_up, starts.hangs_in_start,
        starts.proxy_settings_invalid, starts.web_socket_unsupported, starts.registration_fails,
        starts.registered_elsewhere, starts.registered_twice, starts.calls_of_others,
        recovered, visited, layout_of_containers, layout_of_tentacle_3, layout_of_tentacle_2, rotated_at_midnight,
    )
}  # fmt: skip
