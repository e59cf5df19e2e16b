"""What a probe says: an identity that a peer does not let in is no failure; a certificate is looked at before the page."""

import pytest

from pytest_tentacle.link import Failure
from pytest_tentacle.link.model import Identity, Page, Probe
from pytest_tentacle.sections.connections.probe_verdict import finding_of
from support.fleets.world import certificate, probe

EXPECTED = probe(whose="web-01").thumbprint
BAD_REQUEST = "HTTP/1.1 400 Bad Request\r\nServer: gateway\r\n\r\nBad Request"
OTHER_PAGE = "HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\nWelcome"


def verdict(look: Probe) -> str | None:
    found = finding_of(look, "octo-1", "tentacle", EXPECTED)
    return found.code if found else None


class TestIdentity:
    """`--probe-identity`: to a client without a certificate a healthy peer must answer by closing."""

    def test_not_trusted_is_what_a_healthy_peer_answers(self) -> None:
        look = probe().model_copy(update={"identity": Identity(ms=1, error=Failure.UNTRUSTED)})
        assert look.failed is None
        assert verdict(look) is None

    def test_another_failure_is_one(self) -> None:
        look = probe().model_copy(update={"identity": Identity(ms=1, error=Failure.TIMED_OUT)})
        assert verdict(look) == "TT527"

    def test_it_hides_no_finding_of_the_page(self) -> None:
        look = probe(page="server").model_copy(update={"identity": Identity(ms=1, error=Failure.UNTRUSTED)})
        assert verdict(look) == "TT530"


class TestCertificateBeforePage:
    @pytest.mark.parametrize("page", [Page(ms=1, text=BAD_REQUEST), Page(ms=1, error=Failure.NOT_HTTP)])
    def test_a_gateway_that_answers_with_an_error_inspects_tls(self, real_certificate: str, page: Page) -> None:
        look = probe(der=real_certificate).model_copy(update={"page": page})
        found = finding_of(look, "octo-1", "tentacle", EXPECTED)
        assert found is not None
        assert found.code == "TT531"
        assert "Inspection CA" in str(found.facts["issuer"])

    def test_another_program_with_a_page_is_another_program(self, real_certificate: str) -> None:
        look = probe(der=real_certificate).model_copy(update={"page": Page(ms=1, text=OTHER_PAGE)})
        assert verdict(look) == "TT530"

    def test_a_self_signed_one_is_no_gateway_s(self) -> None:
        look = probe(der=certificate("web-02")).model_copy(update={"page": Page(ms=1, text=BAD_REQUEST)})
        assert verdict(look) == "TT530"
