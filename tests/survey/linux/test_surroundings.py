"""What stands around an instance, on stand-in machines: connections, logs, products, disks, load time, left-overs."""

from __future__ import annotations

import json
import os
import socket

import pytest

START = "2026-11-20 10:11:12.0001   2136      1  INFO  "
SECTIONS = (
    "connections", "logs", "firewall", "proxies", "permissions", "service_accounts", "private_keys", "loading", "tls", "events", "disks", "products", "watchdog",
    "left_overs",
)  # fmt: skip


class TestHealthy:
    def test_no_section_is_unknown(self, whole, shell):
        """A healthy machine gives data for every section, in every shell."""
        survey = whole.survey(shell).survey
        assert {name: getattr(survey, name).unknown for name in SECTIONS} == dict.fromkeys(SECTIONS)
        assert survey.left_overs.data == ()
        assert survey.proxies.data == ()
        assert survey.noise is None

    def test_a_server_has_them_too(self, machine, tools):
        """A machine with an Octopus Server is read in the same way."""
        machine.service(name="OctopusDeploy", command="/opt/octopus/server/Octopus.Server run --instance=OctopusServer")
        machine.instance(tools.settings_file({"Octopus.Home": "/etc/octopus/x"}), "OctopusServer", "OctopusServer")
        survey = machine.survey().survey
        assert (survey.logs.data[0].product, survey.logs.data[0].error) == ("server", None)
        assert {product.product for product in survey.products.data} == {"server", "tentacle"}

    def test_round_two_reads_nothing(self, whole):
        """A run that only probes asks nothing of the machine and says so."""
        whole.records = True
        survey = whole.survey(gather=False).survey
        assert {getattr(survey, name).unknown for name in SECTIONS} == {"not asked for"}
        assert not {"tail", "nft", "Tentacle", "systemctl"} & {command for command, _ in whole.called()}


class TestConnections:
    @pytest.fixture
    def sections(self):
        return {"connections"}

    @pytest.mark.parametrize("missing", [[], ["ss"]], ids=["ss", "netstat"])
    def test_both_directions(self, machine, tools, missing, shell):
        """Rows of the own port and of a polled port, with their states in one vocabulary; others stay out."""
        servers = json.dumps([tools.polling("https://127.0.0.9:10943/")])
        settings = tools.SETTINGS | {"Tentacle.Communication.TrustedOctopusServers": servers}
        machine.instance(tools.settings_file(settings), folder="default")
        machine.description["missing"] = missing
        machine.listens("127.0.0.77", 10933, 2136)
        machine.connected(10933, "127.0.0.9", 50001)
        machine.connected(10933, "127.0.0.9", 50002, "close-wait")
        machine.connected(40001, "127.0.0.9", 10943)
        machine.connected(40002, "127.0.0.9", 10943, "syn-sent", pid=None)
        machine.connected(22, "127.0.0.9", 50003)
        found = machine.survey(shell).survey.connections.data
        assert [(one.local_port, one.remote_port, one.state, one.pid) for one in found] == [
            (10933, 50001, "established", 2136),
            (10933, 50002, "close-wait", 2136),
            (40001, 10943, "established", 2136),
            (40002, 10943, "syn-sent", None),
        ]
        assert {(one.local_address, one.remote_address) for one in found} == {("127.0.0.77", "127.0.0.9")}

    def test_at_most_500(self, whole):
        """A pile-up does not blow up the survey."""
        for number in range(700):
            whole.connected(10933, "127.0.0.9", 20000 + number, "close-wait")
        assert len(whole.survey().survey.connections.data) == 500

    def test_denied(self, whole):
        """A refusal is told with the tool's own words."""
        whole.description["denied"] = ["sockets"]
        assert "Permission denied" in whole.survey().survey.connections.unknown

    def test_no_tool(self, machine, tools, shell):
        """Without ss and netstat they are the kernel's own, both ends of a real one, with their process where it is seen."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            with socket.create_connection(("127.0.0.1", port)) as client, server.accept()[0] as accepted:
                machine.description["missing"] = ["ss", "netstat"]
                found = machine.survey(shell, ports=(port,)).survey.connections.data
                seen = {(one.local_address, one.local_port, one.remote_port, one.state, one.pid) for one in found}
                own, far = client.getsockname()[1], os.getpid()
                assert ("127.0.0.1", port, own, "established", far) in seen
                assert accepted.fileno() >= 0


class TestLogs:
    @pytest.fixture
    def sections(self):
        return {"logs"}

    def test_records(self, whole, shell):
        """What the log says comes as records, with the file's own size and the agent's start."""
        text = f'{START}==== RunAgentCommand ====\n{START.replace(" INFO", "ERROR")}Ärger "quoted"\n  below\n'
        whole.file("/etc/octopus/default/Logs/OctopusTentacle.txt", text)
        (log,) = whole.survey(shell).survey.logs.data
        assert (log.product, log.instance, log.path) == (
            "tentacle", "Tentacle", "/etc/octopus/default/Logs/OctopusTentacle.txt",
        )  # fmt: skip
        assert (log.starts, log.size, log.complete, log.error) == (1, len(text.encode()), True, None)
        assert log.records[-1].text == 'Ärger "quoted"\n  below'
        assert log.modified_utc

    def test_healthy_start(self, whole):
        """The lab's own log is that of a healthy start."""
        (log,) = whole.survey().survey.logs.data
        assert (log.startup.trusted, log.startup.listening) == (("AB" * 20,), "127.0.0.77:10933")

    @pytest.mark.parametrize("missing", [[], ["gzip"], ["gzip", "base64"]], ids=["gzip", "base64", "od"])
    def test_tools(self, whole, missing):
        """Small systems lack gzip and base64; the log arrives all the same."""
        whole.description["missing"] = missing
        (log,) = whole.survey().survey.logs.data
        assert log.starts == 1

    def test_archive(self, whole):
        """What rotation moved away is read as well, before the log itself."""
        place = "/etc/octopus/default/Logs/OctopusTentacle"
        whole.file(f"{place}.0.txt", f"{START.replace(' INFO', 'ERROR')}from yesterday\n")
        whole.file(f"{place}.txt", f"{START.replace(' INFO', 'ERROR')}from today\n")
        (log,) = whole.survey().survey.logs.data
        assert [record.text for record in log.records][-2:] == ["from yesterday", "from today"]

    def test_large(self, whole, shell):
        """Of 100 MB the last 2 MB are read, and the whole survey stays far below 15 s."""
        place = whole.file("/etc/octopus/default/Logs/OctopusTentacle.txt", "")
        line = (
            f"{START}listen://127.0.0.77:10933/             91  Accepted TCP client: [::ffff:10.0.0.5]:42320\n".encode()
        )
        with place.open("wb") as file:
            file.truncate(100_000_000)
            file.seek(0, 2)
            file.write(line * 20_000 + f"{START.replace(' INFO', 'FATAL')}the last\n".encode())
        ran = whole.survey(shell)
        (log,) = ran.survey.logs.data
        assert log.size > 100_000_000
        assert not log.complete
        assert log.records[-1].text == "the last"
        assert log.read > 14_000

    def test_missing(self, whole):
        """A log that was never written is not found, which is not an empty one."""
        whole.description["without"] = ["log"]
        assert whole.survey().survey.logs.data[0].error == "not-found"

    def test_denied(self, whole):
        """A log that may not be read is denied."""
        whole.description["denied"] = ["logs"]
        (log,) = whole.survey().survey.logs.data
        assert (log.error, log.records) == ("denied", ())

    def test_home_falls_back_to_the_files_folder(self, machine, tools):
        """Without Octopus.Home the home is where the configuration file lies (tentacle-facts 2.2)."""
        settings = {key: value for key, value in tools.SETTINGS.items() if key != "Octopus.Home"}
        path = machine.instance(tools.settings_file(settings))
        (log,) = machine.survey().survey.logs.data
        assert log.path == str(path.parent / "Logs" / "OctopusTentacle.txt")
        assert log.starts == 1


class TestProducts:
    @pytest.fixture
    def sections(self):
        return {"products"}

    @pytest.mark.parametrize("manager", ["dpkg", "rpm"])
    def test_package(self, whole, manager, shell):
        """The version is the package manager's, the path the service's."""
        whole.description["package"] = {"manager": manager, "version": "6.3.417-1"}
        (product,) = whole.survey(shell).survey.products.data
        assert (product.product, product.version, product.path) == (
            "tentacle", "6.3.417-1", "/opt/octopus/tentacle/Tentacle",
        )  # fmt: skip

    def test_from_an_archive(self, whole):
        """Unpacked by hand: the list of parts beside the program names the version, if there is one."""
        whole.description["package"] = {"version": None}
        whole.file("/opt/octopus/tentacle/Tentacle.deps.json", '{\n  "libraries": { "Tentacle/8.1.2": {\n}}}')
        assert whole.survey().survey.products.data[0].version == "8.1.2"

    def test_unknown_version(self, whole):
        """No package and no list: the version is not known, and nobody asks the program."""
        whole.description["package"] = {"version": None}
        whole.sections, whole.records = None, True
        assert whole.survey().survey.products.data[0].version is None
        assert [arguments for command, arguments in whole.called() if command == "Tentacle"] == [["help"], ["help"]]

    def test_package_without_service(self, machine):
        """Installed and never set up."""
        (product,) = machine.survey().survey.products.data
        assert (product.version, product.path) == ("8.3.2941", None)


class TestDisks:
    @pytest.fixture
    def sections(self):
        return {"disks"}

    def test_each_file_system_once(self, whole, shell):
        """Home and work folder on two file systems; a folder that is not there counts for its parent."""
        disks = [{"mount": "/", "size_bytes": 4096000, "free_bytes": 1024000}]
        disks += [{"mount": "/home", "size_bytes": 8192000, "free_bytes": 0}]
        whole.description["disks"] = disks
        found = whole.survey(shell).survey.disks.data
        assert [(disk.path, disk.size_bytes, disk.free_bytes) for disk in found] == [
            ("/", 4096000, 1024000),
            ("/home", 8192000, 0),
        ]

    def test_inodes(self, whole, shell):
        """Counted where the file system has a fixed number of them; the others show none."""
        disks = [{"mount": "/", "size_bytes": 4096000, "free_bytes": 1024000}]
        disks += [{"mount": "/home", "size_bytes": 8192000, "free_bytes": 8192000, "inodes": 4, "free_inodes": 0}]
        whole.description["disks"] = disks
        found = whole.survey(shell).survey.disks.data
        assert [(disk.path, disk.inodes, disk.free_inodes) for disk in found] == [("/", None, None), ("/home", 4, 0)]

    def test_denied(self, whole):
        """What df refuses is unknown, with its words."""
        whole.description["denied"] = ["disks"]
        assert "Permission denied" in whole.survey().survey.disks.unknown

    def test_real_df(self, real):
        """The real df's columns are understood: no instance here, so no file system is asked for."""
        from pytest_tentacle.survey.request import Request

        assert real(Request(), sections={"disks"}).survey.disks.data == ()


class TestLoading:
    @pytest.fixture
    def sections(self):
        return {"loading"}

    def test_measured_twice(self, whole, shell):
        """Cold and warm, in milliseconds, and the exit code."""
        whole.description["loading"] = {"seconds": 0.3}
        (load,) = whole.survey(shell).survey.loading.data.times
        assert (load.product, load.executable, load.exit_code) == ("tentacle", "/opt/octopus/tentacle/Tentacle", 0)
        assert 300 <= load.cold_ms < 3000
        assert 300 <= load.warm_ms < 3000

    def test_comes_after_logs_and_probes(self, whole):
        """It writes into the log that is read, and takes time that probes need."""
        whole.sections, whole.records = None, True
        whole.survey()
        commands = [command for command, _ in whole.called()]
        first = commands.index("Tentacle")
        assert max(at for at, command in enumerate(commands) if command in {"tail", "openssl"}) < first

    def test_hangs(self, whole):
        """A program that does not come back is stopped, and says so."""
        whole.description["loading"] = {"seconds": 60}
        (load,) = whole.survey(budget_seconds=20).survey.loading.data.times
        assert "did not answer" in load.error
        assert load.cold_ms is None

    def test_says_why_it_fails(self, whole, shell):
        """The first of its error output, in one line."""
        said = "Process terminated. Couldn't find a valid ICU package.\n\tat <Main>"
        whole.description["loading"] = {"exit_code": 134, "says": said}
        (load,) = whole.survey(shell).survey.loading.data.times
        assert (load.exit_code, load.printed) == (
            134,
            "Process terminated. Couldn't find a valid ICU package.  at <Main>",
        )

    def test_is_well_and_says_something(self, whole):
        """A warning on its error output, say."""
        whole.description["loading"] = {"says": "No globalization support."}
        assert whole.survey().survey.loading.data.times[0].printed is None

    def test_fails(self, whole):
        """A program that ends with an error has its exit code."""
        whole.description["loading"] = {"exit_code": 100}
        assert whole.survey().survey.loading.data.times[0].exit_code == 100

    def test_by_way_of_another_program(self, machine, shell):
        """A unit's own script may do anything with `help`: only the product's program is started."""
        started = machine.file("/usr/local/bin/start-it", "#!/bin/sh\necho >>calls")
        started.chmod(0o755)
        machine.service(command=f"{started} /opt/octopus/tentacle/Tentacle run --instance=Tentacle")
        survey = machine.survey(shell).survey
        assert survey.services.data[0].executable == str(started)
        assert survey.loading.data.times == ()
        assert not list(machine.folder.rglob("calls"))

    def test_for_another_processor(self, machine, shell):
        """It is not run: where the kernel takes it for no program, a shell would read its bytes as a script."""
        header = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xf7\x00"  # for BPF
        started = machine.file("/opt/octopus/tentacle/Tentacle", "")
        started.write_bytes(header + b"\necho >>calls\n")
        started.chmod(0o755)
        machine.service(command="/opt/octopus/tentacle/Tentacle run --instance=Tentacle")
        (load,) = machine.survey(shell).survey.loading.data.times
        assert (load.error, load.cold_ms) == ("it is a program for another kind of processor", None)
        assert not list(machine.folder.rglob("calls"))

    def test_gone(self, whole):
        """A program that is not there cannot be started, and its unit is a left-over."""
        whole.description["loading"] = {"missing": True}
        survey = whole.survey(sections={"loading", "left_overs"}).survey
        assert "cannot be started" in survey.loading.data.times[0].error
        assert [(one.kind, one.where) for one in survey.left_overs.data] == [("unit", "Tentacle.service")]


class TestLeftOvers:
    @pytest.fixture
    def sections(self):
        return {"left_overs"}

    def test_index_without_configuration(self, whole, shell):
        """An index entry whose configuration is gone."""
        whole.instance(None, name="Old")
        (left,) = whole.survey(shell).survey.left_overs.data
        assert (left.kind, left.where.rsplit("/", 1)[-1]) == ("index", "old.config")

    def test_folder_without_index(self, whole):
        """A folder with a Tentacle's traces that no instance uses; other folders are none of our business."""
        (whole.octopus / "Retired one" / "Logs").mkdir(parents=True)
        (whole.octopus / "notes").mkdir()
        (left,) = whole.survey().survey.left_overs.data
        assert (left.kind, left.where) == ("folder", str(whole.octopus / "Retired one"))

    def test_instances_denied(self, whole):
        """Where instances are unknown, nothing can be called a left-over."""
        whole.description["denied"] = ["instances"]
        assert "instances" in whole.survey().survey.left_overs.unknown


class TestBudget:
    def test_no_time_left(self, whole):
        """Sections that find no time left say so; the document stays whole."""
        survey = whole.survey(budget_seconds=1).survey
        assert "no time was left" in survey.logs.unknown
        assert "no time was left" in survey.firewall.unknown


class TestWhatReachesAPort:
    """Sockets of all addresses that are not reached by all ways."""

    @pytest.fixture
    def sections(self):
        return {"listeners"}

    @pytest.mark.parametrize(
        ("address", "more", "expected"),
        [
            ("::", {}, (None, False)),
            ("0.0.0.0", {"device": "vrf-red"}, ("vrf-red", False)),
            ("::", {"device": "mgmt0"}, ("mgmt0", False)),
            ("::", {"six_alone": True}, (None, True)),
        ],
    )
    def test_what_reaches_it(self, machine, shell, address, more, expected):
        """One device alone, as of `ip vrf exec`; IPv6 alone, which an ss of its day tells from both."""
        machine.listens("0.0.0.0", 22, 1)
        machine.listens(address, 10933, 2136)
        machine.description["sockets"][-1] |= more
        (listener,) = machine.survey(shell, ports=(10933,)).survey.listeners.data
        assert (listener.address, listener.port) == (address, 10933)
        assert (listener.device, listener.six_alone) == expected

    def test_an_older_list_of_sockets(self, machine):
        """Where no IPv4 address is told from those of IPv6, [::] may be both."""
        machine.listens("::", 10933, 2136)
        machine.description["sockets"][-1]["six_alone"] = True
        (listener,) = machine.survey(ports=(10933,)).survey.listeners.data
        assert not listener.six_alone
