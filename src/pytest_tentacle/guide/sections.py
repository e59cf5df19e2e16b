"""The sections of Octopus's guide "Troubleshooting Tentacles", in its order."""

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


IDENTIFY = Section("Identify the Problem", "identify-the-problem")
SERVICES = Section("Check the Octopus and Tentacle Services are Running", "check-services-running")
SETTINGS = Section("Communication Settings", "communication-settings")
THUMBPRINT = Section("Check the Tentacle Thumbprint", "check-the-tentacle-thumbprint")
CONNECTIONS = Section("Check the Connections", "check-the-connections")
PROXIES = Section("Watch out for proxy servers or SSL offloading", "check-the-connections")
PING = Section("Tentacle Ping", "tentacle-ping")
ADDRESSES = Section("Check the IP Address", "check-the-ip-address")
ZOMBIES = Section(
    "Check for Zombie Child Processes Locking TCP Ports (Listening Tentacles)",
    "check-for-zombie-child-processes-locking-tcp-ports-listening-tentacles",
)
ACCOUNT = Section("Check the Server Service Account Permissions", "check-the-server-service-account-permissions")
LOADING = Section("Check the Load Time", "check-the-load-time")
TLS = Section("Schannel and TLS Configuration Mismatches", "schannel-and-tls-configuration-mismatches")
MESSAGES = Section("Other Error Messages", "other-error-messages")
