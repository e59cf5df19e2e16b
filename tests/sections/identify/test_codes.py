"""Each code that a log leads to, and what the steps read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pytest_tentacle.judging import evaluate
from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.sections import checks_of
from pytest_tentacle.sections.identify.problems import LOGS
from pytest_tentacle.survey.surroundings import Connection
from support import NOW
from support.logs import read_log

LISTEN = "listen://[::]:10933/             91  "
POLL = "https://octo-1.example:10943/        12  "
TO_TENTACLE = "https://web-01.example:10933/    34  "
OCTO = "[::ffff:192.0.2.10]"
OLD_PID, WEB_PID, POLL_PID = 77, 2136, 900
LISTENS = "Agent listening on: [::]:10933"
DAYS = timedelta(days=3)
HOUR = timedelta(hours=1)
IN_USE = "Address already in use\nSystem.Net.Sockets.SocketException (98): Address already in use"
CLOSED = f"{POLL}Unexpected exception executing transaction.\nSystem.IO.EndOfStreamException: Attempted to read past the end of the stream."
REFUSED = f"{POLL}The remote host at https://octo-1.example:10943/ refused the connection. This may mean that the expected listening service is not running."
UNKNOWN_NAME = (
    f"{POLL}Socket communication error while connecting to https://octo-1.example:10943/\nName or service not known"
)
ESTABLISHED = Connection(
    local_address="192.0.2.30",
    local_port=50000,
    remote_address="192.0.2.10",
    remote_port=10943,
    state="established",
    pid=POLL_PID,
)


FROM_OCTO = f"{LISTEN}A client at {OCTO}:5000 connected, and attempted a message exchange, but "
ONE_OF_EACH = {
    "TT101": (
        "poll-01",
        f"{POLL}The server at https://octo-1.example:10943/ presented an unexpected security certificate. We expected the server to present a certificate with the thumbprint 'AA'. Instead, it presented a certificate with a thumbprint of 'BB' and subject 'CN=Octopus Server'",
    ),
    "TT102": (
        "poll-01",
        f"{POLL}The server at https://octo-1.example:10943/ presented an unexpected security certificate. We expected the server to present a certificate with the thumbprint 'AA'. Instead, it presented a certificate with a thumbprint of 'BB' and subject 'CN=Inspection'",
    ),
    "TT103": (
        "web-01",
        f"{FROM_OCTO}it presented a client certificate with the thumbprint '{'CC' * 20}' which is not in the list of thumbprints that we trust",
    ),
    "TT104": ("web-01", f"{FROM_OCTO}did not present a client certificate"),
    "TT105": ("poll-01", CLOSED),
    "TT106": ("poll-01", f"{POLL}Unexpected exception executing transaction.\nConnection reset by peer"),
    "TT107": ("poll-01", REFUSED),
    "TT108": (
        "poll-01",
        f"{POLL}The client was unable to establish the initial connection within the timeout 00:01:00.",
    ),
    "TT109": (
        "poll-01",
        f"{POLL}The connection to the host at https://octo-1.example:10943/ timed out. There may be problems with the network.",
    ),
    "TT110": ("poll-01", UNKNOWN_NAME),
    "TT112": (
        "poll-01",
        f"{POLL}Unexpected exception executing transaction.\nReceived an unexpected EOF or 0 bytes from the transport stream.",
    ),
    "TT113": (
        "poll-01",
        f"{POLL}Authentication failed while setting up connection to https://octo-1.example:10943/\nerror:0A00042E:SSL routines::tlsv1 alert protocol version",
    ),
    "TT114": (
        "web-01",
        f"{LISTEN}Client failed authentication: {OCTO}:5000\nUsing SSL certificate failed with OpenSSL error - ee key too small.",
    ),
    "TT117": ("web-01", "This Tentacle is registered multiple times with the server"),
    "TT118": (
        "poll-01",
        f"{POLL}Unexpected exception executing transaction.\nConnection to proxy host 10.1.1.1 on port 8080 failed: Connection refused",
    ),
    "TT119": (
        "poll-01",
        f"{POLL}Unexpected exception executing transaction.\nProxy destination 10.1.1.1 on port 8080 responded with a 407 code - Proxy Authentication Required",
    ),
    "TT120": (
        "poll-01",
        "System.Net.WebSockets.WebSocketException (0x80004005): Unable to connect to the remote server",
    ),
    "TT121": (
        "poll-01",
        f"{POLL}Halibut client exception: Cannot determine the frame size or a corrupted frame was received. Retrying in 5.0 seconds",
    ),
    "TT122": ("web-01", "System.Security.Cryptography.CryptographicException: Keyset does not exist"),
    "TT123": ("web-01", "Padding is invalid and cannot be removed"),
    "TT124": ("web-01", "Root element is missing."),
    "TT125": ("web-01", "There is not enough space on the disk"),
    "TT126": ("web-01", "Access to the path 'C:\\Octopus' is denied."),
    "TT127": ("web-01", "The agent is not configured to trust any Octopus Servers."),
    "TT128": ("web-01", f"{LISTEN}Error accepting TCP client: x"),
    "TT129": ("web-01", "Service OctopusDeploy Tentacle doesn't have Running status after 30sec"),
    "TT131": ("poll-01", f"{POLL}Unexpected exception executing transaction.\nSomething new"),
    "TT111": ("web-01", IN_USE),
    "TT133": ("poll-01", f"{POLL}Unexpected exception executing transaction.\nNo route to host"),
    "TT134": ("web-01", "Cannot assign requested address"),
    "TT135": (
        "poll-01",
        f"{POLL}Unexpected exception executing transaction.\nAddress family not supported by protocol",
    ),
    "TT137": ("web-01", "No certificate has been generated for this Tentacle. Please run the new-certificate command."),
    "TT138": ("web-01", "Failed to listen on prefix 'http://+:80/' because it conflicts with an existing registration"),
    "TT139": ("web-01", "System.Net.HttpListenerException (5): Access is denied"),
    "TT140": ("web-01", "System.Exception: Invalid logging configuration: missing target 'stdout'"),
    "TT142": (
        "web-01",
        "The process cannot access the file 'C:\\x' because it is being used by another process.",
    ),
    "TT147": (
        "poll-01",
        f"{POLL}Unexpected exception executing transaction.\nSystem.Net.Sockets.SocketException (10055): No buffer",
    ),
    "TT148": ("web-01", "error:23076072:PKCS12 routines:PKCS12_parse:parse error"),
    "TT149": ("web-01", "System.Security.Cryptography.CryptographicException: The RPC server is unavailable."),
    "TT150": ("web-01", "System.IO.FileNotFoundException: Could not load file or assembly 'Halibut, Version=7.0.0.0'"),
    "TT153": (
        "web-01",
        "PowerShell startup detection: PowerShell did not start within 5 minutes for task ServerTasks-1",
    ),
    "TT154": ("octo-1", "ThreadPool exhausted for approximately 4997ms current ThreadPool exhaustion events 1"),
    "TT155": (
        "octo-1",
        "The installed license is not compatible with this version; no database initialization will be performed",
    ),
    "TT156": ("octo-1", "Failed upgrading database schema - the entire upgrade has been rolled back"),
    "TT157": (
        "octo-1",
        "System.TypeInitializationException: The type initializer for 'Microsoft.AspNetCore.Server.HttpSys.HttpApi' threw an exception.",
    ),
    "TT158": (
        "poll-01",
        f"{POLL}Unexpected exception executing transaction.\nSystem.Net.Sockets.SocketException (10013): An attempt was",
    ),
    "TT143": ("octo-1", 'Cannot open database "Octopus" requested by the login. The login failed.'),
}
"""A text of its own log that leads to each code; the others have tests of their own above."""


class TestOtherMessages:
    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("Unable to process remote identity; unknown identity 'HTTP/1.0'", "TT951"),
            ("Unable to process remote identity; unknown identity type: 'HTTP/1.0'", "TT951"),
            ("Unable to receive the remote identity; the following line was not empty.", "TT951"),
            ("Unable to receive the remote identity; the identity line was empty.", "TT952"),
            ("Expected PROCEED, got: HELLO", "TT953"),
            ("Data stream size mismatch detected", "TT954"),
            ("error:0A000119:SSL routines::decryption failed or bad record mac", "TT955"),
        ],
    )
    def test_are_found_in_either_log_and_only_in_this_step(self, logs: Any, text: str, code: str) -> None:
        heading = "Connection initialization failed while connecting\nHalibut.Transport.Protocol.ConnectionInitializationFailedException: "
        logs.write("poll-01", logs.line(60, "ERROR", f"{POLL}{heading}{text}", POLL_PID))
        logs.write("octo-1", logs.line(60, "ERROR", f"{TO_TENTACLE}{heading}{text}", 1000))

        for name in ("poll-01", "web-01"):
            assert logs.codes(name, "other-error-messages") == [code]
            assert logs.codes(name) == []

    def test_what_nobody_knows_is_shown_and_not_judged(self, logs: Any) -> None:
        logs.write("web-01", logs.line(60, "ERROR", "Something entirely new"))

        result = logs.judge("web-01", "other-error-messages")

        assert result.outcome is Outcome.PASSED
        assert any("Something entirely new" in seen for seen in result.looked_at)


class TestEachCode:
    @pytest.mark.parametrize("code", sorted(ONE_OF_EACH))
    def test_is_found_in_its_own_log_with_facts_for_its_remedy(self, logs: Any, code: str) -> None:
        name, text = ONE_OF_EACH[code]
        pid = logs.world[name].service["pid"]
        level = "FATAL" if code == "TT142" else "ERROR"
        if code == "TT122":  # a port that answers has its key
            draft = logs.world[name]
            draft.own = [one.model_copy(update={"tls": None, "page": None}) for one in draft.own]
        command = "RunCommand" if name == "octo-1" else "RunAgentCommand"
        logs.write(name, logs.start(DAYS, pid, LISTENS, command=command) + logs.line(60, level, text, pid))

        (problem,) = logs.judge(name).problems

        assert problem.code == code
        assert problem.expected
        assert problem.actual
        assert problem.evidence[0].text.endswith(text)
        assert problem.facts["log"]
        assert problem.facts["instance"] == logs.world[name].instance

    def test_none_is_left_out(self) -> None:
        elsewhere = {"TT115", "TT116", "TT130", "TT132", "TT136", "TT141", "TT144", "TT145", "TT146", "TT151", "TT152"}
        assert set(ONE_OF_EACH) | elsewhere == {kind.code for kind in LOGS}

    def test_a_request_that_nobody_answers_is_found_in_the_servers_log(self, logs: Any) -> None:
        text = "poll://abcdefghij0123456789/: A request was sent to a polling endpoint, the polling endpoint collected it but the request was cancelled before the polling endpoint responded."
        logs.write("octo-1", logs.line(60, "ERROR", text, 1000))

        assert logs.codes("poll-01") == ["TT116"]


class TestReads:
    def test_what_is_declared_is_what_is_read(self, logs: Any) -> None:
        """Over a handful of worlds, each with something in both logs."""
        resets = "".join(
            logs.accepted(120 - n, f"{OCTO}:{7000 + n}")
            + logs.line(120 - n, "ERROR", f"{LISTEN}Socket IO exception: {OCTO}:{7000 + n}\nConnection reset by peer")
            for n in range(2)
        )
        logs.world["web-01"].config_modified = NOW
        logs.write(
            "web-01",
            logs.start(DAYS, WEB_PID, LISTENS)
            + logs.start(HOUR, OLD_PID, command="RegisterMachineCommand")
            + logs.line(3599, "FATAL", "It failed", OLD_PID)
            + self.noise(logs, ONE_OF_EACH["TT103"][1])
            + "".join(logs.accepted(3600 - 2 * n, f"{OCTO}:{5000 + n}") for n in range(5))
            + resets,
        )
        logs.write("poll-01", self.noise(logs, CLOSED))
        logs.write("octo-1", self.noise(logs, f"{TO_TENTACLE}Connection refused"))
        first = logs.line(60, "INFO", "Tentacle version 8.3.3000 (8.3.3000) instance Tentacle", 77)
        early = read_log(
            (first + logs.line(60, "FATAL", "Root element is missing.", 77)).encode(),
            product="tentacle", instance="", path="/logs/early.txt", account="root",
        )  # fmt: skip
        logs.logs["web-01"] = (*logs.logs["web-01"], early)
        logs.connections = dict.fromkeys(logs.world.drafts, (ESTABLISHED,))
        fleet = logs.fleet()
        declared = {
            one.name: set(one.reads)
            for step in ("identify-the-problem", "other-error-messages")
            for one in checks_of(step)
        }
        read: dict[str, set[str]] = {}
        for step in ("identify-the-problem", "other-error-messages"):
            for one in checks_of(step):
                done: set[str] = set()
                for subject in fleet.subjects:
                    with fleet.ledger.watch() as reads:
                        list(evaluate.findings(one, subject))
                    whose = {subject.name: "", "fleet": "fleet."}
                    done |= {whose.get(name, "peer.") + section for name, section in reads}
                read[one.name] = done
        assert read.keys() == declared.keys()
        undeclared = {name: done - declared[name] for name, done in read.items() if not done <= declared[name]}
        assert undeclared == {}, "that all of it is read, over all tests, `support/session/every_code.py` holds"
        assert any(read.values())

    def noise(self, logs: Any, text: str) -> str:
        return logs.line(HOUR, "ERROR", text) + logs.line(60, "ERROR", text)
