"""What a Windows machine's survey asks of others beside reading: netsh, its names, its proxy, the publisher's lists."""

from __future__ import annotations

import hashlib
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pytest_tentacle.link import wire
from pytest_tentacle.sections.connections.polled import behind
from pytest_tentacle.survey.request import Request

SYSTEM_HIVE = "Registry::HKEY_USERS\\S-1-5-18"
PAGE = b"HTTP/1.0 200 OK\r\nContent-Length: 52\r\n\r\n<h1>Octopus Tentacle configured successfully</h1>\n  "
INTERNET = "Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings"
WINTRUST = "Software\\Microsoft\\Windows\\CurrentVersion\\WinTrust\\Trust Providers\\Software Publishing"
POLLING = "Octopus.Server.Proxy."


class Server:
    """Takes connections one after the other: `answer` is what it says to each; what came first is in `heard`.

    Behind a tunnel somebody with this certificate shows a page; without one it hangs up on what comes first.
    """

    def __init__(self, answer: bytes | None, certificate: Path | None = None) -> None:
        self._certificate = certificate
        self.heard: list[bytes] = []
        self.tunnelled: list[bytes] = []
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._held: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port)):
            self._stopping = True
        self._thread.join(10)
        for each in (*self._held, self._socket):
            each.close()

    _stopping = False

    def _serve(self) -> None:
        while True:
            peer, _ = self._socket.accept()
            peer.settimeout(5)
            heard = self._head(peer)
            if self._stopping or not heard:
                peer.close()
                return
            self.heard.append(heard)
            if self._answer is None:
                self._held.append(peer)
                continue
            with peer:
                peer.sendall(self._answer)
                if b" 200 " in self._answer and self._certificate:
                    self._show(peer)
                elif b" 200 " in self._answer:
                    self.tunnelled.append(self._rest(peer))

    def _head(self, peer: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data and (more := peer.recv(4096)):
            data += more
        return data

    def _show(self, peer: socket.socket) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(self._certificate))
        with context.wrap_socket(peer, server_side=True) as stream:
            self.tunnelled.append(self._head(stream))
            stream.sendall(PAGE)

    def _rest(self, peer: socket.socket) -> bytes:
        try:
            return peer.recv(4096)
        except OSError:
            return b""


@contextmanager
def serving(answer: bytes | None, certificate: Path | None = None) -> Iterator[Server]:
    server = Server(answer, certificate)
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        return int(made.getsockname()[1])


class TestReservations:
    @pytest.fixture
    def sections(self):
        return {"reservations"}

    @pytest.mark.parametrize("locale", ["en", "de", "ja"])
    def test_numbers_and_urls_in_any_language(self, tentacle, locale: str):
        """What an administrator set is left out: it keeps no program from a port that it asks for by number."""
        tentacle.description |= {
            "locale": locale,
            "excluded_ports": [[10900, 10999], [50000, 50059, "*"]],
            "http_sys": ["HTTP://+:5985/WSMAN/", "HTTPS://*:10933/OctopusComms/", "http://10.0.0.1:80:10.0.0.1/"],
        }
        found = tentacle.run().survey.reservations.data
        assert [(each.first, each.last) for each in found.excluded] == [(5985, 5985), (47001, 47001), (10900, 10999)]
        assert set(found.http_sys) == set(tentacle.description["http_sys"])

    def test_netsh_is_asked_to_show_and_nothing_else(self, healthy_run):
        machine, _ = healthy_run
        calls = sorted(call["arguments"]["arguments"] for call in machine.commands() if call["command"] == "netsh.exe")
        assert calls == [
            "http show servicestate view=requestq verbose=no",
            "interface ipv4 show excludedportrange protocol=tcp",
        ]

    def test_refused_or_too_slow(self, tentacle, refused):
        """Then the section is unknown, and all else is there, in time."""
        tentacle.sections = None
        assert "exit code 1" in refused.reservations.unknown
        tentacle.description["netsh_seconds"] = 60
        survey = tentacle.run(Request(probe_seconds=1, budget_seconds=200)).survey
        assert "did not end in time" in survey.reservations.unknown
        assert survey.probes
        assert survey.own_names.data


class TestOwnNames:
    @pytest.fixture
    def sections(self):
        return {"own_names"}

    def test_what_they_lead_to(self, tentacle):
        """Host name, full name and the declared ones, each once, with the word and the number of what went wrong."""
        tentacle.description["names"] = {
            "tentacle.example": ["10.0.0.1", "::1"],
            "gone.example": "name-not-found",
            "bare.example": "no-address",
            "sick.example": "resolver-failed",
        }
        names = ("tentacle.example", "WEB-1", "gone.example", "bare.example", "sick.example", "10.0.0.9")
        found = {name.name: name for name in tentacle.run(Request(names=names)).survey.own_names.data}
        assert list(found) == [
            "web-1", "web-1.lab.example", "tentacle.example", "gone.example", "bare.example", "sick.example",
        ]  # fmt: skip
        assert found["web-1"].addresses == found["web-1.lab.example"].addresses == ("127.8.7.6",)
        assert found["tentacle.example"].addresses == ("10.0.0.1", "::1")
        for name, error, number in (
            ("gone.example", "name-not-found", "11001"),
            ("bare.example", "no-address", "11004"),
            ("sick.example", "resolver-failed", "11002"),
        ):
            assert found[name].error == error
            assert found[name].detail.startswith(f"{number}: ")

    def test_a_resolver_that_never_answers(self, tentacle):
        """All names together wait no longer than their seconds."""
        tentacle.sections = None
        names = tuple(f"n{number}.example" for number in range(9))
        tentacle.description["names"] = dict.fromkeys(names, "timed-out")
        found = tentacle.run(Request(probe_seconds=1, budget_seconds=200, names=names)).survey.own_names.data
        assert [name.error for name in found] == [None, None] + ["timed-out"] * 9


class TestProxyConnects:
    @pytest.fixture
    def sections(self):
        return {"proxy_connects"}

    def poll(
        self, machine: Any, port: object, host: str = "127.0.0.1", *, instance: str = "Tentacle", **more: str
    ) -> None:
        trust = [
            {"Thumbprint": "B", "CommunicationStyle": 2, "Address": f"https://{node}.lab:10943/", "SubscriptionId": "x"}
            for node in ("octo-1", "octo-2", "octo-3")
        ]
        settings = machine.settings | {
            "Tentacle.Services.NoListen": "true",
            "Tentacle.Communication.TrustedOctopusServers": json.dumps(trust),
            f"{POLLING}UseDefaultProxy": "False",
            f"{POLLING}ProxyHost": host,
            f"{POLLING}ProxyPort": str(port),
            f"{POLLING}ProxyPassword": "hush",
            f"{POLLING}ProxyUsername": "me",
        }
        machine.add_instance(instance, settings | {f"{POLLING}{key}": value for key, value in more.items()})

    @pytest.mark.parametrize(("line", "status"), [(b"HTTP/1.1 407 Nein", 407), (b"HTTP/1.0 403 Forbidden", 403)])
    def test_refused(self, machine, line: bytes, status: int):
        """One CONNECT to each of the first addresses, in Halibut's own bytes, and never a credential."""
        machine.sections = None
        with serving(line + b"\r\nProxy-Authenticate: Basic\r\n\r\n") as proxy:
            self.poll(machine, proxy.port)
            run = machine.run()
        found = run.survey.proxy_connects.data
        assert [(each.instance, each.proxy, each.host, each.port) for each in found] == [
            ("Tentacle", f"127.0.0.1:{proxy.port}", f"octo-{number}.lab", 10943) for number in (1, 2)
        ]
        assert {(each.status, each.error, each.detail) for each in found} == {(status, None, line.decode())}
        assert sorted(proxy.heard) == [
            f"CONNECT octo-{number}.lab:10943 HTTP/1.0\r\nHost: octo-{number}.lab:10943\r\n\r\n".encode()
            for number in (1, 2)
        ]
        assert b"hush" not in run.completed.stdout
        assert "hush" not in repr(run.survey)

    def test_an_open_way_is_used_for_a_whole_look(self, machine, certificate: Path):
        """A connection that says nothing leaves an Error in the server's log: a whole look goes through the tunnel.

        It says whose certificate and page stand behind; or that nobody does.
        """
        opened = b"HTTP/1.0 200 Connection established\r\n\r\n"
        with serving(opened, certificate) as proxy, serving(opened) as nowhere:
            self.poll(machine, proxy.port, instance="A")
            self.poll(machine, nowhere.port, instance="B")
            found = machine.run().survey.proxy_connects.data
        assert {each.status for each in found} == {200}
        der = ssl.PEM_cert_to_DER_cert(certificate.read_text()[certificate.read_text().index("-----BEGIN CERT") :])
        shown = [behind(each) for each in found if each.instance == "A"]
        assert {each.thumbprint for each in shown} == {hashlib.sha1(der).hexdigest().upper()}
        assert [each.shows_page and each.failed is None for each in shown] == [True, True]
        assert sorted(proxy.tunnelled) == [wire.page_request(f"octo-{number}.lab", 10943) for number in (1, 2)]
        assert [each[:1] for each in nowhere.tunnelled] == [b"\x16", b"\x16"]
        assert {(each.tls.error, each.page) for each in found if each.instance == "B"} == {("closed", None)}

    def test_without_an_answer(self, machine, closed_port: int):
        """Nobody there, no name, silence, an end without a word, and what is no HTTP: in both attempts of an instance."""
        with serving(None) as silent, serving(b"") as closing, serving(b"SSH-2.0-OpenSSH_9.2\r\n\r\n") as foreign:
            # four attempts a machine are the script's limit
            for first, second in (
                (("127.0.0.1", closed_port, "refused"), ("proxy.nowhere", 3128, "name-not-found")),
                (("127.0.0.1", silent.port, "timed-out"), ("127.0.0.1", closing.port, "closed")),
                (("127.0.0.1", foreign.port, "not-http"), None),
            ):
                self.poll(machine, first[1], first[0], instance="A")
                if second:
                    self.poll(machine, second[1], second[0], instance="B")
                errors = [(each.instance, each.error) for each in machine.run().survey.proxy_connects.data]
                wanted = [("A", first[2])] * 2 + ([("B", second[2])] * 2 if second else [])
                assert errors[: len(wanted)] == wanted

    def test_by_the_environment_of_the_service(self, machine, closed_port: int):
        """The service's variables win over the file."""
        self.poll(machine, 1, "proxy.nowhere", UseDefaultProxy="true")
        machine.description["services"][0]["environment"] = {
            "TENTACLE_POLLING_USE_DEFAULT_PROXY": "false",
            "TENTACLE_POLLING_CUSTOM_PROXY_HOST": "127.0.0.1",
            "TENTACLE_POLLING_CUSTOM_PROXY_PORT": str(closed_port),
        }
        assert {each.proxy for each in machine.run().survey.proxy_connects.data} == {f"127.0.0.1:{closed_port}"}

    def test_not_asked(self, machine):
        """The account's own proxy, none, and what cannot be one."""
        for number, settings in enumerate(
            (
                {"UseDefaultProxy": "true"},
                {"UseDefaultProxy": ""},
                {"ProxyHost": ""},
                {"ProxyHost": "http://127.0.0.1"},
                {"ProxyPort": "many"},
                {"ProxyPort": "70000"},
            )
        ):
            self.poll(machine, 3128, instance=f"T{number}", **settings)
        survey = machine.run().survey
        assert len(survey.instances.data) == 6
        assert survey.proxy_connects.data == ()


class TestPublisher:
    @pytest.fixture
    def sections(self):
        return {"loading"}

    def found(self, machine: Any) -> Any:
        (revocation,) = machine.run().survey.loading.data.revocation
        return revocation

    def test_an_answer_is_enough(self, tentacle, closed_port: int):
        """Of several places one is, and whatever it says: Windows waits no longer."""
        with serving(b"HTTP/1.1 404 Not Found\r\n\r\n") as crl:
            urls = [f"http://127.0.0.1:{closed_port}/no.crl", f"http://127.0.0.1:{crl.port}/sha/publisher.crl"]
            tentacle.description["crl"] = urls
            revocation = self.found(tentacle)
        assert (revocation.account, revocation.enabled, revocation.reachable) == ("LocalSystem", True, True)
        assert "as the survey's account" in revocation.detail
        assert f"{urls[1]} directly: HTTP/1.1 404 Not Found" in revocation.detail
        (head,) = crl.heard
        assert head == (
            f"HEAD /sha/publisher.crl HTTP/1.1\r\nHost: 127.0.0.1:{crl.port}\r\nConnection: close\r\n\r\n".encode()
        )

    def test_a_responder_does_as_well(self, tentacle):
        with serving(b"HTTP/1.1 200 OK\r\n\r\n") as responder:
            tentacle.description |= {
                "crl": ["http://crl.nowhere/x.crl"],
                "ocsp": [f"http://127.0.0.1:{responder.port}"],
            }
            assert self.found(tentacle).reachable is True

    def test_nobody_answers(self, tentacle):
        """A name that nobody knows; who is silent. A long address is read whole."""
        with serving(None) as crl:
            url = f"http://127.0.0.1:{crl.port}/{'long' * 40}.crl"
            tentacle.description["crl"] = ["http://crl.nowhere/x.crl", url]
            revocation = self.found(tentacle)
        assert revocation.reachable is False
        assert "http://crl.nowhere/x.crl directly: name-not-found" in revocation.detail
        assert f"{url} directly: timed-out" in revocation.detail

    def test_a_refusal_is_not_waited_for(self, tentacle, closed_port: int):
        tentacle.description["crl"] = [f"http://127.0.0.1:{closed_port}/x.crl"]
        assert self.found(tentacle).reachable is None

    def test_no_signature(self, healthy):
        """Then there is nothing to look for."""
        (revocation,) = healthy.loading.data.revocation
        assert (revocation.reachable, revocation.enabled) == (None, True)
        assert "names no place" in revocation.detail

    def test_switched_off(self, tentacle):
        """Then nobody asks."""
        with serving(b"HTTP/1.1 200 OK\r\n\r\n") as crl:
            tentacle.description["crl"] = [f"http://127.0.0.1:{crl.port}/x.crl"]
            tentacle.description["registry"] = {f"{SYSTEM_HIVE}\\{WINTRUST}": {"State": 0x23E00}}
            revocation = self.found(tentacle)
        assert (revocation.enabled, revocation.reachable) == (False, None)
        assert crl.heard == []

    @pytest.mark.parametrize(("line", "reachable"), [(b"HTTP/1.1 200 OK", True), (b"HTTP/1.1 403 No", False)])
    def test_by_winhttp_s_proxy(self, tentacle, blob, line: bytes, reachable: bool):
        """The whole address goes to it; its own refusal is no answer of the list's."""
        with serving(line + b"\r\n\r\n") as proxy:
            tentacle.description["crl"] = ["http://crl.nowhere/x.crl"]
            settings = {"WinHttpSettings": blob(0x18, 3, f"127.0.0.1:{proxy.port}", "<local>")}
            tentacle.description["registry"] = {f"HKLM:\\{INTERNET}\\Connections": settings}
            revocation = self.found(tentacle)
        assert revocation.reachable is reachable
        assert f"by WinHTTP's proxy: {line.decode()}" in revocation.detail
        assert proxy.heard[0].startswith(b"HEAD http://crl.nowhere/x.crl HTTP/1.1\r\nHost: crl.nowhere\r\n")

    def test_an_account_with_a_proxy_of_its_own(self, tentacle, blob):
        """We do not come as far as it perhaps does."""
        tentacle.description["crl"] = ["http://crl.nowhere/x.crl"]
        settings = {"DefaultConnectionSettings": blob(0x46, 3, "proxy.corp:8080")}
        tentacle.description["registry"] = {f"{SYSTEM_HIVE}\\{INTERNET}\\Connections": settings}
        revocation = self.found(tentacle)
        assert revocation.reachable is None
        assert "a proxy of its own" in revocation.detail


@pytest.fixture
def blob() -> Any:
    """Makes a proxy blob: numbers of four bytes, texts behind their lengths."""

    def make(version: int, flags: int, *texts: str) -> dict[str, str]:
        data = version.to_bytes(4, "little") + bytes(4) + flags.to_bytes(4, "little")
        for text in texts:
            data += len(text).to_bytes(4, "little") + text.encode("ascii")
        return {"hex": (data + bytes(32)).hex()}

    return make
