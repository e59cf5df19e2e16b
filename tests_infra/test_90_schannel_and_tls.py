"""Guide: Schannel and TLS Configuration Mismatches."""

from pytest_tentacle.sections import tls
from pytest_tentacle.testing import step


@step("schannel-and-tls")
def test_schannel_and_tls(machine):
    """Octopus uses the best protocol that is available to both servers.

    Both ends need TLS 1.2 or 1.3 and a cipher suite in common, a Tentacle from 6.3 on .NET Framework 4.8. What the link
    really negotiated is told, and is stronger than any policy.
    """
    machine.must_pass(
        tls.own_policy_allows_what_octopus_needs,
        tls.both_ends_have_tls_in_common,
        tls.failed_handshakes_are_told,  # evidence, and no verdict
        tls.net_framework_is_new_enough,
        tls.no_handshake_waits_for_lists_of_roots,
    )
