"""The picture of a machine's links: what was expected there is what the checks expected."""

from __future__ import annotations

from pytest_tentacle.link import By
from pytest_tentacle.report.links import Looks
from support.fleets.looks import OWN_PORT, declared, from_server, polled
from support.fleets.world import World, probe, small_fleet, thumbprint


def stages(world: World, name: str) -> dict[tuple[str, str, str], dict[str, str]]:
    """By vantage, how the host is named, and the host: each stage's state."""
    return {
        (lane.vantage, lane.by, lane.host): {stage.stage: stage.state for stage in lane.stages}
        for view in Looks(world.fleet()).links(name)
        for lane in view.lanes
    }


def test_a_renewed_certificate_that_only_the_inventory_does_not_know() -> None:
    """The link works, and nothing of it is drawn broken: the step of the thumbprint says what is out of date."""
    world = small_fleet()
    world["web-01"].declare(thumbprint=thumbprint("the one before"))
    assert world.judge("welcome-page-across", "web-01").outcome == "passed"
    assert {lane["certificate"] for lane in stages(world, "web-01").values()} == {"ok"}


def test_another_certificate() -> None:
    """What the step calls another certificate is drawn as such."""
    world = small_fleet()
    for by, host in ((By.NAME, "web-01.example"), (By.ADDRESS, "192.0.2.20")):
        world["octo-1"].replace(from_server("web-01", by), probe(host, by=by, whose="an inspector"))
    assert world.judge("welcome-page-across", "web-01").outcome == "failed"
    drawn = stages(world, "web-01")
    assert drawn["octo-1", "name", "web-01.example"]["certificate"] == "failed"
    assert drawn["web-01", "local", "localhost"]["certificate"] == "ok"


def test_two_servers_of_their_own_certificates() -> None:
    """Each look is held against the certificate of the server that it is at."""
    world = small_fleet()
    world.add_server("octo-2", "192.0.2.11").declare(thumbprint=thumbprint("octopus 2"))
    world["octo-2"].own = []
    draft = world["poll-01"]
    draft.declare(servers=("octo-1", "octo-2"))
    draft.trusted.append(
        {**draft.trusted[0], "Address": "https://octo-2.example:10943/", "Thumbprint": thumbprint("octopus 2")}
    )
    common = {"port": 10943, "page": "server", "whose": "octopus 2", "addresses": ("192.0.2.11",)}
    for look in (polled(1), declared("poll-01", "octo-2", "octo-2.example")):
        draft.own.append(probe("octo-2.example", by=By.NAME, look=look, **common))
    assert world.judge("welcome-page-across", "poll-01").outcome == "passed"
    assert {lane["certificate"] for lane in stages(world, "poll-01").values()} == {"ok"}


def test_another_products_page() -> None:
    """A server's page at a Tentacle's port is no success."""
    world = small_fleet()
    world["web-01"].replace(OWN_PORT, probe(page="server"))
    assert stages(world, "web-01")["web-01", "local", "localhost"]["page"] == "failed"


def test_looks_that_nobody_can_place() -> None:
    """Settings that cannot be read name no link: what the script saw of them is shown, and not judged."""
    world = small_fleet()
    world["poll-01"].config_error = "malformed"
    lanes = stages(world, "poll-01")
    assert lanes["poll-01", "name", "octo-1.example"]["certificate"] in {"ok", "unjudged"}
    assert len(lanes) == 2


def test_a_slow_way() -> None:
    """Every stage comes about, and the step fails: the slow one is drawn so, with its time."""
    world = small_fleet()
    for by, host in ((By.NAME, "web-01.example"), (By.ADDRESS, "192.0.2.20")):
        world["octo-1"].replace(from_server("web-01", by), probe(host, by=by, connect_ms=3021))
    assert [problem.code for problem in world.judge("welcome-page-across", "web-01").problems] == ["TT535"]
    drawn = stages(world, "web-01")
    assert drawn["octo-1", "name", "web-01.example"] | {"identity": "", "resolve": ""} == {
        "resolve": "", "connect": "slow", "tls": "ok", "certificate": "ok", "page": "ok", "identity": "",
    }  # fmt: skip
    assert "slow" not in drawn["web-01", "local", "localhost"].values()
    (words,) = {
        stage.error
        for view in Looks(world.fleet()).links("web-01")
        for lane in view.lanes
        for stage in lane.stages
        if stage.state == "slow"
    }
    assert words == "slow: 3021 ms"


def test_another_process_at_the_port() -> None:
    """It shows a page like ours; the step says whose it is, and the picture does not say that all is well."""
    world = small_fleet()
    owner = {"pid": 4711, "name": "other.exe", "executable": r"C:\other.exe", "parent_pid": 1}
    world["web-01"].listeners = [{"address": "0.0.0.0", "port": 10933, "pid": 4711, "owner": owner}]
    world["web-01"].replace(OWN_PORT, probe(whose="another"))
    assert "TT502" in [problem.code for problem in world.judge("welcome-page-here", "web-01").problems]
    assert stages(world, "web-01")["web-01", "local", "localhost"]["page"] == "failed"
