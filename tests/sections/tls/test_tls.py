"""The step "Schannel and TLS": what the policies of both ends exclude, against what a link really negotiated."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.link import Failure
from pytest_tentacle.sections.tls.policy import excluded, usable_suites
from pytest_tentacle.survey.surroundings import Event, Product, TlsPolicy, TlsProtocol
from support.fleets.looks import OWN_PORT, SERVERS_OWN_PORT, declared

DEAD = {"fails": "tls", "error": Failure.PROTOCOL_VERSION}
DECLARED = declared("poll-01", "octo-1", "octo-1.example")
"""The same way as the configured address, once more."""
ENDS = {"listening": "web-01", "polling": "poll-01"}


def disabled(side: str, *names: str, **values: Any) -> tuple[TlsProtocol, ...]:
    return tuple(TlsProtocol(name=name, side=side, enabled=False, **values) for name in names)


def break_links(around: Any, tools: Any, **how: Any) -> None:
    """No link came to a TLS session, not even on the machine itself."""
    how = how or DEAD
    if DECLARED.place_in(around.world["poll-01"].own) is not None:
        around.world["poll-01"].drop(DECLARED)
    for mode in ENDS:
        tools.across(around.world, mode, how, how)
    around.world["web-01"].replace(OWN_PORT, tools.probe(fails="tls", error=Failure.PROTOCOL_VERSION))
    local = tools.probe(port=10943, fails="tls", error=Failure.PROTOCOL_VERSION)
    around.world["octo-1"].replace(SERVERS_OWN_PORT, local)


def no_version(name: str, side: str) -> Callable[[Any, Any], None]:
    def change(around: Any, tools: Any) -> None:
        break_links(around, tools)
        around.change(name, "tls", build=17763, protocols=disabled(side, "TLS 1.2"))

    return change


def different_versions(around: Any, tools: Any) -> None:
    """The Tentacle has TLS 1.3 only, the server is too old for it."""
    break_links(around, tools)
    around.change("web-01", "tls", protocols=disabled("server", "TLS 1.0", "TLS 1.1", "TLS 1.2"))
    around.change("octo-1", "tls", build=17763)


def minimum(around: Any, tools: Any) -> None:
    break_links(around, tools)
    around.change("poll-01", "tls", minimum="TLSv1.3")
    around.change("octo-1", "tls", build=17763)


def no_suite(around: Any, tools: Any) -> None:
    break_links(around, tools)
    around.change("web-01", "tls", cipher_suites=("TLS_RSA_WITH_AES_256_CBC_SHA",))


def different_suites(around: Any, tools: Any) -> None:
    break_links(around, tools)
    around.change("web-01", "tls", build=17763, cipher_suites=("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384_P256",))
    around.change("octo-1", "tls", cipher_suites=("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",))


def old_framework(around: Any, _: Any) -> None:
    around.world["web-01"].host["dotnet_release"] = 461814
    around.world["web-01"].service |= {"state": "stopped", "pid": None, "exit_code": 1067}


CASES = [
    ("TT901", "web-01", no_version("web-01", "server")),
    ("TT901", "octo-1", no_version("octo-1", "client")),
    ("TT901", "octo-1", no_version("octo-1", "server")),
    ("TT902", "web-01", different_versions),
    ("TT903", "poll-01", minimum),
    ("TT904", "web-01", no_suite),
    ("TT905", "web-01", different_suites),
    ("TT906", "web-01", old_framework),
]


class TestAlgorithms:
    """Schannel's switches for ciphers, hashes and key exchanges, which the list of suites does not show."""

    SUITES = (
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_RSA_WITH_AES_256_CBC_SHA",
        "TLS_AES_256_GCM_SHA384",
    )

    @pytest.mark.parametrize(
        ("off", "left"),
        [
            ((), {0, 1, 2, 3}),
            (("Ciphers\\AES 256/256",), {1}),
            (("Hashes\\SHA",), {0, 1, 3}),
            (("Hashes\\SHA256",), {0, 2, 3}),
            (("KeyExchangeAlgorithms\\ECDH",), {2, 3}),
            (("KeyExchangeAlgorithms\\PKCS",), {0, 1, 3}),
            (("KeyExchangeAlgorithms\\PKCS below 2048 bits", "Ciphers\\NULL"), {0, 1, 2, 3}),
        ],
    )
    def test_what_they_take_away(self, off: tuple[str, ...], left: set[int]) -> None:
        policy = TlsPolicy(library="Schannel", build=20348, cipher_suites=self.SUITES, disabled=off)
        assert usable_suites(policy, "server") == {self.SUITES[number] for number in left}

    def test_two_ends_are_kept_apart_by_them(self, around: Any, tools: Any) -> None:
        """And whoever compares the two is told of all that narrows the choice."""
        break_links(around, tools)
        around.change("web-01", "tls", cipher_suites=self.SUITES, disabled=("Ciphers\\AES 256/256",), fips=True)
        one_by_request = TlsProtocol(name="TLS 1.2", side="server", disabled_by_default=True)
        switches = ("64 bit v4.0.30319 SchUseStrongCrypto=0",)
        around.change("octo-1", "tls", cipher_suites=self.SUITES, disabled=("Ciphers\\AES 128/128",), dotnet=switches)
        around.change(
            "octo-1", "tls", protocols=(one_by_request,), signatures=("RSA/SHA256", "RSA/SHA384", "RSA/SHA512")
        )
        assert "TT905" in around.codes("schannel-and-tls", "web-01")
        (problem,) = (each for each in around.judge("schannel-and-tls", "web-01").problems if each.code == "TT905")
        told = " ".join(item.text for item in problem.evidence)
        for words in ("AES 256/256 is switched off", "FIPS mode", "SchUseStrongCrypto=0", "only by request"):
            assert words in told
        assert told.count("is not listed") == told.count("the signature RSA/SHA1 is not listed") > 0


class TestEachCode:
    @pytest.mark.parametrize(("code", "machine", "change"), CASES)
    def test_is_found(self, around: Any, tools: Any, code: str, machine: str, change: Any) -> None:
        """Just this problem, with evidence."""
        change(around, tools)
        result = around.judge("schannel-and-tls", machine)
        assert result.outcome is Outcome.FAILED, result
        (problem,) = result.problems
        assert problem.code == code
        assert problem.evidence

    @pytest.mark.parametrize(("code", "machine", "change"), [case for case in CASES if case[0] != "TT906"])
    def test_a_link_that_is_well_is_never_overruled(
        self, around: Any, tools: Any, code: str, machine: str, change: Any
    ) -> None:
        """The policies stay as they are, and the links work: then there is another reading of the policies."""
        change(around, tools)
        for mode in ENDS:
            tools.across(around.world, mode, {}, {})
        result = around.judge("schannel-and-tls", machine)
        assert result.outcome is Outcome.PASSED, result
        assert any("negotiated TLSv1.3" in seen for seen in result.looked_at)
        assert code not in str(result)

    def test_what_one_end_cannot_do_by_itself_blocks_the_other(self, around: Any, tools: Any) -> None:
        """The server's own problem is told at the server."""
        no_version("octo-1", "server")(around, tools)
        result = around.judge("schannel-and-tls", "poll-01")
        assert result.outcome is Outcome.BLOCKED, result
        assert result.blocked_by == ("TT901", "octo-1")


class TestHealthy:
    @pytest.mark.parametrize("name", ["octo-1", "web-01", "poll-01"])
    def test_nothing_is_found(self, around: Any, name: str) -> None:
        result = around.judge("schannel-and-tls", name)
        assert result.outcome is Outcome.PASSED, result
        assert result.looked_at

    @pytest.mark.parametrize("name", ["web-01", "poll-01"])
    def test_a_link_that_fails_for_another_reason(self, around: Any, tools: Any, name: str) -> None:
        """Policies that fit each other do not explain it."""
        break_links(around, tools)
        assert around.judge("schannel-and-tls", name).outcome is Outcome.PASSED

    def test_a_framework_that_serves(self, around: Any) -> None:
        """A service that runs proves that it finds what it needs; so does one that somebody stopped prove nothing."""
        for release, service in ((461814, {}), (461814, {"state": "stopped", "exit_code": 0}), (528449, {})):
            around.world["web-01"].host["dotnet_release"] = release
            around.world["web-01"].service |= service
            assert around.codes("schannel-and-tls", "web-01") == []

    def test_an_old_tentacle_needs_no_new_framework(self, around: Any, tools: Any) -> None:
        old_framework(around, tools)
        around.sections["web-01"]["products"] = (Product(product="tentacle", version="6.2.277"),)
        assert around.codes("schannel-and-tls", "web-01") == []


class TestUnknown:
    @pytest.mark.parametrize("name", ["octo-1", "web-01", "poll-01"])
    def test_without_the_section_and_without_a_link(self, around: Any, tools: Any, name: str) -> None:
        break_links(around, tools)
        around.sections[name]["tls"] = "no rights"
        result = around.judge("schannel-and-tls", name)
        assert result.outcome is Outcome.UNKNOWN
        assert "no rights" in result.reason

    def test_what_is_negotiated_makes_up_for_it(self, around: Any) -> None:
        """The machine has no openssl, say."""
        for name in ("web-01", "poll-01", "octo-1"):
            around.sections[name]["tls"] = "this machine has no openssl command"
        for name in ("web-01", "poll-01", "octo-1"):
            assert around.judge("schannel-and-tls", name).outcome is Outcome.PASSED

    def test_a_machine_that_was_not_surveyed(self, around: Any, tools: Any, unreachable: Any) -> None:
        break_links(around, tools)
        around.world["web-01"].unreachable = unreachable
        assert around.judge("schannel-and-tls", "web-01").outcome is Outcome.UNKNOWN


class TestEvents:
    def test_those_of_the_process_are_evidence(self, around: Any) -> None:
        """By the process id, which Windows Server 2022 and later tell; no verdict is made of them."""
        when = datetime(2026, 11, 22, tzinfo=UTC)
        data = {"AlertDesc": "70", "CallerProcessId": "2136"}
        around.sections["web-01"]["events"] = (
            Event(source="schannel", id=36887, time_utc=when, data=data),
            Event(source="schannel", id=36887, time_utc=when, data=data | {"CallerProcessId": "4"}),
            Event(source="schannel", id=36882, time_utc=when, data=data),
        )
        result = around.judge("schannel-and-tls", "web-01")
        assert result.outcome is Outcome.PASSED
        assert len([seen for seen in result.looked_at if "AlertDesc 70" in seen]) == 1


class TestPolicy:
    """What a side certainly cannot speak (windows-shapes 5.1 and 5.2)."""

    @pytest.mark.parametrize(
        ("build", "off"),
        [(7601, {"TLS 1.3"}), (9600, {"TLS 1.3"}), (17763, {"TLS 1.3"}), (20348, set()), (26100, set()), (None, set())],
    )
    def test_absent_values_are_the_systems_defaults(self, build: int | None, off: set[str]) -> None:
        """Off by default is not disabled: a program that names the version gets it, as .NET Framework's Tentacle does."""
        assert excluded(TlsPolicy(library="Schannel", build=build), "server").keys() == off

    def test_only_enabled_zero_disables(self) -> None:
        """DisabledByDefault leaves it to the program; and the other side is another matter."""
        by_default = TlsProtocol(name="TLS 1.2", side="client", disabled_by_default=True)
        policy = TlsPolicy(library="Schannel", build=20348, protocols=(by_default, *disabled("server", "TLS 1.2")))
        assert not excluded(policy, "client")
        assert excluded(policy, "server").keys() == {"TLS 1.2"}

    @pytest.mark.parametrize(
        ("library", "minimum", "off"),
        [
            ("OpenSSL 3.0.15 3 Sep 2024", None, set()),
            ("OpenSSL 3.0.15 3 Sep 2024", "TLSv1.2", {"TLS 1.0", "TLS 1.1"}),
            ("OpenSSL 3.0.15 3 Sep 2024", "TLSv1.3", {"TLS 1.0", "TLS 1.1", "TLS 1.2"}),
            ("OpenSSL 3.0.15 3 Sep 2024", "None", set()),
            ("OpenSSL 1.0.2k-fips 26 Jan 2017", None, {"TLS 1.3"}),
            ("LibreSSL 3.3.6", None, set()),
        ],
    )
    def test_openssl(self, library: str, minimum: str | None, off: set[str]) -> None:
        assert excluded(TlsPolicy(library=library, minimum=minimum), "client").keys() == off

    def test_suites_of_what_cannot_be_spoken_do_not_count(self) -> None:
        policy = TlsPolicy(
            library="Schannel", build=17763, cipher_suites=("TLS_AES_256_GCM_SHA384", "TLS_ECDHE_X_P256")
        )
        assert usable_suites(policy, "server") == {"TLS_ECDHE_X"}
        assert usable_suites(policy.model_copy(update={"cipher_suites": None}), "server") is None
