"""Configuration files as settings, and settings as typed values."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_tentacle.survey.configuration import (
    ConfigurationError,
    Mode,
    ServerSettings,
    TentacleSettings,
    TrustedServer,
    effective_settings,
    parse_settings,
    trusted_servers,
)

KEY = "Tentacle.Communication.TrustedOctopusServers"
FILE = """<?xml version="1.0" encoding="utf-8"?>
<octopus-settings xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">
  <set key="Octopus.Home">/etc/octopus/Büro</set>
  <set key="Octopus.Server.Proxy.ProxyHost" />
  <set key="Tentacle.Communication.TrustedOctopusServers">[{"Thumbprint":"A&amp;B"}]</set>
</octopus-settings>"""


class TestParse:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
    def test_file(self, encoding):
        """As a real Tentacle writes it, with BOM and namespaces (tentacle-seen 4.1)."""
        settings = parse_settings(FILE.encode(encoding))
        assert settings == {
            "Octopus.Home": "/etc/octopus/Büro",
            "Octopus.Server.Proxy.ProxyHost": "",
            KEY: '[{"Thumbprint":"A&B"}]',
        }

    @pytest.mark.parametrize(
        ("content", "word"),
        [
            (b"", "empty"), (b"\xef\xbb\xbf", "empty"), (b" \r\n", "empty"), (FILE.encode()[:300], "malformed"), (b"{}", "malformed"),
            (b"<configuration/>", "malformed"), (b"\x00" * 500, "malformed"),
            (b'<!DOCTYPE a [<!ENTITY b "c">]><octopus-settings>&b;</octopus-settings>', "malformed"),
            (b'<?xml version="1.0" encoding="no-such"?><octopus-settings/>', "malformed"),
        ],
    )  # fmt: skip
    def test_damage(self, content, word):
        """Each kind of damage has its word."""
        with pytest.raises(ConfigurationError) as caught:
            parse_settings(content)
        assert caught.value.word == word

    @given(st.binary(max_size=300))
    def test_any_bytes(self, content):
        """Whatever the bytes are: settings, or a ConfigurationError."""
        with contextlib.suppress(ConfigurationError):
            assert isinstance(parse_settings(content), dict)


class TestTrustedServers:
    @pytest.mark.parametrize(
        ("written", "style"),
        [(2, 2), ("2", 2), ("TentacleActive", 2), ("tentaclepassive", 1), ("?", None), (True, None)],
    )
    def test_styles(self, written, style):
        """A style is a number or a name."""
        (server,) = trusted_servers({KEY: json.dumps([{"CommunicationStyle": written, "Address": "https://o:10943/"}])})
        assert server == TrustedServer(None, style, "https://o:10943/", None)
        assert server.polls is (style == 2)

    def test_legacy_squid(self):
        """The legacy SQUID is the subscription of an entry without one (tentacle-facts 2.3)."""
        settings = {KEY: json.dumps([{"CommunicationStyle": 2}]), "Octopus.Communications.Squid": "SQ-ABC"}
        assert trusted_servers(settings)[0].subscription_id == "poll://sq-abc/"

    @pytest.mark.parametrize("text", ["{", "{}", "[1]", '"x"', "[" * 100_000])
    def test_not_a_list(self, text):
        """What is no list of objects is an error, which the typed view tells beside the rest."""
        with pytest.raises(ValueError, match="TrustedOctopusServers"):
            trusted_servers({KEY: text})
        view = TentacleSettings.of({KEY: text})
        assert (view.trusted, view.mode) == ((), Mode.LISTENING)
        assert view.trusted_error

    @pytest.mark.parametrize("settings", [{}, {KEY: ""}, {KEY: "[]"}, {KEY: "null"}])
    def test_none(self, settings):
        """Nothing there is nobody trusted."""
        assert trusted_servers(settings) == ()


class TestTentacleSettings:
    def test_defaults(self):
        """An empty file has Tentacle's own defaults (tentacle-facts 2.3)."""
        view = TentacleSettings.of({})
        assert (view.port, view.listen_ip, view.no_listen, view.mode) == (10933, None, False, Mode.LISTENING)
        assert (view.polling_proxy.use_default, view.polling_proxy.host, view.polling_proxy.port) == (True, None, 80)

    @pytest.mark.parametrize(
        ("no_listen", "servers", "mode"),
        [
            ("false", [{"CommunicationStyle": 1}], Mode.LISTENING),
            ("true", [{"CommunicationStyle": 2, "Address": "https://o:10943"}], Mode.POLLING),
            ("False", [{"CommunicationStyle": 2, "Address": "https://o:10943"}], Mode.BOTH),
            ("True", [{"CommunicationStyle": 2, "Address": None}], Mode.NEITHER),
        ],
    )
    def test_mode(self, no_listen, servers, mode):
        """The mode is what the process will do, not what was meant."""
        assert TentacleSettings.of({"Tentacle.Services.NoListen": no_listen, KEY: json.dumps(servers)}).mode is mode

    @pytest.mark.parametrize(
        ("written", "port"),
        [("10934", 10934), ("", 10933), ("0", None), ("70000", None), ("x", None), ("\u0661", None)],
    )
    def test_port(self, written, port):
        """A port that cannot be one is None, not the default."""
        assert TentacleSettings.of({"Tentacle.Services.PortNumber": written}).port == port

    def test_environment(self):
        """The service's environment wins; empty and foreign variables change nothing."""
        settings = effective_settings(
            {"Tentacle.Services.PortNumber": "1", "Octopus.Home": "/a"},
            {"TENTACLE_SERVICE_PORT": "2", "OCTOPUS_HOME": "", "PATH": "x"},
        )
        assert settings == {"Tentacle.Services.PortNumber": "2", "Octopus.Home": "/a"}


class TestServerSettings:
    def test_view(self):
        """The polling port, by default 10943, and where the portal listens."""
        assert ServerSettings.of({}).services_port == 10943
        view = ServerSettings.of(
            {
                "Octopus.Communications.ServicesPort": "10945",
                "Octopus.WebPortal.ListenPrefixes": "https://a/, http://b/",
            }
        )
        assert (view.services_port, view.web_listen_prefixes) == (10945, ("https://a/", "http://b/"))
