"""The sections of Octopus's guide "Troubleshooting Tentacles", in its order, and the steps that we made of them."""

from __future__ import annotations

from dataclasses import dataclass

GUIDE = "https://octopus.com/docs/infrastructure/deployment-targets/tentacle/troubleshooting-tentacles"


@dataclass(frozen=True)
class Section:
    """One section of the guide: `anchor` is its fragment in the guide's page."""

    title: str
    anchor: str

    @property
    def link(self) -> str:
        """Where a person reads it."""
        return f"{GUIDE}#{self.anchor}"


@dataclass(frozen=True)
class Step:
    """What one test looks at on one machine. `slug` stands in the test id, `<machine>-<slug>`."""

    slug: str
    title: str
    section: Section


_IDENTIFY = Section("Identify the Problem", "identify-the-problem")
_SERVICES = Section("Check the Octopus and Tentacle Services are Running", "check-services-running")
_SETTINGS = Section("Communication Settings", "communication-settings")
_THUMBPRINT = Section("Check the Tentacle Thumbprint", "check-the-tentacle-thumbprint")
_CONNECTIONS = Section("Check the Connections", "check-the-connections")
_PROXIES = Section("Watch out for proxy servers or SSL offloading", "check-the-connections")
_PING = Section("Tentacle Ping", "tentacle-ping")
_ADDRESSES = Section("Check the IP Address", "check-the-ip-address")
_ZOMBIES = Section(
    "Check for Zombie Child Processes Locking TCP Ports (Listening Tentacles)",
    "check-for-zombie-child-processes-locking-tcp-ports-listening-tentacles",
)
_ACCOUNT = Section("Check the Server Service Account Permissions", "check-the-server-service-account-permissions")
_LOADING = Section("Check the Load Time", "check-the-load-time")
_TLS = Section("Schannel and TLS Configuration Mismatches", "schannel-and-tls-configuration-mismatches")
_MESSAGES = Section("Other Error Messages", "other-error-messages")

STEPS: tuple[Step, ...] = (
    Step("identify-the-problem", "Identify the problem", _IDENTIFY),
    Step("services-running", "Services running", _SERVICES),
    Step("communication-settings", "Communication settings", _SETTINGS),
    Step("tentacle-thumbprint", "Tentacle thumbprint", _THUMBPRINT),
    Step("tentacle-certificate", "Tentacle certificate", _THUMBPRINT),
    Step("welcome-page-here", "Welcome page on the machine itself", _CONNECTIONS),
    Step("welcome-page-across", "Welcome page across the link", _CONNECTIONS),
    Step("local-firewall", "Local firewall", _CONNECTIONS),
    Step("connections-established", "Connections established", _CONNECTIONS),
    Step("proxies-and-ssl-offloading", "Proxies and SSL offloading", _PROXIES),
    Step("tentacle-ping", "Tentacle Ping", _PING),
    Step("ip-addresses", "IP addresses", _ADDRESSES),
    Step("zombie-child-processes", "Zombie child processes", _ZOMBIES),
    Step("service-account-permissions", "Service account permissions", _ACCOUNT),
    Step("load-time", "Load time", _LOADING),
    Step("schannel-and-tls", "Schannel and TLS", _TLS),
    Step("other-error-messages", "Other error messages", _MESSAGES),
    Step("machine-health", "Machine health", _MESSAGES),
)
"""In the guide's order; the report's columns."""
