"""Guide: Watch out for proxy servers or SSL offloading."""

from pytest_tentacle.sections import proxies
from pytest_tentacle.testing import step


@step("proxies-and-ssl-offloading")
def test_proxies_and_ssl_offloading(machine):
    """What the two speak over TLS is not HTTP, so nothing on the way may end TLS or read along.

    They talk to each other directly, or through a proxy that a polling Tentacle is told to use and that opens the way:
    the Tentacle's own settings, those of its account and of the machine are told apart.
    """
    machine.must_pass(
        proxies.proxy_settings_can_be_right,
        proxies.process_uses_the_proxy_of_its_settings,
        proxies.proxy_opens_a_way_to_each_server,
    )
