"""Stand-ins for certificates: what a peer presented, remade with false names for what leaves the house.

Kept are validity, key and algorithms: they decide verdicts. Serial number and signature are blanked, since with them
and the thumbprint somebody could try names until they fit. The real thumbprint stands beside the stand-in
(`link.Secured.stands_for`): it names nobody, and every comparison rests on it.
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Callable, Iterator
from typing import Any

from pytest_tentacle.link import Secured

_SEQUENCE, _INTEGER, _OCTETS = 0x30, 0x02, 0x04
_CONSTRUCTED = 0x20
_UTF8 = 0x0C
_TEXTS = {
    _UTF8: "utf-8",
    0x12: "ascii",
    0x13: "ascii",
    0x14: "latin-1",
    0x16: "ascii",
    0x1A: "ascii",
    0x1E: "utf-16-be",
}
"""DER's kinds of text; T61 as everybody writes it."""
_GENERAL_NAMES = frozenset({0x81, 0x82, 0x86})
"""In a subject's other names: mail address, DNS name, URI."""
_ADDRESS = 0x87
_EXTENSIONS = 0xA3
CERTIFICATE_FIELDS = frozenset({"certificate", "certificates", "stands_for"})
"""Fields of a survey file that hold certificates and their thumbprints: in them is nothing that a text's rules know."""

_LENGTHS = (4, 16)
_DEEPEST = 30
_SHORT_FORM = 0x80


def stand_in(certificate: str, clean: Callable[[str], str]) -> str | None:
    """A certificate (base64 of DER) with every text and address in it made false by `clean`; None: nothing was.

    What is no certificate becomes an empty DER sequence, which is none either, where `clean` finds anything in it.
    """
    try:
        der = base64.b64decode(certificate)
    except ValueError:
        der = certificate.encode()
    maker = _Maker(clean)
    try:
        remade = maker.certificate(der)
    except (ValueError, StopIteration):
        remade = _made(_SEQUENCE, b"")
        maker.text(der.decode("latin-1"))
    return base64.b64encode(remade).decode() if maker.changed else None


def with_stand_ins(document: Any, clean: Callable[[str], str]) -> Any:
    """A survey file's document with a stand-in, and the real thumbprint beside it, for each certificate that names.

    Where a certificate stands, the fields of `link.Secured` and `link.PingSeries` say; equal ones stay equal.
    """
    known: dict[str, str | None] = {}

    def remade(certificate: str) -> str | None:
        if certificate not in known:
            known[certificate] = stand_in(certificate, clean)
        return known[certificate]

    def walk(value: Any) -> Any:
        if isinstance(value, list):
            return [walk(member) for member in value]
        if not isinstance(value, dict):
            return value
        result = {key: walk(member) for key, member in value.items()}
        one, several = value.get("certificate"), value.get("certificates")
        if isinstance(one, str) and (made := remade(one)) is not None:
            result |= {"certificate": made, "stands_for": value.get("stands_for") or _thumbprint(one)}
        if isinstance(several, list) and any(remade(each) is not None for each in several):
            result["certificates"] = [remade(each) or each for each in several]
            result["stands_for"] = value.get("stands_for") or [_thumbprint(each) for each in several]
        return result

    return walk(document)


def _thumbprint(certificate: str) -> str:
    return Secured(certificate=certificate).thumbprint or ""


class _Maker:
    """Takes DER apart and puts it together again, and knows whether any text became another."""

    def __init__(self, clean: Callable[[str], str]) -> None:
        self._clean = clean
        self.changed = False

    def text(self, text: str) -> str:
        clean = self._clean(text)
        self.changed |= clean != text
        return clean

    def certificate(self, der: bytes) -> bytes:
        (outer,) = _parts(der)
        tbs, algorithm, signature = _parts(outer[1])
        fields = []
        for tag, body in _parts(tbs[1]):
            if tag == _INTEGER:
                fields.append(_made(tag, b"\x01"))
            else:  # extensions hold DER in octet strings; elsewhere these are just bytes
                fields.append(self._value(tag, body, inside=tag == _EXTENSIONS))
        blank = _made(signature[0], bytes(len(signature[1])))
        return _made(_SEQUENCE, _made(_SEQUENCE, b"".join(fields)) + _made(*algorithm) + blank)

    def _value(self, tag: int, body: bytes, *, inside: bool, depth: int = 0) -> bytes:
        if depth > _DEEPEST:
            raise ValueError("nested too deeply")
        if tag in _TEXTS:
            made, body = self._text(tag, body)
            return _made(made, body)
        if tag & _CONSTRUCTED:
            body = self._all(body, inside=inside, depth=depth)
        elif inside:
            body = self._inside(tag, body, depth)
        return _made(tag, body)

    def _all(self, body: bytes, *, inside: bool, depth: int) -> bytes:
        return b"".join(self._value(*part, inside=inside, depth=depth + 1) for part in _parts(body))

    def _inside(self, tag: int, body: bytes, depth: int) -> bytes:
        if tag in _GENERAL_NAMES:
            return self.text(body.decode("latin-1")).encode("latin-1", "replace")
        if tag == _ADDRESS and len(body) in _LENGTHS:
            return ipaddress.ip_address(self.text(str(ipaddress.ip_address(body)))).packed
        if tag != _OCTETS:
            return body
        try:
            return self._all(body, inside=True, depth=depth)
        except ValueError:  # the identifier of a key, say
            return bytes(len(body))

    def _text(self, tag: int, body: bytes) -> tuple[int, bytes]:
        text = self.text(body.decode(_TEXTS[tag]))
        try:
            return tag, text.encode(_TEXTS[tag])
        except UnicodeEncodeError:
            return _UTF8, text.encode()


def _parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The DER values that follow each other in some bytes: tag and content. Raises ValueError for what is no DER."""
    at = 0
    while at < len(data):
        if at + 2 > len(data):
            raise ValueError("cut off")
        tag, length = data[at], data[at + 1]
        at += 2
        if length >= _SHORT_FORM:
            size = length - _SHORT_FORM
            if not 1 <= size <= 4 or at + size > len(data):  # noqa: PLR2004  four bytes count to four billion
                raise ValueError("no length")
            length = int.from_bytes(data[at : at + size], "big")
            at += size
        if at + length > len(data):
            raise ValueError("cut off")
        yield tag, data[at : at + length]
        at += length


def _made(tag: int, body: bytes) -> bytes:
    if len(body) < _SHORT_FORM:
        return bytes((tag, len(body))) + body
    size = (len(body).bit_length() + 7) // 8
    return bytes((tag, _SHORT_FORM | size)) + len(body).to_bytes(size, "big") + body
