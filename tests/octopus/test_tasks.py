"""What the last health checks said of single machines, the server's own log, and rights that are asked for first."""

from __future__ import annotations

import pytest

from pytest_tentacle.lab.portal import Answer, PortalData, Space, activity, health_task, machine
from pytest_tentacle.octopus import read_portal
from pytest_tentacle.octopus.evidence import read_evidence

T = "A" * 40
WHEN = "2026-11-29T10:00:00.000+00:00"
RAW = """\
                    | == Running: Check deployment targets ==
                    | == Failed: Check deployment target: web-01 ==
00:42:54   Verbose  |     Performing health check on machine
00:47:34   Error    |     Unable to connect.
                    |     ---> System.Net.Sockets.SocketException (10061): refused
                    | == Success: Check deployment target: web-010 ==
00:47:35   Error    |     of another machine
"""


@pytest.fixture
def read(serve, connect):
    """The evidence of web-01 and web-010, and the portal's server with what it was asked."""

    def read(**space):
        machines = [machine(n, name, f"https://{name}:10933/", T) for n, name in ((1, "web-01"), (2, "web-010"))]
        portal_server = serve(PortalData(spaces=[Space(machines=machines, **space)]))
        client = connect(portal_server)
        portal = read_portal(client)
        found = list(read_evidence(client, portal.registrations, portal=portal))
        return found, [path for _, path in portal_server.asked]

    return read


class TestHealthChecks:
    def test_tree(self, read):
        """The errors of the machine's own part, also of what is below it; a longer name is another machine."""
        steps = activity("Connect", ("Verbose", WHEN, "trying"), ("Error", WHEN, "refused"))
        tree = activity(
            "Check deployment targets",
            children=[
                activity("Check deployment target: web-01", ("Info", WHEN, "begins"), children=[steps]),
                activity("Check deployment target: web-010", ("Info", WHEN, "well")),
            ],
        )
        task = health_task(7, WHEN)
        (one, other), _ = read(tasks=[task], activities={task["Id"]: [tree]})
        assert (one.task.id, one.task.state, one.task.node) == ("ServerTasks-7", "Failed", "octo-1")
        assert [line.text for line in one.task.lines] == ["refused"]
        assert [line.text for line in other.task.lines] == ["well"]

    def test_raw_log(self, read):
        """Where the tree does not name the machine that the task was started for."""
        task = health_task(7, WHEN, ["Machines-1"])
        (one, other), asked = read(tasks=[task], raw_logs={task["Id"]: RAW})
        assert [line.text for line in one.task.lines] == [
            "Unable to connect.\n---> System.Net.Sockets.SocketException (10061): refused"
        ]
        assert other.task is None
        assert "/api/Spaces-1/tasks/ServerTasks-7/raw" in asked

    def test_newest_first_and_no_more_than_two(self, read):
        """Details are costly for a server: two tasks of a space."""
        tasks = [health_task(number, WHEN) for number in (9, 8, 7)]
        trees = {"ServerTasks-7": [activity("Check deployment target: web-01", ("Error", WHEN, "old"))]}
        (one, _), asked = read(tasks=tasks, activities=trees)
        assert one.task is None
        assert sum(path.endswith("/details") for path in asked) == 2

    def test_running_ones_are_no_last_word(self, read):
        """A task that is not over is left alone."""
        (one, _), asked = read(tasks=[health_task(9, "", IsCompleted=False)])
        assert one.task is None
        assert not any("/details" in path for path in asked)

    @pytest.mark.parametrize(
        "answer",
        [
            Answer(data={"ActivityLogs": [{"Name": None, "Children": [None, {"Children": "x"}]}, 7]}),
            Answer(data={"ActivityLogs": None}),
            Answer(data=[]),
            Answer(body=b"<html>", content_type="text/html"),
            Answer(403, {"ErrorMessage": "Missing permission: TaskView"}),
        ],
    )
    def test_odd_answers(self, serve, connect, answer):
        """Nothing breaks off, and what was not read is told."""
        space = Space(machines=[machine(1, "web-01", "https://web-01:10933/", T)], tasks=[health_task(9, WHEN)])
        portal_server = serve(PortalData(spaces=[space]))
        portal_server.override = lambda path, _: answer if path.endswith("/details") else None
        client = connect(portal_server)
        (one,) = read_evidence(client, read_portal(client).registrations)
        assert one.task is None
        assert bool(one.unread) == (answer.data is None or answer.status != 200)

    def test_deep_and_endless_tree(self, read):
        """Depth and size are the server's: both are bounded."""
        tree = activity("Check deployment target: web-01", ("Error", WHEN, "far down"))
        for _ in range(60):
            tree = activity("x", children=[tree])
        task = health_task(7, WHEN)
        (one, _), _ = read(tasks=[task], activities={task["Id"]: [tree]})
        assert one.task is None


class TestRights:
    def test_not_asked_for_without_them(self, serve, connect):
        """A refused question leaves a warning in the server's own log."""
        data = PortalData(spaces=[Space(machines=[machine(1, "web-01", "https://web-01:10933/", T)])])
        data.permissions = {"MachineView": [{"SpaceId": "Spaces-1"}]}
        portal_server = serve(data)
        client = connect(portal_server)
        portal = read_portal(client)
        (one,) = read_evidence(client, portal.registrations, portal=portal)
        asked = [path for _, path in portal_server.asked]
        assert not any("/events" in path or "/tasks" in path or path.endswith("/serverstatus/logs") for path in asked)
        assert "EventView" in "".join(one.unread)
        assert "TaskView" in "".join(one.unread)


class TestServer:
    def test_log_and_audit(self, serve, connect):
        """Diagnostics for administrators, without what is about our own account; the audit of the certificate alone."""
        data = PortalData(system_permissions=("AdministerSystem", "EventView"))
        data.server_log = [
            {"Category": "Error", "MessageText": "The disk is full", "Detail": "x", "OccurredAt": WHEN},
            {"Category": "Warning", "MessageText": "Missing permission: UserView (surveyor requesting /api/x)"},
            7,
        ]
        data.events = [
            {"Category": "Modified", "Occurred": WHEN, "Message": "new", "RelatedDocumentIds": ["certificate-global"]},
            {"Category": "Modified", "Occurred": WHEN, "Message": "other", "RelatedDocumentIds": ["Projects-1"]},
        ]
        portal = read_portal(connect(serve(data)))
        assert [line.text for line in portal.server_log] == ["The disk is full\nx"]
        assert [event.message for event in portal.events] == ["new"]

    def test_not_for_others(self, serve, connect):
        """An Octopus Manager of Octopus Cloud is no administrator: nothing is asked, nothing is wrong."""
        portal_server = serve(PortalData())
        portal = read_portal(connect(portal_server))
        assert portal.server_log == portal.unread == ()
        assert ("GET", "/api/serverstatus/logs") not in portal_server.asked
