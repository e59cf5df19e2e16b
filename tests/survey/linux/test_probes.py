"""The script's probes against real listeners, and its run on a real machine without stand-ins."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections import Counter

import pytest

from pytest_tentacle.lab.linux.machine import REAL_TOOLS
from pytest_tentacle.link import By, Failure, LinkRef, Stage, Target
from pytest_tentacle.link.decoding import thumbprint_of
from pytest_tentacle.survey.request import Request

NASTY = "a$(touch x)`touch y`\"'\\ü;|&<>*?[~%41 %\t\n" + "x" * 4000


def probing(*targets, **options):
    return Request(gather=False, targets=targets, **({"probe_seconds": 20.0, "budget_seconds": 240.0} | options))


def at(port, host="127.0.0.1", by=By.ADDRESS, name="t"):
    return Target(link=LinkRef(tentacle=name), host=host, port=port, by=by)


class TestProbe:
    @pytest.mark.parametrize("maximum", [None, ssl.TLSVersion.TLSv1_2], ids=["tls1.3", "tls1.2"])
    def test_page_and_certificate(self, listen, tls, real, shell, tools, certificate, maximum):
        """One connection gives the session, the certificate's very bytes and the whole page; times are measured."""
        listener = listen(tls(maximum=maximum))
        (probe,) = real(probing(at(listener.port)), shell).survey.probes
        assert probe.failed is None
        assert probe.thumbprint == thumbprint_of(certificate[2])
        assert probe.tls.version == ("TLSv1.2" if maximum else "TLSv1.3")
        assert probe.tls.cipher in {"TLS_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"}
        assert (probe.page.text, probe.page.length) == (tools.PAGE.decode(), len(tools.PAGE))
        assert probe.resolve is None
        assert probe.connect.address == "127.0.0.1"
        assert all(stage.ms is not None and stage.ms >= 0 for stage in (probe.connect, probe.tls, probe.page))
        assert len(listener.received) == 1

    def test_sends_what_the_link_sends(self, listen, tls, real):
        """The bytes on the wire are those of our own client, and nothing else."""
        from pytest_tentacle.link import wire

        listener = listen(tls())
        real(probing(at(listener.port), at(listener.port, "localhost", By.LOCAL)))
        assert Counter(listener.received) == {
            wire.page_request("127.0.0.1", listener.port): 1, wire.page_request("localhost", listener.port): 1,
        }  # fmt: skip

    def test_name(self, listen, tls, real):
        """A name is resolved first, and every address is tried until one connects."""
        listener = listen(tls())
        (probe,) = real(probing(at(listener.port, "localhost", By.LOCAL))).survey.probes
        assert "127.0.0.1" in probe.resolve.addresses
        assert probe.shows_page

    def test_next_address(self, machine, listen, tls):
        """Where the first address refuses, the next one is tried."""
        listener = listen(tls(), address="127.0.0.92")
        machine.description["names"] = {"two.lab": ["127.0.0.91", "127.0.0.92"]}
        target = at(listener.port, "two.lab", By.NAME)
        (probe,) = machine.survey(gather=False, targets=(target,)).survey.probes
        assert probe.resolve.addresses == ("127.0.0.91", "127.0.0.92")
        assert (probe.connect.address, probe.shows_page) == ("127.0.0.92", True)

    def test_each_address(self, machine, listen, tls, certificate):
        """Of a name's addresses those behind the one that answers are looked at as well, each with its outcome."""
        listener = listen(tls(), address="127.0.0.92")
        listen(tls(b"", hold=0), address="127.0.0.93", port=listener.port)
        addresses = ["127.0.0.91", "127.0.0.92", "127.0.0.94", "127.0.0.93"]
        machine.description["names"] = {"four.lab": addresses}
        target = at(listener.port, "four.lab", By.NAME)
        (probe,) = machine.survey(gather=False, targets=(target,)).survey.probes
        tried = [(one.address, one.stage, one.error) for one in probe.connect.tried]
        assert tried == [
            ("127.0.0.91", Stage.CONNECT, Failure.REFUSED),
            ("127.0.0.92", None, None),
            ("127.0.0.94", Stage.CONNECT, Failure.REFUSED),
            ("127.0.0.93", Stage.PAGE, Failure.CLOSED),
        ]
        assert [one.thumbprint for one in probe.connect.tried] == [None, probe.thumbprint, None, probe.thumbprint]
        assert all(one.ms is not None for one in probe.connect.tried)
        assert (probe.connect.address, probe.shows_page) == ("127.0.0.92", True)
        assert probe.connect.lag_ms is not None

    def test_long_page(self, listen, tls, real):
        """Of a long page the first 2,000 characters come back, and its length."""
        body = b"HTTP/1.0 200 OK\r\n\r\n" + b'\xc3\xbc\\"\x01' * 5000
        listener = listen(tls(body))
        (probe,) = real(probing(at(listener.port))).survey.probes
        assert probe.page.error is None
        assert probe.page.text.startswith('HTTP/1.0 200 OK\r\n\r\nü\\"\x01ü')
        assert probe.page.length == len(body)

    def test_session_tickets_do_not_mix_into_the_page(self, listen, tls, real, tools):
        """TLS 1.3 tickets arrive between handshake and page; eight runs at once give eight clean pages."""
        listener = listen(tls())
        probes = real(probing(*(at(listener.port, name=str(n)) for n in range(8)))).survey.probes
        assert {probe.page.text for probe in probes} == {tools.PAGE.decode()}


class TestFailures:
    def test_refused(self, real, tools, shell):
        """Nothing listens."""
        (probe,) = real(probing(at(tools.free_port())), shell).survey.probes
        assert probe.failed[0] == "connect"
        assert (probe.connect.error, probe.connect.address) == ("refused", "127.0.0.1")

    def test_connect_timed_out(self, real, shell):
        """A SYN that nobody answers: a listener whose backlog is full."""
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            fillers = [socket.socket() for _ in range(4)]
            try:
                for filler in fillers:
                    filler.setblocking(False)  # noqa: FBT003  the standard library's way
                    filler.connect_ex(listener.getsockname())
                time.sleep(0.2)
                ran = real(probing(at(listener.getsockname()[1]), probe_seconds=1.0), shell)
            finally:
                for filler in fillers:
                    filler.close()
        (probe,) = ran.survey.probes
        assert (probe.failed[0], probe.connect.error) == ("connect", "timed-out")

    def test_unreachable(self, real):
        """The kernel says that there is no way: in a network namespace without any interface up."""
        (probe,) = real(probing(at(10933), probe_seconds=1.0), ["unshare", "-rn", "dash"]).survey.probes
        assert (probe.failed[0], probe.connect.error) == ("connect", "unreachable")

    @pytest.mark.parametrize("word", ["prohibit", "unreachable"])
    def test_routes(self, real, word):
        """The machine's own policy says no (EACCES), or a route to nowhere (EHOSTUNREACH)."""
        inside = [
            "unshare",
            "-rn",
            "sh",
            "-c",
            'ip link set lo up && ip route add "$0" 192.0.2.0/24 && exec dash "$@"',
            word,
        ]
        (probe,) = real(probing(at(10933, "192.0.2.1"), probe_seconds=1.0), inside).survey.probes
        assert (probe.failed[0], probe.connect.error) == ("connect", "prohibited" if word == "prohibit" else word)

    @pytest.mark.parametrize(
        "answer", [b"HTTP/1.0 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2p1\r\n"], ids=["http", "ssh"]
    )
    def test_not_tls(self, listen, real, shell, answer):
        """Something that is not TLS answers."""

        def serve(_, connection):
            connection.sendall(answer)
            connection.recv(4096)

        (probe,) = real(probing(at(listen(serve).port)), shell).survey.probes
        assert (probe.failed[0], probe.tls.error) == ("tls", "not-tls")

    def test_closed_before_tls(self, listen, real):
        """The end of the stream instead of a handshake."""

        def serve(_, connection):
            connection.recv(4096)

        (probe,) = real(probing(at(listen(serve).port))).survey.probes
        assert (probe.failed[0], probe.tls.error) == ("tls", "closed")

    def test_reset_in_tls(self, listen, real):
        """A reset instead of a handshake."""

        def serve(_, connection):
            connection.recv(10)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        (probe,) = real(probing(at(listen(serve).port))).survey.probes
        assert (probe.failed[0], probe.tls.error) == ("tls", "reset")

    def test_silence_instead_of_tls(self, listen, real):
        """Connected, but no word comes."""
        (probe,) = real(probing(at(listen(lambda me, _: me.stopped.wait()).port), probe_seconds=6.0)).survey.probes
        assert (probe.failed[0], probe.tls.error) == ("tls", "timed-out")

    @pytest.mark.parametrize(
        ("alert", "word"), [(70, "protocol-version"), (40, "no-common-cipher"), (71, "no-common-cipher")]
    )
    def test_alerts(self, listen, real, alert, word):
        """The peer's fatal alerts, by their numbers."""

        def serve(_, connection):
            connection.recv(4096)
            connection.sendall(bytes([21, 3, 3, 0, 2, 2, alert]))

        (probe,) = real(probing(at(listen(serve).port))).survey.probes
        assert (probe.failed[0], probe.tls.error) == ("tls", word)

    def test_page_closed(self, listen, tls, real, certificate):
        """TLS, and then closed without a byte; the certificate is still known."""
        (probe,) = real(probing(at(listen(tls(b"")).port))).survey.probes
        assert (probe.failed[0], probe.page.error) == ("page", "closed")
        assert probe.thumbprint == thumbprint_of(certificate[2])

    def test_page_timed_out(self, listen, tls, real, certificate):
        """TLS, and then silence; what the handshake gave is not lost."""
        (probe,) = real(probing(at(listen(tls(b"", hold=120)).port), probe_seconds=6.0)).survey.probes
        assert (probe.failed[0], probe.page.error) == ("page", "timed-out")
        assert probe.thumbprint == thumbprint_of(certificate[2])

    def test_page_whole_though_kept_open(self, listen, tls, real, tools):
        """A server that sends its whole page by Content-Length and keeps the connection has answered."""
        (probe,) = real(probing(at(listen(tls(tools.PAGE, hold=120)).port))).survey.probes
        assert probe.failed is None

    def test_not_http(self, listen, tls, real):
        """Bytes, but no HTTP answer."""
        (probe,) = real(probing(at(listen(tls(b"220 mail.example.org ESMTP\r\n")).port))).survey.probes
        assert (probe.failed[0], probe.page.error) == ("page", "not-http")

    def test_flood(self, listen, certificate, real):
        """An endless page costs neither memory nor more than its time."""

        def serve(_, connection):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate[0], certificate[1])
            with context.wrap_socket(connection, server_side=True) as stream:
                while True:
                    stream.sendall(b"HTTP/1.0 200 OK\r\n" + b"A" * 60000)

        ran = real(probing(at(listen(serve).port)))
        assert ran.survey.probes[0].page.length == 100_000

    @pytest.mark.parametrize(
        ("answer", "word"),
        [("name-not-found", "name-not-found"), ("resolver-failed", "resolver-failed"), ("no-address", "no-address")],
    )
    def test_names(self, machine, answer, word, shell):
        """The command getent knows one failure only; nslookup tells them apart."""
        machine.description["names"] = {"gone.lab": answer}
        (probe,) = machine.survey(shell, gather=False, targets=(at(10933, "gone.lab", By.NAME),)).survey.probes
        assert (probe.failed[0], probe.resolve.error, probe.connect) == ("resolve", word, None)

    def test_name_not_found_without_nslookup(self, machine):
        """Without nslookup, what getent does not find is not found."""
        machine.description["missing"] = ["nslookup"]
        (probe,) = machine.survey(gather=False, targets=(at(10933, "gone.lab", By.NAME),)).survey.probes
        assert probe.resolve.error == "name-not-found"

    def test_resolver_timed_out(self, machine):
        """A resolver that does not answer within the probe's time."""
        machine.description["names"] = {"slow.lab": "timed-out"}
        (probe,) = machine.survey(
            gather=False, targets=(at(10933, "slow.lab", By.NAME),), probe_seconds=1.0
        ).survey.probes
        assert (probe.failed[0], probe.resolve.error) == ("resolve", "timed-out")


class TestBusyHost:
    SLOW_START = '#!/bin/sh\nsleep 1.5\nexec {real} "$@"\n'

    def test_a_slow_start_of_the_client_is_no_silence_of_the_peer(self, listen, tls, real, tools, tmp_path):
        """Where starting openssl takes longer than a look may, a refusal is told as one, and a page is read."""
        client = tmp_path / "openssl"
        client.write_text(self.SLOW_START.format(real=shutil.which("openssl")))
        client.chmod(0o755)
        path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
        targets = (at(tools.free_port(), name="refused"), at(listen(tls()).port, name="well"))
        refused, well = real(probing(*targets, probe_seconds=1.0), environment=path).survey.probes
        assert (refused.failed[0], refused.connect.error) == ("connect", "refused")
        assert well.shows_page


class TestOtherClients:
    def test_curl(self, machine, listen, tls, tools, certificate):
        """Without openssl, curl gets the page (and from 7.88 on the certificate)."""
        machine.description["missing"] = ["openssl"]
        listener = listen(tls(hold=0.0))
        (probe,) = machine.survey(gather=False, targets=(at(listener.port),)).survey.probes
        assert probe.shows_page
        assert probe.tls.version == "TLSv1.3"
        assert probe.thumbprint in {None, thumbprint_of(certificate[2])}
        assert probe.page.length == len(tools.PAGE) - 4  # curl stops at Content-Length

    def test_curl_failures(self, machine, listen, tls, tools):
        """The failures of curl in the same words."""
        machine.description["missing"] = ["openssl"]

        def plain(_, connection):
            connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
            connection.recv(4096)

        ports = [
            tools.free_port(),
            listen(plain).port,
            listen(lambda me, _: me.stopped.wait()).port,
            listen(tls(b"")).port,
        ]
        targets = tuple(at(port, name=str(n)) for n, port in enumerate(ports))
        probes = machine.survey(gather=False, targets=targets, probe_seconds=6.0).survey.probes
        assert [(str(probe.failed[0]), str(probe.failed[1].error)) for probe in probes] == [
            ("connect", "refused"), ("tls", "not-tls"), ("tls", "timed-out"), ("page", "closed"),
        ]  # fmt: skip

    WITHIN_A_LINE = "#!/bin/sh\nprintf '* Connected to it\\n* SSL connection using TLSv1.3 / X\\n* TLSv1.3 (IN), ' >&2\nexec sleep 100\n"

    def test_an_end_within_a_line(self, real, tmp_path):
        """curl writes its lines in pieces: what is said after one that it did not end is heard all the same."""
        for name in {*REAL_TOOLS, "sh"} - {"curl", "openssl"}:
            (tmp_path / name).symlink_to(shutil.which(name))
        client = tmp_path / "curl"
        with client.open("x") as script:  # and never through a link to the real one
            script.write(self.WITHIN_A_LINE)
        client.chmod(0o755)
        (probe,) = real(probing(at(1), probe_seconds=1.0), environment={"PATH": str(tmp_path)}).survey.probes
        assert (probe.failed[0], probe.page.error) == ("page", "timed-out")

    def test_none(self, machine):
        """No TLS client: the probe says that it could not be made."""
        machine.description["missing"] = ["openssl", "curl"]
        (probe,) = machine.survey(gather=False, targets=(at(10933),)).survey.probes
        assert "no TLS client" in probe.unavailable
        assert probe.failed is None

    def test_without_timeout(self, machine, listen):
        """Where there is no `timeout`, a silent peer is still left after its time."""
        machine.description["missing"] = ["timeout"]
        listener = listen(lambda me, _: me.stopped.wait())
        for shell in (["dash"], ["bash"]):
            ran = machine.survey(shell, gather=False, targets=(at(listener.port),), probe_seconds=6.0)
            assert ran.survey.probes[0].tls.error == "timed-out"


class TestIdentity:
    def test_only_on_request(self, listen, tls, real):
        """Halibut's lines go over a second connection, and only where they were asked for."""
        from pytest_tentacle.link import wire

        listener = listen(tls(b"MX-SERVER 1.0\r\n\r\n"))
        (probe,) = real(probing(at(listener.port), identity=True)).survey.probes
        assert probe.identity.line == "MX-SERVER 1.0"
        assert probe.identity.error is None
        assert listener.received[0] == wire.page_request("127.0.0.1", listener.port)
        assert (wire.PREAMBLE + wire.CLIENT_IDENTITY).startswith(listener.received[1])

    def test_untrusted(self, listen, tls, real):
        """Closed without an answer."""
        (probe,) = real(probing(at(listen(tls(b"")).port), identity=True)).survey.probes
        assert (probe.identity.error, probe.identity.line) == ("untrusted", None)


class TestMany:
    def test_two_hundred(self, listen, tls, real, tools):
        """200 targets come back whole, each under its id, in the order asked for; however slow this machine is."""
        listener = listen(tls())
        targets = tuple(at(listener.port, name=f"m-{n}") for n in range(200))
        ran = real(probing(*targets, probe_seconds=60.0, budget_seconds=600.0))
        assert [probe.link.tentacle for probe in ran.survey.probes] == [target.link.tentacle for target in targets]
        assert {probe.page.text for probe in ran.survey.probes} == {tools.PAGE.decode()}
        assert b" BEGIN probes gzip " in ran.answer.stdout

    def test_budget(self, listen, real):
        """What the budget does not reach is unavailable, and the script ends in time."""
        listener = listen(lambda me, _: me.stopped.wait())
        ran = real(probing(*(at(listener.port, name=str(n)) for n in range(60)), probe_seconds=2.0, budget_seconds=4.0))
        probes = ran.survey.probes
        assert {probe.unavailable for probe in probes} == {None, "no time was left for this probe"}
        assert {probe.tls.error for probe in probes if probe.tls} == {"timed-out"}

    def test_at_once(self, listen, tls, real):
        """Sixteen peers, each of which waits for all the others before it says a word."""
        together = threading.Barrier(16)
        answer = tls()

        def wait_and_answer(me, connection):
            together.wait(60)
            answer(me, connection)

        listener = listen(wait_and_answer)
        ran = real(probing(*(at(listener.port, name=str(n)) for n in range(16)), probe_seconds=60.0))
        assert [probe.failed for probe in ran.survey.probes] == [None] * 16


class TestDataIsNeverCode:
    def test_nasty_values(self, machine, shell):
        """Quotes, substitutions, umlauts, line ends and 4,000 characters arrive as they left, and nothing is run."""
        machine.records = True
        before = sorted(path.name for path in machine.folder.iterdir())
        targets = (
            Target(link=LinkRef(tentacle=NASTY), host=NASTY, port=10933, by=By.NAME),
            Target(link=LinkRef(tentacle="-n"), host="-help", port=1, by=By.NAME),
        )
        ran = machine.survey(shell, gather=False, targets=targets)
        first, second = ran.survey.probes
        assert (first.link.tentacle, first.host, second.link.tentacle) == (NASTY, NASTY, "-n")
        assert (first.resolve.error, second.resolve.error) == ("name-not-found", "name-not-found")
        added = {path.name for path in machine.folder.iterdir()} - set(before)
        assert added == {"bin", "files", "machine.json", "commands.log"}
        assert not any(path.name in {"x", "y"} for path in machine.folder.rglob("*"))

    def test_settings(self, machine, tools):
        """The same for values in the machine's own files."""
        nasty = NASTY.replace("\t", " ").replace("\n", " ")
        settings = {
            "Octopus.Home": nasty, "Tentacle.Services.ListenIP": nasty, "Tentacle.Services.PortNumber": "10933; touch z",
            "Tentacle.Communication.TrustedOctopusServers": json.dumps([tools.polling("https://$(touch q)/" + nasty)]),
        }  # fmt: skip
        machine.instance(tools.settings_file(settings))
        survey = machine.survey().survey
        assert survey.instances.data[0].configuration.settings == settings
        assert [(probe.host, probe.port) for probe in survey.probes] == [("$(touch q)", 443)]
        assert not any(path.name in {"x", "y", "z", "q"} for path in machine.folder.rglob("*"))

    def test_command_line_is_constant(self):
        """Nothing but the nonce differs between two calls' commands."""
        from pytest_tentacle.survey.scripts.linux import linux_call

        calls = [linux_call(Request()), linux_call(probing(at(1, NASTY)))]
        assert {call.command.replace(call.nonce, "") for call in calls} == {
            calls[0].command.replace(calls[0].nonce, "")
        }
        assert "!" not in calls[0].command
        assert "\n" not in calls[0].command
        assert calls[0].command.count("'") == 2


class TestRealMachine:
    def test_finds_a_real_listener_with_its_process(self, real, listen, tls, shell):
        """On this very machine: the holder of a port that this test opened is this test."""
        listener = listen(tls())
        ran = real(Request(ports=(listener.port,), targets=(at(listener.port),)), shell)
        survey = ran.survey
        (found,) = survey.listeners.data
        assert (found.address, found.port, found.pid) == ("127.0.0.1", listener.port, os.getpid())
        assert found.owner.parent_pid == os.getppid()
        assert "pytest" in found.owner.command_line or "python" in found.owner.command_line
        assert found.owner.started_utc <= survey.host.data.clock_utc
        assert survey.host.data.hostname == os.uname().nodename
        assert survey.services.data is not None or survey.services.unknown
        assert survey.probes[0].shows_page
        assert ran.answer.stderr == b""

    def test_without_ss_and_netstat(self, machine, listen, tls):
        """/proc alone gives the same holder."""
        machine.description["missing"] = ["ss", "netstat", "ps"]
        listener = listen(tls())
        (found,) = machine.survey(ports=(listener.port,), sections={"listeners"}).survey.listeners.data
        assert (found.address, found.port, found.pid) == ("127.0.0.1", listener.port, os.getpid())
        assert found.owner.parent_pid == os.getppid()

    def test_unprivileged(self, real, listen, tls):
        """An account without rights gets what it may see; a holder that it may not see is not called gone."""
        account = {"user": 65534} if os.getuid() == 0 else {}
        listener = listen(tls())
        survey = real(Request(ports=(listener.port,)), sections={"host", "listeners"}, **account).survey
        assert survey.host.data.elevated is False
        (found,) = survey.listeners.data
        # as nobody, root's listener has no visible holder; an account always sees its own
        assert found.pid == (None if account else os.getpid())
        assert (found.owner is None) == bool(account)

    def test_noise_before_the_answer(self):
        """What a login prints is kept apart from the document."""
        from pytest_tentacle.survey.answer import read_document
        from pytest_tentacle.survey.scripts.linux import linux_call
        from pytest_tentacle.transport.base import Answer

        call = linux_call(Request(gather=False))
        done = subprocess.run(
            ["bash", "-c", f'echo "Welcome {{to}} the machine"; {call.command}; echo bye'],
            input=call.stdin,
            capture_output=True,
            check=False,
        )
        document = read_document(call, Answer(done.stdout, done.stderr, 0))
        assert document["noise"].split() == ["Welcome", "{to}", "the", "machine", "bye"]
        assert document["probes"] == []

    def test_cut_off_request(self):
        """A request or a script that did not arrive whole is refused by name, and nothing of it is run."""
        from pytest_tentacle.survey.answer import AnswerError, read_document
        from pytest_tentacle.survey.scripts.linux import linux_call
        from pytest_tentacle.transport.base import Answer

        call = linux_call(Request())
        whole_request = call.stdin.index(b"end\n") + len(b"end\n")
        for length in (0, whole_request - 5, whole_request, whole_request + 20_000, len(call.stdin) - 2):
            done = subprocess.run(
                ["sh", "-c", call.command], input=call.stdin[:length], capture_output=True, check=False
            )
            with pytest.raises(AnswerError, match="did not receive the whole request"):
                read_document(call, Answer(done.stdout, done.stderr, done.returncode))
            assert done.stderr == b""
