"""What stands around the products on a Windows machine: connections, logs, products, disks, proxies, TLS, firewall."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

FIREWALL = "HKLM:\\SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy"
FIREWALL_POLICY = "HKLM:\\SOFTWARE\\Policies\\Microsoft\\WindowsFirewall"
SYSTEM_HIVE = "Registry::HKEY_USERS\\S-1-5-18"
INTERNET = "Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings"
SCHANNEL = "HKLM:\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols"
PROGRAM = "C:\\Program Files\\Octopus Deploy\\Tentacle\\Tentacle.exe"


def connection(local: int, remote: int, state: str, **changes):
    return {
        "address": "127.0.0.1",
        "port": local,
        "pid": 2136,
        "state": state,
        "remote_address": "127.0.0.9",
        "remote_port": remote,
    } | changes


def blob(version: int, flags: int, *texts: str) -> dict[str, str]:
    """A proxy blob: numbers of four bytes, texts behind their lengths."""
    data = version.to_bytes(4, "little") + bytes(4) + flags.to_bytes(4, "little")
    for text in texts:
        data += len(text).to_bytes(4, "little") + text.encode("ascii")
    return {"hex": (data + bytes(32)).hex()}


class TestConnections:
    @pytest.fixture
    def sections(self):
        return {"connections"}

    CONNECTIONS = (
        connection(10933, 50001, "established"),
        connection(50002, 10943, "close-wait"),
        connection(50003, 8443, "syn-sent"),
        connection(50004, 10943, "time-wait", pid=0),
        connection(50005, 10943, "fin-wait"),
        connection(50006, 10943, "bound", remote_address="0.0.0.0"),
        connection(50007, 443, "established"),
    )

    @pytest.mark.parametrize("denied", [[], ["sockets"]])
    def test_ports_of_interest(self, machine, denied: list[str]):
        """Of our port and to polled servers, with the state as a word; without WMI from .NET, which knows no owners."""
        trust = [
            {"Thumbprint": "B", "CommunicationStyle": 2, "Address": "https://octo.lab:8443/", "SubscriptionId": "x"}
        ]
        machine.add_instance(
            "Tentacle", machine.settings | {"Tentacle.Communication.TrustedOctopusServers": json.dumps(trust)}
        )
        machine.description["sockets"] += self.CONNECTIONS
        machine.deny(*denied)
        found = machine.run().survey.connections.data
        assert {(entry.local_port, entry.remote_port, entry.state) for entry in found} == {
            (10933, 50001, "established"),
            (50002, 10943, "close-wait"),
            (50003, 8443, "syn-sent"),
            (50004, 10943, "time-wait"),
            (50005, 10943, "other"),
        }
        assert {entry.pid for entry in found} == ({None} if denied else {2136, None})
        assert {entry.remote_address for entry in found} == {"127.0.0.9"}

    def test_none_and_unknown(self, healthy, refused):
        """No connection is an empty list; where nobody may look it is unknown."""
        assert healthy.connections.data == ()
        assert "NetworkInformationException" in refused.connections.unknown


class TestLogs:
    @pytest.fixture
    def sections(self):
        return {"logs"}

    LINE = "2026-11-20 04:05:06.1234   2136      4  INFO  Agent will trust Octopus Servers with the thumbprint: "

    def test_the_end(self, tentacle):
        """Of a large log the last 2 MB are read, whole from the first record there; the archive is left alone."""
        lines = [f"{self.LINE}{number:040}\r\n" for number in range(30_000)]
        text = "".join(lines)
        tentacle.put("Octopus/Logs/OctopusTentacle.txt", text)
        tentacle.put("Octopus/Logs/OctopusTentacle.0.txt", "older")
        run = tentacle.run()
        (raw,) = run.document["logs"]["data"]
        assert "older" not in raw
        (log,) = run.survey.logs.data
        assert (log.product, log.instance, log.path) == (
            "tentacle",
            "Tentacle",
            "C:\\Octopus\\Logs\\OctopusTentacle.txt",
        )
        assert (log.size, log.complete, log.error) == (len(text), False, None)
        assert abs((datetime.now(UTC) - log.modified_utc).total_seconds()) < 3600
        assert log.read == 2 * 1024 * 1024 // len(lines[0])

    def test_a_log_just_rotated_brings_its_archive(self, tentacle):
        """A young log comes with the end of the archive before it; an empty one, too."""
        tentacle.add_instance("Empty", tentacle.settings | {"Octopus.Home": "C:\\Empty"})
        for home, text in (("Octopus", f"{self.LINE}b\r\n"), ("Empty", "")):
            tentacle.put(f"{home}/Logs/OctopusTentacle.txt", text)
            tentacle.put(f"{home}/Logs/OctopusTentacle.0.txt", f"{self.LINE}a\r\n" * 3)
        logs = {log.instance: log for log in tentacle.run().survey.logs.data}
        assert logs["Tentacle"].read == 4
        assert (logs["Empty"].size, logs["Empty"].error, logs["Empty"].read) == (0, None, 3)

    def test_missing_and_denied(self, tentacle, healthy):
        """No log is a fact of its own, a refused one another."""
        (log,) = healthy.logs.data
        assert (log.error, log.size) == ("not-found", None)
        tentacle.put("Octopus/Logs/OctopusTentacle.txt", "x")
        tentacle.deny("logs")
        tentacle.description["locale"] = "de"
        survey = tentacle.run().survey
        assert survey.logs.data[0].error == "denied"
        assert survey.instances.data[0].configuration.error is None

    def test_home_elsewhere(self, machine):
        """Without a home in the configuration its own folder counts; a server's log has its own name."""
        machine.add_instance("OctopusServer", {"Octopus.Communications.ServicesPort": "10943"}, product="OctopusServer")
        machine.put("Octopus/Logs/OctopusServer.txt", "x")
        (log,) = machine.run().survey.logs.data
        assert (log.product, log.path, log.error) == ("server", "C:\\Octopus\\Logs\\OctopusServer.txt", None)


class TestProducts:
    @pytest.fixture
    def sections(self):
        return {"products"}

    def test_versions(self, tentacle, shapes):
        """The product's own version without its build text; none where the file has none; each program once."""
        server = "C:\\Octo\\Octopus.Server.exe"
        tentacle.description["services"] += [
            shapes.service(name="OctopusDeploy Tentacle: B", command=f'"{PROGRAM}" run --instance="B"'),
            shapes.service(name="OctopusDeploy", command=f'"{server}" run --instance="S"'),
            shapes.service(name="OctopusDeploy Tentacle: C", command="C:\\other\\run.exe run"),
        ]
        tentacle.description["versions"] = {PROGRAM: "8.0.1", server: ""}
        found = tentacle.run().survey.products.data
        assert [(entry.product, entry.version, entry.path) for entry in found] == [
            ("tentacle", "8.0.1", PROGRAM),
            ("server", None, server),
        ]

    def test_installed_without_a_service(self, machine):
        """The installer's own note counts as well; a program that is gone is no product."""
        machine.description["services"] = []
        machine.put("T/Tentacle.exe", b"MZ")
        machine.description["registry"] = {
            "HKLM:\\SOFTWARE\\Octopus\\Tentacle": {"InstallLocation": "C:\\T\\"},
            "HKLM:\\SOFTWARE\\Octopus\\OctopusServer": {"InstallLocation": "C:\\gone\\"},
        }
        survey = machine.run().survey
        assert [(entry.product, entry.path) for entry in survey.products.data] == [("tentacle", "C:\\T\\Tentacle.exe")]
        assert survey.products.data[0].version

    def test_denied(self, tentacle):
        """Without services nobody knows which programs there are: unknown, as all that rests on them."""
        tentacle.sections = {"products", "proxies", "permissions", "loading", "left_overs"}
        tentacle.deny("services")
        survey = tentacle.run().survey
        for section in (survey.products, survey.proxies, survey.permissions, survey.loading, survey.left_overs):
            assert section.unknown.startswith("access-denied: ")


class TestDisks:
    @pytest.fixture
    def sections(self):
        return {"disks"}

    def test_the_volume_of_each_folder(self, machine):
        """The longest volume that holds the folder: a mount point before its drive; a share has no numbers."""
        machine.description["disks"] = [
            {"path": "C:\\", "free_bytes": 5_000_000_000, "size_bytes": 9_000_000_000},
            {"path": "C:\\Octopus\\Apps\\", "free_bytes": 7, "size_bytes": 8},
            {"path": "D:\\", "free_bytes": None, "size_bytes": None},
        ]
        machine.add_instance(
            "A", {"Octopus.Home": "c:\\octopus", "Tentacle.Deployment.ApplicationDirectory": "C:\\Octopus\\Apps"}
        )
        machine.add_instance(
            "B", {"Octopus.Home": "D:\\O", "Tentacle.Deployment.ApplicationDirectory": "\\\\nas\\share"}
        )
        found = {entry.path: (entry.free_bytes, entry.size_bytes) for entry in machine.run().survey.disks.data}
        assert found == {
            "C:\\": (5_000_000_000, 9_000_000_000),
            "C:\\Octopus\\Apps\\": (7, 8),
            "D:\\": (None, None),
            "\\\\nas\\share": (None, None),
        }

    def test_denied(self, tentacle, refused):
        """Refused volumes: the drives tell; refused both: unknown."""
        tentacle.deny("volumes")
        assert [entry.path for entry in tentacle.run().survey.disks.data] == ["C:\\"]
        assert refused.disks.unknown.startswith("access-denied: ")

    def test_volumes_that_are_hidden(self, tentacle):
        """Who is no administrator may be shown no volume at all, without an error: the drives tell."""
        tentacle.description["disks"] = [{"path": "C:\\", "free_bytes": 5, "size_bytes": 9}]
        front = (
            "$real = ${function:Get-CimInstance}; "
            "function Get-CimInstance { if ($args -notcontains 'Win32_Volume') { & $real @args } }"
        )
        (disk,) = tentacle.run(front=front).survey.disks.data
        assert (disk.path, disk.free_bytes) == ("C:\\", 5)


class TestProxies:
    @pytest.fixture
    def sections(self):
        return {"proxies"}

    def test_nobody_set_one(self, healthy):
        """A healthy machine: what was looked at is there, and off."""
        found = healthy.proxies.data
        assert [(entry.layer, entry.account, entry.enabled, entry.address) for entry in found] == [
            ("wininet", "LocalSystem", False, None),
            ("winhttp", None, False, None),
        ]

    def test_every_layer(self, tentacle, shapes):
        """Each place on its own, with whom it concerns, and no password."""
        tentacle.sections = None
        secret = shapes.secret
        tentacle.description["services"][0]["environment"] = {"HTTPS_PROXY": f"http://svc:{secret}/@x@proxy:8080"}
        tentacle.description["registry"] = {
            f"{SYSTEM_HIVE}\\{INTERNET}\\Connections": {
                "DefaultConnectionSettings": blob(70, 3, "http=proxy:8080;https=proxy:8081", "<local>", "")
            },
            f"HKLM:\\{INTERNET}\\Connections": {
                "WinHttpSettings": blob(0x28, 3, f"user:{secret}@winhttp:80", "*.lab"),
                "DefaultConnectionSettings": blob(70, 5, "", "", "http://pac.lab/x.pac"),
            },
            "HKLM:\\SOFTWARE\\Policies\\Microsoft\\Windows\\CurrentVersion\\Internet Settings": {
                "ProxySettingsPerUser": 0
            },
            "HKLM:\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment": {
                "http_proxy": "http://machine:3128",
                "NO_PROXY": "localhost",
            },
            f"{SYSTEM_HIVE}\\Environment": {"ALL_PROXY": "http://own:1"},
        }
        run = tentacle.run()
        assert secret not in str(run.document)
        found = {
            (entry.layer, entry.account, entry.address, entry.bypass, entry.pac)
            for entry in run.survey.proxies.data
            if entry.enabled
        }
        assert found == {
            ("wininet", "LocalSystem", "http=proxy:8080;https=proxy:8081", "<local>", None),
            ("policy", None, None, None, "http://pac.lab/x.pac"),
            ("winhttp", None, "user:***@winhttp:80", "*.lab", None),
            ("environment", None, "http://machine:3128", "localhost", None),
            ("environment", "LocalSystem", "http://own:1", None, None),
            ("service-environment", "LocalSystem", "http://svc:***@proxy:8080", None, None),
        }

    def test_plain_values(self, tentacle):
        """Without a blob the values beside it tell; a damaged blob does no harm."""
        tentacle.description["registry"] = {
            f"{SYSTEM_HIVE}\\{INTERNET}\\Connections": {"DefaultConnectionSettings": {"hex": "46000000"}},
            f"{SYSTEM_HIVE}\\{INTERNET}": {"ProxyEnable": 1, "ProxyServer": "plain:1", "ProxyOverride": "a;b"},
            f"HKLM:\\{INTERNET}\\Connections": {
                "WinHttpSettings": {"hex": "28000000" + "00" * 4 + "03000000" + "ffffff7f"}
            },
        }
        found = tentacle.run().survey.proxies.data
        assert [(entry.layer, entry.enabled, entry.address, entry.bypass) for entry in found] == [
            ("wininet", True, "plain:1", "a;b"),
            ("winhttp", True, None, None),
        ]

    def test_denied(self, refused):
        """Refused keys: unknown with the reason."""
        assert refused.proxies.unknown.startswith("access-denied: ")


class TestTls:
    @pytest.fixture
    def sections(self):
        return {"tls"}

    def test_registry(self, tentacle):
        """Each protocol and side; 0xffffffff is on, a text is ignored, what is absent stays open."""
        tentacle.description["registry"] = {
            f"{SCHANNEL}\\TLS 1.2\\Client": {"Enabled": 0xFFFFFFFF, "DisabledByDefault": 0},
            f"{SCHANNEL}\\TLS 1.2\\Server": {"Enabled": 0, "DisabledByDefault": 1},
            f"{SCHANNEL}\\TLS 1.0\\Server": {"Enabled": "0"},
            "HKLM:\\SYSTEM\\CurrentControlSet\\Control\\Lsa\\FipsAlgorithmPolicy": {"Enabled": 1},
        }
        tls = tentacle.run().survey.tls.data
        assert (tls.library, tls.build, tls.fips, len(tls.protocols)) == ("Schannel", 17763, True, 12)
        states = {(entry.name, entry.side): (entry.enabled, entry.disabled_by_default) for entry in tls.protocols}
        assert states["TLS 1.2", "client"] == (True, False)
        assert states["TLS 1.2", "server"] == (False, True)
        assert states["TLS 1.0", "server"] == (None, None)
        assert states["TLS 1.3", "client"] == (None, None)
        assert tls.cipher_suites[0] == "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
        assert "NistP256" in tls.curves

    def test_an_older_windows(self, tentacle):
        """Without the cmdlets the registry tells, a policy's text with commas before the system's list; one suite is a list."""
        tentacle.description["tls"] = {"cmdlets": False}
        tentacle.description["registry"] = {
            "HKLM:\\SYSTEM\\CurrentControlSet\\Control\\Cryptography\\Configuration\\Local\\SSL\\00010002": {
                "Functions": ["A", "B"],
                "EccCurves": ["NistP256"],
            },
            "HKLM:\\SOFTWARE\\Policies\\Microsoft\\Cryptography\\Configuration\\SSL\\00010002": {"Functions": "C,D"},
        }
        tls = tentacle.run().survey.tls.data
        assert (tls.cipher_suites, tls.curves) == (("C", "D"), ("NistP256",))
        tentacle.description["registry"] = {}
        tls = tentacle.run().survey.tls.data
        assert (tls.cipher_suites, tls.curves) == (None, None)

    def test_denied(self, refused):
        """Refused keys: unknown with the reason."""
        assert refused.tls.unknown.startswith("access-denied: ")


class TestFirewall:
    @pytest.fixture
    def sections(self):
        return {"firewall"}

    def rules(self, machine, *texts: str, policy: tuple[str, ...] = ()):
        machine.description["registry"] = {
            f"{FIREWALL}\\FirewallRules": {f"local-{number}": text for number, text in enumerate(texts)},
            f"{FIREWALL_POLICY}\\FirewallRules": {f"policy-{number}": text for number, text in enumerate(policy)},
        }

    def test_healthy(self, healthy):
        """Profiles on, the network's own active, and the one rule that concerns our port."""
        firewall = healthy.firewall.data
        assert (firewall.engine, firewall.running) == ("windows", True)
        assert [
            (entry.name, entry.enabled, entry.inbound, entry.local_rules, entry.active) for entry in firewall.profiles
        ] == [
            ("Domain", True, "block", True, True),
            ("Private", True, "block", True, False),
            ("Public", True, "block", True, False),
        ]
        (rule,) = firewall.rules
        assert (rule.name, rule.action, rule.ports, rule.source) == (
            "Octopus Tentacle: 10933",
            "allow",
            ("10933",),
            "local",
        )
        assert not rule.conditional

    def test_rules(self, tentacle):
        """Ranges, any port, programs, conditions and policies; what concerns no port of ours stays out."""
        head = "v2.30|Action=Allow|Active=TRUE|Dir=In|"
        self.rules(
            tentacle,
            f"{head}Protocol=6|LPort2_10=10000-11000|RA4=LocalSubnet|RA4=10.0.0.0/255.0.0.0|Profile=Domain|Profile=Public|Name=range|",
            f"{head}Name=any|",
            f"{head}Protocol=6|App={PROGRAM.lower()}|Name=ours|",
            f"{head}Protocol=6|App=C:\\other.exe|Name=other|",
            f"{head}Protocol=6|LPort=10933|App=C:\\other.exe|Name=other-port|",
            f"{head}Protocol=17|LPort=10933|Name=udp|",
            f"{head}Protocol=6|LPort=RPC|Name=rpc|",
            f"{head}Protocol=6|AppPkgId=S-1-15-2-1|Name=package|",
            f"{head}Protocol=6|LPort=10933|RUAuth=O:LS|Name=users|",
            "v2.30|Action=Allow|Active=FALSE|Dir=In|Protocol=6|LPort=10933|Name=off|",
            "v2.30|Action=Allow|Active=TRUE|Dir=Out|Protocol=6|LPort=10933|Name=out|",
            f"{head}Protocol=6|RPort=10933|Name=remote port|",
            f"{head}Protocol=6|LPort=10933|LA4=10.9.9.9|IFType=Lan|IFType=Wireless|Svc=W3SVC|Name=asks for more|",
            f"{head}Action=ByPass|Protocol=6|LPort=10933|Security=Authenticate|Name=secure|".replace(
                "Action=Allow|", ""
            ),
            "nonsense",
            policy=("v2.30|Action=Block|Active=TRUE|Dir=In|Protocol=6|LPort=10933|Name=@FirewallAPI.dll,-1|",),
        )
        rules = {rule.name: rule for rule in tentacle.run().survey.firewall.data.rules}
        more = {"remote port", "asks for more", "secure"}
        assert set(rules) == {"range", "any", "ours", "other-port", "users", "policy-0"} | more
        assert rules["range"].ports == ("10000-11000",)
        assert rules["range"].remote == ("LocalSubnet", "10.0.0.0/255.0.0.0")
        assert rules["range"].profiles == ("Domain", "Public")
        assert rules["other-port"].program == "C:\\other.exe"
        assert rules["users"].conditional
        assert rules["users"].conditions == ("RUAuth=O:LS",)
        assert rules["remote port"].conditions == ("RPort=10933",)
        assert set(rules["asks for more"].conditions) == {"LA4=10.9.9.9", "IFType=Lan", "IFType=Wireless", "Svc=W3SVC"}
        assert set(rules["secure"].conditions) == {"Security=Authenticate", "Action=ByPass"}
        assert rules["range"].conditions == rules["other-port"].conditions == ()
        assert not rules["other-port"].conditional
        assert (rules["policy-0"].action, rules["policy-0"].source) == ("block", "policy")

    def test_rules_for_connection_security(self, tentacle):
        """Those that want IPsec of who comes in; not those that ask for it, are off, or exempt somebody."""
        head = "v2.10|Active=TRUE|"
        tentacle.description["registry"] = {
            f"{FIREWALL}\\ConSecRules": {
                "1": f"{head}Action=Secure|EP1_4=10.0.0.0-10.0.0.255|EP2_4=192.0.2.10|Protocol=6|Profile=Domain|Name=both|",
                "2": f"{head}Action=Boundary|Name=asks|",
                "3": f"{head}Action=DoNotSecure|Name=exempts|",
                "4": "v2.10|Active=FALSE|Action=SecureServer|Name=off|",
                "5": f"{head}Action=SecureServer|Protocol=17|Name=other protocol|",
            },
            f"{FIREWALL_POLICY}\\ConSecRules": {"1": f"{head}Action=SecureServer|Name=domain|"},
        }
        found = {rule.name: rule for rule in tentacle.run().survey.firewall.data.secured}
        assert set(found) == {"both", "domain"}
        assert set(found["both"].remote) == {"10.0.0.0-10.0.0.255", "192.0.2.10"}
        assert (found["both"].profiles, found["both"].source, found["domain"].source) == (
            ("Domain",),
            "local",
            "policy",
        )

    def test_profiles(self, tentacle):
        """Off, open, and what a group policy says before the machine's own word."""
        tentacle.description["registry"] = {
            f"{FIREWALL}\\DomainProfile": {"EnableFirewall": 0, "DefaultInboundAction": 1},
            f"{FIREWALL}\\StandardProfile": {"EnableFirewall": 0, "DefaultInboundAction": 1},
            f"{FIREWALL}\\PublicProfile": {"EnableFirewall": 1, "DefaultInboundAction": 0, "DoNotAllowExceptions": 1},
            f"{FIREWALL_POLICY}\\PrivateProfile": {"EnableFirewall": 1, "AllowLocalPolicyMerge": 0},
        }
        tentacle.description |= {"networks": ["public", "private"], "firewall_service": "stopped"}
        firewall = tentacle.run().survey.firewall.data
        assert firewall.running is False
        assert [(entry.enabled, entry.inbound, entry.local_rules, entry.active) for entry in firewall.profiles] == [
            (False, "block", True, False),
            (True, "block", False, True),
            (True, "allow", True, True),
        ]
        blocked = [rule for rule in firewall.rules if rule.action == "block"]
        assert [(rule.ports, rule.profiles) for rule in blocked] == [((), ("Public",))]

    def test_denied(self, tentacle, refused):
        """Networks that cannot be seen leave that open; refused keys make all of it unknown."""
        tentacle.deny("networks")
        assert {entry.active for entry in tentacle.run().survey.firewall.data.profiles} == {None}
        assert refused.firewall.unknown.startswith("access-denied: ")
