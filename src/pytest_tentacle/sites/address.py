"""Where the scheduler is, and with which certificates it is spoken to. Nothing here imports the engine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

EXTRA = "pip install 'pytest-tentacle[dask]'"
"""What brings the engine."""

_ENGINE = "dask:"
_ADDRESS = re.compile(r"(tls|tcp)://(\[[0-9A-Fa-f:.]+\]|[\w.-]+):(\d{1,5})")
_RESOURCE = "site:"


class SitesError(Exception):
    """A run with sites cannot begin: the text says why, and what to do."""


@dataclass(frozen=True)
class Way:
    """To a scheduler.

    Attributes:
        address: `tls://host:port`, or `tcp://` and a loopback address.
        ca: PEM file of the authority that all certificates are from; None: what dask's configuration says.
        certificate: PEM file of our own certificate; None: as above.
        key: PEM file of its private key; None: as above, or in the certificate's file.
    """

    address: str
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @classmethod
    def of(cls, executor: str, ca: Path | None = None, certificate: Path | None = None, key: Path | None = None) -> Way:
        """The way that `--executor dask:tls://scheduler:8786` means. Raises SitesError."""
        if not executor.startswith(_ENGINE):
            raise SitesError(
                f"--executor is dask:tls://scheduler:8786, not {executor!r}: dask is the one engine there is"
            )
        return cls(scheduler_address(executor.removeprefix(_ENGINE)), ca, certificate, key)

    @property
    def is_encrypted(self) -> bool:
        """Whether it is spoken to over TLS."""
        return self.address.startswith("tls://")


def scheduler_address(text: str) -> str:
    """A scheduler's address, checked. Raises SitesError: passwords do not travel in clear."""
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise SitesError(f"{text!r} is no address of a scheduler: write tls://scheduler:8786")
    if match[1] == "tcp" and not _is_loopback(match[2]):
        raise SitesError(
            f"{text} is not encrypted: passwords and what machines say would travel in clear. Start scheduler and "
            "workers with certificates (dask scheduler --tls-ca-file ... --tls-cert ... --tls-key ...), and write tls://"
        )
    return text


def _is_loopback(host: str) -> bool:
    import ipaddress  # noqa: PLC0415  every pytest run of the environment imports this module

    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def site_resource(site: str) -> str:
    """The engine's resource that a worker of a site has."""
    return _RESOURCE + site


def site_of(resource: str) -> str | None:
    """The site that a resource stands for; None where it is another one."""
    return resource.removeprefix(_RESOURCE) if resource.startswith(_RESOURCE) else None
