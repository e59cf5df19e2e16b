"""The step "Tentacle certificate": key and signature of real certificates, and clones by their subscription."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from pytest_tentacle.guide.severity import DEFAULT_GATE, severity_of
from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.link import Certificate, Failure
from pytest_tentacle.link.certificate import KeyedCertificate, make_certificate
from pytest_tentacle.link.model import TOO_LONG
from pytest_tentacle.survey.surroundings import Event
from support.fleets.looks import OWN_PORT

SILENT = {"fails": "connect", "error": Failure.TIMED_OUT}
ALERT = {"fails": "tls", "error": Failure.PROTOCOL_VERSION}


@pytest.fixture(scope="session")
def good() -> KeyedCertificate:
    return make_certificate()


@pytest.fixture(scope="session")
def short() -> KeyedCertificate:
    return make_certificate(bits=1024)


@pytest.fixture(scope="session")
def sha1() -> KeyedCertificate:
    return make_certificate(sha1=True)


class Scene:
    def __init__(self, around: Any, across: Any, make_probe: Any) -> None:
        self.around, self.across, self.make_probe = around, across, make_probe

    def presents(self, made: KeyedCertificate, link: dict[str, Any] | None) -> None:
        """web-01 has this certificate; `link` says how the server's probes of it fail, None that they go well."""
        der = base64.b64encode(made.der).decode()
        draft = self.around.world["web-01"]
        draft.declare(thumbprint=made.thumbprint)
        draft.settings["Tentacle.CertificateThumbprint"] = made.thumbprint
        draft.replace(OWN_PORT, self.make_probe(der=der))
        how = {"der": der} if link is None else {"der": der} | link
        self.across(self.around.world, "listening", how, how)

    def judge(self, name: str = "web-01") -> Any:
        return self.around.judge("tentacle-certificate", name)


@pytest.fixture
def scene(around: Any, across: Any, make_probe: Any) -> Scene:
    return Scene(around, across, make_probe)


def key_unusable(scene: Scene, pid: str = "2136", event: int = 36870) -> None:
    """Schannel tells of this process that it cannot use the key, and no handshake comes about."""
    data = {"CallerProcessId": pid, "ErrorCode": "0x8009030D", "Type": "server"}
    told = Event(source="schannel", id=event, time_utc=datetime(2026, 11, 22, 3, tzinfo=UTC), data=data)
    scene.around.sections["web-01"]["events"] = (told,)
    failed = scene.make_probe(fails="tls", error=Failure.RESET)
    scene.around.world["web-01"].replace(OWN_PORT, failed)


def is_found(result: Any, code: str) -> None:
    failing = severity_of(code).weight >= DEFAULT_GATE.weight
    assert result.outcome is (Outcome.FAILED if failing else Outcome.NOTED), result
    (problem,) = result.problems
    assert problem.code == code
    assert problem.evidence


class TestEachCode:
    @pytest.mark.parametrize("link", [SILENT, ALERT])
    def test_short_key(self, scene: Scene, short: KeyedCertificate, link: dict[str, Any]) -> None:
        scene.presents(short, link)
        is_found(scene.judge(), "TT412")

    def test_sha1(self, scene: Scene, sha1: KeyedCertificate) -> None:
        scene.presents(sha1, ALERT)
        is_found(scene.judge(), "TT411")

    def test_too_long_to_be_kept(self, scene: Scene, short: KeyedCertificate) -> None:
        """Its thumbprint is known and nothing else: not read is not all right."""
        scene.presents(short, ALERT)
        own = scene.make_probe(der=base64.b64encode(short.der).decode())
        tls = own.tls.model_copy(update={"certificate": Certificate(thumbprint=short.thumbprint, error=TOO_LONG)})
        scene.around.world["web-01"].replace(OWN_PORT, own.model_copy(update={"tls": tls}))
        result = scene.judge()
        assert result.outcome is Outcome.UNKNOWN
        assert "too long to be kept" in result.reason

    def test_clone(self, scene: Scene) -> None:
        copy = scene.around.world.add_polling("poll-02", "192.0.2.31")
        copy.trusted = scene.around.world["poll-01"].trusted
        scene.around.sections["poll-02"] = scene.around.healthy("poll-02")
        is_found(scene.judge("poll-01"), "TT413")

    def test_key_unusable(self, scene: Scene) -> None:
        key_unusable(scene)
        result = scene.judge()
        assert [problem.code for problem in result.problems] == ["TT414"]


class TestHealthy:
    @pytest.mark.parametrize("name", ["octo-1", "web-01", "poll-01"])
    def test_nothing_is_found(self, scene: Scene, good: KeyedCertificate, name: str) -> None:
        scene.presents(good, None)
        result = scene.judge(name)
        assert result.outcome is Outcome.PASSED, result
        assert result.looked_at

    def test_what_works_is_good_enough(self, scene: Scene, short: KeyedCertificate, sha1: KeyedCertificate) -> None:
        """A link that is well is never overruled: then it is evidence."""
        for made, words in ((short, "RSA key has 1024 bits"), (sha1, "SHA1")):
            scene.presents(made, None)
            result = scene.judge()
            assert result.outcome is Outcome.PASSED
            assert words in " ".join(result.looked_at)

    def test_sha1_does_not_keep_a_connection_from_coming_about(self, scene: Scene, sha1: KeyedCertificate) -> None:
        scene.presents(sha1, SILENT)
        assert scene.judge().outcome is Outcome.PASSED

    def test_a_good_one_does_not_explain_a_broken_link(self, scene: Scene, good: KeyedCertificate) -> None:
        scene.presents(good, ALERT)
        assert scene.judge().outcome is Outcome.PASSED

    def test_expired(self, scene: Scene, good: KeyedCertificate) -> None:
        """Halibut does not look at it."""
        scene.presents(good, ALERT)
        scene.around.world["web-01"].host["clock_utc"] = datetime(2200, 1, 1, tzinfo=UTC)
        result = scene.judge()
        assert result.outcome is Outcome.PASSED
        assert "expired on" in " ".join(result.looked_at)

    def test_another_ones_certificate_is_not_judged(self, scene: Scene, short: KeyedCertificate) -> None:
        """What inspects the connection has a certificate of its own."""
        der = base64.b64encode(short.der).decode()
        scene.across(scene.around.world, "listening", {"der": der}, {"der": der})
        assert "1024" not in str(scene.judge())

    def test_two_instances_of_one_host_may_share_a_subscription_entry(self, scene: Scene) -> None:
        """An entry for each node of one server has the same id: that is how it is meant."""
        draft = scene.around.world["poll-01"]
        draft.trusted.append(draft.trusted[0] | {"Address": "https://octo-2.example:10943/"})
        assert scene.judge("poll-01").outcome is Outcome.PASSED

    @pytest.mark.parametrize(("pid", "event"), [("4", 36870), ("2136", 36887)])
    def test_events_of_others_or_of_another_kind(self, scene: Scene, pid: str, event: int) -> None:
        key_unusable(scene, pid, event)
        assert not scene.judge().problems

    def test_events_without_a_failing_handshake(self, scene: Scene, good: KeyedCertificate) -> None:
        key_unusable(scene)
        scene.presents(good, None)
        assert scene.judge().outcome is Outcome.PASSED


class TestUnknown:
    @pytest.mark.parametrize("name", ["octo-1", "web-01", "poll-01"])
    def test_a_machine_that_was_not_surveyed(self, scene: Scene, unreachable: Any, name: str) -> None:
        scene.around.world["octo-1"].unreachable = unreachable
        scene.around.world[name].unreachable = unreachable
        scene.around.world["poll-01"].own = []
        assert scene.judge(name).outcome is Outcome.UNKNOWN

    def test_a_service_that_is_stopped(self, scene: Scene) -> None:
        """Nothing presents a certificate, and it is known why."""
        scene.across(scene.around.world, "listening", SILENT, SILENT)
        draft = scene.around.world["web-01"]
        draft.service |= {"state": "stopped", "pid": None, "exit_code": 0}
        draft.listeners = []
        draft.replace(OWN_PORT, scene.make_probe(fails="connect", error=Failure.REFUSED))
        result = scene.judge()
        assert result.outcome is Outcome.BLOCKED
        assert result.blocked_by == ("TT202", "web-01")
