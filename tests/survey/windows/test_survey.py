"""The survey of a Windows machine, by the real script in a real engine, on stand-ins for Windows' own cmdlets."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest

from pytest_tentacle.link import By
from pytest_tentacle.survey.model import Section
from pytest_tentacle.survey.request import Request


def polling(*addresses: str) -> dict[str, str]:
    import json

    servers = [
        {"Thumbprint": "B" * 40, "CommunicationStyle": 2, "Address": address, "SubscriptionId": "poll://x/"}
        for address in addresses
    ]
    return {"Tentacle.Services.NoListen": "true", "Tentacle.Communication.TrustedOctopusServers": json.dumps(servers)}


class TestHealthyTentacle:
    @pytest.fixture
    def sections(self):
        return {"listeners", "probes"}

    def test_all_sections_are_there(self, tentacle):
        """A healthy listening Tentacle: every section has data, typed as the model wants it."""
        tentacle.sections = None
        survey = tentacle.run().survey
        assert survey.host.data.hostname == "web-1"
        assert survey.host.data.os == "windows"
        assert survey.host.data.os_version == "10.0.17763"
        assert survey.host.data.elevated is True
        assert survey.host.data.dotnet_release == 528049
        assert survey.host.data.addresses == ("127.8.7.6",)
        assert survey.host.data.boot_utc == datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
        assert abs((datetime.now(UTC) - survey.host.data.clock_utc).total_seconds()) < 60
        (service,) = survey.services.data
        assert (service.name, service.product, service.instance) == ("OctopusDeploy Tentacle", "tentacle", "Tentacle")
        assert (service.state, service.start_mode, service.account) == ("running", "auto", "LocalSystem")
        assert (service.pid, service.exit_code) == (2136, 0)
        assert service.started_utc == datetime(2026, 11, 20, 4, 5, 6, tzinfo=UTC)
        assert service.executable == "C:\\Program Files\\Octopus Deploy\\Tentacle\\Tentacle.exe"
        assert service.arguments == 'run --instance="Tentacle"'
        (instance,) = survey.instances.data
        assert (instance.product, instance.name) == ("tentacle", "Tentacle")
        assert instance.configuration.settings["Tentacle.CertificateThumbprint"] == "A" * 40
        (listener,) = survey.listeners.data
        assert (listener.port, listener.pid, listener.owner.name) == (10933, 2136, "Tentacle.exe")
        (probe,) = survey.probes
        assert (probe.link.instance, probe.host, probe.port, probe.by) == (
            "Tentacle",
            "127.0.0.1",
            10933,
            By.LOCAL,
        )

    def test_its_own_page(self, machine, peer):
        """The local probe goes to the address and port of the configuration, and shows the page."""
        server = peer()
        machine.add_instance("Tentacle", machine.settings | {"Tentacle.Services.PortNumber": str(server.port)})
        (probe,) = machine.run().survey.probes
        assert probe.shows_page
        assert probe.page.product == "tentacle"
        assert server.connections == 1

    def test_localhost_stands_for_any_address(self, machine, peer):
        """Without a ListenIP the probe goes to localhost, by name."""
        server = peer()
        machine.description["names"] = {"localhost": ["127.0.0.1"]}
        changes = {"Tentacle.Services.PortNumber": str(server.port), "Tentacle.Services.ListenIP": ""}
        machine.add_instance("Tentacle", machine.settings | changes)
        (probe,) = machine.run().survey.probes
        assert (probe.host, probe.resolve.addresses) == ("localhost", ("127.0.0.1",))
        assert probe.shows_page

    def test_secrets_do_not_leave_the_machine(self, tentacle, shapes):
        """Values of secret keys are emptied where they are read, in a file that is cut off within one as well."""
        tentacle.sections = None
        tentacle.put("Octopus/Cut.config", f'<octopus-settings><set key="Tentacle.Certificate">{shapes.secret}')
        index = '{"Name": "Cut", "ConfigurationFilePath": "C:\\\\Octopus\\\\Cut.config"}'
        tentacle.put("ProgramData/Octopus/Tentacle/Instances/cut.config", index)
        tentacle.description["processes"] = [
            shapes.process(
                2136,
                "Tentacle.exe",
                command_line=f'Tentacle.exe --password "{shapes.secret}" --apiKey=API-1 '
                f"--storageConnectionString={shapes.secret} /p:Password={shapes.secret} "
                f"-x Server=h;Pwd={shapes.secret};Y=z https://user:{shapes.secret}@proxy:8080/",
            )
        ]
        tentacle.description["services"][0]["environment"] = {
            "TENTACLE_POLLING_CUSTOM_PROXY_PASSWORD": shapes.secret,
            "TENTACLE_SERVICE_PORT": "10999",
        }
        run = tentacle.run()
        document = run.document
        texts = [base64.b64decode(entry["configuration"]["text"]).decode() for entry in document["instances"]["data"]]
        assert len(texts) == 2
        assert shapes.secret not in str(document) + "".join(texts)
        assert "API-1" not in str(document)
        assert '<set key="Tentacle.Certificate"></set>' in "".join(texts)
        (listener,) = document["listeners"]["data"]
        assert listener["owner"]["command_line"].endswith("-x Server=h;Pwd=***;Y=z https://user:***@proxy:8080/")
        assert document["services"]["data"][0]["environment"] == {"TENTACLE_SERVICE_PORT": "10999"}
        assert run.survey.instances.data[0].configuration.error == "malformed"

    def test_an_environment_that_may_not_be_read(self, tentacle):
        """Variables of the service win over its settings: that there are none is not said."""
        tentacle.description["services"][0]["environment"] = {"TENTACLE_SERVICE_PORT": "10999"}
        tentacle.description["denied"] = ["registry"]
        service = tentacle.run().survey.services.data[0]
        assert service.environment == {}
        assert service.environment_unread.startswith("the registry could not be read: ")

    def test_a_polling_tentacle_is_not_probed_locally_but_its_servers_are(self, machine):
        """A polling instance has no local port; each polling address is probed, by name or address."""
        machine.add_instance(
            "Tentacle", machine.settings | polling("https://octo.lab:10943/", "https://127.0.0.1:1/", "wss://o/")
        )
        machine.description["names"] = {"octo.lab": ["127.0.0.1"]}
        machine.description["sockets"] = []
        survey = machine.run().survey
        assert sorted((probe.link.instance, probe.host, probe.port, probe.by) for probe in survey.probes) == [
            ("Tentacle", "127.0.0.1", 1, By.ADDRESS),
            ("Tentacle", "o", 443, By.NAME),
            ("Tentacle", "octo.lab", 10943, By.NAME),
        ]  # each is told as it ends
        assert survey.listeners.data == ()

    def test_environment_overrides_decide_where_to_probe(self, tentacle):
        """The service's environment wins over the file, as in Tentacle itself."""
        tentacle.description["services"][0]["environment"] = {"TENTACLE_SERVICE_PORT": "10999"}
        (probe,) = tentacle.run().survey.probes
        assert probe.port == 10999

    def test_a_server(self, machine, shapes):
        """An Octopus Server instance, its service and its port."""
        machine.add_instance("OctopusServer", {"Octopus.Communications.ServicesPort": "10944"}, product="OctopusServer")
        machine.description["services"] = [
            shapes.service(
                name="OctopusDeploy", command='"C:\\Octopus\\Octopus.Server.exe" run --instance="OctopusServer"'
            )
        ]
        machine.description["sockets"] = [{"address": "::", "port": 10944, "pid": 2136, "state": "listen"}]
        survey = machine.run().survey
        assert [(entry.product, entry.instance) for entry in survey.services.data] == [("server", "OctopusServer")]
        assert [(entry.product, entry.name) for entry in survey.instances.data] == [("server", "OctopusServer")]
        assert [(entry.address, entry.port) for entry in survey.listeners.data] == [("::", 10944)]
        assert [(probe.link.instance, probe.port) for probe in survey.probes] == [("OctopusServer", 10944)]


class TestServices:
    @pytest.fixture
    def sections(self):
        return {"services"}

    def test_states(self, tentacle, shapes):
        """Each state, with start mode and exit code as numbers."""
        tentacle.description["services"] = [
            shapes.service(name="a", state="stopped", pid=0, exit_code=0),
            shapes.service(name="b", state="failed", pid=0, exit_code=None),
            shapes.service(name="c", state="starting", start_mode="manual"),
            shapes.service(name="d", state="stopped", pid=0, start_mode="disabled", exit_code=1077),
        ]
        found = tentacle.run().survey.services.data
        assert {one.name: (one.state, one.start_mode, one.exit_code, one.pid) for one in found} == {
            "a": ("stopped", "auto", 0, None),
            "b": ("stopped", "auto", 1067, None),
            "c": ("starting", "manual", 0, 2136),
            "d": ("stopped", "disabled", 1077, None),
        }

    def test_how_they_are_registered(self, tentacle, shapes):
        """A path with blanks and without quotes, and one that is to be deleted; a path without blanks needs no quotes."""
        program = "C:\\Program Files\\Octopus Deploy\\Tentacle\\Tentacle.exe"
        tentacle.description["services"] = [
            shapes.service(name="quoted"),
            shapes.service(name="unquoted", command=f'{program} run --instance="Tentacle"'),
            shapes.service(name="no blank", command='C:\\Octopus\\Tentacle.exe run --instance="Two words"'),
            shapes.service(name="removed", deleted=True),
        ]
        found = tentacle.run().survey.services.data
        assert {one.name: (one.unquoted, one.deleted) for one in found} == {
            "quoted": (False, False),
            "unquoted": (True, False),
            "no blank": (None, False),
            "removed": (False, True),
        }
        assert {one.executable for one in found if one.name != "no blank"} == {program}

    def test_denied_services_leave_the_rest_standing(self, tentacle):
        """A refused section says so in words that do not depend on the language; all others are there."""
        tentacle.sections = None
        tentacle.deny("services")
        tentacle.description["locale"] = "de"
        survey = tentacle.run().survey
        assert survey.services.data is None
        assert survey.services.unknown.startswith("access-denied: ")
        assert "Zugriff verweigert" in survey.services.unknown
        assert survey.host.data.hostname == "web-1"
        assert survey.instances.data
        assert survey.listeners.data
        assert survey.probes

    def test_without_wmi_the_registry_tells(self, tentacle, shapes):
        """WMI refused: services from the registry, processes without parents, system from the registry."""
        tentacle.sections = {"host", "services", "listeners"}
        tentacle.deny("cim")
        tentacle.description["services"].append(
            shapes.service(name="Spooler", command="C:\\Windows\\spoolsv.exe", pid=7)
        )
        survey = tentacle.run().survey
        (service,) = survey.services.data
        assert (service.name, service.state, service.start_mode) == ("OctopusDeploy Tentacle", "running", "auto")
        assert (service.account, service.instance, service.exit_code) == ("LocalSystem", "Tentacle", None)
        assert survey.host.data.os_name == "Windows Server 2019 Standard"
        assert survey.host.data.os_version == "10.0.17763"
        assert survey.listeners.data[0].owner.name == "Tentacle"

    def test_the_version_of_an_older_system_without_wmi(self, tentacle):
        """Windows Server 2012 R2 has its version in one text."""
        tentacle.sections = {"host"}
        tentacle.deny("cim")
        key = "HKLM:\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion"
        values = {"ProductName": "Windows Server 2012 R2 Standard", "CurrentVersion": "6.3", "CurrentBuild": "9600"}
        tentacle.description["registry"] = {key: values}
        assert tentacle.run().survey.host.data.os_version == "6.3.9600"

    def test_an_unnamed_instance_and_a_foreign_service(self, tentacle, shapes):
        """No --instance: none is named. A service that merely runs from a folder named Tentacle has no product."""
        tentacle.description["services"] = [
            shapes.service(command='"C:\\Octopus\\Tentacle\\Tentacle.exe" run'),
            shapes.service(name="Backup", command="C:\\Tentacle Backup\\backup.exe /instance=x", pid=9),
            shapes.service(
                name="OctopusDeploy Tentacle: two words", command='C:\\T\\Tentacle.exe run --instance "two words"'
            ),
            shapes.service(name="Spooler", command="C:\\Windows\\spoolsv.exe"),
        ]
        services = {entry.name: entry for entry in tentacle.run().survey.services.data}
        assert "Spooler" not in services
        assert services["OctopusDeploy Tentacle"].instance is None
        assert services["OctopusDeploy Tentacle"].product == "tentacle"
        assert services["Backup"].product is None
        assert services["OctopusDeploy Tentacle: two words"].instance == "two words"


class TestInstances:
    @pytest.fixture
    def sections(self):
        return {"instances"}

    def test_several(self, machine):
        """Each instance of the index, with its own local port."""
        machine.sections = {"instances", "probes"}
        machine.add_instance("Tentacle", machine.settings)
        machine.add_instance("Second", machine.settings | {"Tentacle.Services.PortNumber": "10934"})
        survey = machine.run().survey
        assert {entry.name for entry in survey.instances.data} == {"Tentacle", "Second"}
        assert {(probe.link.instance, probe.port) for probe in survey.probes} == {
            ("Tentacle", 10933),
            ("Second", 10934),
        }

    def test_none(self, machine):
        """No index at all is a fact, not a failure."""
        machine.sections = {"instances", "probes"}
        survey = machine.run().survey
        assert survey.instances.data == ()
        assert survey.probes == ()

    @pytest.mark.parametrize("beside", [False, True])
    def test_one_that_a_service_runs_by_its_file(self, machine, shapes, beside):
        """It stands in no index: it is told under the default name, or under its file's where another one has that."""
        machine.sections = {"instances", "probes"}
        path = "C:\\Octopus of\\own.config"
        machine.put("Octopus of/own.config", shapes.configuration({"Tentacle.Services.PortNumber": "10935"}))
        program = "C:\\Program Files\\Octopus Deploy\\Tentacle\\Tentacle.exe"
        own = shapes.service(name="OctopusDeploy Own", command=f'"{program}" run --config="{path}"', pid=0)
        machine.description["services"] = [*machine.description["services"], own] if beside else [own]
        if beside:
            machine.add_instance("Tentacle", machine.settings)
        survey = machine.run().survey
        found = survey.instances.data[-1]
        assert (found.name, found.unnamed, found.configuration.path) == (path if beside else "Tentacle", True, path)
        assert len(survey.instances.data) == 1 + beside
        assert (found.name, 10935) in {(probe.link.instance, probe.port) for probe in survey.probes}

    def test_the_legacy_registry(self, machine, shapes):
        """An instance of an older version stands in the registry; one of the same name in the index wins."""
        machine.add_instance("Tentacle", machine.settings)
        machine.put("Octopus/Old.config", shapes.configuration({"Tentacle.Services.PortNumber": "10999"}))
        machine.description["registry"] = {
            "HKLM:\\SOFTWARE\\Octopus\\Tentacle\\Old": {"ConfigurationFilePath": "C:\\Octopus\\Old.config"},
            "HKLM:\\SOFTWARE\\Octopus\\Tentacle\\TENTACLE": {"ConfigurationFilePath": "C:\\gone.config"},
        }
        instances = machine.run().survey.instances.data
        assert [(entry.name, entry.configuration.path) for entry in instances] == [
            ("Tentacle", "C:\\Octopus\\Tentacle-Tentacle.config"),
            ("Old", "C:\\Octopus\\Old.config"),
        ]

    def test_the_index_in_another_place(self, machine, shapes):
        """TentacleMachineConfigurationHomeDirectory replaces the index's folder."""
        machine.put("elsewhere/Tentacle/Instances/x.config", '{"Name":"X","ConfigurationFilePath":"C:\\\\x.config"}')
        machine.put("x.config", shapes.configuration(machine.settings))
        machine.description["environment"] = {"TentacleMachineConfigurationHomeDirectory": "C:\\elsewhere"}
        assert [entry.name for entry in machine.run().survey.instances.data] == ["X"]

    def test_configuration_errors(self, machine):
        """What is wrong with the file, told apart; the instance itself is known all the same."""
        machine.sections = None
        contents = {
            "missing": None,
            "empty": b"",
            "foreign": b"not xml at all, password=x",
            "cut-off": b'<octopus-settings><set key="a">',
        }
        for name, content in contents.items():
            machine.add_instance(name, {})
            path = machine.folder / f"files/C/Octopus/Tentacle-{name}.config"
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content)
        run = machine.run()
        found = {one.name: one.configuration for one in run.survey.instances.data}
        assert {name: one.error for name, one in found.items()} == {
            "missing": "not-found",
            "empty": "empty",
            "foreign": "malformed",
            "cut-off": "malformed",
        }
        assert all(one.settings == {} for one in found.values())
        assert "password=x" not in str(run.document)

    def test_a_refused_configuration(self, tentacle):
        """An error of its own. The registry names the file, since the lab refuses the index's files as well."""
        tentacle.description["registry"] = {
            "HKLM:\\SOFTWARE\\Octopus\\Tentacle\\Legacy": {
                "ConfigurationFilePath": "C:\\Octopus\\Tentacle-Tentacle.config"
            }
        }
        tentacle.deny("configuration")
        instance = tentacle.run().survey.instances.data[-1]
        assert (instance.name, instance.configuration.error) == ("Legacy", "denied")
        assert instance.configuration.settings == {}

    def test_a_damaged_index(self, tentacle):
        """An index file that is no JSON names itself as what is malformed."""
        tentacle.put("ProgramData/Octopus/Tentacle/Instances/tentacle.config", "{nonsense")
        (instance,) = tentacle.run().survey.instances.data
        assert (instance.name, instance.configuration.error) == ("tentacle", "malformed")
        assert "index" in instance.configuration.detail

    def test_a_refused_index(self, tentacle):
        """Who may not look at the index does not know how many instances there are, nor what lies in their homes."""
        tentacle.sections = {"logs", "disks", "permissions", "left_overs"}
        tentacle.deny("instances")
        survey = tentacle.run().survey
        assert survey.instances.unknown.startswith("access-denied: ")
        assert survey.services.data
        for section in (survey.logs, survey.disks, survey.permissions, survey.left_overs):
            assert section.unknown == survey.instances.unknown

    def test_an_index_that_only_looks_absent(self, tentacle):
        """PowerShell calls a folder missing that it may not look into; .NET says so, and then nothing is known."""
        tentacle.sections = {"left_overs"}
        refusal = "(New-Object UnauthorizedAccessException)"
        thrown = f"(New-Object Management.Automation.ItemNotFoundException ('gone', {refusal}))"
        survey = tentacle.run(front=f"function Get-ChildItem {{ throw {thrown} }}").survey
        assert survey.instances.unknown.startswith("access-denied: ")
        assert survey.left_overs.data is None

    def test_utf16(self, tentacle, shapes):
        """A file that somebody saved as UTF-16 keeps its secrets, too."""
        text = shapes.configuration({"Tentacle.Certificate": shapes.secret, "Octopus.Home": "C:\\Ä"}).decode(
            "utf-8-sig"
        )
        tentacle.put(
            "Octopus/Tentacle-Tentacle.config", text.replace('encoding="utf-8"', 'encoding="utf-16"').encode("utf-16")
        )
        run = tentacle.run()
        sent = base64.b64decode(run.document["instances"]["data"][0]["configuration"]["text"])
        assert shapes.secret not in sent.decode("utf-16")
        assert run.survey.instances.data[0].configuration.settings["Octopus.Home"] == "C:\\Ä"


class TestListeners:
    @pytest.fixture
    def sections(self):
        return {"listeners"}

    def test_a_foreign_process(self, tentacle, shapes):
        """Another program on the port is named with its path."""
        tentacle.description["processes"].append(shapes.process(77, "nginx.exe"))
        tentacle.description["sockets"] = [
            {"address": "0.0.0.0", "port": 10933, "pid": 77, "state": "listen"},
            {"address": "0.0.0.0", "port": 445, "pid": 4, "state": "listen"},
            {
                "address": "127.0.0.1",
                "port": 10933,
                "pid": 77,
                "state": "established",
                "remote_address": "127.0.0.1",
                "remote_port": 5,
            },
        ]
        (listener,) = tentacle.run().survey.listeners.data
        assert (listener.owner.name, listener.owner.executable) == ("nginx.exe", "C:\\Program Files\\nginx.exe")
        assert listener.children == ()

    def test_a_zombie(self, tentacle, shapes):
        """The owner is gone; its living children are named, older namesakes and the children of others are not."""
        tentacle.description["processes"] = [
            shapes.process(9001, "powershell.exe", parent_pid=4711, started_utc="2026-11-20T05:00:00Z"),
            shapes.process(9002, "other.exe", parent_pid=4711, started_utc="2026-11-19T05:00:00Z"),
            shapes.process(9003, "foreign.exe", parent_pid=1),
        ]
        tentacle.description["sockets"] = [
            {"address": "::", "port": 10933, "pid": 4711, "state": "listen", "created_utc": "2026-11-20T04:30:00Z"}
        ]
        (listener,) = tentacle.run().survey.listeners.data
        assert (listener.pid, listener.owner) == (4711, None)
        assert [(child.pid, child.name) for child in listener.children] == [(9001, "powershell.exe")]

    def test_a_number_that_is_used_again(self, tentacle, shapes):
        """A process that began long after the socket is not its owner, whatever its number."""
        tentacle.description["processes"] = [
            shapes.process(4711, "notepad.exe", started_utc="2026-11-21T00:00:00Z"),
            shapes.process(9001, "Calamari.exe", parent_pid=4711, started_utc="2026-11-20T05:00:00Z"),
            shapes.process(9002, "late.exe", parent_pid=4711, started_utc="2026-11-21T01:00:00Z"),
        ]
        tentacle.description["sockets"] = [
            {"address": "::", "port": 10933, "pid": 4711, "state": "listen", "created_utc": "2026-11-20T04:30:00Z"}
        ]
        (listener,) = tentacle.run().survey.listeners.data
        assert listener.owner is None
        assert [child.name for child in listener.children] == ["Calamari.exe"]

    @pytest.mark.parametrize("locale", ["en", "de"])
    def test_netstat(self, tentacle, locale: str):
        """Where the cmdlet is refused, netstat tells, in any language."""
        tentacle.description["locale"] = locale
        tentacle.description["sockets"] += [
            {"address": "::", "port": 10943, "pid": 4, "state": "listen"},
            {
                "address": "127.0.0.1",
                "port": 10933,
                "pid": 9,
                "state": "established",
                "remote_address": "127.0.0.1",
                "remote_port": 50563,
            },
        ]
        tentacle.deny("sockets")
        listeners = tentacle.run().survey.listeners.data
        assert {(entry.address, entry.port, entry.pid) for entry in listeners} == {
            ("127.0.0.1", 10933, 2136),
            ("::", 10943, 4),
        }

    def test_neither(self, refused):
        """Without both the section is unknown, not empty."""
        assert refused.listeners.data is None
        assert "netstat" in refused.listeners.unknown

    def test_ports_of_the_request(self, tentacle):
        """The request's ports are looked at, besides those of the configuration."""
        tentacle.description["sockets"].append({"address": "::", "port": 8080, "pid": 4, "state": "listen"})
        survey = tentacle.run(Request(ports=(8080,), probe_seconds=5, budget_seconds=200)).survey
        assert {entry.port for entry in survey.listeners.data} == {10933, 8080}


class TestLanguage:
    def test_german_says_the_same(self, tentacle, shapes):
        """All facts that verdicts rest on are equal on an English and a German machine; only names of the system differ."""
        tentacle.description["services"].append(
            shapes.service(name="OctopusDeploy Tentacle: N", account="NT AUTHORITY\\NetworkService", pid=1)
        )
        surveys = {}
        for locale in ("en", "de"):
            tentacle.description["locale"] = locale
            surveys[locale] = tentacle.run().survey
        assert surveys["en"].services == surveys["de"].services
        assert surveys["de"].services.data[1].account == "NT AUTHORITY\\NetworkService"
        assert surveys["en"].instances == surveys["de"].instances
        for name, section in surveys["en"]:
            if isinstance(section, Section) and name not in {"host", "loading"}:
                assert section == getattr(surveys["de"], name), name
                assert (section.unknown is None) is (name not in shapes.linux_only), name
        ignored = {"clock_utc", "architecture"}
        hosts = [surveys[locale].host.data.model_dump(exclude=ignored) for locale in ("en", "de")]
        assert hosts[0] == hosts[1]
