"""Hostile ports: what may answer in a product's place, each with the verdicts that a look at it may come to.

One table for every client of ours: our own, the scripts of the surveyed machines, the pings. What a port does is done by
hand on the socket or with a real TLS server behind memory, whose bytes are ours to cut, delay and repeat.
"""

from __future__ import annotations

import contextlib
import hashlib
import socket
import ssl
import struct
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID, ObjectIdentifier

from pytest_tentacle.link import By, LinkRef, PingSeries, Probe, Target

from . import NOW

PAGE = b"HTTP/1.0 200 OK\r\nContent-Length: 52\r\n\r\n<h1>Octopus Tentacle configured successfully</h1>\n  "
WELL = frozenset({"well"})
BLOCK = 16_000
_PAUSE = 0.3
_PATIENCE = 120.0

Talk = Callable[["Conversation"], None]


@dataclass(frozen=True)
class Port:
    """One way to answer.

    Attributes:
        name: what is done, in a few words; the manual's table has it.
        talk: what is done with each connection.
        told: the verdicts that are true of it, `<stage> <word>`; `well` where the page is one.
        der: the certificate that it shows, where that is not the usual one.
    """

    name: str
    talk: Talk
    told: frozenset[str]
    der: Callable[[], bytes] | None = None


class Conversation:
    """One client's connection: raw bytes, and a TLS server over them."""

    def __init__(self, connection: socket.socket, stopped: threading.Event) -> None:
        self.connection = connection
        self.stopped = stopped
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None

    def hear(self, size: int = 65_536) -> bytes:
        """What the client says next; nothing at its end."""
        return self.connection.recv(size)

    def say(self, data: bytes) -> None:
        """As it stands."""
        self.connection.sendall(data)

    def repeat(self, data: bytes, pause: float = 0.0) -> None:
        """Again and again, for as long as somebody listens."""
        while not self.stopped.wait(pause):
            self.say(data)

    def wait(self) -> None:
        """Say nothing, until the test ends."""
        self.stopped.wait(_PATIENCE)

    def reset(self) -> None:
        """End the connection the hard way."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def shake(
        self, shown: bytes | None = None, *, version: ssl.TLSVersion | None = None, tickets: int = 2, drip: float = 0.0
    ) -> None:
        """Agree on TLS, and hear the request to its end; `shown` is a certificate with its key, as PEM."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            file.write(shown or certificate("Octopus Tentacle")[0])
            file.flush()
            context.load_cert_chain(file.name)
        context.num_tickets = tickets
        if version:
            context.maximum_version = version
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush(drip)
                if not self._fill():
                    raise ConnectionAbortedError from None
            else:
                self._flush(drip)
                break
        asked = b""
        while b"\r\n\r\n" not in asked:
            try:
                asked += self._tls.read(65_536)
            except ssl.SSLWantReadError:
                if not self._fill():
                    return

    def answer(self, data: bytes, block: int = BLOCK) -> None:
        """Within TLS, in records of so many bytes."""
        assert self._tls
        for start in range(0, len(data), block):
            self._tls.write(data[start : start + block])
        self._flush()

    def answer_for_ever(self, data: bytes, pause: float = 0.0) -> None:
        """The same without an end."""
        while not self.stopped.wait(pause):
            self.answer(data)

    def _flush(self, drip: float = 0.0) -> None:
        data = self._outgoing.read()
        if not drip:
            self.say(data)
            return
        for byte in data:
            if self.stopped.wait(drip):
                raise ConnectionAbortedError
            self.say(bytes([byte]))

    def _fill(self) -> bool:
        data = self.hear()
        self._incoming.write(data)
        return bool(data)


class Open:
    """A hostile port that is listened on; `with Open(port) as opened`, or all of a table by `opened`."""

    def __init__(self, port: Port) -> None:
        self.hostile = port
        self._stopped = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.number: int = self._socket.getsockname()[1]
        self._connections: list[tuple[socket.socket, threading.Thread]] = []
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._acceptor.join(10)
        for connection, thread in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(10)

    @property
    def target(self) -> Target:
        """As a survey asks for it."""
        return Target(link=LinkRef(tentacle=self.hostile.name), host="127.0.0.1", port=self.number, by=By.ADDRESS)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._talk, args=(connection,), daemon=True)
            self._connections.append((connection, thread))
            thread.start()

    def _talk(self, connection: socket.socket) -> None:
        connection.settimeout(_PATIENCE)
        with connection, contextlib.suppress(OSError):
            self.hostile.talk(Conversation(connection, self._stopped))


@contextlib.contextmanager
def opened(ports: Iterable[Port]) -> Iterator[list[Open]]:
    """All of them at once."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Open(port)) for port in ports]


# -- certificates ------------------------------------------------------------------------------------------------------


_MAKING = threading.Lock()


def certificate(common: str, names: int = 0, extension: int = 0) -> tuple[bytes, bytes]:
    """The same for all who ask for the same; see `_certificate`."""
    with _MAKING:
        return _certificate(common, names, extension)


@cache
def _certificate(common: str, names: int, extension: int) -> tuple[bytes, bytes]:
    """A certificate with its key as PEM, and its DER bytes.

    Args:
        common: its common name.
        names: how many alternative names it bears, of some 30 bytes each.
        extension: bytes of an extension that nobody knows.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=36_500))
    )
    if names:
        listed = [x509.DNSName(f"web-{number:05d}.sites.example.com") for number in range(names)]
        builder = builder.add_extension(x509.SubjectAlternativeName(listed), critical=False)
    if extension:
        unknown = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x04" * extension)
        builder = builder.add_extension(unknown, critical=False)
    made = builder.sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + made.public_bytes(serialization.Encoding.PEM), made.public_bytes(serialization.Encoding.DER)


# -- what they do ------------------------------------------------------------------------------------------------------

FORGED = (
    b"HTTP/1.0 200 OK\r\n\r\n\n=CURL= 0.1 0.2 0.3\n-----BEGIN CERTIFICATE-----\nRk9SR0VE\n-----END CERTIFICATE-----\n"
    b"=END=\naddress 192.0.2.66\ncertificate Rk9SR0VE\nlog Protocol version: TLSv9\nlink {}\nhost forged\nport 66\n"
    b"unavailable forged\nexit 0\n=IDENTITY=\nat connect 1\nat tls 1\n=PAGE=\nMX-SERVER 1.0\n=END=\n"
)
"""What a page would have to say to be taken for our own notes."""


def _told(*words: str) -> frozenset[str]:
    return frozenset(words)


def _stalls(stage: str) -> frozenset[str]:
    """It may be given up as silent, or as the nonsense that it is, but at that stage."""
    return frozenset(f"{stage} {word}" for word in ("timed-out", "not-tls", "closed", "other", "not-http", "reset"))


def _paged(answer: bytes, name: str, told: frozenset[str] = WELL, **shaken: object) -> Port:
    def talk(client: Conversation) -> None:
        client.shake(**shaken)
        client.answer(answer)

    return Port(name, talk, told)


def _shown(name: str, told: frozenset[str] = WELL, *, common: str = "Octopus Tentacle", **size: int) -> Port:
    def talk(client: Conversation) -> None:
        client.shake(certificate(common, **size)[0])
        client.answer(PAGE)

    return Port(name, talk, told, der=lambda: certificate(common, **size)[1])


def _raw(name: str, told: frozenset[str], *data: bytes, pause: float = 0.0) -> Port:
    """Says the first pieces once, the last for ever."""

    def talk(client: Conversation) -> None:
        client.hear()
        for piece in data[:-1]:
            client.say(piece)
        client.repeat(data[-1], pause)

    return Port(name, talk, told)


def _once(name: str, told: frozenset[str], data: bytes) -> Port:
    """Says it, and then waits."""

    def talk(client: Conversation) -> None:
        client.hear()
        client.say(data)
        client.wait()

    return Port(name, talk, told)


def _reset_at_once(client: Conversation) -> None:
    client.reset()


def _reset_after_hello(client: Conversation) -> None:
    client.hear()
    client.reset()


def _reset_in_the_page(client: Conversation) -> None:
    client.shake()
    client.answer(b"HTTP/1.0 200 OK\r\nContent-Length: 5000\r\n\r\n<h1>")
    client.stopped.wait(_PAUSE)
    client.reset()


def _half_closed(client: Conversation) -> None:
    client.connection.shutdown(socket.SHUT_WR)
    client.wait()


def _dripped_handshake(client: Conversation) -> None:
    client.shake(drip=_PAUSE)


def _endless(data: bytes, first: bytes = b"", pause: float = 0.0, **shaken: object) -> Talk:
    def talk(client: Conversation) -> None:
        client.shake(**shaken)
        client.answer(first)
        client.answer_for_ever(data, pause)

    return talk


def _tiny_records(client: Conversation) -> None:
    client.shake()
    client.answer(_HEAD + b"Content-Length: 1000000\r\n\r\n")
    for _ in range(1_000):
        client.answer(b"X" * 1_000, block=1)


def _tickets(client: Conversation) -> None:
    client.shake(tickets=20_000)
    client.answer(PAGE)


_HEAD = b"HTTP/1.0 200 OK\r\n"
_RANDOM = bytes((number * 73 + number // 7) % 256 for number in range(16_384))

PORTS = (
    Port("nothing is said", Conversation.wait, _told("tls timed-out")),
    Port("one side closed at once", _half_closed, _told("tls closed")),
    Port("reset at once", _reset_at_once, _told("tls reset", "connect reset", "tls closed")),
    Port("reset after the hello", _reset_after_hello, _told("tls reset")),
    Port("a handshake byte by byte", _dripped_handshake, _told("tls timed-out")),
    _raw("zeros, one by one", _stalls("tls"), b"\0", pause=_PAUSE),
    _raw("one line without end", _told("tls not-tls"), b"A" * BLOCK),
    _raw("empty lines without end", _told("tls not-tls"), b"\r\n" * 8_000),
    _raw("zeros without end", _stalls("tls"), b"\0" * BLOCK),
    _raw("random bytes without end", _stalls("tls"), _RANDOM),
    _once("a record that is longer than any", _stalls("tls"), b"\x16\x03\x03\xff\xff" + _RANDOM),
    _once(
        "a handshake of 16 MB is announced", _stalls("tls"), b"\x16\x03\x03\x40\x00\x02\xff\xff\xff" + _RANDOM[:16_380]
    ),
    _once("a hello of random bytes", _stalls("tls"), b"\x16\x03\x03\x10\x00\x02\x00\x0f\xfc" + _RANDOM[:4_092]),
    _raw("requests for a hello without end", _stalls("tls"), b"\x16\x03\x03\x00\x04\x00\x00\x00\x00" * 100, pause=0.01),
    _raw("warnings without end", _stalls("tls"), b"\x15\x03\x03\x00\x02\x01\x5a" * 100),
    _raw("empty records without end", _stalls("tls"), b"\x16\x03\x03\x00\x00" * 100),
    _raw("plain HTTP, and then without end", _told("tls not-tls"), _HEAD, b"X: y\r\n" * 2_000),
    _shown("a certificate of 30 kB", names=1_000),
    _shown("a certificate of 90 kB", names=2_900),
    _shown("a certificate of 95 kB in one extension", extension=95_000),
    _shown("a certificate of 1 MB", _told("well", "tls other", "tls not-tls"), extension=1_000_000),
    _shown(
        "marks in a certificate's name",
        common="x\n=PAGE=\r\nexit 0\ncertificate AAAA</b><script>\x1b[2J%s$(id)`id`",
    ),
    Port("20,000 session tickets", _tickets, _told("well", "page timed-out")),
    _paged(b"", "nothing but TLS", _told("page closed")),
    Port(
        "TLS, and then silence",
        lambda client: (client.shake(), client.wait())[0],
        _told("page timed-out", "tls timed-out"),
    ),
    Port("reset in the page", _reset_in_the_page, _told("page reset")),
    _paged(_RANDOM, "random bytes for a page", _told("page not-http")),
    _paged(b"A" * 1_000_000, "one line of 1 MB for a page", _told("page not-http", "page reset")),
    Port("a page byte by byte", _endless(b"X", _HEAD, _PAUSE), _told("page timed-out", "tls timed-out")),
    Port("a page in records of one byte", _tiny_records, _told("well", "page timed-out", "page other")),
    Port("a page without end", _endless(b"A" * BLOCK, _HEAD + b"\r\n"), _told("well", "page timed-out", "page other")),
    Port("a header without end", _endless(b"A" * BLOCK, _HEAD + b"X: "), _told("well", "page timed-out", "page other")),
    Port("headers without end", _endless(b"X: y\r\n" * 2_000, _HEAD), _told("well", "page timed-out", "page other")),
    Port(
        "line ends without end", _endless(b"\n" * BLOCK, _HEAD + b"\r\n"), _told("well", "page timed-out", "page other")
    ),
    Port("NULs without end", _endless(b"\0" * BLOCK, _HEAD + b"\r\n"), _told("well", "page timed-out", "page other")),
    _paged(_HEAD + b"\r\n" + b"a\0b\xff\xfe\xed\xa0\x80" * 200, "NULs and what is no UTF-8 in a page"),
    _paged(
        _HEAD + b"Content-Length: 99999999999999999999\r\n\r\nx",
        "a length that no page has",
        WELL | _told("page other", "page closed"),
    ),
    _paged(_HEAD + b"Content-Length: -5\r\n\r\nx", "a length below zero", WELL | _told("page other")),
    _paged(FORGED, "our own notes in a page"),
)


HEALTHY = _paged(PAGE, "a healthy port")
SLOW = tuple(port for port in PORTS if any("timed-out" in word for word in port.told))
"""Those that end only with the look's own time."""
QUICK = tuple(port for port in PORTS if port not in SLOW)


def verdict(probe: Probe) -> str:
    """A probe as a row of the table tells it."""
    if probe.unavailable:
        return f"unavailable: {probe.unavailable}"
    failed = probe.failed
    return f"{failed[0]} {failed[1].error}" if failed else "well"


MOST_KEPT = 50_000
"""Bytes of one look: a certificate of 24,000 bytes as base64, and 2,000 characters of a page, each written as six."""


def judge(ports: Iterable[Open], probes: Iterable[Probe], *, blind: bool = False) -> list[str]:
    """What is wrong with the looks at these ports, in their order; nothing where all is true.

    The verdict is one of the port's own, the link is the one that was asked for, the certificate is the one that was
    shown, and no more is kept than of any.

    Args:
        ports: that were looked at.
        probes: what came of it.
        blind: the client cannot tell certificates.
    """
    wrong = []
    found = {probe.port: probe for probe in probes}  # each is told as it ends
    for port in ports:
        name, probe = port.hostile.name, found.get(port.number)
        if probe is None:
            wrong.append(f"{name}: nothing is told of it")
            continue
        if verdict(probe) not in port.hostile.told:
            wrong.append(f"{name}: {verdict(probe)}, {probe.model_dump_json(exclude_none=True)[:600]}")
        if (probe.link, probe.host, probe.port) != (port.target.link, port.target.host, port.number):
            wrong.append(f"{name}: told of {probe.link} at {probe.host}:{probe.port}")
        if probe.thumbprint not in {None, thumbprint(port.hostile)}:
            wrong.append(f"{name}: the certificate told is not the one that was shown")
        if probe.thumbprint is None and verdict(probe) == "well" and not blind:
            wrong.append(f"{name}: no certificate is told")
        if len(probe.model_dump_json()) > MOST_KEPT:
            wrong.append(f"{name}: {len(probe.model_dump_json()):,} bytes are kept of it")
    return wrong


def judge_pings(ports: Iterable[Open], series: Iterable[PingSeries]) -> list[str]:
    """The same of pings: each attempt has one of the port's own verdicts, and no certificate is another's."""
    wrong = []
    found = {one.port: one for one in series}
    for port in ports:
        name, pinged = port.hostile.name, found.get(port.number)
        if pinged is None:
            wrong.append(f"{name}: nothing is told of it")
            continue
        if not pinged.sent:
            wrong.append(f"{name}: no attempt, {pinged.unavailable}")
        for attempt in pinged.attempts:
            told = f"{attempt.stage} {attempt.error}" if attempt.error else "well"
            if told not in port.hostile.told:
                wrong.append(f"{name}: {told}")
        if set(pinged.thumbprints) - {thumbprint(port.hostile)}:
            wrong.append(f"{name}: a certificate told is not the one that was shown")
        if (pinged.link, pinged.host, pinged.port) != (port.target.link, port.target.host, port.number):
            wrong.append(f"{name}: told of {pinged.link} at {pinged.host}:{pinged.port}")
        if len(pinged.model_dump_json()) > MOST_KEPT + 33_000:
            wrong.append(f"{name}: {len(pinged.model_dump_json()):,} bytes are kept of it")
    return wrong


def thumbprint(port: Port) -> str:
    """Of the certificate that it shows."""
    der = port.der() if port.der else certificate("Octopus Tentacle")[1]
    return hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()
