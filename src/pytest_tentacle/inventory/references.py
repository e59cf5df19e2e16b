"""`${env:NAME}`, `${file:path}` and `${keyring:service/user}`: where an inventory's secrets really are.

What a reference gives is taken as it is: nothing in it is looked at again, so that a password may hold `$(...)`, `${`
or quotes. No value that a reference gave is ever put into a fault.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from pytest_tentacle.files import is_unicode, read_regular
from pytest_tentacle.hiding.values import shown

from .faults import Faults, Place, did_you_mean
from .nodes import ScalarValue
from .secrets import Reference, Secret

LARGEST_SECRET = 65_536
"""Bytes; a larger file was not meant."""

_REFERENCE = re.compile(r"\$\{(\w+):([^{}]+)\}")
_IN_TEXT = re.compile(r"\$\{([^{}]*)\}")
_KINDS = ("env", "file", "keyring")
_ELSEWHERE = "write ${env:NAME}, ${file:path} or ${keyring:service/user}"


class _ReferenceError(Exception):
    def __init__(self, message: str, value: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.value = value
        self.hint = hint


@dataclass(frozen=True)
class SecretSource:
    """A secret that is not looked up yet: one that no machine inherits need not be there.

    Attributes:
        kind: `env`, `file` or `keyring`.
        argument: what stands behind the colon.
        place: where the reference is written.
    """

    kind: str
    argument: str
    place: Place

    @property
    def reference(self) -> Reference:
        """What is sent to whoever is to look it up."""
        return Reference(f"${{{self.kind}:{self.argument}}}")


class SecretError(Exception):
    """A secret cannot be had: the text says which, and why, and never what it is."""


def look_up(reference: Reference, environment: Mapping[str, str]) -> Secret:
    """The secret that a reference stands for, on this machine. Raises SecretError.

    A file's path is absolute, or begins at the home folder or at the folder that this process runs in.
    """
    match = _REFERENCE.fullmatch(reference.get_secret_value())
    if match is None:
        raise SecretError("a reference to a secret is damaged")
    source = SecretSource(match[1], match[2], Place(str(Path.cwd() / "worker")))
    try:
        return Secret(References(environment, Faults()).look_up(source))
    except _ReferenceError as error:
        raise SecretError(f"{error.message}: {error.value}" + (f"; {error.hint}" if error.hint else "")) from None


class References:
    """Replaces references by what they stand for; notes what cannot be replaced, once for each place."""

    def __init__(self, environment: Mapping[str, str], faults: Faults) -> None:
        self._environment = environment
        self._faults = faults
        self._known: dict[SecretSource, Secret | None] = {}

    def text(self, scalar: ScalarValue) -> str | None:
        """The text with each `${env:NAME}` replaced; None where one cannot be, which is noted."""
        if "${" not in scalar.text or scalar.kind == "literal":
            return scalar.text
        try:
            return _IN_TEXT.sub(lambda match: self._in_text(match[1]), scalar.text)
        except _ReferenceError as error:
            self._faults.add(scalar.place, error.message, error.value, error.hint)
            return None

    def _in_text(self, reference: str) -> str:
        kind, colon, argument = reference.partition(":")
        if kind == "env" and argument:
            return self._variable(argument)
        written = f"${{{reference}}}"
        if kind in _KINDS and colon:
            raise _ReferenceError(f"${{{kind}:…}} is for passwords and passphrases alone", written, "write ${env:NAME}")
        near = f"did you mean ${{env:{reference}}}?" if reference in self._environment else "write ${env:NAME}"
        raise _ReferenceError("not a reference", written, near)

    def secret_source(self, scalar: ScalarValue, key: str) -> SecretSource | Secret | None:
        """What a password's or passphrase's value means. A literal one is warned about; None where it is faulty."""
        if scalar.kind == "literal":  # a program gave it: it stands in no file of ours
            return Secret(scalar.text) if scalar.text else None
        match = _REFERENCE.fullmatch(scalar.text)
        if match is None:
            if not scalar.text:
                self._faults.add(scalar.place, f"{key} is empty", hint="leave the key out if there is none")
                return None
            self._faults.warn(scalar.place, f"{key} in clear; better {_ELSEWHERE.removeprefix('write ')}")
            return Secret(scalar.text)
        kind, argument = match.groups()
        if kind not in _KINDS:
            hint = self._faults.near(kind, _KINDS)  # what is near none of them may be the password itself
            shown = kind if hint else None
            self._faults.add(scalar.place, f"{key} is a reference of an unknown kind", shown, hint or _ELSEWHERE)
            return None
        return SecretSource(kind, argument, scalar.place)

    def resolve(self, source: SecretSource) -> Secret | None:
        """Look a secret up, once; None where that fails, which is noted."""
        if source not in self._known:
            try:
                self._known[source] = Secret(self.look_up(source))
            except _ReferenceError as error:
                self._faults.add(source.place, error.message, error.value, error.hint)
                self._known[source] = None
        return self._known[source]

    def files(self) -> tuple[Path, ...]:
        """The secret files that were looked up."""
        return tuple(path_beside(source.place.file, source.argument) for source in self._known if source.kind == "file")

    def look_up(self, source: SecretSource) -> str:
        """What a reference stands for. Raises _ReferenceError."""
        if source.kind == "env":
            value = self._variable(source.argument)
        elif source.kind == "file":
            value = _from_file(source)
        else:
            value = _from_keyring(source.argument)
        if not value:
            raise _ReferenceError("the secret is empty", f"${{{source.kind}:{source.argument}}}")
        return value

    def _variable(self, name: str) -> str:
        value = self._environment.get(name)
        if value is None:
            hint = did_you_mean(name, self._environment) or "in sh: export NAME=..., in PowerShell: $env:NAME = '...'"
            raise _ReferenceError("the environment variable is not set", name, hint)
        if not is_unicode(value):
            raise _ReferenceError("the environment variable's bytes are no text", name, "write it as UTF-8")
        return value


def path_beside(file: str, text: str) -> Path:
    """The path that a text in an inventory file means: `~` is the home folder, else relative to that file."""
    path = Path(text)
    if text.startswith("~"):
        try:
            path = path.expanduser()
        except RuntimeError:  # no home folder: the path is then told as missing
            path = Path(text)
    return (Path(file).parent / path).absolute()


def _from_file(source: SecretSource) -> str:
    path = path_beside(source.place.file, source.argument)
    try:
        raw = read_regular(path, LARGEST_SECRET)
    except FileNotFoundError:
        raise _ReferenceError("there is no such secret file", source.argument, looked_for(path)) from None
    except (OSError, ValueError) as error:
        _refuse_file(path, getattr(error, "strerror", None) or "not a path")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        _refuse_file(path, "not UTF-8")
    return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text


def _refuse_file(path: Path, reason: str) -> NoReturn:
    raise _ReferenceError(f"the secret file cannot be read ({reason})", path.name, looked_for(path))


def looked_for(path: Path) -> str:
    """The path; its folder alone where the name may be the secret itself."""
    return f"looked for {path}" if shown(path.name) == path.name else f"looked in {path.parent}"


def _from_keyring(argument: str) -> str:
    service, slash, user = argument.rpartition("/")
    if not (service and slash and user):
        raise _ReferenceError("a keyring's secret needs service and user", argument, "write ${keyring:service/user}")
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        hint = "pip install 'pytest-tentacle[keyring]'"
        raise _ReferenceError("keyring is not installed", argument, hint) from None
    try:
        value = keyring.get_password(service, user)
    except Exception as error:  # noqa: BLE001  back ends raise what their system's services raise
        raise _ReferenceError(f"the keyring gives no answer ({type(error).__name__})", argument) from None
    if value is None:
        hint = f"keyring set {service} {user}"
        raise _ReferenceError("the keyring has no such secret", argument, hint)
    return str(value)
