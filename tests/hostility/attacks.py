"""What a machine may answer to take a run away: once each of these did, or might have."""

from __future__ import annotations

import base64
import copy
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from support.hostile import NONCE, framed

Document = dict[str, Any]


@dataclass(frozen=True)
class Attack:
    """One way to answer.

    Attributes:
        name: what is done, in a few words; the manual's table has it.
        answer: the bytes, made of a healthy machine's document.
        told: a part of what the run says of that machine.
    """

    name: str
    answer: Callable[[Document], bytes]
    told: str


def _changed(
    *path: Any, value: Any, packed: bool = False, spelled: tuple[str, str] | None = None
) -> Callable[..., bytes]:
    """The healthy document with one value put in; `spelled` replaces letters of the JSON text afterwards."""

    def answer(document: Document) -> bytes:
        changed = copy.deepcopy(document)
        at: Any = changed
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = value(at.get(path[-1])) if callable(value) else value
        return framed(changed, packed=packed, spelled=spelled)

    return answer


HALF = ("@half@", "\\ud800")
"""JSON's spelling of half a surrogate pair, which `json` takes and nobody can write."""


def _section(name: str, data: Callable[[], Any]) -> Callable[..., bytes]:
    """A section of its own, made when it is sent: whoever only collects the tests wants none of these millions."""
    return _changed(name, value=lambda _: {"data": data(), "unknown": None}, packed=True)


def _log(text: bytes) -> Document:
    packed = base64.b64encode(gzip.compress(text, mtime=0)).decode()
    return {"product": "tentacle", "instance": "Tentacle", "path": "/x", "text": packed}


def _instance(text: bytes, number: int = 0) -> Document:
    configuration = {"path": f"/etc/{number}", "text": base64.b64encode(text).decode()}
    return {"product": "tentacle", "name": f"T{number}", "configuration": configuration}


def _settings(count: int) -> bytes:
    rows = "".join(f'<set key="k{number}">v</set>' for number in range(count))
    return f"<octopus-settings>{rows}</octopus-settings>".encode()


ENTRY = '{"Thumbprint": "AB", "CommunicationStyle": 2, "Address": "https://h%d:10943"}'


def _trusting(count: int, entry: str = ENTRY) -> bytes:
    entries = ",".join(entry % number if "%d" in entry else entry for number in range(count)).replace('"', "&quot;")
    key = "Tentacle.Communication.TrustedOctopusServers"
    return f'<octopus-settings><set key="{key}">[{entries}]</set></octopus-settings>'.encode()


EDGES = ("0001-01-01 00:00:00", "9999-12-31 23:59:59", "0001-01-01 00:00:00", "9999-12-31 23:59:59")
LISTENER = {"address": "::", "port": 1}
SERVICE = {"name": "OctopusDeploy Tentacle", "state": "running"}
CONNECTION = {
    "local_address": "192.0.2.1", "local_port": 10933, "remote_address": "192.0.2.2", "remote_port": 1,
    "state": "close-wait",
}  # fmt: skip
PROBE = {"link": {"vantage": "tentacle", "instance": "Tentacle"}, "host": "h", "port": 1, "by": "name"}


def _whole(text: Callable[[], str], *, packed: bool = True) -> Callable[..., bytes]:
    return lambda _: framed(text(), packed=packed)


def _many_records(_: Document) -> bytes:
    payload = json.dumps([PROBE])
    one = f"-----SURVEY {NONCE} BEGIN probes json {len(payload)}-----\n{payload}\n-----SURVEY {NONCE} END probes-----\n"
    return (one * 60_000).encode() + framed({"services": {"unknown": "x"}})


ATTACKS = (
    Attack(
        "half a surrogate pair in a name",
        _changed("host", "data", "hostname", value="@half@", spelled=HALF),
        "no Unicode",
    ),
    Attack(
        "half a surrogate pair in a map's key",
        _changed("services", "data", 0, "environment", value={"@half@": "x"}, spelled=HALF),
        "no Unicode",
    ),
    Attack(
        "half a surrogate pair in why a section is unknown",
        _changed("disks", value={"unknown": "@half@"}, spelled=HALF),
        "no Unicode",
    ),
    Attack(
        "half a surrogate pair in a probe's words",
        _changed("probes", 0, "tls", "detail", value="@half@", spelled=HALF),
        "no Unicode",
    ),
    Attack("NaN for a time", _changed("probes", 0, "tls", "ms", value=float("nan")), "not JSON"),
    Attack("infinity for a time", _changed("probes", 0, "connect", "ms", value=float("inf")), "not JSON"),
    Attack(
        "a number that overflows into infinity",
        _changed("probes", 0, "connect", "ms", value=7, spelled=('"ms": 7,', '"ms": 1e999,')),
        "a number is none",
    ),
    Attack("a number of 4,000 digits", _changed("services", "data", 0, "pid", value=int("9" * 4000)), "too large"),
    Attack("a time without a zone", _changed("host", "data", "clock_utc", value="2026-11-22T03:04:05"), "no zone"),
    Attack(
        "a time after the end of the calendar",
        _changed("host", "data", "clock_utc", value="9999-12-31T23:59:59-14:00"),
        "end of the calendar",
    ),
    Attack(
        "a time before the calendar begins",
        _changed("services", "data", 0, "started_utc", value="0001-01-01T00:00:00+14:00"),
        "end of the calendar",
    ),
    Attack(
        "a certificate that is no base64", _changed("probes", 0, "tls", "certificate", value="!!!"), "cannot be decoded"
    ),
    Attack(
        "a certificate that is no ASCII",
        _changed("probes", 0, "tls", "certificate", value="\u00e9\u00e9\u00e9\u00e9"),
        "cannot be decoded",
    ),
    Attack(
        "200 packed logs of 8 MB",
        _section("logs", lambda: [_log(b"\n" * 8_000_000)] * 200),
        "40,000,000 bytes|computing time",
    ),
    Attack(
        "20 logs of 2 MB in records",
        _section(
            "logs",
            lambda: [_log(b"2026-11-20 10:11:12.0001   2136      1  INFO  ==== RunAgentCommand ====\n" * 28_000)] * 25,
        ),
        "40,000,000 bytes|computing time",
    ),
    Attack("6,000 logs", _section("logs", lambda: [_log(b"")] * 6_000), "6,000 entries"),
    Attack("300,000 listeners", _section("listeners", lambda: [LISTENER] * 300_000), "250,000 values"),
    Attack("20,000 listeners", _section("listeners", lambda: [LISTENER] * 20_000), "20,000 entries"),
    Attack("300,000 services", _section("services", lambda: [SERVICE] * 300_000), "values|too large"),
    Attack("21,000 connections", _section("connections", lambda: [CONNECTION] * 21_000), "21,000 entries"),
    Attack(
        "50,000 instances",
        _section("instances", lambda: [_instance(b"<octopus-settings/>")] * 50_000),
        "entries|values",
    ),
    Attack(
        "1.9 million services that are none",
        _whole(lambda: '{"data": [' + ",".join(["{}"] * 1_900_000) + "]}"),
        "250,000 values",
    ),
    Attack("64 MB of empty lists", _whole(lambda: '{"data": [' + ",".join(["[]"] * 21_000_000) + "]}"), "too large"),
    Attack(
        "10 MB of one text", _changed("host", "data", "user", value="x" * 10_000_000, packed=True), "longer than 65,536"
    ),
    Attack("100,000 probes", _changed("probes", value=[PROBE] * 60_000, packed=True), "entries|values"),
    Attack(
        "1,500 trusted servers with long names",
        _section("instances", lambda: [_instance(_trusting(1_500, ENTRY + " " * 150))]),
        "longer than 262,144",
    ),
    Attack(
        "2,000 trusted servers in short",
        _section("instances", lambda: [_instance(_trusting(2_000, "{}"))]),
        "2,000 entries",
    ),
    Attack(
        "a configuration of 20,000 settings",
        _section("instances", lambda: [_instance(_settings(20_000))]),
        "20,000 entries",
    ),
    Attack("lists within lists, 100,000 deep", _whole(lambda: "[" * 100_000, packed=False), "not JSON"),
    Attack("maps within maps, 50,000 deep", _whole(lambda: '{"a":' * 50_000, packed=False), "not JSON"),
    Attack(
        "a map of 100,000 names",
        _changed("services", "data", 0, "environment", value={f"k{n}": "v" for n in range(100_000)}, packed=True),
        "100,000 entries",
    ),
    Attack(
        "1 MB of what stands before a password",
        _changed("host", "data", "user", value="password=&quot;" * 66_000, packed=True),
        "longer than 65,536",
    ),
    Attack("60,000 records of one probe each", _many_records, "entries|values|printed more"),
    Attack("nothing at all", lambda _: b"", "printed no survey"),
    Attack("a million zeros", lambda _: b"\0" * 1_000_000, "printed no survey"),
    Attack("markers without end", lambda _: framed("{}")[:30] * 100_000, "cut off|no survey"),
)
"""Each answer makes its machine unknown, says why, and takes nothing from anybody else."""


MISLEADING = (
    Attack(
        "half a surrogate pair within a trusted server",
        _changed(
            "instances",
            "data",
            0,
            "configuration",
            "settings",
            "Tentacle.Communication.TrustedOctopusServers",
            value='[{"Thumbprint": "\\ud800", "CommunicationStyle": 1}]',
        ),
        "",
    ),
    Attack(
        "5,000 sockets on the port, each of a process that is gone",
        _section(
            "listeners",
            lambda: [{"address": f"10.0.{n // 256}.{n % 256}", "port": 10933, "pid": n} for n in range(4_999)],
        ),
        "",
    ),
    Attack(
        "a clock at the end of the calendar",
        _changed("host", "data", "clock_utc", value="9999-12-31T23:59:59Z"),
        "",
    ),
    Attack(
        "a log of the calendar's first and last hours",
        _section(
            "logs",
            lambda: [
                {
                    **_log(b"".join(f"{day}.0001   2136      1  ERROR  x\n".encode() for day in EDGES)),
                    "modified_utc": "9999-12-31T09:00:00Z",
                }
            ],
        ),
        "",
    ),
    Attack(
        "100,000 words that begin a secret",
        _changed("host", "data", "user", value=("password=&quot;" * 5_000)[:65_000]),
        "",
    ),
)
"""Each is a survey like any other to the door: it is judged, and every report can be written."""


TOO_LARGE = (
    Attack(
        "10,000 trusted servers", _section("instances", lambda: [_instance(_trusting(10_000))]), "larger than 1,000,000"
    ),
    Attack(
        "a configuration of 350,000 settings",
        _section("instances", lambda: [_instance(_settings(350_000))]),
        "larger than 1,000,000",
    ),
)
"""In each, one file is not read; what else the machine says is judged."""
