"""The client against a portal on loopback: what it sends, what it refuses, what it says of a portal that fails."""

from __future__ import annotations

import json
import re
import socket
import threading

import pytest

from pytest_tentacle.lab.halibut.listener import make_certificate
from pytest_tentacle.lab.portal import Answer, PortalData, Space, machine
from pytest_tentacle.octopus import Client, Credentials, PortalError, PortalFailure
from pytest_tentacle.octopus import client as client_module
from pytest_tentacle.octopus.allowed import is_allowed
from pytest_tentacle.octopus.client import portal_url

from .conftest import KEY


class TestAddress:
    @pytest.mark.parametrize("end", ["", "/", "/api", "/api/"])
    @pytest.mark.parametrize("folder", ["", "/octopus"])
    def test_all_spellings(self, end, folder):
        """With or without /api and a slash, in a virtual directory or not."""
        assert portal_url(f"https://o.example.com:8443{folder}{end}") == f"https://o.example.com:8443{folder}"

    @pytest.mark.parametrize(
        ("url", "advice"),
        [
            ("octopus.example.com", "https://octopus.example.com"),
            ("", "https://octopus.example.com"),
            ("ftp://octopus.example.com", "https://octopus.example.com"),
            ("https://me:secret@octopus.example.com", "OCTOPUS_API_KEY"),
            ("https://octopus.example.com?apikey=API-1", "OCTOPUS_API_KEY"),
        ],
    )
    def test_what_is_none(self, url, advice):
        """It is told what to write, and no password is repeated."""
        with pytest.raises(PortalError) as refused:
            portal_url(url)
        assert refused.value.kind is PortalFailure.NO_ADDRESS
        assert advice in str(refused.value)
        assert "secret" not in str(refused.value)
        assert "API-1" not in str(refused.value)

    def test_virtual_directory(self, serve, connect):
        """The API lies below the portal's folder."""
        server = serve(folder="/octopus")
        assert connect(server).get("")["Version"] == "2026.3.4512"
        assert server.asked == [("GET", "/octopus/api")]


class TestAllowed:
    @pytest.mark.parametrize(
        "path",
        ["/users/me/apikeys", "/variables/1", "/certificates/Certificates-1", "/licenses/licenses-current", "/accounts/1",
         "/serverstatus/system-report", "/tasks/ServerTasks-1/cancel", "/Spaces-1/machines/Machines-1/../../x", "/machines/x y",
         "/Spaces-1/machines/Machines-1"],
    )  # fmt: skip
    def test_refused(self, path, serve, connect):
        """What holds secrets, costs, or changes is not even sent."""
        server = serve()
        assert not is_allowed(path)
        with pytest.raises(ValueError, match="not on the list"):
            connect(server).get(path)
        assert server.asked == []


class TestKey:
    def test_header_alone(self, serve, connect):
        """The key travels in its header; a wrong one is told in a line that does not show it."""
        server = serve()
        assert connect(server).get("/users/me")["Username"] == "surveyor"
        other = Client(server.url, Credentials(api_key="API-WRONG"))
        with pytest.raises(PortalError, match="does not accept the API key or token") as refused:
            other.get("/users/me")
        assert "API-WRONG" not in str(refused.value) + repr(other.credentials) + repr(refused.value)

    def test_bearer(self, serve):
        """A token goes as such."""
        assert Client(serve().url, Credentials(token=KEY)).get("/users/me")

    def test_netrc_is_left_alone(self, serve, connect, tmp_path, monkeypatch):
        """A netrc of the user takes no part."""
        (tmp_path / "netrc").write_text("default login a password b\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        seen = {}
        server = serve()
        answer = server.answer
        monkeypatch.setattr(server, "answer", lambda m, t, headers: seen.update(headers) or answer(m, t, headers))
        connect(server).get("/users/me")
        assert "authorization" not in seen

    def test_no_redirect(self, serve, connect):
        """The key goes to no other host; the user is told where the portal wanted to send it."""
        other = serve()
        server = serve()
        server.override = lambda _p, _q: Answer(302, headers={"Location": f"{other.url}/login"})
        with pytest.raises(PortalError, match=r"sends us on to 127\.0\.0\.1:\d+.*never taken along"):
            connect(server).get("/users/me")
        assert other.asked == []


class TestFailures:
    @pytest.mark.parametrize(
        ("answer", "kind", "words"),
        [
            (Answer(401, {"ErrorMessage": "x"}), PortalFailure.NOT_LOGGED_IN, "make a new key"),
            (Answer(403, {"ErrorMessage": "You do not have permission... Missing permission: MachineView"}),
             PortalFailure.FORBIDDEN, "the permission MachineView is missing"),
            (Answer(403, body=b"<html>"), PortalFailure.FORBIDDEN, "the account may not"),
            (Answer(404, {"ErrorMessage": "x"}), PortalFailure.NOT_FOUND, "has no /users/me"),
            (Answer(200, body=b"<!doctype html><title>Log on</title>", content_type="text/html"),
             PortalFailure.NOT_OCTOPUS, "is no Octopus portal"),
            (Answer(200, body=b'{"Version": "20'), PortalFailure.NOT_OCTOPUS, "is no Octopus portal"),
            (Answer(200, body=b""), PortalFailure.NOT_OCTOPUS, "is no Octopus portal"),
            (Answer(200, body=b"[" * 100_000), PortalFailure.NOT_OCTOPUS, "is no Octopus portal"),
            (Answer(500, {"ErrorMessage": "boom", "FullException": "at Secret.Stack()"}), PortalFailure.SERVER_ERROR, "HTTP 500"),
            (Answer(400, {"ErrorMessage": "There was a problem\nwith it"}), PortalFailure.SERVER_ERROR, "There was a problem"),
            (Answer(503, body=b""), PortalFailure.SERVER_ERROR, "HTTP 503: is it starting?"),
            (Answer(429, {"ErrorMessage": "slow down"}, headers={"Retry-After": "600"}), PortalFailure.RATE_LIMITED, "limits how often"),
        ],
        ids=["401", "403", "403-html", "404", "html", "cut-off", "empty", "deep", "500", "400", "503", "429"],
    )  # fmt: skip
    def test_each_in_a_line(self, answer, kind, words, serve, connect):
        """One line, with what to do, and no stack trace."""
        server = serve()
        server.override = lambda _p, _q: answer
        with pytest.raises(PortalError, match=re.escape(words)) as failed:
            connect(server).get("/users/me")
        assert failed.value.kind is kind
        assert "\n" not in str(failed.value)
        assert "Secret.Stack" not in str(failed.value)

    def test_bom(self, serve, connect):
        """A byte order mark is no reason to give up."""
        server = serve()
        server.override = lambda _p, _q: Answer(body=b"\xef\xbb\xbf" + json.dumps({"Version": "1"}).encode())
        assert connect(server).get("") == {"Version": "1"}

    def test_418_is_a_status(self, serve, connect):
        """A server that is not well says so with 418 and its ordinary body."""
        server = serve(PortalData(health={"IsOperatingNormally": False, "Description": "draining"}))
        assert connect(server).get("/serverstatus/health")["Description"] == "draining"

    def test_too_large(self, serve, connect, monkeypatch):
        """An answer without end is left."""
        monkeypatch.setattr(client_module, "MOST_BYTES", 1000)
        server = serve()
        server.override = lambda _p, _q: Answer(data="x" * 100_000)
        with pytest.raises(PortalError, match="has more than"):
            connect(server).get("")

    def test_nobody_listens(self, connect):
        """A refused connection is told as such."""
        with socket.create_server(("127.0.0.1", 0)) as closed:
            url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(PortalError, match="the connection was refused"):
            Client(url, Credentials(api_key=KEY)).get("")

    def test_hanging(self):
        """A portal that takes the connection and says nothing costs its time-out and no more."""
        with socket.create_server(("127.0.0.1", 0)) as silent:
            client = Client(f"http://127.0.0.1:{silent.getsockname()[1]}", Credentials(api_key=KEY))
            with pytest.raises(PortalError, match="did not answer within"):
                client.get("", seconds=0.5)

    def test_half_an_answer(self):
        """A connection that breaks within the answer is told."""
        with socket.create_server(("127.0.0.1", 0)) as server:

            def half():
                connection, _ = server.accept()
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
                connection.close()

            threading.Thread(target=half, daemon=True).start()
            client = Client(f"http://127.0.0.1:{server.getsockname()[1]}", Credentials(api_key=KEY))
            with pytest.raises(PortalError, match=r"broke off|hung up"):
                client.get("")


class TestTls:
    def test_verified_and_private_ca(self, serve, tmp_path):
        """A certificate of nobody known is refused with what to do; with its CA it is accepted."""
        authority = make_certificate("CA", authority=True)
        certificate = make_certificate("portal", issuer=authority, names=["127.0.0.1"])
        chain, ca = tmp_path / "portal.pem", tmp_path / "ca.pem"
        chain.write_text(certificate.certificate_pem + certificate.key_pem)
        ca.write_text(authority.certificate_pem)
        server = serve(certificate=chain)
        with pytest.raises(PortalError, match=r"is not trusted here.*--octopus-ca") as refused:
            Client(server.url, Credentials(api_key=KEY)).get("")
        assert refused.value.kind is PortalFailure.TLS
        assert Client(server.url, Credentials(api_key=KEY), ca=ca).get("")["Version"]


class TestManners:
    def test_retry_after(self, serve, connect):
        """A limit is honoured: it waits as long as it was told, then asks again."""
        server = serve()
        answers = [Answer(429, {}, headers={"Retry-After": "7"})]
        server.override = lambda _p, _q: answers.pop() if answers else None
        client = connect(server)
        assert client.get("/users/me")
        assert [wait >= 7 for wait in client.waits] == [True]

    def test_restarting_portal(self, serve, connect):
        """A portal that starts is given a moment."""
        server = serve()
        answers = [Answer(503, body=b""), Answer(502, body=b"")]
        server.override = lambda _p, _q: answers.pop() if answers else None
        assert connect(server).get("/users/me")

    @pytest.mark.parametrize(("left", "waits"), [(150, False), (7, True)])
    def test_paces_itself(self, left, waits, serve, connect):
        """It slows down before the limit is met, by what the server says is left."""
        server = serve()
        headers = {"Octopus-RateLimit-Policy": "l=200;rpm=600", "Octopus-RateLimit": f"r={left};t=18"}
        server.override = lambda _p, _q: Answer(data={"Version": "1"}, headers=headers)
        client = connect(server)
        client.get("")
        assert bool(client.waits) is waits

    def test_budget_of_requests(self, serve, connect):
        """There is a last question."""
        client = connect(serve(), most_requests=2)
        client.get("")
        client.get("/users/me")
        with pytest.raises(PortalError, match="was not checked") as over:
            client.get("/users/me")
        assert over.value.kind is PortalFailure.BUDGET

    def test_gives_up(self, serve, connect):
        """Ctrl-C: no further question."""
        client = connect(serve())
        client.give_up()
        with pytest.raises(PortalError):
            client.get("")


class TestPages:
    def data(self, count: int) -> PortalData:
        return PortalData(
            spaces=[Space(machines=[machine(n, f"web-{n}", f"https://web-{n}:10933/", "A" * 40) for n in range(count)])]
        )

    @pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1000])
    def test_last_page(self, count, serve, connect):
        """Right at the last page, full or not."""
        server = serve(self.data(count))
        found = list(connect(server).pages("/Spaces-1/machines"))
        assert [item["Id"] for item in found] == [f"Machines-{n}" for n in range(count)]
        assert len(server.asked) == max(1, -(-count // 500))

    def test_small_pages_and_repeats(self, serve, connect):
        """A server that gives 30 at most, and an entry twice since the list moved meanwhile: each once."""
        server = serve(self.data(70))
        ordinary = server._of_space

        def moving(space, path, query):
            answer = ordinary(space, path, {**query, "take": "30"})
            if query.get("skip") == "30":
                answer.data["Items"].insert(0, server.data.spaces[0].machines[29])
            return answer

        server._of_space = moving
        found = [item["Id"] for item in connect(server).pages("/Spaces-1/machines")]
        assert sorted(found) == sorted(set(found))
        assert len(found) >= 69

    def test_no_totals(self, serve, connect):
        """A newer list without totals ends with its page; one that repeats itself for ever ends, too."""
        server = serve()
        server.override = lambda p, _q: (
            Answer(data={"Items": [{"Id": "Machines-1"}], "TotalResults": 10**9}) if "machines" in p else None
        )
        assert len(list(connect(server).pages("/Spaces-1/machines"))) == 1

    def test_next_page_elsewhere(self, serve, connect):
        """Links are not followed at all, so none can lead to another host."""
        server = serve()
        server.override = lambda _p, _q: Answer(
            data={"Items": [{"Id": "Machines-1"}], "TotalResults": 1, "Links": {"Page.Next": "https://evil.example/"}}
        )
        assert len(list(connect(server).pages("/Spaces-1/machines"))) == 1
