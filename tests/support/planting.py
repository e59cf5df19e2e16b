"""Surveys with something planted in every text field of every section, made by walking the models themselves.

A field that is added to a model is planted, too; nobody need think of it.
"""

from __future__ import annotations

import base64
import enum
import re
import types
import zipfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import BaseModel

from pytest_tentacle.inventory import without_credentials
from pytest_tentacle.link import Certificate, Probe
from pytest_tentacle.link.decoding import decode
from pytest_tentacle.survey.model import HostRecord, Unreachable
from pytest_tentacle.survey.store import Surveys

from . import NOW

_KEY = ec.generate_private_key(ec.SECP256R1())
_SCALARS = {bool: True, int: 1, float: 1.0, datetime: NOW, date: NOW.date()}

Plant = Callable[[str], str]
"""Takes a field's path, such as `Survey.host.data.hostname`; gives what to plant there."""


def certificate_of(name: str, other: str = "a.test") -> bytes:
    """A self-signed certificate with a common name and another DNS name, as DER."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(_KEY.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1000))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(other)]), critical=False)
        .sign(_KEY, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.DER)


class Planter:
    """Makes one filled instance of a model.

    Args:
        plant: what a text field holds.
        short: the same, where the text becomes a name in a certificate: at most 64 characters.
        turn: which of several choices (of a Literal, an Enum, a union) is taken.
    """

    def __init__(self, plant: Plant, short: Plant, turn: int = 0) -> None:
        self._plant = plant
        self._short = short
        self._turn = turn

    def model(self, model: type[BaseModel], path: str, **fixed: Any) -> Any:
        """An instance with every field filled; `fixed` are fields that are given."""
        if model is Certificate:
            return decode(certificate_of(self._short(f"{path}.subject"), self._short(f"{path}.names")))
        values = {}
        for name, field in model.model_fields.items():
            if name in fixed:
                values[name] = fixed[name]
            elif name == "unknown" and "data" in model.model_fields:
                values[name] = None
            else:
                values[name] = self._value(field.annotation, f"{path}.{name}")
        return model.model_validate(values)

    def _value(self, kind: Any, path: str) -> Any:
        origin, arguments = get_origin(kind), get_args(kind)
        if isinstance(kind, TypeVar) or kind is Any:
            return self._plant(path)
        if origin is Literal:
            return arguments[self._turn % len(arguments)]
        if origin in (Union, types.UnionType):
            choices = [each for each in arguments if each is not type(None)]
            return self._value(choices[self._turn % len(choices)], path)
        if origin is tuple:
            return (self._value(arguments[0], path),)
        if origin is dict:
            return {self._key(path): self._value(arguments[1], path)}
        return self._plain(kind, path)

    def _plain(self, kind: Any, path: str) -> Any:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return self.model(kind, path)
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            members = list(kind)
            return members[self._turn % len(members)]
        if kind is str:
            return self._plant(path)
        return _SCALARS[kind]

    def _key(self, path: str) -> str:
        return self._plant(f"{path}.key")


def surveys_of(inventory: Any, plant: Plant, short: Plant) -> Surveys:
    """Surveys of all machines, each with other choices where a field has some; of the last one, why there is none."""
    records = []
    last = len(inventory.machines) - 1
    for turn, machine in enumerate(inventory.machines):
        planter = Planter(plant, short, turn)
        fixed = {"host_key": machine.host_key, "machines": (machine.name,)}
        if turn == last:
            unreachable = planter.model(Unreachable, f"{machine.name}.unreachable")
            records.append(HostRecord(**fixed, taken_utc=NOW, seconds=1, unreachable=unreachable))
        else:
            records.append(planter.model(HostRecord, machine.name, **fixed, unreachable=None))
    probes = tuple(Planter(plant, short, turn).model(Probe, f"own{turn}") for turn in range(3))
    return Surveys(
        version="0",
        taken_utc=NOW,
        inventory=without_credentials(inventory),
        records=tuple(records),
        controller_probes={inventory.tentacles[0].name: probes},
    )


def texts_of(folder: Path, done: Any) -> dict[str, str]:
    """Every output by name: files, members of archives, screens; and what is encoded in them, decoded."""
    found = {"stdout": done.stdout, "stderr": done.stderr}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                found |= {f"{path.name}/{name}": archive.read(name).decode() for name in archive.namelist()}
        else:
            found[path.name] = path.read_text(encoding="utf-8")
    for name, text in list(found.items()):
        blobs = re.findall(r"(?:[A-Za-z0-9+/]{4}){10,}", text)
        found[f"{name}, decoded"] = "\n".join(base64.b64decode(blob).decode("latin-1") for blob in blobs)
    return found
