"""The script's trial of each version of TLS with the real openssl, against real listeners that are held to some of them."""

from __future__ import annotations

import contextlib
import json
import shutil
import ssl

import pytest

from pytest_tentacle.lab.halibut.listener import HalibutListener, make_certificate
from pytest_tentacle.lab.network.tls_boxes import NoCommonCipher, OldTls
from pytest_tentacle.link import By, Failure, LinkRef, Stage, Target, TlsVersion
from pytest_tentacle.survey.request import Request

OWN = make_certificate()
ALL = tuple(TlsVersion)
REAL_TOOLS = (
    "sh", "dash", "awk", "sed", "date", "od", "head", "grep", "cat", "tr", "ls", "sleep", "timeout", "getent", "gzip",
    "base64",
)  # fmt: skip


def trying(*targets, **options):
    values = {"probe_seconds": 20.0, "budget_seconds": 240.0, "gather": False} | options
    return Request(**values, tls_versions=True, version_targets=targets)


def at(port, host="127.0.0.1", by=By.ADDRESS, name="t"):
    return Target(link=LinkRef(tentacle=name), host=host, port=port, by=by)


def limited(only, log):
    return HalibutListener("127.0.0.1", 0, certificate=OWN, minimum_version=only, maximum_version=only, log=log)


class TestTrials:
    @pytest.mark.parametrize(
        ("only", "version"),
        [(ssl.TLSVersion.TLSv1_2, TlsVersion.TLS_1_2), (ssl.TLSVersion.TLSv1_3, TlsVersion.TLS_1_3)],
    )
    def test_a_tentacle_of_one_version(self, real, shell, only, version):
        """That one gets through and has its whole look; TLS refuses all others; the log has no Error."""
        lines = []
        with limited(only, lines.append) as listener:
            (found,) = real(trying(at(listener.port), identity=True), shell).survey.tls_versions
        assert [trial.version for trial in found.trials] == list(ALL)
        assert (found.newest, found.link.tentacle, found.port, found.by) == (version, "t", listener.port, By.ADDRESS)
        trial = found.trial(version)
        assert trial.cipher
        assert (trial.stage, trial.error) == (None, None)
        assert all(trial.refused for trial in found.trials if trial.version is not version)
        assert sum("web browser" in line.message for line in lines) == 1
        assert not [line for line in lines if line.level == "Error"]

    def test_side_by_side(self, real, tools):
        """An old peer, one that refuses everybody, one without a common suite, and nobody at all: in their order."""
        with contextlib.ExitStack() as stack:
            old_box, hand_box, suite_box = (
                stack.enter_context(box)
                for box in (OldTls("127.0.0.1"), OldTls("127.0.0.1", by_hand=True), NoCommonCipher("127.0.0.1"))
            )
            targets = [at(box.port, name=str(box.port)) for box in (old_box, hand_box, suite_box)]
            old, by_hand, suites, nobody = real(trying(*targets, at(tools.free_port(), name="n"))).survey.tls_versions
        assert [old.link.tentacle, by_hand.link.tentacle, suites.link.tentacle, nobody.link.tentacle] == [
            *(target.link.tentacle for target in targets),
            "n",
        ]
        assert old.newest is TlsVersion.TLS_1_1
        assert old.trial(TlsVersion.TLS_1_1).stage is Stage.PAGE
        assert old.trial(TlsVersion.TLS_1_3).error is Failure.PROTOCOL_VERSION
        assert by_hand.newest is None
        assert {trial.error for trial in by_hand.trials} == {Failure.PROTOCOL_VERSION}
        assert suites.trial(TlsVersion.TLS_1_2).error is Failure.NO_COMMON_CIPHER
        assert {(trial.stage, trial.error) for trial in nobody.trials} == {(Stage.CONNECT, Failure.REFUSED)}

    def test_by_name_and_once(self, machine, listen, tls):
        """The name is resolved; a host and port that is there twice is tried once; many are more than the workers."""
        listener = listen(tls(), address="127.0.0.92")
        machine.description["names"] = {f"n{number}.lab": ["127.0.0.92"] for number in range(6)}
        targets = [at(listener.port, f"n{number}.lab", By.NAME, f"n{number}") for number in range(6)]
        found = machine.survey(
            gather=False, probe_seconds=10.0, tls_versions=True, version_targets=(*targets, targets[0])
        ).survey.tls_versions
        assert [one.link.tentacle for one in found] == [target.link.tentacle for target in targets]
        assert {one.newest for one in found} == {TlsVersion.TLS_1_3}
        assert len(listener.received) == 12


class TestOwnLimits:
    def test_an_openssl_without_a_version(self, real, listen, tls, tmp_path):
        """What its help does not name is not asked for, and is not the other end's refusal."""
        program = tmp_path / "openssl"
        program.write_text(
            '#!/bin/sh\ncase "$*" in *-help*) exec 2>&1; '
            f"{shutil.which('openssl')} s_client -help 2>&1 | grep -v -e '-tls1_3 ' ;; "
            f'*) exec {shutil.which("openssl")} "$@" ;; esac\n'
        )
        program.chmod(0o755)
        listener = listen(tls())
        environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
        (found,) = real(trying(at(listener.port)), environment=environment).survey.tls_versions
        assert found.trial(TlsVersion.TLS_1_3).unavailable == "its openssl has no -tls1_3"
        assert found.newest is TlsVersion.TLS_1_2

    def test_an_openssl_that_refuses_to_speak_it(self, real, listen, tls, tmp_path):
        """A policy that leaves no suite for a version: not even a hello is sent."""
        policy = tmp_path / "openssl.cnf"
        policy.write_text(
            "openssl_conf = all\n[all]\nssl_conf = modules\n[modules]\nsystem_default = system\n"
            "[system]\nCiphersuites = \n"
        )
        listener = listen(tls())
        (found,) = real(trying(at(listener.port)), environment={"OPENSSL_CONF": str(policy)}).survey.tls_versions
        assert found.trial(TlsVersion.TLS_1_3).unavailable == "its openssl refused to speak it"
        assert found.newest is TlsVersion.TLS_1_2

    def test_without_openssl(self, real, listen, tls, tmp_path):
        """curl is not held to one version reliably: it says what it takes."""
        for name in (*REAL_TOOLS, "curl"):
            (tmp_path / name).symlink_to(shutil.which(name))
        listener = listen(tls())
        (found,) = real(trying(at(listener.port)), environment={"PATH": str(tmp_path)}).survey.tls_versions
        assert len(found.trials) == len(ALL)
        assert all("openssl" in trial.unavailable for trial in found.trials)
        assert not listener.received

    def test_no_time(self, real, listen, tls):
        """The reason is told."""
        (found,) = real(trying(at(listen(tls()).port), budget_seconds=3.0, probe_seconds=2.0)).survey.tls_versions
        assert {trial.unavailable for trial in found.trials} == {"no time was left for it"}

    def test_not_asked(self, real, listen, tls):
        """Nothing is tried, and the document says nothing of it."""
        ran = real(Request(gather=False, targets=(at(listen(tls()).port),), probe_seconds=2.0))
        assert "tls_versions" not in ran.document


def test_a_polling_tentacle_tries_what_it_polls(whole, tools, listen, tls):
    """The address of its settings, and a declared one besides, each host and port once."""
    listener = listen(tls(), address="127.0.0.93")
    settings = tools.SETTINGS | {
        "Tentacle.Services.NoListen": "true",
        "Tentacle.Communication.TrustedOctopusServers": json.dumps(
            [tools.polling(f"https://127.0.0.93:{listener.port}/")]
        ),
    }
    whole.instance(tools.settings_file(settings), folder="default")
    declared = at(listener.port, "127.0.0.93", name="poll-01:octo-1")
    whole.sections = {"instances"}
    survey = whole.survey(tls_versions=True, version_targets=(declared,)).survey
    assert [(one.link.tentacle, one.newest) for one in survey.tls_versions] == [("poll-01:octo-1", TlsVersion.TLS_1_3)]
    alone = whole.survey(tls_versions=True).survey
    assert [one.link.instance for one in alone.tls_versions] == ["Tentacle"]
