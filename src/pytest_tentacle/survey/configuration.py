"""The XML configuration file of a Tentacle or an Octopus Server: its text as settings, and settings as typed values.

Keys, defaults and overriding variables: tentacle-facts 2.2 and 2.3.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

ConfigurationErrorWord = Literal["empty", "malformed"]

TENTACLE_PORT = 10933
SERVER_PORT = 10943
PROXY_PORT = 80
_POLLING_STYLE = 2
_PORTS = range(1, 65536)
_STYLES = MappingProxyType(
    {
        "None": 0,
        "TentaclePassive": 1,
        "TentacleActive": 2,
        "Ssh": 3,
        "OfflineDrop": 4,
        "AzureWebApp": 5,
        "Ftp": 6,
        "AzureCloudService": 7,
        "AzureServiceFabricCluster": 8,
        "Kubernetes": 9,
        "StepPackage": 10,
        "KubernetesTentacle": 11,
        "AwsEcsCluster": 12,
    }
)
_STYLE_BY_LOWER_NAME = {name.lower(): number for name, number in _STYLES.items()}

OVERRIDES: Mapping[str, str] = MappingProxyType(
    {
        "TENTACLE_SERVICE_PORT": "Tentacle.Services.PortNumber",
        "TENTACLE_LISTEN_IP": "Tentacle.Services.ListenIP",
        "TENTACLE_NO_LISTEN": "Tentacle.Services.NoListen",
        "TENTACLE_TRUSTED_SERVERS": "Tentacle.Communication.TrustedOctopusServers",
        "TENTACLE_APPLICATION_DIRECTORY": "Tentacle.Deployment.ApplicationDirectory",
        "TENTACLE_CERTIFICATE_THUMBPRINT": "Tentacle.CertificateThumbprint",
        "TENTACLE_POLLING_USE_DEFAULT_PROXY": "Octopus.Server.Proxy.UseDefaultProxy",
        "TENTACLE_POLLING_CUSTOM_PROXY_USER": "Octopus.Server.Proxy.ProxyUsername",
        "TENTACLE_POLLING_CUSTOM_PROXY_HOST": "Octopus.Server.Proxy.ProxyHost",
        "TENTACLE_POLLING_CUSTOM_PROXY_PORT": "Octopus.Server.Proxy.ProxyPort",
        "OCTOPUS_HOME": "Octopus.Home",
        "OCTOPUS_USE_DEFAULT_PROXY": "Octopus.Proxy.UseDefaultProxy",
        "OCTOPUS_PROXY_HOST": "Octopus.Proxy.ProxyHost",
        "OCTOPUS_PROXY_PORT": "Octopus.Proxy.ProxyPort",
        "OCTOPUS_PROXY_USER": "Octopus.Proxy.ProxyUsername",
    }
)
"""The environment variables that win over the file, and the key that each stands for; those of secrets are left out."""


class ConfigurationError(Exception):
    """A configuration file that cannot be read as settings.

    Attributes:
        word: `empty` or `malformed`, as `ConfigurationFile.error` has it.
        detail: where and why, without any value of the file.
    """

    def __init__(self, word: ConfigurationErrorWord, detail: str) -> None:
        super().__init__(f"{word}: {detail}")
        self.word = word
        self.detail = detail


class Mode(StrEnum):
    """How a Tentacle communicates, derived from its settings."""

    LISTENING = "listening"
    POLLING = "polling"
    BOTH = "both"
    NEITHER = "neither"
    """It neither listens nor has a complete polling server."""


@dataclass(frozen=True)
class TrustedServer:
    """One entry of TrustedOctopusServers. `style` is the number of CommunicationStyle: 1 listening, 2 polling."""

    thumbprint: str | None
    style: int | None
    address: str | None = None
    subscription_id: str | None = None

    @property
    def polls(self) -> bool:
        """Whether the Tentacle polls this server; without an address the Tentacle skips it (tentacle-facts 2.3)."""
        return self.style == _POLLING_STYLE and bool(self.address)


@dataclass(frozen=True)
class Proxy:
    """Proxy settings; `use_default` means the service account's (.NET Framework only, tentacle-facts 2.3)."""

    use_default: bool = True
    host: str | None = None
    port: int | None = PROXY_PORT
    username: str | None = None


@dataclass(frozen=True)
class TentacleSettings:
    """A Tentacle's settings, typed. `port` is None where the file holds no port number that could be one."""

    port: int | None
    listen_ip: str | None
    no_listen: bool
    certificate_thumbprint: str | None
    home: str | None
    application_directory: str | None
    polling_connection_count: int | None
    trusted: tuple[TrustedServer, ...]
    trusted_error: str | None
    polling_proxy: Proxy
    web_proxy: Proxy
    squid: str | None = None

    @property
    def mode(self) -> Mode:
        """By what the process does: it listens unless NoListen says otherwise, and polls whom it has an address of."""
        polls = any(server.polls for server in self.trusted)
        if self.no_listen:
            return Mode.POLLING if polls else Mode.NEITHER
        return Mode.BOTH if polls else Mode.LISTENING

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> TentacleSettings:
        """The typed view of a file's settings, after `effective_settings` where the service has an environment."""
        trusted: tuple[TrustedServer, ...] = ()
        trusted_error = None
        try:
            trusted = trusted_servers(settings)
        except ValueError as error:
            trusted_error = str(error)
        return cls(
            port=_port(settings.get("Tentacle.Services.PortNumber"), TENTACLE_PORT),
            listen_ip=settings.get("Tentacle.Services.ListenIP", "").strip() or None,
            no_listen=_flag(settings.get("Tentacle.Services.NoListen"), default=False),
            certificate_thumbprint=settings.get("Tentacle.CertificateThumbprint") or None,
            home=settings.get("Octopus.Home") or None,
            application_directory=settings.get("Tentacle.Deployment.ApplicationDirectory") or None,
            polling_connection_count=_whole(settings.get("Tentacle.Communication.PollingConnectionCount")),
            trusted=trusted,
            trusted_error=trusted_error,
            polling_proxy=_proxy(settings, "Octopus.Server.Proxy."),
            web_proxy=_proxy(settings, "Octopus.Proxy."),
            squid=settings.get("Octopus.Communications.Squid") or None,
        )


@dataclass(frozen=True)
class ServerSettings:
    """An Octopus Server's settings, typed (tentacle-facts 2.5)."""

    services_port: int | None
    home: str | None
    web_listen_prefixes: tuple[str, ...]
    web_socket_prefix: str | None = None

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> ServerSettings:
        """The typed view of a file's settings."""
        prefixes = settings.get("Octopus.WebPortal.ListenPrefixes", "")
        return cls(
            services_port=_port(settings.get("Octopus.Communications.ServicesPort"), SERVER_PORT),
            home=settings.get("Octopus.Home") or None,
            web_listen_prefixes=tuple(prefix.strip() for prefix in prefixes.split(",") if prefix.strip()),
            web_socket_prefix=settings.get("Octopus.Communications.WebSocketPrefix", "").strip() or None,
        )


def parse_settings(content: bytes) -> dict[str, str]:
    """Reads `<octopus-settings><set key="..">value</set>...`, with or without BOM. Raises ConfigurationError."""
    if not content.removeprefix(b"\xef\xbb\xbf").strip():
        raise ConfigurationError("empty", "the file holds nothing")
    try:
        root = fromstring(content)
    except ParseError as error:
        line, column = error.position
        raise ConfigurationError("malformed", f"not well-formed XML at line {line}, column {column + 1}") from None
    except (DefusedXmlException, ValueError, LookupError) as error:
        raise ConfigurationError("malformed", f"not XML that is read here ({type(error).__name__})") from None
    if root.tag != "octopus-settings":
        raise ConfigurationError("malformed", "the root element is not octopus-settings")
    return {key: element.text or "" for element in root.iter("set") if (key := element.get("key"))}


def effective_settings(settings: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """The settings as the process sees them: the service's environment wins over the file (tentacle-facts 2.2)."""
    overridden = {OVERRIDES[name]: value for name, value in environment.items() if name in OVERRIDES and value}
    return {**settings, **overridden}


def trusted_servers(settings: Mapping[str, str]) -> tuple[TrustedServer, ...]:
    """The entries of TrustedOctopusServers, in order. Raises ValueError where the value is no JSON list of objects."""
    text = settings.get("Tentacle.Communication.TrustedOctopusServers", "").strip()
    if not text:
        return ()
    try:
        entries = json.loads(text)
        # JSON can spell halves of surrogate pairs, which are no text
        (json.dumps(entries, ensure_ascii=False) if "\\u" in text else text).encode()
    except (ValueError, RecursionError):
        raise ValueError("TrustedOctopusServers is not JSON") from None
    if entries is None:
        return ()
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("TrustedOctopusServers is not a list of objects")
    squid = settings.get("Octopus.Communications.Squid")
    return tuple(_trusted_server(entry, squid) for entry in entries)


def _trusted_server(entry: dict[str, Any], squid: str | None) -> TrustedServer:
    subscription = _string(entry.get("SubscriptionId"))
    style = _style(entry.get("CommunicationStyle"))
    own_squid = _string(entry.get("Squid")) or squid
    if subscription is None and style == _POLLING_STYLE and own_squid:
        subscription = f"poll://{own_squid.lower()}/"
    return TrustedServer(_string(entry.get("Thumbprint")), style, _string(entry.get("Address")), subscription)


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _style(value: object) -> int | None:
    """The enum is written as a number; its name is read as well, in any case (tentacle-facts 2.3)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        return _whole(value) if value.strip().isdecimal() else _STYLE_BY_LOWER_NAME.get(value.strip().lower())
    return None


def _flag(value: str | None, *, default: bool) -> bool:
    text = (value or "").strip().lower()
    return default if text not in {"true", "false"} else text == "true"


def _whole(value: str | None) -> int | None:
    text = (value or "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None  # noqa: PLR2004  32-bit numbers


def _port(value: str | None, default: int) -> int | None:
    if not (value or "").strip():
        return default
    number = _whole(value)
    return number if number in _PORTS else None


def _proxy(settings: Mapping[str, str], prefix: str) -> Proxy:
    return Proxy(
        use_default=_flag(settings.get(f"{prefix}UseDefaultProxy"), default=True),
        host=settings.get(f"{prefix}ProxyHost") or None,
        port=_port(settings.get(f"{prefix}ProxyPort"), PROXY_PORT),
        username=settings.get(f"{prefix}ProxyUsername") or None,
    )
