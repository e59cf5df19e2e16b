"""The names in a run that pseudonyms stand for: what the inventory declares, and what the surveys found.

Always in one order, so that every process of a run gives everybody the same false name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.x509.oid import NameOID
from pydantic import BaseModel

from pytest_tentacle.inventory.model import Inventory, OctopusServer
from pytest_tentacle.octopus.model import Portal
from pytest_tentacle.survey.store import Surveys

from .redactor import Redactor

_HOST_FIELDS = frozenset({"hostname", "fqdn", "host", "dns_name", "endpoint", "proxy"})
_USER_FIELDS = frozenset({"user", "account", "owner"})
_GROUP_FIELDS = frozenset({"group", "groups"})
_PROXY_FIELDS = frozenset({"address", "bypass"})
_CERTIFICATE_NAMES = frozenset({"subject", "issuer"})
_HOST_SETTINGS = ("proxyhost", "nodename")
_USER_SETTINGS = ("proxyusername",)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://(?:[^\s/@\"'<>]{0,1300}@)?([A-Za-z0-9_][\w.-]*)")
_HOST = re.compile(
    r"(?:[a-z]+=)?(?:[a-z]+://)?(?:\*?\.)?([A-Za-z0-9_][\w-]*(?:\.[\w-]+)*)\.?(?::\d+)?/?", re.IGNORECASE
)
_LETTER = re.compile(r"[A-Za-z]")


class Names:
    """Hosts and users, each once, in the order in which they were met; and texts that may tell of more."""

    def __init__(self) -> None:
        self.hosts: dict[str, None] = {}
        self.users: dict[str, None] = {}
        self.groups: dict[str, None] = {}
        self.texts: dict[str, None] = {}

    def host(self, text: str) -> None:
        """A host's name, with or without port."""
        match = _HOST.fullmatch(text.strip())
        if match and _LETTER.search(match[1]):
            self.hosts[match[1]] = None

    def user(self, text: str) -> None:
        """A user's name, with or without domain; a security identifier is none."""
        if not text.upper().startswith("S-1-"):
            self.users[text] = None

    def walk(self, value: Any, key: str = "", owner: str = "") -> None:
        """Everything in a model, recursively; `owner` is the model's name, `key` the field's or the map's."""
        match value:
            case str():
                self._text(value, key, owner)
            case BaseModel():
                for name, member in value:
                    self.walk(member, name, type(value).__name__)
            case dict():
                for name, member in value.items():
                    self._text(str(name), "", "map")
                    self.walk(member, str(name), "map")
            case list() | tuple():
                for member in value:
                    self.walk(member, key, owner)

    def _text(self, text: str, key: str, owner: str) -> None:
        lower = key.lower()
        if owner == "Certificate":
            self._certificate(text, key)
        self.texts[text] = None
        for host in _URL.findall(text):
            self.host(host)
        if key in _HOST_FIELDS or lower.endswith(_HOST_SETTINGS) or (owner == "OwnName" and key == "name"):
            self.host(text)
        elif key in _GROUP_FIELDS:
            self.groups[text] = None
        elif key in _USER_FIELDS or lower.endswith(_USER_SETTINGS):
            self.user(text)
        elif owner == "Proxy" and key in _PROXY_FIELDS and "\n" not in text:
            for part in re.split(r"[;, ]+", text):
                self.host(part)

    def _certificate(self, text: str, key: str) -> None:
        if text in self.texts:
            return
        for name in _common_names(text) if key in _CERTIFICATE_NAMES else (text,) if key == "names" else ():
            self.texts[name] = None
            if "." in name:
                self.host(name)


def learn_inventory(redactor: Redactor, inventory: Inventory) -> None:
    """Teach the names that an inventory declares, and its files'."""
    names = Names()
    for machine in inventory.machines:
        names.hosts[machine.name] = None
    for machine in inventory.machines:
        names.groups.update(dict.fromkeys((*machine.groups, *([machine.site] if machine.site else []))))
        for host in (machine.dns_name, *(machine.addresses if isinstance(machine, OctopusServer) else ())):
            names.host(host or "")
        if isinstance(machine, OctopusServer):
            names.host(urlsplit(machine.portal or "").hostname or "")
        for host in machine.transport.hosts:
            names.host(host)
        for user in machine.transport.users:
            names.user(user)
    if inventory.portal is not None:
        _learn_portal(names, inventory.portal)
    files = [(file, f"inventory-{number}.yaml") for number, file in enumerate(inventory.files, 1)]
    redactor.learn(names.hosts, names.users, files, groups=names.groups)


_OF_EACH_OCTOPUS = frozenset({"default", "default machine policy", "default worker pool", "default environment"})
"""Names that Octopus itself gives: they tell nothing of anybody."""


def _learn_portal(names: Names, portal: Portal) -> None:
    """What Octopus calls its machines and nodes, spaces, environments, tenants and the like."""
    names.host(urlsplit(portal.url).hostname or "")
    for host in (*(node.name for node in portal.nodes), *portal.answered_by, *_machines_of(portal)):
        names.hosts[host] = None
    called = [*portal.spaces, *portal.stopped_spaces, *(policy.name for policy in portal.policies)]
    for each in portal.registrations:
        called += [each.space, *each.environments, *each.tenants, *each.tenant_tags, *each.pools]
        for host in (each.host or "", (each.proxy or "").rpartition(":")[0]):
            names.host(host)
    names.groups.update(dict.fromkeys(name for name in called if name.casefold() not in _OF_EACH_OCTOPUS))


def _machines_of(portal: Portal) -> Iterator[str]:
    yield from (each.name for each in portal.registrations)
    yield from (name for left in portal.left_out for name in left.names)


def learn_surveys(redactor: Redactor, surveys: Surveys) -> None:
    """Teach the names that surveys hold: where a field is for one, and where a text shows one."""
    if not redactor.uses_pseudonyms or redactor.taught(surveys):
        return
    learn_inventory(redactor, surveys.inventory)
    names = Names()
    for record in surveys.records:
        names.walk(record)
    for probes in surveys.controller_probes.values():
        names.walk(probes)
    names.walk(surveys.actions)
    redactor.learn(names.hosts, names.users, texts=names.texts, groups=names.groups)


def _common_names(name: str) -> Iterator[str]:
    """The common names in a subject's or issuer's text."""
    try:
        parsed = x509.Name.from_rfc4514_string(name)
    except ValueError:
        return
    yield from (str(each.value) for each in parsed.get_attributes_for_oid(NameOID.COMMON_NAME))
