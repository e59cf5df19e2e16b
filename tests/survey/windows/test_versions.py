"""The script's trial of each version of TLS with .NET's own SslStream, against real listeners held to some of them."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import subprocess
from importlib.resources import files

import pytest

from pytest_tentacle.lab.halibut.listener import HalibutListener, make_certificate
from pytest_tentacle.lab.network.tls_boxes import NoCommonCipher, OldTls
from pytest_tentacle.link import By, Failure, LinkRef, Stage, Target, TlsVersion
from pytest_tentacle.survey.request import Request

OWN = make_certificate()
ALL = tuple(TlsVersion)
OLD, NEW = ALL[:2], ALL[2:]


def tried(machine, *targets, **options):
    values = {"probe_seconds": 20.0, "budget_seconds": 240.0, "gather": False} | options
    return machine.run(Request(**values, tls_versions=True, version_targets=targets)).survey.tls_versions


def to(port: int, host: str = "127.0.0.1", by: By = By.ADDRESS, name: str = "t") -> Target:
    return Target(link=LinkRef(tentacle=name), host=host, port=port, by=by)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        return reserved.getsockname()[1]


def limited(only: ssl.TLSVersion, log) -> HalibutListener:
    """Waits as long as a Tentacle for what a client says: to one that is busy, a second is nothing."""
    return HalibutListener("127.0.0.1", 0, certificate=OWN, minimum_version=only, maximum_version=only, log=log)


class TestTrials:
    @pytest.mark.parametrize(
        ("only", "version"),
        [(ssl.TLSVersion.TLSv1_2, TlsVersion.TLS_1_2), (ssl.TLSVersion.TLSv1_3, TlsVersion.TLS_1_3)],
    )
    def test_a_tentacle_of_one_version(self, machine, only, version):
        """That one gets through and has its whole look; TLS refuses the other; what .NET has given up is not tried."""
        lines = []
        with limited(only, lines.append) as listener:
            (found,) = tried(machine, to(listener.port), identity=True)
        assert [trial.version for trial in found.trials] == list(ALL)
        assert (found.newest, found.link.tentacle, found.port, found.by) == (version, "t", listener.port, By.ADDRESS)
        trial = found.trial(version)
        assert trial.cipher
        assert (trial.stage, trial.error) == (None, None)
        assert found.trial(next(other for other in NEW if other is not version)).refused
        assert all("does not speak it" in found.trial(each).unavailable for each in OLD)
        assert sum("web browser" in line.message for line in lines) == 1
        assert sum(line.message.startswith("Accepted") for line in lines) == 2
        assert not [line for line in lines if line.level == "Error"]

    def test_side_by_side(self, machine):
        """An old peer, one that refuses everybody, one without a common suite, and nobody at all: in their order."""
        with contextlib.ExitStack() as stack:
            boxes = [
                stack.enter_context(box)
                for box in (OldTls("127.0.0.1"), OldTls("127.0.0.1", by_hand=True), NoCommonCipher("127.0.0.1"))
            ]
            targets = [to(box.port, name=str(box.port)) for box in boxes]
            found = tried(machine, *targets, to(closed_port(), name="n"))
        assert [one.link.tentacle for one in found] == [*(target.link.tentacle for target in targets), "n"]
        old, by_hand, suites, nobody = ({each: one.trial(each) for each in NEW} for one in found)
        assert all(trial.refused for each in (old, by_hand, suites) for trial in each.values())
        assert {trial.error for trial in by_hand.values()} == {Failure.PROTOCOL_VERSION}
        assert suites[TlsVersion.TLS_1_2].error is Failure.NO_COMMON_CIPHER
        assert {(trial.stage, trial.error) for trial in nobody.values()} == {(Stage.CONNECT, Failure.REFUSED)}
        assert {one.newest for one in found} == {None}

    def test_by_name_and_once(self, machine, peer):
        """The name is resolved; a host and port that is there twice is tried once."""
        server = peer()
        machine.description["names"] = {"octo.lab": ["127.0.0.1"]}
        target = to(server.port, "octo.lab", By.NAME)
        (found,) = tried(machine, target, target)
        assert (found.host, found.newest) == ("octo.lab", TlsVersion.TLS_1_3)
        assert len(server.received) == 2


class TestOwnLimits:
    def test_what_leaves_the_machine_decides(self, engine):
        """The hello is read from memory: the engine's own library speaks 1.2 and 1.3, and no older version."""
        part = (files("pytest_tentacle.survey.scripts") / "windows" / "looks" / "versions.ps1").read_text(
            encoding="utf-8"
        )
        done = subprocess.run(
            [engine, "-NoProfile", "-NonInteractive", "-Command", f"{part}\n192, 768, 3072, 12288 | ForEach-Object {{ Test-SpokenVersion $_ }}"],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        assert done.stdout.split() == ["False", "False", "True", "True"]

    def test_no_time(self, machine, peer):
        """The reason is told."""
        (found,) = tried(machine, to(peer().port), budget_seconds=0.01)
        assert all("no time left" in found.trial(each).unavailable for each in NEW)

    def test_not_asked(self, machine, peer):
        """Nothing is tried, and the document says nothing of it."""
        ran = machine.run(Request(gather=False, targets=(to(peer().port),), probe_seconds=2.0))
        assert "tls_versions" not in ran.document


def test_a_polling_tentacle_tries_what_it_polls(machine, peer):
    """The address of its settings, and a declared one besides, each host and port once."""
    machine.sections = {"instances"}
    server = peer()
    trusted = {"Thumbprint": "AB" * 20, "CommunicationStyle": 2, "Address": f"https://127.0.0.1:{server.port}/"}
    settings = {
        "Tentacle.Services.NoListen": "true",
        "Tentacle.Communication.TrustedOctopusServers": json.dumps([trusted]),
    }
    machine.add_instance("Tentacle", machine.settings | settings)
    found = tried(machine, to(server.port, name="poll-01:octo-1"), gather=True)
    assert [(one.link.tentacle, one.newest) for one in found] == [("poll-01:octo-1", TlsVersion.TLS_1_3)]
    assert [one.link.instance for one in tried(machine, gather=True)] == ["Tentacle"]
