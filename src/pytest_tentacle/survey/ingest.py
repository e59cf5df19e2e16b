"""The document of a survey script as a `Survey`.

Configuration files, logs, certificates and a packet filter's rules come as text, and become settings, records, traits
and rules: each is unpacked here, once, and nobody behind it sees what it was packed in.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from pytest_tentacle.link import LinkRef, Target, Vantage
from pytest_tentacle.link.decoding import decode_text
from pytest_tentacle.link.model import TOO_LONG
from pytest_tentacle.logs.reader import resolve_log
from pytest_tentacle.packet_filter import as_evidence, engine_of, read_sources

from . import limits
from .answer import AnswerError
from .configuration import ConfigurationError, parse_settings
from .door import Budget, let_in, refused
from .model import Survey
from .request import Request

_THUMBPRINT = re.compile(r"[0-9A-F]{40}")
_GZIP = b"\x1f\x8b"


def ingest(document: dict[str, Any], request: Request, budget: Budget | None = None) -> Survey:
    """Turns a script's document, the answer to a request, into a Survey that can travel on.

    Raises AnswerError where it is not of the survey's shape, answers what nobody asked, does not pass the door, or
    takes more than the budget.
    """
    budget = budget or Budget()
    resolved = dict(document)
    instances = resolved.get("instances")
    if isinstance(instances, dict) and isinstance(instances.get("data"), list):
        resolved["instances"] = {
            **instances,
            "data": [_instance(entry, budget) for entry in _few(instances["data"], "instances")],
        }
    firewall = resolved.get("firewall")
    if isinstance(firewall, dict) and isinstance(firewall.get("data"), dict):
        budget.check()
        resolved["firewall"] = {**firewall, "data": _firewall(firewall["data"])}
    logs = resolved.get("logs")
    if isinstance(logs, dict) and isinstance(logs.get("data"), list):
        room = _Room(limits.LOGS_BYTES)
        resolved["logs"] = {**logs, "data": [_log(entry, room, budget) for entry in _few(logs["data"], "logs")]}
    connects = resolved.get("proxy_connects")
    if isinstance(connects, dict) and isinstance(connects.get("data"), list):
        entries = enumerate(_few(connects["data"], "proxy_connects"))
        behind = [_with_certificates(entry, f"proxy_connects.{number}", budget) for number, entry in entries]
        resolved["proxy_connects"] = {**connects, "data": behind}
    looks = {"probes": request.targets, "pings": request.ping_targets, "tls_versions": request.version_targets}
    for name, targets in looks.items():
        if isinstance(resolved.get(name), list):
            resolved[name] = [
                _with_certificates(_look(entry, targets), f"{name}.{number}", budget)
                for number, entry in enumerate(_few(resolved[name], name))
            ]
    budget.check()
    try:
        survey = Survey.model_validate(resolved)
    except ValidationError as error:
        # The values themselves stay out: a document may hold what nobody expected in it.
        places = "; ".join(
            f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
            for problem in error.errors(include_input=False)[:5]
        )
        raise AnswerError(
            f"the machine's answer does not have the shape of a survey ({places})",
            "This is a defect of the survey script: please report it with the line above.",
        ) from None
    return let_in(survey, budget)


def _look(entry: Any, targets: Sequence[Target]) -> Any:
    """A look with its link: that of the target whose number comes back, or of an instance of the machine's own."""
    if not isinstance(entry, dict):
        return entry
    match entry.get("link"):
        case {"asked": int(number), **rest} if not rest and 0 <= number < len(targets):
            target = targets[number]
            return {**entry, "link": target.link, "host": target.host, "port": target.port, "by": target.by}
        case {"vantage": "tentacle" | "server" as product, "instance": str(name), **rest} if not rest:
            return {**entry, "link": LinkRef(vantage=Vantage(product), instance=name)}
    return {**entry, "link": None}


def _with_certificates(entry: Any, place: str, budget: Budget) -> Any:
    """A look, or a series of pings, with what its peers presented taken apart."""
    match entry:
        case {"tls": {"certificate": str(text)} as tls}:
            certificate = _certificate(text, f"{place}.tls.certificate", budget)
            return {**entry, "tls": {**tls, "certificate": certificate}}
        case {"tls": {"stands_for": str(thumbprint), **rest}}:
            if _THUMBPRINT.fullmatch(thumbprint) is None:
                raise refused(f"{place}.tls.stands_for", "it is no thumbprint")
            return {**entry, "tls": {**rest, "certificate": {"thumbprint": thumbprint, "error": TOO_LONG}}}
        case {"certificates": list(texts)}:
            few = _few(texts, f"{place}.certificates")
            where = f"{place}.certificates"
            return {**entry, "certificates": [_certificate(text, where, budget) for text in few]}
    return entry


def _certificate(text: Any, place: str, budget: Budget) -> Any:
    """What is no text stays as it is: its shape is looked at later, and the lab hands over what our client decoded."""
    if not isinstance(text, str):
        return text
    budget.check()
    if len(text) > limits.CERTIFICATE:
        raise refused(place, f"a certificate is longer than {limits.CERTIFICATE:,} characters")
    try:
        return decode_text(text)
    except ValueError:
        raise refused(place, "a certificate cannot be decoded: it is no base64") from None


def _few(entries: list[Any], name: str) -> list[Any]:
    """The entries, where they are so few that each may be unpacked."""
    if len(entries) > limits.ENTRIES:
        raise refused(name, f"{len(entries):,} entries are more than any honest machine has")
    return entries


def _instance(entry: Any, budget: Budget) -> Any:
    budget.check()
    if not isinstance(entry, dict) or not isinstance(entry.get("configuration"), dict):
        return entry
    configuration = dict(entry["configuration"])
    text = configuration.pop("text", None)
    if isinstance(text, str) and configuration.get("error") is None:
        if len(text) > limits.CONFIGURATION_BYTES:
            detail = f"the file is larger than {limits.CONFIGURATION_BYTES:,} bytes, which none is"
            return {**entry, "configuration": {**configuration, "error": "unreadable", "detail": detail}}
        try:
            configuration["settings"] = parse_settings(base64.b64decode(text, validate=True))
        except ConfigurationError as error:
            configuration.update(error=error.word, detail=error.detail)
        except (binascii.Error, ValueError):
            configuration.update(error="unreadable", detail="the file's bytes did not arrive as base64")
    return {**entry, "configuration": configuration}


@dataclass
class _Room:
    """How many bytes the logs of a machine may still have."""

    left: int

    def take(self, content: bytes) -> None:
        """These are among them. Raises AnswerError where they are too many."""
        self.left -= len(content)
        if self.left < 0:
            raise refused("logs", f"the logs have more than {limits.LOGS_BYTES:,} bytes together")


def _firewall(data: dict[str, Any]) -> dict[str, Any]:
    """On Linux the tools' texts, which become rules here; on Windows the rules themselves."""
    sources = data.get("sources")
    if data.get("engine") != "netfilter" or not isinstance(sources, list):
        return data
    told = [each for each in sources if isinstance(each, dict)]
    filters = read_sources(told)
    engine = engine_of(filters, told)
    return {
        "engine": engine,
        "running": engine != "none",
        "filters": filters.model_dump(mode="json"),
        "text": as_evidence(filters),
    }


def _log(entry: Any, room: _Room, budget: Budget) -> Any:
    """A log with its records. Its text may come packed (gzip within base64), as it is by far the largest part."""
    if not isinstance(entry, dict):
        return entry
    budget.check()
    fields = dict(entry)
    text, older, lines = fields.pop("text", None), fields.pop("older", None), fields.pop("lines", None)
    if isinstance(lines, list) and fields.get("error") is None and all(isinstance(line, str) for line in lines):
        content = "\n".join(lines).encode("utf-8", "replace")
        room.take(content)
        return resolve_log(fields, content, b"")
    if not isinstance(text, str) or fields.get("error") is not None:
        return fields
    try:
        content = _unpacked(text, room)
        before = _unpacked(older, room) if isinstance(older, str) else b""
    except (binascii.Error, ValueError, zlib.error):
        return {**fields, "error": "unreadable"}
    return resolve_log(fields, content, before)


def _unpacked(text: str, room: _Room) -> bytes:
    """The bytes of a log. Raises ValueError, binascii.Error or zlib.error where they did not arrive whole."""
    content = base64.b64decode(text, validate=True)
    if content.startswith(_GZIP):
        unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
        content = unpacking.decompress(content, limits.LOG_BYTES)
        if not unpacking.eof and len(content) < limits.LOG_BYTES:
            raise ValueError("cut off")
    room.take(content)
    return content
