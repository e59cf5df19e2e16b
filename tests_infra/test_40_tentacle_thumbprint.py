"""Guide: Check the Tentacle Thumbprint."""

from pytest_tentacle.sections import thumbprint
from pytest_tentacle.testing import step


@step("tentacle-thumbprint")
def test_tentacle_thumbprint(machine):
    """Verify that the Tentacle's thumbprint is the one that the Octopus Server has on record for the machine.

    That is: configuration, certificate on the port and inventory agree, and no other machine has the same.
    """
    machine.must_pass(
        thumbprint.thumbprint_is_as_declared,  # "in the Machine Settings page"
        thumbprint.port_presents_the_thumbprint,  # "presented in error messages"
        thumbprint.no_other_host_has_the_certificate,  # or the server takes one for the other
        thumbprint.octopus_thumbprints_are_told,  # Configuration > Thumbprints, where Octopus was asked
    )


@step("tentacle-certificate")
def test_tentacle_certificate(machine):
    """The certificate behind the thumbprint is one that today's TLS libraries take, and its private key can be used.

    An RSA key of 2048 bits or more and a signature with SHA-256; and no two machines poll with one subscription.
    """
    machine.must_pass(
        thumbprint.certificate_is_strong_enough,
        thumbprint.no_other_host_has_the_subscription,
        thumbprint.private_key_is_usable,
    )
