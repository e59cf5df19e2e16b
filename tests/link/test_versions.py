"""One trial per version of TLS by our own client, against real listeners that are held to some of them."""

from __future__ import annotations

import contextlib
import ssl

import pytest

from pytest_tentacle.lab.halibut.listener import HalibutListener, make_certificate
from pytest_tentacle.lab.network.tls_boxes import NoCommonCipher, OldTls
from pytest_tentacle.link import (
    By,
    Failure,
    LinkRef,
    Probe,
    Secured,
    Stage,
    Target,
    TlsVersion,
    VersionTrial,
    try_versions,
    versions,
)

OWN = make_certificate()
ALL = tuple(TlsVersion)
OLD = ALL[:2]


def to(port: int, name: str = "t") -> Target:
    return Target(link=LinkRef(tentacle=name), host="127.0.0.1", port=port, by=By.ADDRESS)


def limited(only: ssl.TLSVersion, log) -> HalibutListener:
    return HalibutListener("127.0.0.1", 0, certificate=OWN, minimum_version=only, maximum_version=only, log=log)


class TestTrials:
    @pytest.mark.parametrize(
        ("only", "version"),
        [(ssl.TLSVersion.TLSv1_2, TlsVersion.TLS_1_2), (ssl.TLSVersion.TLSv1_3, TlsVersion.TLS_1_3)],
    )
    def test_a_tentacle_of_one_version(self, only, version):
        """That one gets through and has its whole look; TLS refuses all others; the log has no Error."""
        lines = []
        with limited(only, lines.append) as listener:
            (found,) = try_versions([to(listener.port)], seconds=60)
        assert [trial.version for trial in found.trials] == list(ALL)
        assert (found.newest, found.link.tentacle, found.port) == (version, "t", listener.port)
        assert found.trial(version).cipher
        assert all(trial.refused for trial in found.trials if trial.version is not version)
        assert sum("web browser" in line.message for line in lines) == 1
        assert not [line for line in lines if line.level == "Error"]

    def test_side_by_side(self):
        """An old peer, one that refuses everybody, one without a common suite, and nobody at all: in their order."""
        with contextlib.ExitStack() as stack:
            boxes = [
                stack.enter_context(box)
                for box in (
                    OldTls("127.0.0.1"), OldTls("127.0.0.1", by_hand=True), NoCommonCipher("127.0.0.1"),
                )
            ]  # fmt: skip
            old, by_hand, suites, nobody = try_versions(
                [*(to(box.port, str(number)) for number, box in enumerate(boxes)), to(1, "nobody")], seconds=60.0
            )
        assert [one.link.tentacle for one in (old, by_hand, suites, nobody)] == ["0", "1", "2", "nobody"]
        assert old.newest is TlsVersion.TLS_1_1
        assert old.trial(TlsVersion.TLS_1_1).stage is Stage.PAGE
        assert old.trial(TlsVersion.TLS_1_2).error is Failure.PROTOCOL_VERSION
        assert by_hand.newest is None
        assert {trial.error for trial in by_hand.trials} == {Failure.PROTOCOL_VERSION}
        assert suites.trial(TlsVersion.TLS_1_2).error is Failure.NO_COMMON_CIPHER
        assert {(trial.stage, trial.error) for trial in nobody.trials} == {(Stage.CONNECT, Failure.REFUSED)}
        assert not any(trial.refused for trial in nobody.trials)

    def test_what_we_cannot_speak_is_never_the_others_refusal(self, monkeypatch: pytest.MonkeyPatch):
        """A library that has given the old versions up does not even connect for them."""

        def without_old_suites() -> ssl.SSLContext:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            context.set_ciphers("ECDHE+AESGCM:@SECLEVEL=2")
            return context

        versions.version_context.cache_clear()
        monkeypatch.setattr(versions, "new_client_context", without_old_suites)
        lines = []
        try:
            with limited(ssl.TLSVersion.TLSv1_3, lines.append) as listener:
                (found,) = try_versions([to(listener.port)], seconds=60)
        finally:
            versions.version_context.cache_clear()
        assert [trial.version for trial in found.trials if trial.unavailable] == list(OLD)
        assert all("OpenSSL" in trial.unavailable for trial in found.trials if trial.unavailable)
        assert found.newest is TlsVersion.TLS_1_3
        assert sum(line.message.startswith("Accepted") for line in lines) == 2


class TestTrial:
    def test_of_a_probe(self):
        """The first stage that failed tells; one that never began is no verdict."""
        common = {"host": "a", "port": 1, "by": By.NAME}
        refused = Probe(**common, tls=Secured(error=Failure.NO_COMMON_CIPHER))
        trial = VersionTrial.of(TlsVersion.TLS_1_2, refused)
        assert (trial.refused, trial.secured, trial.stage) == (True, False, Stage.TLS)
        closed = VersionTrial.of(TlsVersion.TLS_1_2, Probe(**common, tls=Secured(error=Failure.CLOSED)))
        assert (closed.refused, closed.secured) == (False, False)
        unmade = VersionTrial.of(TlsVersion.TLS_1_2, Probe(**common, unavailable="no time"))
        assert (unmade.refused, unmade.secured, unmade.unavailable) == (False, False, "no time")
