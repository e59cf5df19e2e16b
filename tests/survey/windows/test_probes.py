"""What the script on a Windows machine says of a link, against real listeners on loopback."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

from pytest_tentacle.link import By, LinkRef, Target, wire
from pytest_tentacle.link.model import Failure, Stage
from pytest_tentacle.survey.answer import read_document
from pytest_tentacle.survey.ingest import ingest
from pytest_tentacle.survey.request import Request
from pytest_tentacle.survey.scripts.windows import script
from pytest_tentacle.transport.base import Answer


def probes(machine, *targets: Target, seconds: float = 20.0, budget: float = 240.0, identity: bool = False):
    request = Request(gather=False, targets=targets, probe_seconds=seconds, budget_seconds=budget, identity=identity)
    return machine.run(request).survey.probes


def to(port: int, host: str = "127.0.0.1", by: By = By.ADDRESS, name: str = "p") -> Target:
    return Target(link=LinkRef(tentacle=name), host=host, port=port, by=by)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        return reserved.getsockname()[1]


class TestStages:
    def test_a_page(self, machine, peer, certificate):
        """Each stage with its time; thumbprint, version, page; and nothing but one whole GET was sent."""
        server = peer()
        (probe,) = probes(machine, to(server.port))
        assert probe.failed is None
        assert probe.resolve is None
        assert probe.connect.address == "127.0.0.1"
        der = ssl.PEM_cert_to_DER_cert(certificate.read_text()[certificate.read_text().index("-----BEGIN CERT") :])
        assert probe.thumbprint == hashlib.sha1(der).hexdigest().upper()
        assert probe.tls.version == "TLSv1.3"
        assert probe.tls.cipher.startswith("TLS_")
        assert probe.shows_page
        assert probe.page.length == len(server.page)
        assert all(stage.ms > 0 for stage in (probe.connect, probe.tls, probe.page))
        assert server.received == [wire.page_request("127.0.0.1", server.port)]
        assert server.connections == 1

    def test_tls_12(self, machine, peer):
        """An older server: its version by name, and a cipher."""
        (probe,) = probes(machine, to(peer(versions="1.2").port))
        assert probe.tls.version == "TLSv1.2"
        assert probe.tls.cipher

    def test_by_name(self, machine, peer):
        """The name's addresses in the resolver's order; the Host header bears the name."""
        server = peer()
        machine.description["names"] = {"octo.lab": ["127.0.0.1"]}
        (probe,) = probes(machine, to(server.port, "octo.lab", By.NAME))
        assert probe.resolve.addresses == ("127.0.0.1",)
        assert probe.shows_page
        assert server.received == [wire.page_request("octo.lab", server.port)]

    def test_each_address(self, machine, peer):
        """Those behind the one that answers are looked at as well, each by a whole request, with its outcome."""
        server = peer()
        machine.description["names"] = {"octo.lab": ["127.0.0.77", "127.0.0.1", "127.0.0.78", "127.0.0.1"]}
        (probe,) = probes(machine, to(server.port, "octo.lab", By.NAME))
        tried = [(one.address, one.stage, one.error, one.thumbprint) for one in probe.connect.tried]
        dead, well = (Stage.CONNECT, Failure.REFUSED, None), (None, None, probe.thumbprint)
        assert tried == [
            ("127.0.0.77", *dead), ("127.0.0.1", *well), ("127.0.0.78", *dead), ("127.0.0.1", *well),
        ]  # fmt: skip
        assert all(one.ms is not None for one in probe.connect.tried)
        assert probe.connect.lag_ms is not None
        assert probe.shows_page
        assert server.received == [wire.page_request("octo.lab", server.port)] * 2

    def test_a_second_address(self, machine, peer):
        """A dead first address costs its share of the time only, and is told."""
        server = peer()
        machine.description["names"] = {"octo.lab": ["127.0.0.77", "127.0.0.1"]}
        (probe,) = probes(machine, to(server.port, "octo.lab", By.NAME))
        assert probe.shows_page
        assert probe.connect.address == "127.0.0.1"
        assert "127.0.0.77: refused" in probe.connect.detail

    def test_another_page(self, machine, peer):
        """A web server that is not Octopus's is a page without a product, kept to 2,000 characters."""
        page = b"HTTP/1.1 404 Not Found\r\nContent-Length: 5000\r\n\r\n" + b"n" * 5000
        (probe,) = probes(machine, to(peer(page=page).port))
        assert probe.failed is None
        assert probe.page.product is None
        assert (len(probe.page.text), probe.page.length) == (2000, len(page))

    def test_identity_only_on_request(self, machine, peer):
        """With --probe-identity a second connection speaks the identity lines; without a certificate it is untrusted."""
        server = peer()
        (probe,) = probes(machine, to(server.port), identity=True)
        assert probe.shows_page
        assert probe.identity.error is Failure.UNTRUSTED
        assert server.connections == 2
        assert server.received[0] == wire.page_request("127.0.0.1", server.port)
        assert (wire.PREAMBLE + wire.CLIENT_IDENTITY).startswith(server.received[1])


class TestOneByOne:
    def test_what_was_there_stays(self, machine, peer):
        """Each look goes out as it ends, so that whatever ends the shell takes away only those that were under way."""
        request = Request(
            gather=False,
            targets=(to(peer("silent").port, name="silent"), to(peer().port, name="quick")),
            probe_seconds=3,
            budget_seconds=100,
        )
        run = machine.run(request)
        assert {probe.link.tentacle for probe in run.survey.probes} == {"silent", "quick"}
        mark = f"-----SURVEY {run.call.nonce} END probes-----".encode()
        first = run.completed.stdout.index(mark) + len(mark)
        cut = read_document(run.call, Answer(run.completed.stdout[:first], b"", -1), "the shell was killed")
        (left,) = ingest(cut, request).probes
        assert left.link.tentacle == "quick"
        assert left.shows_page


class TestFailures:
    def test_refused(self, machine):
        """Nothing listens."""
        (probe,) = probes(machine, to(closed_port()))
        assert probe.failed[0] is Stage.CONNECT
        assert probe.connect.error is Failure.REFUSED
        assert probe.connect.address == "127.0.0.1"

    def test_nobody_answers(self, machine):
        """A full backlog swallows the SYN, as a firewall does: timed out, within its time."""
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            place = full.getsockname()
            fillers = [socket.socket() for _ in range(4)]
            for filler in fillers:
                filler.settimeout(0)
                filler.connect_ex(place)
            (probe,) = probes(machine, to(place[1]), seconds=1.0)
            for filler in fillers:
                filler.close()
        assert probe.failed[0] is Stage.CONNECT
        assert probe.connect.error is Failure.TIMED_OUT
        assert probe.connect.ms >= 900

    def test_tls(self, machine, peer):
        """What answers instead of a handshake, told apart."""
        words = {
            "banner": Failure.NOT_TLS,
            "closed": Failure.CLOSED,
            "reset": Failure.RESET,
            "silent": Failure.TIMED_OUT,
        }
        found = probes(machine, *(to(peer(behaviour).port, name=behaviour) for behaviour in words), seconds=6.0)
        assert {probe.link.tentacle: (probe.failed[0], probe.tls.error, probe.page) for probe in found} == {
            behaviour: (Stage.TLS, word, None) for behaviour, word in words.items()
        }
        assert all(probe.tls.hello_ms is None for probe in found)

    def test_silence_that_may_be_our_own(self, machine, peer, certificate):
        """A handshake without an end is followed by a plain hello, whose answer shows that the other end is awake.

        TLS 1.3 alone answers with an alert: that is an answer, too, and shows no certificate.
        """
        machine.description["names"] = {"octo.lab": ["127.0.0.1"]}
        versions = ("1.2", "", "1.3")
        servers = [peer("awake", versions=version) for version in versions]
        found = probes(machine, *(to(each.port, "octo.lab", By.NAME) for each in servers), seconds=3.0)
        der = ssl.PEM_cert_to_DER_cert(certificate.read_text()[certificate.read_text().index("-----BEGIN CERT") :])
        own = hashlib.sha1(der).hexdigest().upper()
        by_port = {probe.port: probe for probe in found}
        for version, server in zip(versions, servers, strict=True):
            probe = by_port[server.port]
            assert probe.failed[0] is Stage.TLS
            assert probe.tls.error is Failure.TIMED_OUT
            assert probe.tls.hello_ms < 2500
            assert probe.tls.hello_thumbprint == (None if version == "1.3" else own)
            assert server.connections == 2
            assert set(server.names) == (set() if version == "1.3" else {"octo.lab"})

    def test_an_old_protocol(self, machine, peer):
        """A server that knows nothing newer than TLS 1.1."""
        (probe,) = probes(machine, to(peer(versions="1.1").port))
        assert probe.failed[0] is Stage.TLS
        assert probe.tls.error in {Failure.PROTOCOL_VERSION, Failure.NO_COMMON_CIPHER}

    def test_resolve(self, machine):
        """Each way for a look-up to fail."""
        words = {
            "unknown.lab": Failure.NAME_NOT_FOUND,
            "name-not-found.lab": Failure.NAME_NOT_FOUND,
            "resolver-failed.lab": Failure.RESOLVER_FAILED,
            "no-address.lab": Failure.NO_ADDRESS,
            "empty.lab": Failure.NO_ADDRESS,
            "timed-out.lab": Failure.TIMED_OUT,
        }
        machine.description["names"] = {name: name.removesuffix(".lab") for name in words if name != "unknown.lab"}
        machine.description["names"]["empty.lab"] = []
        found = probes(machine, *(to(10933, name, By.NAME, name) for name in words), seconds=6.0)
        assert {probe.link.tentacle: (probe.failed[0], probe.resolve.error, probe.connect) for probe in found} == {
            name: (Stage.RESOLVE, word, None) for name, word in words.items()
        }

    def test_page(self, machine, peer):
        """TLS, but no page behind it."""
        pages = {"nothing": (b"", Failure.CLOSED), "mail": (b"220 mail.example ESMTP\r\n", Failure.NOT_HTTP)}
        found = probes(machine, *(to(peer(page=page).port, name=name) for name, (page, _) in pages.items()))
        assert {probe.link.tentacle: (probe.failed[0], probe.page.error) for probe in found} == {
            name: (Stage.PAGE, word) for name, (_, word) in pages.items()
        }


class TestBusyHost:
    def test_time_in_which_it_does_not_get_to_look_is_no_silence_of_the_peer(self, machine, peer):
        """The engine stands still, for longer than a look may take, between the connection and what follows."""
        server = peer()
        stopped = threading.Event()

        def stand_still():
            while not server.connections:
                time.sleep(0.01)
            engine = engine_below(os.getpid())
            os.kill(engine, signal.SIGSTOP)
            stopped.set()
            time.sleep(5)
            os.kill(engine, signal.SIGCONT)

        thread = threading.Thread(target=stand_still)
        thread.start()
        (probe,) = probes(machine, to(server.port), seconds=3.0)
        thread.join()
        assert stopped.is_set()
        assert probe.shows_page, probe


def engine_below(parent: int) -> int:
    """The one PowerShell that this process has started."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            number, name, rest = re.fullmatch(r"(\d+) \((.*)\) (.*)", status.read_text().strip(), re.DOTALL).groups()
            if name.startswith("pwsh") and rest.split()[1] == str(parent):
                return int(number)
    raise LookupError("no PowerShell runs")


class TestMany:
    def test_a_hundred_in_one_script(self, machine, peer):
        """A hundred targets at once, among them silent ones: each has its answer, in the time of one."""
        good, silent, refused = peer(), peer("silent"), closed_port()
        machine.description["names"] = {f"t{n}.lab": ["127.0.0.1"] for n in range(60)}
        targets = [to(good.port, f"t{n}.lab", By.NAME, f"good{n}") for n in range(60)]
        targets += [to(silent.port, name=f"silent{n}") for n in range(20)]
        targets += [to(refused, name=f"refused{n}") for n in range(20)]
        found = {probe.link.tentacle: probe for probe in probes(machine, *targets, seconds=20.0)}
        assert len(found) == 100
        assert all(found[f"good{n}"].shows_page for n in range(60))
        assert {found[f"silent{n}"].tls.error for n in range(20)} == {Failure.TIMED_OUT}
        assert {found[f"refused{n}"].connect.error for n in range(20)} == {Failure.REFUSED}
        assert good.connections == 60

    def test_the_budget_of_the_script(self, machine, peer):
        """When the script's own time is up, what was not tried says so, and what was tried has timed out."""
        silent = peer("silent")
        targets = [to(silent.port, name=f"s{n}") for n in range(300)]
        found = probes(machine, *targets, seconds=5.0, budget=4.0)
        assert len(found) == 300
        late = [probe for probe in found if probe.unavailable]
        assert late
        assert all("budget" in probe.unavailable for probe in late)
        assert all(probe.unavailable or probe.failed[1].error is Failure.TIMED_OUT for probe in found)


def test_the_name_of_a_failure_comes_before_its_words(engine: Path) -> None:
    """By .NET's name alone is told, in each language, that no port was left; what has a word of ours needs none."""
    functions = [body.partition("\n}\n")[0] + "\n}" for body in script().split("\nfunction ")]
    wanted = [f"function {each}" for each in functions if each.startswith(("Get-ExceptionChain", "Get-FailureText"))]
    asked = """
    ConvertTo-Json @(
        (Get-FailureText 'other' (New-Object Net.Sockets.SocketException 10055)),
        (Get-FailureText 'other' (New-Object Net.Sockets.SocketException 10048)),
        (Get-FailureText 'refused' (New-Object Net.Sockets.SocketException 10061)),
        (Get-FailureText 'other' (New-Object Exception 'said')))
    """
    command = [str(engine), "-NoProfile", "-NonInteractive", "-Command", "\n".join([*wanted, asked])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    full, taken, refused, other = json.loads(done.stdout)
    assert full.startswith("NoBufferSpaceAvailable: ")
    assert taken.startswith("AddressAlreadyInUse: ")
    assert not refused.startswith("ConnectionRefused")
    assert other == "said"
