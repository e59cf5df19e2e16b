"""Guide: Check the Connections."""

from pytest_tentacle.sections import connections
from pytest_tentacle.testing import step


@step("welcome-page-here")
def test_welcome_page_on_the_machine_itself(machine):
    """On the Tentacle machine, https://localhost:10933 shows the page; for polling, on the server, port 10943.

    Where it does not, the port could not be opened: the right to do so is missing, or another process holds it.
    """
    machine.must_pass(
        connections.page_is_shown_here,  # "navigate to https://localhost:10933"
        connections.port_is_held_by_the_service,  # "or because another process is listening on that port"
        connections.port_is_not_excluded_from_use,  # which netstat does not show
    )


@step("welcome-page-across")
def test_welcome_page_across_the_link(machine):
    """From the Octopus Server to a listening Tentacle, or from a polling Tentacle to every server node.

    By name first, then by address: where only the address leads there, the name is at fault. Where neither does, look
    for what stops the traffic on the way, firewalls first.
    """
    machine.must_pass(
        connections.page_is_shown_by_name_or_else_by_address,  # "first try using the Tentacle's DNS hostname"
        connections.connection_is_let_out,  # "a network issue preventing traffic", at either end
        connections.both_ends_have_a_way,
        connections.connection_comes_about_soon,
        connections.octopus_way_to_the_machine_is_told,  # the proxy that Octopus itself takes
        connections.octopus_waits_long_enough,  # does it give up before the connection is made?
    )


@step("local-firewall")
def test_local_firewall(machine):
    """The machine that listens lets its port in: the Windows Firewall, or the packet filter of Linux.

    Where a peer's connection came through, the rules
    are evidence only; firewalls on the way are not seen from here.
    """
    machine.must_pass(connections.port_is_let_in)


@step("connections-established")
def test_connections_established(machine):
    """A polling Tentacle's process holds a connection to each of its servers; at either end none pile up in CLOSE_WAIT.

    Many of them from one foreign address mean that something blocks or resets what comes from there.
    """
    machine.must_pass(
        connections.polled_servers_are_connected,  # polling
        connections.half_closed_connections_do_not_pile_up,  # at either end
        connections.no_address_holds_too_many_connections,
    )
