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
_MESSAGES = Section("Other Error Messages", "other-error-messages")

STEPS: tuple[Step, ...] = (
    Step("identify-the-problem", "Identify the problem", _IDENTIFY),
    Step("services-running", "Services running", _SERVICES),
    Step("communication-settings", "Communication settings", _SETTINGS),
    Step("tentacle-thumbprint", "Tentacle thumbprint", _THUMBPRINT),
    Step("welcome-page-here", "Welcome page on the machine itself", _CONNECTIONS),
    Step("welcome-page-across", "Welcome page across the link", _CONNECTIONS),
    Step("other-error-messages", "Other error messages", _MESSAGES),
)
"""In the guide's order; the report's columns."""
