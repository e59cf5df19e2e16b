"""The types of an inventory file's keys: what a value may be, and what is said when it is not.

Validators raise FieldError with a predicate ("must be ...") that the key's name is put before. Values come as text,
bool, list or map: a number is checked as it is spelled.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from datetime import date
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from pytest_tentacle.hiding.values import has_password

_THUMBPRINT_DIGITS = 40
_ALMOST_A_THUMBPRINT = 20
"""A text with fewer digits is something else, which may be a secret."""
_HIGHEST_PORT = 65535
_LONGEST_HOST = 253
_LONGEST_NAME = 200
_ALMOST_A_SWITCH = frozenset({"yes", "no", "on", "off", "y", "n", "1", "0", "true", "false"})
_HEX = frozenset("0123456789abcdefABCDEF")
_NOT_IN_NAMES = re.compile(r"[,*?\[\]]")
_NO_LOG_ON = "take out what stands before the @: user: and password: are keys of transport:"
_NOT_IN_SITES = re.compile(r"[^\w.-]")
_PORT_AT_END = re.compile(r"^([^:]+):(\d+)$")
_CODE = re.compile(r"TT\d{3}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class FieldError(ValueError):
    """A value does not fit its key.

    Attributes:
        predicate: what is wrong, to be read after the key's name.
        hint: what to write instead.
        show: whether the value may be shown.
    """

    def __init__(self, predicate: str, hint: str | None = None, *, show: bool = True) -> None:
        super().__init__(predicate)
        self.predicate = predicate
        self.hint = hint
        self.show = show


def _text(value: Any) -> str:
    if isinstance(value, bool):
        raise FieldError("must be text", "put it in quotes")
    if not isinstance(value, str):
        kind = "nothing" if value is None else "a mapping" if isinstance(value, dict) else "a list"
        raise FieldError(f"must be text, not {kind}")
    if not value.strip():
        raise FieldError("is empty", "leave the key out if there is nothing to say")
    if (found := invisible_in(value)) is not None:
        raise FieldError(f"has an invisible character: {found}", "type it again instead of copying it")
    return value


def _name(value: str) -> str:
    if value != value.strip():
        raise FieldError("begins or ends with a space")
    if len(value) > _LONGEST_NAME:
        raise FieldError(f"is longer than {_LONGEST_NAME} characters")
    if has_password(value):
        raise FieldError("seems to have a password in it", "name the machine alone", show=False)
    if value.startswith("!") or _NOT_IN_NAMES.search(value):
        raise FieldError("may not have , * ? [ ] in it nor begin with !", "--limit gives these a meaning")
    return value


def _site(value: str) -> str:
    if _NOT_IN_SITES.search(value):
        raise FieldError(
            "has letters, digits, - . and _ alone", "its workers' resource at the scheduler bears it", show=False
        )
    return value


def host(value: str) -> str:
    """A DNS name or an IP address, nothing around it. Raises FieldError."""
    if "@" in value:
        raise FieldError("must be a host name or an IP address alone", _NO_LOG_ON, show=False)
    if "://" in value or "/" in value:
        part = (value.partition("://")[2] or value).partition("/")[0]
        bare = part.rpartition(":")[0] if _PORT_AT_END.match(part) else ""
        advice = f"write {bare!r}, and the port as port:" if bare else f"write {part!r}" if part else None
        raise FieldError("must be a host name or an IP address alone", advice)
    if (with_port := _PORT_AT_END.match(value)) is not None:
        raise FieldError("must be a host name or an IP address alone", f"write {with_port[1]!r}, and the port as port:")
    if ":" in value or value.startswith("["):
        return ip_address(value)
    if " " in value or len(value) > _LONGEST_HOST or value.startswith(".") or ".." in value:
        raise FieldError("is no host name")
    return value


_SUCH_AS = "such as balancer.example.com:10944"


def endpoint(value: str) -> str:
    """A host and a port, `host:port`; an IPv6 address in brackets. Raises FieldError."""
    if "@" in value:
        raise FieldError("must be a host and a port", "take out what stands before the @", show=False)
    bare, colon, port = value.rpartition(":")
    if not colon or not bare or (bare.count(":") and not bare.startswith("[")):
        raise FieldError("must be a host and a port", _SUCH_AS)
    name = host(bare[1:-1] if bare.startswith("[") and bare.endswith("]") else bare)
    try:
        number = _port(port)
    except FieldError:
        raise FieldError("must end with a port, a whole number from 1 to 65535", _SUCH_AS) from None
    return f"[{name}]:{number}" if ":" in name else f"{name}:{number}"


def ip_address(value: str) -> str:
    """An IPv4 or IPv6 address without port or prefix length. Raises FieldError."""
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        hint = None
        if value.startswith("[") and value.endswith("]"):
            hint = f"write {value[1:-1]!r}"
        raise FieldError("must be an IPv4 or IPv6 address", hint) from None


def thumbprint(value: str) -> str:
    """A certificate's SHA-1 thumbprint, 40 hexadecimal digits, in upper case as .NET writes it (tentacle-facts 1.2).

    Halibut compares it character by character, so what surrounds or divides the digits is called by name and not
    taken away. Raises FieldError.
    """
    digits = "".join(c for c in value if c in _HEX)
    if digits == value and len(digits) == _THUMBPRINT_DIGITS:
        return value.upper()
    if digits == value:
        raise FieldError(f"must have {_THUMBPRINT_DIGITS} hexadecimal digits, and has {len(value)}")
    hint = f"without it: {digits.upper()}" if len(digits) == _THUMBPRINT_DIGITS else f"it has {len(digits)} digits"
    if len(digits) < _ALMOST_A_THUMBPRINT or len(value) > 2 * _THUMBPRINT_DIGITS + len(digits):
        raise FieldError(f"must be {_THUMBPRINT_DIGITS} hexadecimal digits and nothing else", show=False)
    found = describe(value, set(value) - _HEX)
    raise FieldError(f"must be {_THUMBPRINT_DIGITS} hexadecimal digits and nothing else, and has {found}", hint)


def _thumbprint_text(value: Any) -> str:
    """Without the check for invisible characters: `thumbprint` says more about them."""
    if not isinstance(value, str):
        raise FieldError(f"must be {_THUMBPRINT_DIGITS} hexadecimal digits")
    return thumbprint(value)


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        complete = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        complete = False
    if not complete:
        raise FieldError("must be a URL", "such as https://octopus.example.com")
    if parts.username is not None:
        raise FieldError("must not have a user or password in it", show=False)
    if parts.query:
        raise FieldError("must not have a ? in it", "an API key goes into api_key:", show=False)
    return value


def _user(value: str) -> str:
    if ":" in value:
        raise FieldError("may not have a colon in it", "write the password as password:", show=False)
    return value


def _jump(value: str) -> str:
    """One machine or several, as in ssh_config: `user@host:port,...`."""
    if any(":" in jump.rpartition("@")[0].removeprefix("ssh://") for jump in value.split(",")):
        raise FieldError("may not have a password in it", "machines to jump over are logged on to by key", show=False)
    return value


def _port(value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and 1 <= int(value[:6]) <= _HIGHEST_PORT:
        return int(value)
    raise FieldError(f"must be a whole number from 1 to {_HIGHEST_PORT}", show=_like_a_port(value))


def _like_a_port(value: Any) -> bool:
    """What has letters in it may be a password, typed into the wrong field."""
    return isinstance(value, str) and not any(letter.isalpha() for letter in value)


def _switch(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in {"true", "false"}:  # out of ${env:...}, which gives text
        return value == "true"
    raise FieldError("must be true or false", show=isinstance(value, str) and value.casefold() in _ALMOST_A_SWITCH)


def _code(value: str) -> str:
    """A problem's code by its form; whether the catalogue has it, `loading` asks."""
    if not _CODE.fullmatch(value):
        near = value.strip().upper()
        hint = f"write {near}" if _CODE.fullmatch(near) else None
        if near.startswith("TC"):
            hint = "TC… is a cause: waive the problems (TT…) that the report lists with it"
        raise FieldError("must be the code of a problem, such as TT205", hint)
    return value


def _date(value: Any) -> date:
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise FieldError("is no day of the calendar") from None
    raise FieldError("must be a date, such as 2027-01-31")


def _maps(value: Any) -> Any:
    if not isinstance(value, list):
        raise FieldError("must be a list", "begin each of its maps with a dash: - code: TT205")
    if not all(isinstance(item, dict) for item in value):
        raise FieldError("must be a list of maps", "each with code: and reason:")
    return value


def _listed(value: Any) -> Any:
    """One value stands for a list of it."""
    if isinstance(value, dict):
        raise FieldError("must be a name or a list of names, not a mapping")
    return value if isinstance(value, list) else [value]


Text = Annotated[str, BeforeValidator(_text)]
Name = Annotated[Text, AfterValidator(_name)]
Site = Annotated[Name, AfterValidator(_site)]
Host = Annotated[Text, AfterValidator(host)]
Address = Annotated[Text, AfterValidator(ip_address)]
Endpoint = Annotated[Text, AfterValidator(endpoint)]
Url = Annotated[Text, AfterValidator(_url)]
User = Annotated[Text, AfterValidator(_user)]
Jump = Annotated[Text, AfterValidator(_jump)]
Thumbprint = Annotated[
    str,
    BeforeValidator(_thumbprint_text),
    Field(json_schema_extra={"pattern": r"^([0-9A-Fa-f]{40}|.*\$\{env:.*)$"}),
]
Port = Annotated[int, Field(ge=1, le=_HIGHEST_PORT), BeforeValidator(_port)]
Switch = Annotated[bool, BeforeValidator(_switch)]
Code = Annotated[Text, AfterValidator(_code), Field(json_schema_extra={"pattern": r"^(TT[0-9]{3}|.*\$\{env:.*)$"})]
Date = Annotated[
    date,
    BeforeValidator(_date),
    Field(json_schema_extra={"pattern": r"^([0-9]{4}-[0-9]{2}-[0-9]{2}|.*\$\{env:.*)$"}),
]
Maps = BeforeValidator(_maps)
"""Goes with a tuple of models."""


def _or_one(schema: dict[str, Any]) -> None:
    """In the schema, too, one value stands for a list of it."""
    items = schema.pop("items")
    schema.pop("type")
    schema["anyOf"] = [items, {"type": "array", "items": items}]


Names = Annotated[tuple[Name, ...], BeforeValidator(_listed), Field(json_schema_extra=_or_one)]
Hosts = Annotated[tuple[Host, ...], BeforeValidator(_listed), Field(json_schema_extra=_or_one)]
Ports = Annotated[tuple[Port, ...], BeforeValidator(_listed), Field(json_schema_extra=_or_one)]


_INVISIBLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"})
_CONTROL_NAMES = {"\t": "TAB", "\n": "LINE FEED", "\r": "CARRIAGE RETURN", "\x00": "NULL", "\x1b": "ESCAPE"}
_POSITIONS_TOLD = 4


def invisible_in(text: str) -> str | None:
    """Names and positions of the invisible characters in a text, an ordinary space not among them; None without any."""
    found = {c for c in text if c != " " and unicodedata.category(c) in _INVISIBLE}
    return describe(text, found) if found else None


def describe(text: str, wanted: set[str]) -> str:
    """Name each wanted character of a text with its positions, from 1: `SPACE (U+0020) at positions 3, 6`."""
    told = []
    for character in dict.fromkeys(c for c in text if c in wanted):
        positions = [str(number) for number, c in enumerate(text, 1) if c == character]
        more = ", …" if len(positions) > _POSITIONS_TOLD else ""
        word = "position" if len(positions) == 1 else "positions"
        told.append(f"{name_of(character)} at {word} {', '.join(positions[:_POSITIONS_TOLD])}{more}")
    return " and ".join(told)


def name_of(character: str) -> str:
    """A character's Unicode name and number: `LEFT-TO-RIGHT MARK (U+200E)`."""
    name = _CONTROL_NAMES.get(character) or unicodedata.name(character, "UNNAMED CHARACTER")
    return f"{name} (U+{ord(character):04X})"
