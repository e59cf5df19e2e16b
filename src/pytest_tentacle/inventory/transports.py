"""A machine's transport from its merged settings: defaults filled in, combinations that cannot work refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import model
from .faults import Faults
from .fields import FieldError, host
from .file_model import AUTH_WORDS, PATH_KEYS, TRANSPORT_MODELS
from .layers import FAULTY, Layer, Setting
from .references import References, SecretSource, looked_for

WINRM_HTTP_PORT = 5985
"""WinRM's port for plain HTTP."""

_LOOKED_FOR = PATH_KEYS - {"known_hosts"}
"""Files that must be there; known_hosts may be made by the first accepted key."""


class TransportBuilder:
    """Builds transports; a fault that many machines inherit is noted where it is written, once."""

    def __init__(self, references: References, faults: Faults, *, lab: bool, elsewhere: bool) -> None:
        """`elsewhere`: machines with a site are surveyed by its worker, whose files and secrets are not here."""
        self._references = references
        self._faults = faults
        self._lab = lab
        self._elsewhere = elsewhere
        self._problems: dict[Path, str | None] = {}

    def build(self, own: Layer, machine: Layer, name: str) -> model.Transport:
        """The transport of a machine, of its own layer and all layers merged. NoTransport where it is faulty."""
        settings = machine.transport
        if not settings:
            return model.NoTransport()
        kind = self._kind(machine, name)
        if kind is None:
            return model.NoTransport()
        values = self._values(kind, own, machine)
        settings_of_kind = model.KINDS[kind]
        if "host" not in settings_of_kind.model_fields:
            return settings_of_kind.model_validate({})
        values["host"] = self._host(machine, name) or FAULTY
        if kind == "winrm":
            self._check_winrm(values, settings)
            if values.get("scheme") == "http":
                values.setdefault("port", WINRM_HTTP_PORT)
        if kind == "ssh" and values.get("auth") == "kerberos":
            self._check_ticket(own.transport, name)
        if FAULTY in values.values():
            return model.NoTransport()
        return settings_of_kind.model_validate(values)

    def _kind(self, machine: Layer, name: str) -> str | None:
        """The word for the kind of a transport; None where it is missing or faulty."""
        kind = machine.transport.get("kind")
        if kind is None:
            place = machine.transport_place or machine.place
            hint = f"write kind: one of {', '.join(TRANSPORT_MODELS)}"
            self._faults.add(place, "the kind of the transport is missing", name, hint)
            return None
        return None if kind.value is FAULTY else str(kind.value)

    def _values(self, kind: str, own: Layer, machine: Layer) -> dict[str, Any]:
        """The settings that this kind of transport has, secrets looked up and files looked for."""
        known = TRANSPORT_MODELS[kind].model_fields
        there = self._elsewhere and machine.value("site") is not None
        secrets_there = there and machine.value("secrets") == "worker"
        values: dict[str, Any] = {}
        for key, setting in machine.transport.items():
            if key not in known:
                # What is inherited may be meant for members of another kind; what stands here cannot.
                if key in own.transport and setting.value is not FAULTY:
                    self._faults.add(setting.key_place, f"transport {kind} has no such key", key)
                continue
            value = setting.value
            if key == "auth" and value not in {None, FAULTY, *AUTH_WORDS[kind]}:
                if key in own.transport:
                    hint = f"write one of {', '.join(AUTH_WORDS[kind])}"
                    self._faults.add(setting.place, f"transport {kind} has no such auth", value, hint)
                continue
            if isinstance(value, SecretSource):
                value = value.reference if secrets_there else self._references.resolve(value) or FAULTY
            if (
                key in _LOOKED_FOR
                and not there
                and isinstance(value, Path)
                and (problem := self._problem(value)) is not None
            ):
                self._faults.add(setting.place, f"{key}: {problem}", value.name, looked_for(value))
                value = FAULTY
            if value is not None and key != "kind":
                values[key] = value
        return values

    def _problem(self, path: Path) -> str | None:
        """Why a file cannot be used; None where it can."""
        if path not in self._problems:
            try:
                self._problems[path] = None if path.is_file() else "there is no such file"
            except OSError as error:
                self._problems[path] = f"cannot be read ({error.strerror or type(error).__name__})"
        return self._problems[path]

    def _host(self, machine: Layer, name: str) -> str | None:
        """The host to log on to: its own word, else the machine's ip, dns_name or name. None where it is faulty."""
        for setting in (machine.transport.get("host"), machine.settings.get("ip"), machine.settings.get("dns_name")):
            if setting is not None and setting.value is FAULTY:
                return None
            if setting is not None and setting.value is not None:
                return str(setting.value)
        try:
            return host(name)
        except FieldError:
            message = "the transport has no host to log on to, and the name is none"
            self._faults.add(machine.place_of("name"), message, name, "declare ip, dns_name, or host in transport")
            return None

    def _check_ticket(self, own: dict[str, Setting], name: str) -> None:
        """By Kerberos nothing else is tried; what is inherited may be meant for others."""
        for key in ("key", "passphrase", "password"):
            if key in own:
                hint = "leave it out, or say auth: keys"
                self._faults.add(own[key].key_place, f"transport ssh with auth kerberos uses no {key}", name, hint)

    def _check_winrm(self, values: dict[str, Any], settings: dict[str, Setting]) -> None:
        """What the way to authenticate needs. Kerberos alone can take the ticket of whoever runs pytest."""
        auth = values.get("auth", "ntlm")
        place = settings["auth" if "auth" in settings else "kind"].place
        if values.get("scheme") == "http" and auth in {"basic", "certificate"}:
            reason = "would send the password in clear" if auth == "basic" else "needs TLS"
            self._faults.add(place, f"auth over plain http {reason}", auth, "use scheme: https, or auth: ntlm")
        needed = {"certificate": ("certificate", "certificate_key"), "kerberos": ()}.get(auth, ("user", "password"))
        missing = [key for key in needed if key not in values]
        if auth is FAULTY or not missing or self._lab:  # the lab knows its own users
            return
        hint = f"add {' and '.join(f'{key}:' for key in missing)} to transport:, or to defaults or a group"
        if place.file.startswith("--"):
            hint = "add --user NAME --ask-password"
        self._faults.add(place, f"transport winrm with auth {auth} needs {' and '.join(missing)}", hint=hint)
