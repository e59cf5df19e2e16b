"""The real linux.sh on stand-in machines: host, services, instances, listeners."""

from __future__ import annotations

import base64
import json
import os

import pytest

from support.surveys.linux import NEEDS
from support.surveys.parts import closed

LISTENING = {
    "Octopus.Home": "/etc/octopus/default",
    "Tentacle.Certificate": "MIIcanary-pfx",
    "Tentacle.CertificateThumbprint": "CD" * 20,
    "Tentacle.Services.ListenIP": "127.0.0.77",
    "Tentacle.Services.NoListen": "false",
    "Tentacle.Services.PortNumber": "10933",
    "Tentacle.Communication.TrustedOctopusServers": json.dumps([{"Thumbprint": "AB" * 20, "CommunicationStyle": 1}]),
    "Octopus.Server.Proxy.ProxyPassword": "canary-proxy",
}


@pytest.fixture
def healthy(machine, tools):
    machine.service()
    machine.process(2136)
    machine.listens("127.0.0.77", 10933, 2136)
    machine.instance(tools.settings_file(LISTENING))
    return machine


class TestHost:
    @pytest.fixture
    def sections(self):
        return {"host"}

    def test_says_what_the_machine_is(self, healthy, shell):
        """Name, addresses, user and shell come from the machine's own commands."""
        host = healthy.survey(shell).survey.host.data
        assert (host.hostname, host.os, host.addresses, host.architecture) == (
            "web-7",
            "linux",
            ("127.0.0.77",),
            "x86_64",
        )
        assert host.elevated is (os.getuid() == 0)
        assert host.shell.name
        assert host.clock_utc > host.boot_utc


class TestServices:
    @pytest.fixture
    def sections(self):
        return {"services"}

    def test_running(self, healthy, shell):
        """A running Tentacle's service with its instance, account, process and start."""
        (service,) = healthy.survey(shell).survey.services.data
        assert (service.name, service.product, service.instance) == ("Tentacle.service", "tentacle", "Tentacle")
        assert (service.state, service.start_mode, service.account, service.pid) == ("running", "auto", "root", 2136)
        assert service.started_utc.isoformat() == "2026-11-20T10:11:12+00:00"
        assert (service.executable, service.arguments) == (
            "/opt/octopus/tentacle/Tentacle", "run --instance=Tentacle --noninteractive",
        )  # fmt: skip
        assert (service.exit_code, service.restarts, service.detail) == (None, 0, "running / success")

    @pytest.mark.parametrize(
        ("state", "expected", "sub_state"),
        [("stopped", "stopped", "dead"), ("failed", "failed", "failed"), ("starting", "starting", "auto-restart")],
    )
    def test_not_running(self, machine, state, expected, sub_state):
        """A service that does not run has an exit code and no process; a crash loop shows its restarts."""
        machine.service(state=state, pid=None, exit_code=100, restarts=41, sub_state=sub_state, result="exit-code")
        (service,) = machine.survey().survey.services.data
        assert (service.state, service.pid, service.exit_code, service.restarts) == (expected, None, 100, 41)
        assert service.detail == f"{sub_state} / exit-code"

    def test_start_modes(self, machine):
        """The words of systemd in the common vocabulary: disabled units are started by hand, masked ones not at all."""
        for mode in ("auto", "manual"):
            machine.service(name=mode, start_mode=mode)
        machine.service(name="Tentacle", start_mode="disabled", state="stopped", pid=None)
        machine.service(name="other", start_mode="disabled", state="stopped", pid=None)
        assert {service.name: service.start_mode for service in machine.survey().survey.services.data} == {
            "auto.service": "auto", "manual.service": "manual", "Tentacle.service": "disabled",
        }  # fmt: skip

    def test_environment_without_secrets(self, machine):
        """Only variables that override settings, quoted values unquoted, passwords left out."""
        nasty = 'a "b" $(touch x) \\ ü'
        environment = {
            "TENTACLE_SERVICE_PORT": "10944",
            "OCTOPUS_HOME": nasty,
            "OCTOPUS_PROXY_PASSWORD": "canary",
            "OCTOPUS_ADMIN_PASS": "canary",
            "LANG": "C",
        }
        machine.service(environment=environment)
        machine.sections = None
        ran = machine.survey()
        assert ran.survey.services.data[0].environment == {"TENTACLE_SERVICE_PORT": "10944", "OCTOPUS_HOME": nasty}
        assert b"canary" not in ran.answer.stdout

    def test_a_command_line_without_secrets(self, machine, shell):
        """Passwords and keys go, as options, within connection strings and addresses; what else stands there stays."""
        call = (
            'serve --apiKey=API-canary1 --db-password "canary 2" --storageConnectionString=canary3 '
            "-x Server=h;Password=canary4;Y=z https://user:canary5@proxy:8080/ --port 10933"
        )
        machine.service(command="/opt/octopus/tentacle/Tentacle run --token canary6 --instance=Tentacle")
        machine.process(2136, f"/usr/bin/other {call}")
        machine.listens("127.0.0.77", 10933, 2136)
        machine.sections = None
        ran = machine.survey(shell, ports=(10933,))
        assert b"canary" not in ran.answer.stdout
        (service,) = ran.survey.services.data
        assert (service.instance, service.arguments) == ("Tentacle", "run --token *** --instance=Tentacle")
        assert ran.survey.listeners.data[0].owner.command_line == (
            "/usr/bin/other serve --apiKey=*** --db-password *** --storageConnectionString=*** "
            "-x Server=h;Password=***;Y=z https://user:***@proxy:8080/ --port 10933"
        )

    @pytest.mark.parametrize(("version", "restarts"), [(219, None), (239, 41)])
    def test_older_versions(self, machine, shell, version, restarts):
        """219 does not count restarts, which is not none; all else is read as ever."""
        machine.description["systemd"] = version
        machine.service(
            restarts=41, state="starting", pid=None, exit_code=100, sub_state="auto-restart", result="exit-code"
        )
        (service,) = machine.survey(shell).survey.services.data
        assert (service.state, service.start_mode, service.exit_code) == ("starting", "auto", 100)
        assert (service.restarts, service.detail) == (restarts, "auto-restart / exit-code")
        assert (service.account, service.instance, service.pid) == ("root", "Tentacle", None)

    @pytest.mark.parametrize(("version", "value"), [(219, 'a "b" $(touch x) \\ ü'), (239, 'a"b"$\\\'ü')])
    def test_the_environment_of_older_versions(self, machine, shell, version, value):
        """219 has numbers for blanks, backslashes and letters beyond ASCII, 239 prints all as it is: neither has quotes."""
        machine.description |= {"systemd": version, "systemd_environment": {"TENTACLE_LISTEN_IP": "::1"}}
        machine.service(
            environment={"OCTOPUS_HOME": value, "OCTOPUS_PROXY_PASSWORD": "canary"}, environment_files=["/etc/own"]
        )
        machine.file("/etc/own", "TENTACLE_SERVICE_PORT=10944\n")
        machine.sections = None
        ran = machine.survey(shell)
        assert ran.survey.services.data[0].environment == {
            "TENTACLE_LISTEN_IP": "::1", "OCTOPUS_HOME": value, "TENTACLE_SERVICE_PORT": "10944",
        }  # fmt: skip
        assert b"canary" not in ran.answer.stdout

    def test_a_variable_that_is_not_shown(self, machine, shell):
        """239 prints none with a blank in it: it may be one that overrides a setting, and what it says is not known."""
        machine.description |= {"systemd": 239}
        machine.service(environment={"OCTOPUS_HOME": "/srv/a b", "TENTACLE_SERVICE_PORT": "10944"})
        (service,) = machine.survey(shell).survey.services.data
        assert service.environment == {"TENTACLE_SERVICE_PORT": "10944"}
        assert service.environment_unread == "its systemd does not show variables with a blank in their value"

    def test_others_are_left_out(self, machine):
        """Services that are not Octopus Deploy's do not show."""
        assert machine.survey().survey.services.data == ()

    def asked(self, machine):
        """The units whose properties systemd is asked for."""
        calls = [arguments for command, arguments in machine.called() if command == "systemctl" and "--" in arguments]
        return {name for arguments in calls for name in arguments[arguments.index("--") + 1 :]}

    def test_systemd_is_asked_about_no_unit_in_vain(self, machine, shell):
        """A unit that is not loaded is read by its file: to be shown, systemd would load each first."""
        machine.service(state="stopped", sub_state="dead", pid=None)
        for name in ("idle", "named@"):
            machine.file(f"/etc/systemd/system/{name}.service", "[Service]\nExecStart=/usr/bin/idle\n")
        machine.records = True
        assert [one.name for one in machine.survey(shell).survey.services.data] == ["Tentacle.service"]
        assert self.asked(machine) == {"Tentacle.service", "cron.service", "ssh.service", "systemd-journald.service"}

    @pytest.mark.parametrize(
        ("file", "text"),
        [
            ("odd.service.d/program.conf", '[Service]\nExecStart="/srv/Tentacle" run\n'),
            ("odd.service", "[Service]\nExecStart=/usr/bin/dotnet /srv/Octopus.Server.dll run\n"),
        ],
    )
    def test_a_program_by_whatever_file_names_it(self, machine, shell, file, text):
        """The unit's own file, or one that is dropped in."""
        machine.file(f"/etc/systemd/system/{file}", text)
        machine.records = True
        machine.survey(shell)
        assert "odd.service" in self.asked(machine)

    def test_a_unit_file_that_may_not_be_read(self, machine, shell):
        """What is not read may be a Tentacle's: systemd tells."""
        path = machine.file("/etc/systemd/system/closed.service", "[Service]\nExecStart=/srv/Tentacle run\n")
        machine.description["denied"] = [str(path)]
        machine.records = True
        machine.survey(shell)
        assert "closed.service" in self.asked(machine)

    def test_no_service_at_all(self, machine):
        """A systemd without a service is no systemd that could be read."""
        machine.ready()
        for path in (machine.folder / "files/etc/systemd/system").iterdir():
            path.unlink()
        systemctl = machine.folder / "bin" / "systemctl"
        systemctl.write_text(f"#!/bin/sh\n[ $1 = show ] && echo UnitPath={machine.folder}/none\nexit 0\n")
        machine.environment = {"PATH": str(machine.folder / "bin"), "HOME": str(machine.folder)}
        assert "no service at all" in machine.survey().survey.services.unknown

    def test_no_systemd(self, healthy):
        """A machine without systemctl says so, and every other section stands."""
        healthy.description["missing"] = ["systemctl"]
        healthy.sections = None
        survey = healthy.survey().survey
        assert "no systemctl" in survey.services.unknown
        assert all((survey.host.data, survey.instances.data, survey.listeners.data))

    def test_denied(self, healthy):
        """A refusal is told with the tool's own words."""
        healthy.description["denied"] = ["services"]
        assert "Access denied" in healthy.survey().survey.services.unknown


class TestInstances:
    @pytest.fixture
    def sections(self):
        return {"instances"}

    def test_settings_without_secrets(self, healthy, shell):
        """The file's settings arrive whole, but for the values of secret keys, which never leave the machine."""
        ran = healthy.survey(shell)
        (instance,) = ran.survey.instances.data
        expected = LISTENING | {"Tentacle.Certificate": "", "Octopus.Server.Proxy.ProxyPassword": ""}
        assert instance.configuration.settings == expected
        assert (instance.product, instance.name, instance.configuration.error) == ("tentacle", "Tentacle", None)
        sent = ran.document["instances"]["data"][0]["configuration"]["text"]
        assert b"canary" not in base64.b64decode(sent)
        assert instance.configuration.size > 500
        assert instance.configuration.modified_utc

    @pytest.mark.parametrize(
        "form", ["--config={}/own.config", "--config {}/own.config", '"--config={}/own one.config"']
    )
    def test_one_that_a_unit_runs_by_its_file(self, machine, tools, form):
        """It stands in no index: it has the default name, or its file's where that is taken, and is told once."""
        known = machine.instance(tools.settings_file(LISTENING)) if "=" in form else None
        option = form.format(machine.octopus)
        path = option.strip('"').removeprefix("--config").strip(" =")
        for number, run in enumerate((option, f"--config={known}") if known else (option,)):
            machine.service(name=f"{number}.service", pid=300 + number, command=f"/opt/octopus/Tentacle run {run}")
        found = machine.survey().survey.instances.data
        assert found[-1].configuration.error == "not-found"
        assert (found[-1].name, found[-1].unnamed) == (path if known else "Tentacle", True)
        assert [each.unnamed for each in found[:-1]] == [False] * bool(known)

    @pytest.mark.parametrize(
        ("content", "error"),
        [
            (None, "not-found"),
            (b"", "empty"),
            (b"\xef\xbb\xbf<?xml version='1.0'?>\n", "malformed"),
            (b'<octopus-settings>\n  <set key="Tentacle.Certificate">canary', "malformed"),
            (b'<octopus-settings><set key="A">b</set><set key="Tentacle.Certificate"canary</set>', "malformed"),
            (
                b"<octopus-settings><set key='Octopus.Proxy.ProxyPassword'><![CDATA[<canary>]]></set></octopus-settings>",
                None,
            ),
            (b'<octopus-settings><set key="Octopus.Some.ClientSecret">canary</set></octopus-settings>', None),
            (
                '<octopus-settings><set key="Tentacle.Certificate">canary</set></octopus-settings>'.encode("utf-16"),
                "malformed",
            ),
        ],
        ids=["missing", "empty", "bom-only", "cut-off", "broken-tag", "cdata", "unheard-of", "utf-16"],
    )
    def test_damaged_files(self, machine, content, error):
        """Each kind of damage has its word, and none lets a secret through."""
        machine.instance(content)
        ran = machine.survey()
        (instance,) = ran.survey.instances.data
        assert instance.configuration.error == error
        text = ran.document["instances"]["data"][0]["configuration"].get("text") or ""
        assert b"canary" not in base64.b64decode(text)

    def test_denied_file(self, machine, tools):
        """A file that may not be read is denied, which is neither missing nor empty; its size is still known."""
        path = machine.instance(tools.settings_file(LISTENING))
        machine.description["denied"] = [str(path)]
        (instance,) = machine.survey().survey.instances.data
        assert (instance.configuration.error, instance.configuration.settings) == ("denied", {})
        assert instance.configuration.size > 100

    def test_denied_folder(self, machine, tools):
        """An index that may not be listed makes the section unknown: it is not a machine without instances."""
        machine.instance(tools.settings_file(LISTENING))
        machine.description["denied"] = ["instances"]
        assert "Permission denied" in machine.survey().survey.instances.unknown

    def test_none(self, machine):
        """A machine without Tentacle has no instances, and that is known."""
        assert machine.survey().survey.instances.data == ()

    def test_several_with_blanks_in_their_names(self, machine, tools):
        """Every index file is an instance; blanks and umlauts in names and paths do no harm."""
        for name in ("Tentacle", "Büro $(touch x) 2"):
            machine.instance(tools.settings_file(LISTENING), name=name)
        survey = machine.survey().survey
        assert {one.name for one in survey.instances.data} == {"Tentacle", "Büro $(touch x) 2"}
        assert all(one.configuration.settings for one in survey.instances.data)

    def test_home_from_the_service(self, machine, tools, tmp_path):
        """The service's own TentacleMachineConfigurationHomeDirectory leads to instances elsewhere."""
        machine.instance(tools.settings_file(LISTENING))
        elsewhere = tmp_path / "else where"
        machine.octopus.rename(elsewhere)
        index = elsewhere / "Tentacle" / "Instances" / "tentacle.config"
        target = elsewhere / "Tentacle" / "tentacle-Tentacle.config"
        index.write_text(json.dumps({"Name": "Tentacle", "ConfigurationFilePath": str(target)}))
        machine.service(environment={"TentacleMachineConfigurationHomeDirectory": str(elsewhere)})
        (instance,) = machine.survey().survey.instances.data
        assert instance.configuration.path == str(target)
        assert instance.configuration.settings["Octopus.Home"]


class TestOwnTargets:
    @pytest.fixture
    def sections(self):
        return {"probes"}

    def test_listening(self, healthy):
        """A listening instance's own port is probed on its ListenIP."""
        (probe,) = healthy.survey().survey.probes
        assert (probe.link.instance, probe.host, probe.port, probe.by) == (
            "Tentacle",
            "127.0.0.77",
            10933,
            "local",
        )

    def test_polling(self, machine, tools):
        """Each polling address is probed by name or by address; a polling Tentacle has no port of its own."""
        servers = [
            tools.polling("https://127.0.0.9:10943/"), tools.polling("https://octo-1.lab"), {"CommunicationStyle": 1},
            tools.polling("https://[::1]:10943"),
        ]  # fmt: skip
        settings = LISTENING | {"Tentacle.Services.NoListen": "true"}
        settings["Tentacle.Communication.TrustedOctopusServers"] = json.dumps(servers)
        machine.instance(tools.settings_file(settings))
        probes = machine.survey().survey.probes
        assert [(probe.link.instance, probe.host, probe.port, probe.by) for probe in probes] == [
            ("Tentacle", "127.0.0.9", 10943, "address"),
            ("Tentacle", "octo-1.lab", 443, "name"),
            ("Tentacle", "::1", 10943, "address"),
        ]

    def test_environment_wins(self, machine, tools):
        """The service's environment overrides the file (tentacle-facts 2.2)."""
        machine.service(environment={"TENTACLE_SERVICE_PORT": "10999", "TENTACLE_LISTEN_IP": "0.0.0.0"})
        machine.instance(tools.settings_file(LISTENING))
        (probe,) = machine.survey().survey.probes
        assert (probe.host, probe.port) == ("localhost", 10999)

    def test_server(self, machine, tools):
        """An Octopus Server's own polling port is probed."""
        machine.instance(
            tools.settings_file({"Octopus.Communications.ServicesPort": "10945"}), name="Octo", kind="OctopusServer"
        )
        (probe,) = machine.survey().survey.probes
        assert (probe.link.instance, probe.port) == ("Octo", 10945)


class TestListeners:
    @pytest.fixture
    def sections(self):
        return {"listeners", "connections"}

    @pytest.mark.parametrize("missing", [[], ["ss"]], ids=["ss", "netstat"])
    def test_holder(self, healthy, missing, shell):
        """The port found in the configuration is looked at, and its holder is named."""
        healthy.description["missing"] = missing
        (listener,) = healthy.survey(shell).survey.listeners.data
        assert (listener.address, listener.port, listener.pid) == ("127.0.0.77", 10933, 2136)
        assert (listener.owner.name, listener.owner.executable) == ("Tentacle", "/opt/octopus/tentacle/Tentacle")
        assert listener.owner.started_utc.isoformat() == "2026-11-20T10:11:12+00:00"
        assert (listener.owner.parent_pid, listener.owner.user) == (1, "root")

    def test_zombie(self, machine, tools):
        """A holder that is gone has no owner; its orphans are named (guide, Zombie Child Processes)."""
        machine.instance(tools.settings_file(LISTENING))
        machine.listens("::", 10933, 4711)
        machine.process(4712, "/usr/bin/pwsh -File script.ps1", parent=4711)
        (listener,) = machine.survey().survey.listeners.data
        assert (listener.address, listener.pid, listener.owner) == ("::", 4711, None)
        assert [child.command_line for child in listener.children] == ["/usr/bin/pwsh -File script.ps1"]

    def test_unseen_processes_are_not_gone(self, healthy):
        """Where no process can be listed, a holder is not called gone."""
        healthy.description["denied"] = ["processes"]
        (listener,) = healthy.survey().survey.listeners.data
        assert listener.owner.pid == 2136
        assert listener.owner.name is None

    def test_requested_ports_only(self, machine):
        """Ports that nobody asked for stay out."""
        for port in (22, 10933, 10943):
            machine.listens("::", port, 2136)
        survey = machine.survey(ports=(10943,)).survey
        assert [listener.port for listener in survey.listeners.data] == [10943]

    def test_too_many_connections_to_list(self, healthy):
        """Where the list of all sockets takes too long, those that listen are asked for alone; connections are unknown."""
        healthy.environment = healthy.ready()
        tool = healthy.folder / "bin" / "ss"
        hanging = 'case "$*" in *-tanp*) exec sleep 60 ;; esac'
        tool.write_text(tool.read_text().replace("\n", f"\n{hanging}\n", 1))
        (healthy.folder / "bin" / "netstat").unlink()
        survey = healthy.survey(budget_seconds=200).survey
        assert [(listener.port, listener.pid) for listener in survey.listeners.data] == [(10933, 2136)]
        assert "within its time" in survey.connections.unknown

    def test_denied(self, healthy):
        """Sockets that may not be seen by any means are unknown, with the first tool's words."""
        healthy.description["denied"] = ["sockets"]
        assert "Permission denied" in healthy.survey().survey.listeners.unknown


class TestNothingChanges:
    def test_no_file_is_written_and_only_listed_commands_run(self, healthy, shell):
        """The machine's folder is the same before and after, but for the log of the calls, which all are on the list."""
        from pytest_tentacle.lab.linux.machine import REAL_TOOLS
        from pytest_tentacle.link import By, Target
        from support.lab.stand_ins import STAND_INS

        healthy.records = True
        environment = healthy.ready()
        healthy.environment = environment

        def tree():
            return {
                str(path.relative_to(healthy.folder)): (path.lstat().st_mtime_ns, path.lstat().st_size)
                for path in healthy.folder.rglob("*") if path.name != "commands.log"
            } | {".": sorted(path.name for path in healthy.folder.iterdir() if path.name != "commands.log")}  # fmt: skip

        before = tree()
        target = Target(host="nowhere.lab", port=10933, by=By.NAME)
        ran = healthy.survey(shell, targets=(target,))
        assert ran.survey.services.data
        assert tree() == before
        called = healthy.called()
        assert {command for command, _ in called} <= {*REAL_TOOLS, *STAND_INS, "Tentacle"}
        assert {"systemctl", "ss", "ps", "getent", "openssl", "tail", "df", "dpkg-query", "nft", "Tentacle"} <= {
            command for command, _ in called
        }
        allowed = {
            "systemctl": {"list-units", "show"}, "openssl": {"s_client", "version", "ciphers"},
            "getent": {"ahosts", "passwd"}, "ip": {"-o", "neigh", "rule", "-6", "xfrm"}, "tail": {"-c", "-n"}, "df": {"-Pk", "-Pi"}, "dpkg-query": {"-W"}, "nft": {"list"},
            "Tentacle": {"help"}, "stat": {"-L"}, "base64": set(), "gzip": {"-c"},
            "sed": {"-n", "-e", *(argument[0] for command, argument in called if command == "sed" if argument[0].startswith("s/"))},
        }  # fmt: skip
        for command, arguments in called:
            if command in allowed and arguments:
                assert arguments[0] in allowed[command], (command, arguments)
            if command == "nft":
                assert arguments == ["list", "ruleset"]
            if arguments[:1] == ["xfrm"]:
                assert arguments in (["xfrm", "policy"], ["xfrm", "state", "count"])  # a state shows its keys
            if command == "timeout" and "-k" in arguments:
                assert arguments[3].rsplit("/", 1)[-1] in {*REAL_TOOLS, *STAND_INS, "Tentacle"}
            assert "-i" not in arguments or command == "curl"

    def test_everything_that_is_called_exists(self, healthy):
        """The script asks for no command that its list lacks: nothing is `not found` on a lab machine."""
        ran = healthy.survey()
        assert ran.answer.stderr == b""
        assert ran.answer.exit_code == 0


class TestParts:
    """Most tests here let the script run the sections alone that they look at."""

    def test_a_part_says_what_the_whole_says(self, healthy):
        """So a section reads of others what the table says, and no more."""
        healthy.service(name="Second", account="octopus", environment={"HTTPS_PROXY": "http://proxy.lab:3128"})
        whole = healthy.survey().document
        measured = {"host", "probes", "loading"}  # what the time is, and how long it took
        for name in NEEDS:
            part = healthy.survey(sections={name})
            if name in measured:
                assert str(part.document[name])[:20] == str(whole[name])[:20]
            else:
                assert part.document[name] == whole[name]
            left_out = next(iter(NEEDS.keys() - closed([name], NEEDS)))
            with pytest.raises(AssertionError, match=f"left {left_out} out"):
                getattr(part.survey, left_out)
