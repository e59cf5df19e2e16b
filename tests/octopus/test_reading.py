"""What is read of a portal: machines of all kinds, several spaces, what the account may see, and old servers."""

from __future__ import annotations

import pytest

from pytest_tentacle.lab.portal import Answer, PortalData, Space, machine, node, worker
from pytest_tentacle.lab.portal.resources import OLD
from pytest_tentacle.octopus import PortalError, read_portal
from pytest_tentacle.octopus.addresses import machine_address, seconds_of
from pytest_tentacle.octopus.evidence import read_evidence

T = "A" * 40


def space(*machines, **more) -> PortalData:
    return PortalData(spaces=[Space(machines=list(machines), **more)])


@pytest.fixture
def read(serve, connect):
    def read(data: PortalData, *spaces: str):
        return read_portal(connect(serve(data)), spaces)

    return read


class TestAddresses:
    @pytest.mark.parametrize(
        ("uri", "host", "port"),
        [
            ("https://web-01:10933/", "web-01", 10933),
            ("https://web-01:10933", "web-01", 10933),
            ("  https://web-01:10933/ ", "web-01", 10933),
            ("HTTPS://WEB-01:10933/", "web-01", 10933),
            ("https://web-01/", "web-01", 443),
            ("https://[fd00::7]:10933/", "fd00::7", 10933),
            ("https://me@web-01:10933/some/page?x=1", "web-01", 10933),
            ("https://bücher.example:10933/", "bücher.example", 10933),
        ],
    )
    def test_listening(self, uri, host, port):
        """As .NET takes it: 443 where no port stands, case and the rest set aside."""
        found = machine_address(uri, "listening")
        assert (found.host, found.port, found.fault) == (host, port, None)
        assert found.has_port == (port != 443)

    @pytest.mark.parametrize(
        ("uri", "mode"),
        [
            (None, "listening"),
            ("", "polling"),
            ("web-01:10933", "listening"),
            ("http://web-01:10933/", "listening"),
            ("https://web-01:99999/", "listening"),
            ("https:///", "listening"),
            ("poll:///", "polling"),
            ("https://web-01:10933/", "polling"),
        ],
    )
    def test_what_is_none(self, uri, mode):
        """It is told, not guessed."""
        found = machine_address(uri, mode)
        assert found.fault
        assert found.host is None
        assert found.subscription is None

    @pytest.mark.parametrize("uri", ["poll://ABC123/", "poll://abc123", "POLL://Abc123/"])
    def test_polling(self, uri):
        """The id, whatever its case and its end."""
        assert machine_address(uri, "polling").subscription == "abc123"

    @pytest.mark.parametrize(
        ("span", "seconds"),
        [("00:02:00", 120), ("1.00:00:00", 86_400), ("00.00:02:00", 120), ("00:00:01.5000000", 1.5), ("2m", None), (None, None)],
    )  # fmt: skip
    def test_time_spans(self, span, seconds):
        """As .NET writes them."""
        assert seconds_of(span) == seconds


class TestMachines:
    def test_both_kinds_of_both_modes(self, read):
        """Targets and workers, listening and polling, with their names instead of ids."""
        portal = read(
            PortalData(
                spaces=[
                    Space(
                        machines=[
                            machine(1, "web-01", "https://web-01:10933/", T, roles=["web", "db"], proxy="Proxies-1",
                                    TenantIds=["Tenants-1"], TenantTags=["Ring/Early"], health="Unavailable"),
                            machine(2, "poll-01", "poll://ABC/", T),
                        ],
                        workers=[worker(1, "w-01", "https://w-01:10933/", T)],
                        tenants={"Tenants-1": "Acme"},
                        proxies=[{"Id": "Proxies-1", "Name": "DMZ", "Host": "proxy", "Port": 3128, "Password": {"HasValue": True}}],
                    )
                ],
                thumbprint="B" * 40,
            )
        )  # fmt: skip
        web, poll, one_worker = portal.registrations
        assert (web.mode, web.host, web.port, web.proxy, web.thumbprint) == (
            "listening",
            "web-01",
            10933,
            "proxy:3128",
            T,
        )
        assert web.groups == (
            "space:Default", "env:Production", "role:web", "role:db", "tenant:Acme", "tag:Ring/Early", "health:Unavailable",
        )  # fmt: skip
        assert (poll.mode, poll.subscription, poll.host, poll.proxy) == ("polling", "abc", None, None)
        assert (one_worker.kind, one_worker.pools) == ("worker", ("Default Worker Pool",))
        assert web.link.endswith("/app#/Spaces-1/infrastructure/machines/Machines-1/settings")
        assert portal.thumbprint == "B" * 40
        assert portal.policies[0].queue_seconds == 120
        assert (portal.policies[0].health_interval, portal.policies[0].health_schedule) == (3600, None)
        assert (portal.all_read_only, portal.all_draining) == (False, False)
        assert portal.unread == ()
        assert portal.coverage.partial == ()
        assert "Password" not in portal.model_dump_json()

    @pytest.mark.parametrize(
        ("style", "words"),
        [
            ("KubernetesTentacle", "Kubernetes agent"),
            ("Ssh", "SSH target"),
            ("None", "cloud region"),
            ("OfflineDrop", "offline drop"),
            ("SomethingNew", "not a Tentacle that this suite knows"),
            ("", "not a Tentacle that this suite knows"),
        ],
    )
    def test_what_is_no_tentacle(self, style, words, read):
        """It is counted and named, with the reason."""
        portal = read(space({**machine(1, "other", None, None), "Endpoint": {"CommunicationStyle": style}}))
        assert portal.registrations == ()
        assert [(left.names, words in left.reason) for left in portal.left_out] == [(("other",), True)]

    def test_built_in_worker(self, read):
        """The server's own worker has no link."""
        portal = read(PortalData(spaces=[Space(workers=[worker(1, "Built-in", None, None, IsInProcess=True)])]))
        assert portal.registrations == ()
        assert "built-in" in portal.left_out[0].reason

    def test_one_that_cannot_be_read_takes_no_other_away(self, read):
        """Words that are new, fields that are null or of another type: only what is unusable is left out."""
        portal = read(
            space(
                machine(1, "good", "https://good:10933/", T, health="Sleepy", Extra={"x": [1]}, Roles=None),
                {**machine(2, "bad", "https://bad:10933/", T), "Endpoint": "gone"},
                {**machine(3, "bare", None, None), "Endpoint": {"CommunicationStyle": "TentacleActive", "Uri": None, "Thumbprint": None}},
            )
        )  # fmt: skip
        good, bare = portal.registrations
        assert (good.name, good.health, good.roles) == ("good", "Sleepy", ())
        assert "incomplete" in bare.fault
        assert portal.left_out[0].names == ("bad",)

    @pytest.mark.parametrize("thumbprint", [T.lower(), f" {T}", f"\u200e{T}", ":".join(["AA"] * 20), "A" * 39])
    def test_thumbprint_that_octopus_compares_in_vain(self, thumbprint, read):
        """It is kept to the character, since the server compares it so, and told."""
        found = read(space(machine(1, "web-01", "https://web-01:10933/", thumbprint))).registrations[0]
        assert found.thumbprint == thumbprint
        assert "thumbprint in Octopus" in found.fault


class TestServers:
    def test_2019(self, read):
        """A server of 2019: spaces, no upgrade fields, no redis."""
        portal = read(
            PortalData(version=OLD, spaces=[Space(machines=[machine(1, "web-01", "https://w:10933/", T, old=True)])])
        )
        assert portal.spaces
        assert portal.shared_queue is False
        assert len(portal.registrations) == 1

    def test_before_spaces(self, serve, connect):
        """A server of 2018 has none: its lists lie at the top, and asking for a space is refused in a line."""
        server = serve(
            PortalData(version="2018.7.9", spaces=[Space(machines=[machine(1, "web-01", "https://w:10933/", T)])])
        )
        server._root = lambda: {
            "Application": "Octopus Deploy",
            "Version": "2018.7.9",
            "Links": {"Machines": "/api/machines{/id}"},
        }
        portal = read_portal(connect(server))
        assert not portal.spaces
        assert [each.space_id for each in portal.registrations] == [None]
        assert not [path for _, path in server.asked if "Spaces-" in path]
        with pytest.raises(PortalError, match="has no spaces"):
            read_portal(connect(server), ["Default"])

    def test_nodes(self, read):
        """High availability: nodes that drain and nodes that are offline are told apart."""
        portal = read(
            PortalData(nodes=[node("a"), node("b", IsInMaintenanceMode=True), node("c", IsOffline=True, LastSeen=None)])
        )
        assert [(each.name, each.draining, each.offline) for each in portal.nodes] == [
            ("a", False, False),
            ("b", True, False),
            ("c", False, True),
        ]

    def test_whole_cluster(self, read):
        """That no node takes tasks, or writes, comes with the code 418; a policy may have a schedule instead of an interval."""
        health = {
            "IsOperatingNormally": False,
            "Description": "",
            "IsEntireClusterReadOnly": True,
            "IsEntireClusterDrainingTasks": True,
        }
        checks = {"HealthCheckType": "OnlyConnectivity", "HealthCheckInterval": None, "HealthCheckCron": "0 0 6 * * *"}
        policy = {"Id": "MachinePolicies-2", "Name": "Rare", "MachineHealthCheckPolicy": checks}
        portal = read(PortalData(spaces=[Space(policies=[policy])], health=health))
        assert (portal.operating_normally, portal.all_read_only, portal.all_draining) == (False, True, True)
        assert [(each.health_interval, each.health_schedule) for each in portal.policies] == [(None, "0 0 6 * * *")]

    @pytest.mark.parametrize(
        ("redis", "shared"),
        [
            (None, False),
            ({"IsEnabled": False}, False),
            ({"IsEnabled": True, "IsReachable": True}, True),
            ({"IsEnabled": True, "IsReachable": False}, False),
        ],
    )
    def test_shared_queue(self, redis, shared, read):
        """Whether one polled address is enough."""
        assert read(PortalData(redis=redis)).shared_queue is shared

    def test_no_octopus(self, serve, connect):
        """JSON of something else is no Octopus."""
        server = serve()
        server.override = lambda _p, _q: Answer(data={"hello": "world"})
        with pytest.raises(PortalError, match="no Octopus portal"):
            read_portal(connect(server))


class TestSpaces:
    TWO = PortalData(
        spaces=[
            Space(machines=[machine(1, "web-01", "https://web-01:10933/", T)]),
            Space("Spaces-2", "Shop", is_default=False, machines=[machine(2, "shop-01", "https://shop-01:10933/", T)]),
        ]
    )

    def test_all(self, read):
        """All that the account sees."""
        assert [each.space for each in read(self.TWO).registrations] == ["Default", "Shop"]

    @pytest.mark.parametrize("word", ["Shop", "shop", "Spaces-2"])
    def test_named(self, word, read):
        """By name or id."""
        assert [each.name for each in read(self.TWO, word).registrations] == ["shop-01"]

    def test_unknown(self, read):
        """The names that there are stand in the refusal."""
        with pytest.raises(PortalError, match=r"no space 'Stop'.*Default, Shop"):
            read(self.TWO, "Stop")


class TestCoverage:
    def test_part_of_the_fleet_is_never_all(self, read):
        """Lists come filtered without a word: the account's rights tell that they do."""
        data = PortalData(
            spaces=[Space(), Space("Spaces-2", "Shop", is_default=False)],
            permissions={
                "MachineView": [{"SpaceId": "Spaces-1", "RestrictedToEnvironmentIds": ["Environments-1"]}],
                "WorkerView": [{"SpaceId": "Spaces-1"}, {"SpaceId": "Spaces-2"}],
                "EnvironmentView": [{"SpaceId": None}],
                "MachinePolicyView": [{"SpaceId": None}],
                "ProxyView": [{"SpaceId": None}],
            },
        )
        assert read(data).coverage.partial == (
            "no deployment targets of Shop: the account has no MachineView there",
            "not all deployment targets of Default: MachineView holds for a part of them",
        )

    def test_refused_list(self, serve, connect):
        """A list that is refused is told with the permission; the rest is read."""
        server = serve(space(machine(1, "web-01", "https://web-01:10933/", T)))
        server.override = lambda path, _q: (
            Answer(403, {"ErrorMessage": "You do not have permission. Missing permission: WorkerView"})
            if "workers" in path
            else None
        )
        portal = read_portal(connect(server))
        assert len(portal.registrations) == 1
        assert any("WorkerView" in text for text in portal.unread)

    def test_revoked_in_mid_run(self, serve, connect):
        """A key that ends while reading ends the reading: half a fleet is no fleet."""
        server = serve()
        server.override = lambda path, _q: Answer(401, {"ErrorMessage": "x"}) if path.endswith("/workers") else None
        with pytest.raises(PortalError, match="does not accept"):
            read_portal(connect(server))

    def test_requests(self, serve, connect):
        """5,000 machines in 12 spaces take at most 120 requests."""
        spaces = [
            Space(
                f"Spaces-{s}", f"Space {s}", is_default=s == 1,
                machines=[machine(s * 1000 + n, f"m-{s}-{n}", f"https://m-{s}-{n}:10933/", T) for n in range(417)],
            )
            for s in range(1, 13)
        ]  # fmt: skip
        server = serve(PortalData(spaces=spaces))
        portal = read_portal(connect(server))
        assert len(portal.registrations) == 5004
        assert len(server.asked) <= 120


class TestEvidence:
    def test_events_and_connection(self, serve, connect):
        """What the server noted of a machine: its health events with their details, what was changed, Halibut's log."""
        data = space(
            machine(1, "web-01", "https://web-01:10933/", T),
            events={
                "Machines-1": [
                    {"Id": "Events-2", "Category": "MachineUnavailable", "Occurred": "2026-11-29T10:00:00.000+00:00",
                     "Message": "web-01 is unavailable", "Details": "An error occurred", "RelatedDocumentIds": ["Machines-1"]},
                    {"Id": "Events-1", "Category": "Modified", "Occurred": "2026-11-28T10:00:00.000+00:00",
                     "ChangeDetails": {"Differences": '[{"path": "/Endpoint/Thumbprint", "op": "replace"}]'}},
                    {"Id": "Events-0", "Category": "MachineUnavailable", "RelatedDocumentIds": ["Machines-9"]},
                ]
            },
            connections={"Machines-1": [{"Category": "Error", "MessageText": "refused", "Detail": "d", "OccurredAt": "2026-11-29T10:00:00Z"}]},
        )  # fmt: skip
        client = connect(serve(data))
        portal = read_portal(client)
        (found,) = read_evidence(client, portal.registrations)
        assert [(event.category, event.details, event.changed) for event in found.events] == [
            ("MachineUnavailable", "An error occurred", ()),
            ("Modified", "", ("/Endpoint/Thumbprint",)),
        ]
        assert found.connection[0].text == "refused\nd"
        assert found.node == "octo-1"
        assert found.discovered is None

    def test_discover(self, serve, connect):
        """Only where asked: what the server itself met, or what it said."""
        data = space(machine(1, "web-01", "https://web-01:10933/", T), machine(2, "web-02", "https://web-02:10933/", T))
        data.discoveries["web-01:10933"] = {
            "Name": "web-01",
            "Endpoint": {"CommunicationStyle": "TentaclePassive", "Thumbprint": "B" * 40},
        }
        client = connect(serve(data))
        met, failed = read_evidence(client, read_portal(client).registrations, discover=True)
        assert met.discovered.thumbprint == "B" * 40
        assert "There was a problem" in failed.discovered.error

    def test_what_the_budget_does_not_allow_for(self, serve, connect):
        """It is told as not read; it is no pass."""
        client = connect(serve(space(*(machine(n, f"w-{n}", f"https://w-{n}:10933/", T) for n in range(3)))))
        portal = read_portal(client)
        client.most_requests = len(client.asked) + 3  # the space's tasks, and two of the first machine
        first, second, third = read_evidence(client, portal.registrations)
        assert first.unread == ()
        assert second.unread
        assert third.unread
