"""What the products' services run in a host: our Halibut listener, and a poller that keeps its connections open.

Run as `Tentacle run --instance=...`; reads `/etc/lab/agent.json`.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from pytest_tentacle.lab.halibut.listener import HalibutListener
from pytest_tentacle.link import wire
from pytest_tentacle.link.certificate import KeyedCertificate

AGAIN = 0.5


def main() -> None:
    """Until it is ended."""
    settings: dict[str, Any] = json.loads(Path("/etc/lab/agent.json").read_text(encoding="utf-8"))
    own = loaded(settings["certificate"], settings["key"])
    trusted = [loaded(each["certificate"], each["key"]) for each in settings["trusted"]]
    known = [loaded(each["certificate"], each["key"]) for each in settings["known"]]
    if settings["listen"]:
        address, port = settings["listen"]
        HalibutListener(
            address, port, certificate=own, product=settings["product"], trusted=trusted, known=known
        ).start()
    ended = threading.Event()
    for address in settings["poll"]:
        poller = threading.Thread(target=keep_polling, args=(own, address, settings, ended), daemon=True)
        poller.start()
    ended.wait()


def loaded(certificate: str, key: str) -> KeyedCertificate:
    """From PEM. That the lab's own key is one is not looked at: each would take 0.045 s of CPU, of up to 14 at each start."""
    private = serialization.load_pem_private_key(key.encode(), None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(private, rsa.RSAPrivateKey)
    der = ssl.PEM_cert_to_DER_cert(certificate)
    return KeyedCertificate("own", certificate, der, private.key_size, private)


def connected(host: str, port: int, proxy: Sequence[Any] | None) -> socket.socket:
    """A connection to a server, through a proxy where there is one."""
    if proxy is None:
        return socket.create_connection((host, port), 3)
    plain = socket.create_connection((proxy[0], proxy[1]), 3)
    plain.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    if b" 200 " not in plain.recv(4096):
        plain.close()
        raise ConnectionRefusedError("the proxy lets nobody through")
    return plain


def keep_polling(own: KeyedCertificate, address: str, settings: dict[str, Any], ended: threading.Event) -> None:
    """Connect, say who polls, and stay; again and again, until it has ended."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(own.certificate_pem + own.key_pem)
        file.flush()
        context.load_cert_chain(file.name)
    parts = urlsplit(address)
    trusted = {ssl.PEM_cert_to_DER_cert(each["certificate"]) for each in settings["trusted"]}
    while not ended.is_set():
        with (
            contextlib.suppress(OSError),
            connected(str(parts.hostname), int(parts.port or 0), settings.get("proxy")) as plain,
            context.wrap_socket(plain, server_hostname=parts.hostname) as stream,
        ):
            if stream.getpeercert(binary_form=True) not in trusted:
                raise ConnectionAbortedError("another certificate than the trusted one")
            stream.settimeout(None)  # a connection that ends for being quiet would now and then be missing in a survey
            for option, seconds in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 2), ("TCP_KEEPCNT", 3)):
                stream.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), seconds)
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            own_name = settings.get("subscriptions", {}).get(address, settings["subscription"])
            subscriber = f"MX-SUBSCRIBER 1.0 {own_name}\r\n\r\n"
            stream.sendall(wire.PREAMBLE + subscriber.encode())  # without the former it is hung up on after a minute
            while received := stream.recv(4096):
                if wire.NULL_REQUEST in received:
                    stream.sendall(wire.NEXT)
        ended.wait(AGAIN)


if __name__ == "__main__":
    if sys.argv[1:2] == ["run"]:
        main()
