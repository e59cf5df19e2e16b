"""What governs an instance from outside, on stand-in machines: proxies, TLS policy, rights."""

from __future__ import annotations

import pytest

FORGERY = 'http_proxy="http://inner:8080"\n# HTTPS_PROXY=http://commented:1\n\nexport no_proxy=localhost,127.0.0.1\n'


class TestProxies:
    @pytest.fixture
    def sections(self):
        return {"proxies"}

    def test_service_environment(self, machine, shell):
        """The service's own proxy, for its account, with the password gone and the user kept."""
        machine.service(
            account="octopus",
            environment={"HTTPS_PROXY": "http://user:p@ss:canary/@proxy.lab:3128", "NO_PROXY": ".lab", "LANG": "C"},
        )
        machine.sections = None
        ran = machine.survey(shell)
        (proxy,) = ran.survey.proxies.data
        assert (proxy.layer, proxy.account, proxy.enabled) == ("service-environment", "octopus", True)
        assert (proxy.address, proxy.bypass) == ("http://user@proxy.lab:3128", ".lab")
        assert b"canary" not in ran.answer.stdout

    def test_environment_file(self, machine, shell):
        """A file that the unit names counts as its environment; its settings reach the service's variables too."""
        machine.service(environment_files=["/etc/default/tentacle"])
        machine.file(
            "/etc/default/tentacle",
            "# comment\nhttps_proxy='http://proxy.lab:3128'\nTENTACLE_SERVICE_PORT=10944\n; no\nOCTOPUS_HOME=/a b c \n"
            "OCTOPUS_PROXY_PASSWORD=canary\n",
        )
        machine.sections = None
        ran = machine.survey(shell)
        assert [proxy.address for proxy in ran.survey.proxies.data] == ["http://proxy.lab:3128"]
        assert ran.survey.services.data[0].environment == {"TENTACLE_SERVICE_PORT": "10944", "OCTOPUS_HOME": "/a b c"}
        assert b"canary" not in ran.answer.stdout

    def test_systemd_gives_it_to_all(self, machine, shell):
        """DefaultEnvironment= reaches every unit; what a unit sets itself wins, and no secret leaves the machine."""
        machine.description["systemd_environment"] = {
            "LANG": "C", "https_proxy": "http://all:1", "TENTACLE_SERVICE_PORT": "1", "OCTOPUS_HOME": "/a b",
            "OCTOPUS_PROXY_PASSWORD": "canary",
        }  # fmt: skip
        machine.service(environment={"TENTACLE_SERVICE_PORT": "10944"})
        machine.service(name="Other", environment={"https_proxy": "http://own:2"}, account="other")
        machine.sections = None
        ran = machine.survey(shell)
        (service,) = (one for one in ran.survey.services.data if one.account == "root")
        assert service.environment == {"TENTACLE_SERVICE_PORT": "10944", "OCTOPUS_HOME": "/a b"}
        found = {(proxy.account, proxy.address) for proxy in ran.survey.proxies.data}
        assert found == {("root", "http://all:1"), ("other", "http://own:2")}
        assert b"canary" not in ran.answer.stdout

    def test_machine(self, whole, shell):
        """The machine's own proxy belongs to no account; comments do not count."""
        whole.file("/etc/environment", FORGERY)
        (proxy,) = whole.survey(shell).survey.proxies.data
        assert (proxy.layer, proxy.account, proxy.address, proxy.bypass) == (
            "environment", None, "http://inner:8080", "localhost,127.0.0.1",
        )  # fmt: skip

    def test_both_schemes(self, machine):
        """Different proxies for different schemes are two; the same one is told once."""
        machine.service(
            environment={"http_proxy": "http://a:1", "https_proxy": "http://b:2", "ALL_PROXY": "http://b:2"}
        )
        assert [proxy.address for proxy in machine.survey().survey.proxies.data] == ["http://b:2", "http://a:1"]

    def test_denied_file(self, machine):
        """An environment file that may not be read may hold a proxy: that is unknown, not none."""
        machine.service(environment_files=["/etc/default/tentacle"])
        machine.description["denied"] = ["/etc/default/tentacle"]
        assert "/etc/default/tentacle may not be read" in machine.survey().survey.proxies.unknown

    @pytest.mark.parametrize(("value", "known"), [("localhost,.lab", True), ("localhost, .lab", False)])
    def test_what_systemd_does_not_show(self, machine, value, known):
        """239 prints no variable with a blank, nor its name: it may be the proxy's."""
        machine.description["systemd"] = 239
        machine.service(environment={"https_proxy": "http://a:1", "no_proxy": value})
        proxies = machine.survey().survey.proxies
        assert (proxies.data[0].bypass == value) if known else ("with a blank in their value" in proxies.unknown)

    def test_services_denied(self, whole):
        """Nor is anything known of proxies where the services are not."""
        whole.description["denied"] = ["services"]
        assert "services" in whole.survey().survey.proxies.unknown


class TestTls:
    @pytest.fixture
    def sections(self):
        return {"tls"}

    def test_healthy(self, whole, shell):
        """The real openssl's version and suites, with the lowest protocol of the machine's own configuration."""
        tls = whole.survey(shell).survey.tls.data
        assert tls.library.startswith("OpenSSL ")
        assert (tls.minimum, tls.fips, tls.curves) == ("TLSv1.2", False, None)
        assert "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" in tls.cipher_suites

    def test_old_protocol_forced(self, whole):
        """What an administrator set is what comes back; the last one wins, comments do not count."""
        text = "[x]\nMinProtocol = TLSv1.2\n MinProtocol=TLSv1.3 # MinProtocol = TLSv1\n#MinProtocol = None\nGroups = P-384:X25519\n"
        whole.file("/etc/ssl/openssl.cnf", text)
        tls = whole.survey().survey.tls.data
        assert (tls.minimum, tls.curves) == ("TLSv1.3", ("P-384", "X25519"))

    def test_crypto_policy(self, whole):
        """On RHEL the policy's own file stands behind openssl.cnf."""
        whole.file("/etc/ssl/openssl.cnf", "[x]\n.include = /etc/crypto-policies/back-ends/opensslcnf.config\n")
        whole.file("/etc/crypto-policies/back-ends/opensslcnf.config", "TLS.MinProtocol = TLSv1.2\n")
        whole.file("/etc/crypto-policies/config", "FIPS\n")
        tls = whole.survey().survey.tls.data
        assert (tls.minimum, tls.fips) == ("TLSv1.2", True)

    def test_fips_kernel(self, whole):
        """The kernel's own switch."""
        whole.file("/proc/sys/crypto/fips_enabled", "1\n")
        assert whole.survey().survey.tls.data.fips is True

    def test_denied(self, whole):
        """A configuration that may not be read leaves the policy unknown."""
        whole.description["denied"] = ["/etc/ssl/openssl.cnf"]
        assert "may not be read" in whole.survey().survey.tls.unknown

    def test_no_openssl(self, whole):
        """No openssl, no answer; everything else stands."""
        whole.description["missing"] = ["openssl"]
        survey = whole.survey(sections={"tls", "host"}).survey
        assert "no openssl" in survey.tls.unknown
        assert survey.host.data


class TestPermissions:
    @pytest.fixture
    def sections(self):
        return {"permissions"}

    def test_owner_group_and_mode(self, whole, shell):
        """Home, what lies in it and the configuration file, each once; the mode as a number."""
        whole.description["access"] = {
            "/etc/octopus/default": ["octopus", "staff", "750"],
            "/etc/octopus/default/Logs": ["root", "root", "2700"],
        }
        (rights,) = whole.survey(shell).survey.permissions.data
        assert (rights.instance, rights.account, rights.home) == ("Tentacle", "root", "/etc/octopus/default")
        assert (rights.groups, rights.groups_complete, rights.complete) == (("root",), True, True)
        found = {access.path: (access.owner, access.group, access.mode) for access in rights.access}
        assert found["/etc/octopus/default"] == ("octopus", "staff", 0o750)
        assert found["/etc/octopus/default/Logs"] == ("root", "root", 0o2700)
        assert found["/etc/octopus/default/Work"][:2] == ("root", "root")
        assert any(path.endswith("/tentacle-Tentacle.config") for path in found)
        assert rights.looked_at == len(rights.access)

    def test_another_account(self, machine, tools):
        """The service's account and its groups."""
        machine.service(account="octopus")
        machine.instance(tools.settings_file(tools.SETTINGS), folder="default")
        machine.description["groups"] = {"octopus": ["octopus", "adm"]}
        (rights,) = machine.survey().survey.permissions.data
        assert (rights.account, rights.groups, rights.groups_complete) == ("octopus", ("octopus", "adm"), True)

    def test_the_unit_that_names_it(self, machine, tools, shell):
        """A unit that names no instance runs the default one, wherever it stands among the units."""
        machine.service(account="plain", command="/opt/octopus/tentacle/Tentacle run")
        machine.service(name="other", account="own", command="/opt/octopus/tentacle/Tentacle run --instance=Other")
        for name in ("Tentacle", "Other", "Third"):
            machine.instance(tools.settings_file(tools.SETTINGS | {"Octopus.Home": f"/etc/octopus/{name}"}), name)
        machine.description["groups"] = {"plain": ["plain"], "own": ["own"]}
        found = {rights.instance: rights.account for rights in machine.survey(shell).survey.permissions.data}
        assert found == {"Tentacle": "plain", "Other": "own"}

    def test_unknown_account(self, machine, tools):
        """An account that the machine does not know: its groups are not complete."""
        machine.service(account="gone")
        machine.instance(tools.settings_file(tools.SETTINGS), folder="default")
        (rights,) = machine.survey().survey.permissions.data
        assert (rights.groups, rights.groups_complete) == ((), False)

    def test_home_is_gone(self, machine):
        """A home that does not exist is not found; a broken instance's home is looked at all the same."""
        machine.service()
        machine.instance(b"<octopus-settings><set")
        (rights,) = machine.survey().survey.permissions.data
        assert rights.access[0].mode == 0o755
        path = machine.octopus / "Tentacle" / "Instances" / "tentacle.config"
        path.write_text('{"Name": "Tentacle", "ConfigurationFilePath": "/etc/octopus/nowhere/t.config"}')
        (rights,) = machine.survey().survey.permissions.data
        assert [access.error for access in rights.access] == ["not-found", "not-found"]
        assert not rights.complete

    def test_denied(self, whole):
        """What may not be looked at is denied, path by path."""
        whole.description["denied"] = ["permissions"]
        (rights,) = whole.survey().survey.permissions.data
        assert {access.error for access in rights.access} == {"denied"}

    def test_many_children(self, whole):
        """Fifty children at most are looked at, and that is said."""
        for number in range(80):
            whole.file(f"/etc/octopus/default/many {number}", "")
        (rights,) = whole.survey().survey.permissions.data
        assert rights.looked_at == 1 + 50 + 1
        assert not rights.complete

    @pytest.mark.parametrize("denied", ["services"])
    def test_services_denied(self, whole, denied):
        """Without services the account is not known."""
        whole.description["denied"] = [denied]
        assert "services" in whole.survey().survey.permissions.unknown
