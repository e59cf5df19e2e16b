"""Guide: Watch out for proxy servers or SSL offloading."""

from pytest_tentacle.sections import proxies
from pytest_tentacle.testing import step


@step("proxies-and-ssl-offloading")
def test_proxies_and_ssl_offloading(machine):
    """Full HTTP is not supported, so network services like SSL offloading are not supported.

    Make sure there is a direct connection between the Octopus Server and Tentacle, or that the proxy which a polling
    Tentacle is told to use can be one: its own settings, those of its account and of the machine are told apart.
    """
    machine.must_pass(
        proxies.proxy_settings_can_be_right,
        proxies.process_uses_the_proxy_of_its_settings,
        proxies.proxy_opens_a_way_to_each_server,
    )
