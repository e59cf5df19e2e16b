"""Which of a machine's services runs an instance.

Every service whose program is a Tentacle is among a survey's services: one that somebody made to call `register-with`
at each boot (Issues#3897), and the service of an earlier generation (Issues#420). Neither runs the instance.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from pytest_tentacle.survey.model import Service

_RUNS = frozenset({"run", "agent"})
"""The commands that run an instance (tentacle-facts 2.5); a service without one is of Tentacle 1.x, or a wrapper."""
_COMMAND = re.compile(r"\A\s*(?P<word>[a-z][a-z0-9-]*)(?=\s|\Z)", re.IGNORECASE)
_BY_DOTNET = re.compile(r'\A\s*(?:"(?P<quoted>[^"]+\.dll)"|(?P<plain>\S+\.dll))\s*', re.IGNORECASE)
"""`dotnet "C:\\...\\Tentacle.dll" run`: how a build without a program of its own is registered (tentacle-facts 2.5)."""
_PRODUCTS_NAME = re.compile(r"\AOctopusDeploy(?: Tentacle)?(?::|\Z)", re.IGNORECASE)
_INSTANCE = re.compile(r"(?:^|\s)(?:--?|/)(?:instance|config)\b", re.IGNORECASE)


def command_of(service: Service) -> str | None:
    """The command that its program is started with, such as `run`; None where there is none."""
    found = _COMMAND.match(_BY_DOTNET.sub("", service.arguments or "", count=1))
    return found["word"].lower() if found else None


def program_of(service: Service) -> str | None:
    """The product's own program: what the service starts, or what it has dotnet run."""
    found = _BY_DOTNET.match(service.arguments or "")
    return (found["quoted"] or found["plain"]) if found else service.executable


def runs_an_instance(service: Service) -> bool:
    """Whether it can be the service of an instance at all."""
    command = command_of(service)
    return command is None or command in _RUNS


def own_service(
    services: Iterable[Service], instance_of: Callable[[Service], str], instance: str, *, any_other: bool
) -> Service | None:
    """The service of an instance: one that says so before one that only might be, of these the one that runs.

    Args:
        services: those of the product.
        instance_of: which instance a service is for.
        instance: the wanted one.
        any_other: a single service is taken whatever instance it names, since nobody has named one.
    """
    candidates = [service for service in services if runs_an_instance(service)]
    fitting = [service for service in candidates if instance_of(service).lower() == instance.lower()]
    if not fitting and any_other and len(candidates) == 1:
        fitting = candidates
    return min(fitting, key=lambda service: (not _says_so(service), service.state != "running"), default=None)


def _says_so(service: Service) -> bool:
    """Whether its command line or its name is of a kind that only the service of an instance has."""
    arguments = service.arguments or ""
    return bool(
        (command_of(service) in _RUNS and _INSTANCE.search(arguments))
        or service.instance
        or _PRODUCTS_NAME.match(service.name)
    )
