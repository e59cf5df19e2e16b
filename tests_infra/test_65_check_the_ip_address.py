"""Guide: Check the IP Address."""

from pytest_tentacle.sections import addresses
from pytest_tentacle.testing import step


@step("ip-addresses")
def test_ip_addresses(machine):
    """A machine may have several addresses, and listen on some of them only.

    Check which addresses are configured, which one the other end uses, and which of them answers. An address of a NAT
    device is none of the machine's, and right as long as it answers.
    """
    machine.must_pass(
        addresses.used_address_is_the_machines_own,
        addresses.own_names_lead_to_the_machine,  # even when it asks itself
        addresses.each_address_of_a_name_answers,
        addresses.names_resolve_soon,
    )
