"""CONNECT through the proxy that an instance polls through: real listeners, real curl, real openssl."""

from __future__ import annotations

import hashlib
import json
import socket
import struct

import pytest

from pytest_tentacle.judging.links import shows_own_page
from pytest_tentacle.sections.connections.polled import behind

SERVER = ("octo-1.lab", 10943)
BOTH = pytest.mark.parametrize("missing", [[], ["curl"]], ids=["curl", "openssl"])


@pytest.fixture
def sections():
    return {"proxy_connects"}


@pytest.fixture
def polling_through(machine, tools):
    """A polling Tentacle whose settings name a proxy."""

    def prepare(proxy, port, *, servers=("https://octo-1.lab:10943/",), name="Tentacle", **changes):
        settings = tools.SETTINGS | {
            "Tentacle.Services.NoListen": "true",
            "Octopus.Server.Proxy.UseDefaultProxy": "false",
            "Octopus.Server.Proxy.ProxyHost": proxy,
            "Octopus.Server.Proxy.ProxyPort": str(port),
            "Octopus.Server.Proxy.ProxyUsername": "canary-user",
            "Octopus.Server.Proxy.ProxyPassword": "canary-password",
            "Tentacle.Communication.TrustedOctopusServers": json.dumps([tools.polling(one) for one in servers]),
        }
        machine.instance(tools.settings_file(settings | changes), name=name)
        machine.description.setdefault("names", {})["proxy.lab"] = ["127.0.0.1"]
        return machine

    return prepare


def answering(answer, after=None):
    """A proxy that answers so; `after` goes on with the connection."""

    def serve(listener, connection):
        request = b""
        while b"\r\n\r\n" not in request:
            piece = connection.recv(4096)
            if not piece:
                return
            request += piece
        listener.received.append(request)
        connection.sendall(answer)
        if after:
            after(listener, connection)

    return serve


def reads_hello(_, connection):
    """All of it, lest the system reset what was closed with something left to read (RFC 1122, 4.2.2.13)."""
    record = connection.recv(5, socket.MSG_WAITALL)
    if record:
        connection.recv(int.from_bytes(record[3:5], "big"), socket.MSG_WAITALL)


def connects(ran):
    return ran.survey.proxy_connects.data


class TestAnswers:
    @BOTH
    @pytest.mark.parametrize(
        ("answer", "status"),
        [
            (b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\n\r\n", 407),
            (b"HTTP/1.0 403 Forbidden\r\n\r\n", 403),
            (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\n\r\nno", 502),
        ],
        ids=["407", "403", "502"],
    )
    def test_refusals(self, polling_through, listen, missing, answer, status):
        """The proxy's status, and its first line as evidence."""
        proxy = listen(answering(answer))
        machine = polling_through("proxy.lab", proxy.port)
        machine.description["missing"] = missing
        (one,) = connects(machine.survey())
        assert (one.instance, one.proxy, one.host, one.port) == ("Tentacle", f"proxy.lab:{proxy.port}", *SERVER)
        assert (one.status, one.error) == (status, None)
        assert str(status) in one.detail

    def test_sends_what_halibut_sends(self, polling_through, listen, shell):
        """The bytes of Halibut's own CONNECT (tentacle-facts 1.10), and no credentials."""
        proxy = listen(answering(b"HTTP/1.0 403 Forbidden\r\n\r\n"))
        machine = polling_through("127.0.0.1", proxy.port)
        machine.sections, machine.records = None, True
        ran = machine.survey(shell)
        assert [one.status for one in connects(ran)] == [403]
        assert proxy.received == [b"CONNECT octo-1.lab:10943 HTTP/1.0\r\nHost: octo-1.lab:10943\r\n\r\n"]
        assert not any("canary" in " ".join(arguments) for _, arguments in machine.called())
        assert b"canary-password" not in ran.answer.stdout

    @pytest.mark.parametrize("missing", [[], ["curl"], ["openssl"]], ids=["both", "openssl", "curl"])
    def test_open_tunnel(self, polling_through, listen, tls, certificate, missing):
        """Through a tunnel that opens goes the whole GET of a probe, so that the server's log stays clean.

        A second look says whose certificate and page stand behind it.
        """
        proxy = listen(answering(b"HTTP/1.0 200 Connection established\r\n\r\n", after=tls()))
        machine = polling_through("proxy.lab", proxy.port)
        machine.description["missing"] = missing
        (one,) = connects(machine.survey())
        assert (one.status, one.error) == (200, None)
        assert proxy.received[0].startswith(b"CONNECT octo-1.lab:10943 HTTP/1.0\r\n")
        asked = b"GET / HTTP/1.1\r\nHost: octo-1.lab:10943\r\nConnection: close\r\n\r\n"
        assert proxy.received[1::2] == [asked, asked]
        assert len(proxy.received) == 4
        assert one.tls.certificate.thumbprint == hashlib.sha1(certificate[2]).hexdigest().upper()
        assert one.tls.version.startswith("TLSv1.")
        assert (one.page.product, one.page.error) == ("tentacle", None)
        assert (behind(one).host, behind(one).port, behind(one).failed) == (*SERVER, None)

    def test_page_in_the_place_of_a_tunnel(self, polling_through, listen):
        """It says that all is well, and shows a page to log on: what no TLS comes through."""
        page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 19\r\n\r\n<html>Log on</html>"
        proxy = listen(answering(page))
        (one,) = connects(polling_through("127.0.0.1", proxy.port).survey())
        assert (one.status, one.content_type, shows_own_page(one)) == (200, "text/html", True)

    @BOTH
    def test_tunnel_to_nowhere(self, polling_through, listen, missing):
        """The proxy let it through, and what stands behind says nothing."""
        proxy = listen(answering(b"HTTP/1.0 200 OK\r\n\r\n", reads_hello))
        machine = polling_through("proxy.lab", proxy.port)
        machine.description["missing"] = missing
        (one,) = connects(machine.survey())
        assert (one.status, one.error) == (200, None)
        assert (one.tls.error, one.tls.certificate, one.page) == ("closed", None, None)

    def test_no_second_tunnel(self, polling_through, listen, tls):
        """A proxy that opens one tunnel and no more: what stands behind was not read."""
        opened = []

        def once(listener, connection):
            ways = (b"HTTP/1.0 503 Busy\r\n\r\n", None) if opened else (b"HTTP/1.0 200 OK\r\n\r\n", tls())
            opened.append(connection)
            answering(*ways)(listener, connection)

        (one,) = connects(polling_through("127.0.0.1", listen(once).port).survey())
        assert (one.status, one.tls, behind(one)) == (200, None, None)

    def test_each_polled_address(self, polling_through, listen):
        """One CONNECT for each of the first two addresses of an instance, whatever their form."""
        proxy = listen(answering(b"HTTP/1.0 403 Forbidden\r\n\r\n"))
        servers = ("https://octo-1.lab:10943/", "https://[2001:db8::9]:10943", "https://third.lab/")
        ran = polling_through("proxy.lab", proxy.port, servers=servers).survey()
        assert [(one.host, one.port, one.status) for one in connects(ran)] == [
            ("octo-1.lab", 10943, 403),
            ("2001:db8::9", 10943, 403),
        ]
        assert {line.split()[1] for line in proxy.received} == {b"octo-1.lab:10943", b"[2001:db8::9]:10943"}


class TestFailures:
    @BOTH
    def test_refused(self, polling_through, tools, missing):
        """Nothing listens where the proxy should."""
        machine = polling_through("127.0.0.1", tools.free_port())
        machine.description["missing"] = missing
        (one,) = connects(machine.survey())
        assert (one.status, one.error) == (None, "refused")

    @BOTH
    @pytest.mark.parametrize("word", ["name-not-found", "no-address"])
    def test_no_such_proxy(self, polling_through, missing, word):
        """The proxy's name does not resolve here."""
        machine = polling_through("gone.lab", 3128)
        machine.description["missing"] = missing
        machine.description["names"]["gone.lab"] = word
        (one,) = connects(machine.survey())
        assert (one.error, one.proxy) == ("name-not-found", "gone.lab:3128")
        assert "exit code 2" in one.detail

    def test_silent(self, polling_through, listen):
        """A proxy that does not answer is left after a probe's time."""
        proxy = listen(lambda me, _: me.stopped.wait())
        ran = polling_through("127.0.0.1", proxy.port).survey(probe_seconds=1.0)
        assert [one.error for one in connects(ran)] == ["timed-out"]

    def test_closed(self, polling_through, listen):
        """A proxy that closes without an answer, by an end or by a reset."""

        def reset(_, connection):
            connection.recv(4096)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        for serve in (answering(b""), reset):
            proxy = listen(serve)
            (one,) = connects(polling_through("127.0.0.1", proxy.port).survey())
            assert (one.status, one.error) == (None, "closed")

    def test_not_http(self, polling_through, listen, shell):
        """Something that is no proxy answers."""
        proxy = listen(answering(b"SSH-2.0-OpenSSH_9.2p1\r\n"))
        (one,) = connects(polling_through("127.0.0.1", proxy.port).survey(shell))
        assert (one.status, one.error) == (None, "not-http")
        assert "SSH-2.0" in one.detail

    def test_what_openssl_cannot_tell(self, polling_through, listen):
        """Without curl, silence and an early end look alike: neither is named."""
        proxy = listen(lambda me, _: me.stopped.wait())
        machine = polling_through("127.0.0.1", proxy.port)
        machine.description["missing"] = ["curl"]
        (one,) = connects(machine.survey(probe_seconds=1.0))
        assert (one.status, one.error) == (None, "other")

    def test_no_client(self, polling_through):
        """Neither curl nor openssl: unknown, with the reason."""
        machine = polling_through("127.0.0.1", 3128)
        machine.description["missing"] = ["curl", "openssl"]
        assert "neither curl nor openssl" in machine.survey().survey.proxy_connects.unknown


class TestWhoIsAsked:
    @pytest.mark.parametrize(
        "changes",
        [
            {"Octopus.Server.Proxy.UseDefaultProxy": "true"},
            {"Octopus.Server.Proxy.ProxyHost": ""},
            {"Octopus.Server.Proxy.ProxyHost": "http://127.0.0.1"},
            {"Octopus.Server.Proxy.ProxyHost": "user:canary@127.0.0.1"},
            {"Octopus.Server.Proxy.ProxyPort": "70000"},
            {"Octopus.Server.Proxy.ProxyPort": "no port"},
            {"Tentacle.Communication.TrustedOctopusServers": "[]"},
        ],
        ids=lambda changes: "=".join(next(iter(changes.items()))),
    )
    def test_nobody(self, polling_through, listen, changes):
        """No custom proxy, or one that cannot be right: nobody is connected to, and that is known."""
        proxy = listen(answering(b"HTTP/1.0 403 Forbidden\r\n\r\n"))
        assert connects(polling_through("127.0.0.1", proxy.port, **changes).survey()) == ()
        assert proxy.received == []

    def test_listening_tentacle_and_round_two(self, whole):
        """Who does not poll has no proxy to ask; who only probes does not ask."""
        assert connects(whole.survey()) == ()
        assert whole.survey(gather=False).survey.proxy_connects.unknown == "not asked for"

    def test_environment_wins(self, polling_through, listen):
        """The service's own variables override the file (tentacle-facts 2.2)."""
        proxy = listen(answering(b"HTTP/1.0 403 Forbidden\r\n\r\n"))
        machine = polling_through("", "")
        variables = {"HOST": "127.0.0.1", "PORT": str(proxy.port)}
        machine.service(environment={f"TENTACLE_POLLING_CUSTOM_PROXY_{key}": value for key, value in variables.items()})
        assert [one.status for one in connects(machine.survey())] == [403]

    def test_own_variables_do_not_count(self, polling_through, listen):
        """The survey's own environment neither leads past the proxy nor to another one."""
        proxy = listen(answering(b"HTTP/1.0 403 Forbidden\r\n\r\n"))
        machine = polling_through("127.0.0.1", proxy.port)
        machine.environment = machine.ready() | {"no_proxy": "*", "https_proxy": "http://127.0.0.1:1"}
        assert [one.status for one in connects(machine.survey())] == [403]

    def test_several_instances(self, polling_through, listen):
        """Four CONNECTs at most, fairly shared; blanks and per cent signs in names come back."""
        proxy = listen(answering(b"HTTP/1.0 403 Forbidden\r\n\r\n"))
        servers = [f"https://octo-{number}.lab:10943" for number in range(5)]
        for name in ("100% $(touch x)", "Two", "Three"):
            machine = polling_through("127.0.0.1", proxy.port, servers=servers, name=name)
        found = connects(machine.survey())
        assert [one.instance for one in found].count("100% $(touch x)") == 2
        assert len(found) == 4
        assert {one.status for one in found} == {403}
        assert not (machine.folder / "x").exists()


class TestHostileProxies:
    @BOTH
    @pytest.mark.parametrize("head", [b"HTTP/1.0 200 OK\r\n", b"HTTP/1.0 407 x\r\n", b"", b"X: "])
    @pytest.mark.parametrize("more", [b"X: y\r\n", b"=CURL= 200 0 0\n", b"A"], ids=["headers", "marks", "line"])
    def test_an_answer_without_end(self, polling_through, listen, missing, head, more):
        """Little is kept of it, it is told of this proxy alone, and what it says is not taken for our own notes."""

        def flood(listener, connection):
            while not listener.stopped.wait(0.005):  # without end, and not so fast that it takes a core
                connection.sendall(more * 2_000)

        proxy = listen(answering(head, flood))
        machine = polling_through("127.0.0.1", proxy.port)
        machine.description["missing"] = missing
        ran = machine.survey()
        (found,) = connects(ran)
        assert found.status in {None, int(head[9:12] or 0)}
        assert found.error is None or str(found.error) in {"not-http", "other", "closed", "timed-out"}
        assert len(found.model_dump_json()) < 2_000


class TestReservations:
    def test_none_on_linux(self, whole, shell):
        """Linux keeps no port from a program: known, and empty."""
        found = whole.survey(shell).survey.reservations.data
        assert (found.excluded, found.http_sys) == ((), ())
