"""A log's bytes as what a survey keeps of it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_tentacle.logs.columns import endpoint_of
from pytest_tentacle.logs.lines import decode, moment, records_of
from pytest_tentacle.logs.model import LogFile
from pytest_tentacle.logs.reader import UNKNOWN_KEPT, resolve_log
from pytest_tentacle.logs.signatures import Level
from support.logs import read_log

TP = "4B8E0F5A1C2D3E4F5A6B7C8D9E0F1A2B3C4D5E6F"
LISTEN = "listen://[::]:10933/             91  "
POLL = "https://octo-1.lab:10943/        12  "


def line(at: str, level: str, text: str, pid: int | None = 3692, tid: int | None = 9) -> str:
    """One line as today's Tentacle writes it: process, thread, level padded to five."""
    columns = "".join(f"{number:>7}" for number in (pid, tid) if number is not None)
    return f"2026-11-22 {at}.0057{columns} {level:>5}  {text}\n"


def start(at: str, pid: int | None = 3692, *more: str, command: str = "RunAgentCommand") -> str:
    """The lines that a process begins with."""
    own = [
        "=" * 80,
        "Changed log folder from Octopus/Logs to /etc/octopus/Tentacle/Logs",
        "Tentacle version 9.1.3268 (9.1.3268+Branch) instance Tentacle",
        "Environment Information:\n  OperatingSystem: Debian GNU/Linux 12 (bookworm)\n  PID: 22754",
        f"==== {command} ====",
        "CommandLine: /opt/octopus/tentacle/Tentacle agent --instance Tentacle --noninteractive",
        *more,
    ]
    return "".join(line(at, "INFO", text, pid) for text in own)


LISTENING = (
    f"Agent will trust Octopus Servers with the thumbprint: {TP}",
    "listen://127.0.0.1:11933/         1  Listener started",
    "Agent listening on: 127.0.0.1:11933",
)
POLLING = (
    f"Agent will trust Octopus Servers with the thumbprint: {TP}",
    f"Agent will poll Octopus Server at https://octo-1.lab:10943/ for subscription poll://x/ expecting thumbprint {TP}",
    "Agent will use the octopus configured proxy at 127.0.0.1:19031 for server at https://octo-1.lab:10943/",
    "Starting 1 polling connections",
    "Agent will not listen on any TCP ports",
)


def accepted(at: str, peer: str, pid: int | None = 3692) -> str:
    return line(at, "INFO", f"{LISTEN}Accepted TCP client: {peer}", pid)


def let_in(at: str, peer: str, pid: int | None = 3692) -> str:
    return line(at, "INFO", f"{LISTEN}Client at {peer} authenticated as {TP}", pid)


def read(text: str | bytes, *, cut: bool = False, **more: object) -> LogFile:
    data = text.encode() if isinstance(text, str) else text
    return read_log(data, product="tentacle", instance="Tentacle", path="log", cut=cut, **more)


class TestLines:
    """Every layout that a version of Octopus ever had."""

    @pytest.mark.parametrize(
        ("text", "pid", "level"),
        [
            ("2023-12-01 04:00:02.8534   3692      9 ERROR  A required communications port", 3692, Level.ERROR),
            ("2017-03-14 00:45:45.0578      7 ERROR  A required communications port", None, Level.ERROR),
            ("2015-02-11 10:11:12.0578 FATAL  A required communications port", None, Level.FATAL),
            ("2024-08-14 06:01:21.3139 |  INFO | A required communications port", None, Level.INFO),
            ("2024-08-14 06:01:21,3139   3692      9  WARN  A required communications port", 3692, Level.WARN),
        ],
    )
    def test_each_layout_is_one_record(self, text: str, pid: int | None, level: Level) -> None:
        records = records_of(f"{text}\r\n   at Somewhere\r\n")

        assert [(one.pid, one.level, one.text) for one in records] == [
            (pid, level, "A required communications port\r\n   at Somewhere")
        ]

    def test_lines_below_belong_to_the_record_before_them(self) -> None:
        records = records_of(line("01:00:00", "ERROR", "heading\ncause\n\n   at X") + line("01:00:01", "INFO", "next"))

        assert [record.text for record in records] == ["heading\ncause\n\n   at X", "next"]

    def test_a_carriage_return_does_not_split_a_record(self) -> None:
        """Halibut writes a real one into its own text."""
        records = records_of(line("01:00:00", "ERROR", "Unexpected byte after '\r' in control message: 0x58"))

        assert len(records) == 1
        assert read(records[0].raw).records[0].signature == "stray-byte"

    def test_a_date_in_the_middle_of_a_line_begins_nothing(self) -> None:
        assert len(records_of(line("01:00:00", "INFO", "since 2023-12-01 04:00:02.8534   3692   9 ERROR  x"))) == 1

    def test_halibuts_own_column_names_the_other_end(self) -> None:
        assert endpoint_of(f"{POLL}Secure connection established") == "https://octo-1.lab:10943/"
        assert endpoint_of("Agent listening on: [::]:10933") is None

    def test_times_are_to_the_microsecond(self) -> None:
        assert moment("2023-12-01 04:00:02.8534") == datetime(2023, 12, 1, 4, 0, 2, 853400)  # noqa: DTZ001
        assert moment("2023-13-01 04:00:02.8534") is None
        assert moment("") is None


class TestBytes:
    def test_a_byte_order_mark_is_no_text(self) -> None:
        assert decode(b"\xef\xbb\xbfabc") == "abc"

    def test_what_is_not_utf_8_is_windows_1252(self) -> None:
        """An old Tentacle writes in the machine's own code page."""
        text = line("01:00:00", "ERROR", "Der Schlüsselsatz ist nicht vorhanden.").encode("cp1252")

        assert read(text).records[0].signature == "keyset-missing"
        assert "Schlüsselsatz" in read(text).records[0].text

    def test_german_texts_are_known_even_when_broken(self) -> None:
        text = line("01:00:00", "ERROR", "Die angeforderte Adresse ist in diesem Kontext ungültig").encode("cp850")

        assert read(text).records[0].signature == "address-not-local"

    def test_japanese_texts_are_known(self) -> None:
        text = line("01:00:00", "ERROR", f"{POLL}対象のコンピューターによって拒否されたため、接続できませんでした。")

        assert read(text).records[0].signature == "refused"

    def test_a_cut_within_a_letter_and_a_record_drops_that_record_only(self) -> None:
        whole = (
            line("01:00:00", "ERROR", "Connection refused ü\n   at X") + line("01:00:01", "ERROR", "Broken")
        ).encode()
        tail = whole[whole.index("ü".encode()) + 1 :]

        log = read(tail, cut=True)

        assert log.read == 1
        assert not log.complete
        assert [record.text for record in log.records] == ["Broken"]

    def test_a_whole_file_keeps_what_stands_before_the_first_record(self) -> None:
        assert read("no head\n").read == 1

    @settings(max_examples=300, deadline=None)
    @given(st.binary(max_size=3000))
    def test_any_bytes_are_read(self, data: bytes) -> None:
        for cut in (False, True):
            log = read(data, cut=cut)
            assert LogFile.model_validate_json(log.model_dump_json()) == log

    @settings(max_examples=300, deadline=None)
    @given(
        st.lists(
            st.one_of(
                st.text(alphabet=st.characters(codec="utf-8"), max_size=60),
                st.sampled_from(
                    [
                        "2023-12-01 04:00:02.8534   3692      9 ERROR  Connection refused",
                        "2017-03-14 00:45:45.0578      7  INFO  ==== RunAgentCommand ====",
                        "2015-02-11 10:11:12.0578  INFO  " + "=" * 80,
                        "2024-08-14 06:01:21.3139 |  INFO | ==== HelpCommand ====",
                        f"2023-12-01 04:00:02.8534   3692      9  INFO  {LISTEN}Accepted TCP client: [::1]:1",
                        "2023-12-01 04:00:02.8534   3692      9 ERROR",
                    ]
                ),
            ),
            max_size=30,
        ),
        st.sampled_from(["\n", "\r\n"]),
    )
    def test_every_line_is_in_exactly_one_record(self, lines: list[str], end: str) -> None:
        text = decode(end.join(lines).encode())

        records = records_of(text)

        assert "".join(record.raw for record in records) == text
        assert [record.number for record in records] == list(range(len(records)))
        assert read(text).read == len(records)


class TestProcesses:
    """Every call of the command line writes into the agent's log."""

    def test_a_calls_failure_is_not_the_agents(self) -> None:
        text = (
            start("01:00:00", 100, *LISTENING)
            + start("02:00:00", 200, command="ShowThumbprintCommand")
            + line("02:00:01", "FATAL", "Instance Nope of Tentacle has not been configured on this machine.", 200)
            + line("02:00:01", "ERROR", f"{LISTEN}Error accepting TCP client", 100)
        )

        log = read(text)

        assert log.starts == 1
        assert [(record.signature, record.command) for record in log.records] == [
            ("instance-unknown", "ShowThumbprintCommand"),
            ("accepting-fails", None),
        ]

    @pytest.mark.parametrize("tid", [7, None])
    def test_are_told_by_order_where_no_number_stands(self, tid: int | None) -> None:
        """Old layouts: a call is over in seconds, and only the agent has Halibut's lines."""
        agent = start("01:00:00", None, *LISTENING)
        call = start("02:00:00", None, command="HelpCommand") + line(
            "02:00:01", "FATAL", "Address already in use", None
        )
        later = line("02:00:05", "ERROR", f"{LISTEN}Error accepting TCP client", None)
        text = (agent + call + later + line("02:09:00", "ERROR", "No space left on device", None)).replace(
            f"{9:>7}", f"{tid:>7}" if tid else ""
        )

        log = read(text)

        assert log.starts == 1
        assert [(record.signature, record.command) for record in log.records] == [
            ("address-in-use", "HelpCommand"),
            ("accepting-fails", None),
            ("disk-full", None),
        ]

    def test_a_number_used_again_is_another_process(self) -> None:
        text = start("01:00:00", 100, *LISTENING) + start("02:00:00", 100, command="LivezCommand")
        text += line("02:00:01", "ERROR", "No space left on device", 100)

        assert read(text).records[0].command == "LivezCommand"

    def test_an_agent_whose_start_is_not_in_the_part_that_was_read_is_the_agent(self) -> None:
        assert read(line("02:00:01", "ERROR", "No space left on device", 100)).records[0].command is None

    def test_starts_are_counted_and_banners_of_errors_are_none(self) -> None:
        text = start("01:00:00", 100, *LISTENING) + start("02:00:00", 101)
        text += line("02:00:01", "ERROR", "=" * 80, 101) + line("02:00:01", "FATAL", "Address already in use", 101)

        log = read(text)

        assert log.starts == 2
        assert log.start_times == ("2026-11-22 01:00:00.0057", "2026-11-22 02:00:00.0057")
        assert [record.signature for record in log.records] == ["address-in-use"]


class TestStartup:
    def test_tells_what_a_listening_agent_runs_with(self) -> None:
        startup = read(start("01:00:00", 100, *LISTENING)).startup

        assert startup is not None
        assert startup.version == "9.1.3268"
        assert startup.instance == "Tentacle"
        assert startup.trusted == (TP,)
        assert startup.listening == "127.0.0.1:11933"
        assert startup.listens is True
        assert startup.environment["OperatingSystem"] == "Debian GNU/Linux 12 (bookworm)"
        assert startup.pid == 100
        assert startup.command_line is not None
        assert "agent --instance Tentacle" in startup.command_line

    def test_tells_whom_a_polling_agent_polls_and_through_what(self) -> None:
        startup = read(start("01:00:00", 100, *POLLING)).startup

        assert startup is not None
        assert [(one.address, one.subscription, one.thumbprint) for one in startup.polls] == [
            ("https://octo-1.lab:10943/", "poll://x/", TP)
        ]
        assert startup.proxies == (POLLING[2],)
        assert startup.polling_connections == 1
        assert startup.listens is False

    def test_is_the_last_one_and_of_the_agent_only(self) -> None:
        text = start("01:00:00", 100, *LISTENING) + start("02:00:00", 101, *POLLING)
        text += start("03:00:00", 102, command="HelpCommand")

        startup = read(text).startup

        assert startup is not None
        assert startup.pid == 101
        assert startup.trusted == (TP,)

    def test_without_an_end_says_so(self) -> None:
        startup = read(start("01:00:00", 100, "The agent is not configured to trust any Octopus Servers.")).startup

        assert startup is not None
        assert startup.listens is None
        assert startup.trusts_nobody


class TestPeers:
    def test_who_is_let_in_is_told_from_who_is_not(self) -> None:
        text = "".join(
            accepted(f"01:00:0{n}", f"[::ffff:10.0.0.5]:4000{n}") + let_in(f"01:00:0{n}", f"[::ffff:10.0.0.5]:4000{n}")
            for n in range(3)
        ) + "".join(accepted(f"01:01:0{n}", f"[::ffff:10.0.0.9]:4000{n}") for n in range(5))

        peers = {peer.address: peer for peer in read(text).peers}

        assert (peers["10.0.0.5"].accepted, peers["10.0.0.5"].authenticated, peers["10.0.0.5"].unanswered) == (3, 3, 0)
        assert peers["10.0.0.5"].thumbprints == (TP,)
        assert (peers["10.0.0.9"].accepted, peers["10.0.0.9"].authenticated, peers["10.0.0.9"].unanswered) == (5, 0, 5)
        assert len(peers["10.0.0.9"].unanswered_times) == 5

    def test_a_new_start_begins_a_new_count(self) -> None:
        text = (
            accepted("01:00:00", "10.0.0.9:1") + accepted("01:00:01", "10.0.0.9:2") + start("02:00:00", 4, *LISTENING)
        )

        assert read(text).peers[0].unanswered == 0

    def test_an_error_after_a_client_was_let_in_says_that_it_had_been(self) -> None:
        """An idle connection that is given up is no failure to connect."""
        peer = "[::ffff:10.0.0.5]:40001"
        error = f"{LISTEN}Unhandled error when handling request from client: {peer}\nUnknown trouble"
        text = accepted("01:00:00", peer) + let_in("01:00:00", peer) + line("01:10:00", "ERROR", error)

        assert read(text).records[0].facts["authenticated"] == "yes"
        assert "authenticated" not in read(line("01:10:00", "ERROR", error)).records[0].facts

    def test_a_clients_connections_are_counted_by_endpoint(self) -> None:
        made = f"Secure connection established. Server at [::ffff:10.0.0.1]:10943 identified by thumbprint: {TP}, using protocol Tls13"
        text = line("01:00:00", "INFO", POLL + made) + line("01:00:09", "INFO", POLL + made)

        (link,) = read(text).links

        assert (link.endpoint, link.count, link.protocol) == ("https://octo-1.lab:10943/", 2, "Tls13")
        assert link.thumbprint == TP


class TestWhatIsKept:
    def test_the_same_failure_is_kept_once_with_its_count_and_times(self) -> None:
        text = "".join(
            line(
                f"0{n}:00:00", "ERROR", f"{POLL}Halibut client exception: Connection refused. Retrying in {n}.0 seconds"
            )
            for n in range(5)
        )

        (record,) = read(text).records

        assert record.count == 5
        assert record.first_time == "2026-11-22 00:00:00.0057"
        assert record.time == "2026-11-22 04:00:00.0057"
        assert record.facts["endpoint"] == "https://octo-1.lab:10943/"

    def test_different_ends_are_kept_apart(self) -> None:
        text = "".join(
            line("01:00:00", "ERROR", f"https://octo-{n}.lab:10943/       12  Connection refused") for n in (1, 2)
        )

        assert len(read(text).records) == 2

    def test_the_last_unknown_warnings_are_kept(self) -> None:
        text = "".join(line("01:00:00", "WARN", f"something new, number {n}") for n in range(50))

        records = read(text).records

        assert len(records) == UNKNOWN_KEPT
        assert records[-1].text.endswith("49")
        assert not any(record.signature for record in records)

    def test_a_stack_trace_goes_before_the_cause_does(self) -> None:
        trace = "\n".join(f"   at Halibut.Method{n}()" for n in range(400))
        text = line(
            "01:00:00", "ERROR", f"{POLL}Unexpected exception executing transaction.\n{trace}\n ---> Connection refused"
        )

        (record,) = read(text).records

        assert record.signature == "refused"
        assert "Connection refused" in record.text
        assert len(record.text) <= 2000

    def test_two_megabytes_become_less_than_fifty_kilobytes_in_time(self) -> None:
        """The worst of logs: 20,000 records, half of them errors, of a thousand machines."""
        lines = []
        for n in range(20_000):
            at = f"{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}"
            peer = f"[::ffff:10.0.{n % 4}.{n % 250}]:{10000 + n % 50000}"
            kind = n % 5
            if kind == 0:
                lines.append(accepted(at, peer))
            elif kind == 1:
                lines.append(let_in(at, peer))
            elif kind == 2:
                lines.append(
                    line(at, "ERROR", f"https://10.0.{n % 4}.{n % 250}:10933/    3  Connection refused\n   at X")
                )
            elif kind == 3:
                lines.append(line(at, "ERROR", f"something that nobody knows, number {n}"))
            else:
                lines.append(line(at, "INFO", f"nothing of interest, number {n}"))
        data = "".join(lines).encode()[-2_000_000:]

        began = time.process_time()
        log = read(data, cut=True)
        seconds = time.process_time() - began

        assert seconds < 1.5
        assert len(log.model_dump_json(exclude_none=True)) < 50_000
        assert log.dropped
        assert not log.complete
        assert log.records[-1].number > 15_000

    def test_a_server_s_log_has_room_for_all_its_tentacles(self) -> None:
        text = "".join(
            line("02:00:00", "ERROR", f"https://web-{n}.lab:10933/   12  Connection refused\n" + "   at X()\n" * 20)
            + accepted("02:00:00", f"[::ffff:10.0.{n // 250}.{n % 250}]:5000")
            for n in range(600)
        )
        log = read_log(text.encode(), product="server", instance="OctopusServer", path="/x")

        assert not log.dropped
        assert len(log.records) == len(log.peers) == 600
        assert len(log.model_dump_json(exclude_none=True)) < 900_000

    def test_problems_are_kept_before_noise(self) -> None:
        noise = "".join(
            line("02:00:00", "ERROR", f"https://octo-{n}.lab:10943/   12  Connection refused") for n in range(400)
        )
        text = line("01:00:00", "ERROR", "something unknown " * 200) + noise

        log = read(text)

        assert log.dropped
        assert {record.signature for record in log.records} == {"refused", None}


class TestResolve:
    """The shape in which a script sends a log."""

    RAW: ClassVar[dict[str, object]] = {
        "product": "tentacle",
        "instance": "Tentacle",
        "path": "/x/OctopusTentacle.txt",
        "size": 100,
    }

    def test_text_becomes_records(self) -> None:
        text = line("01:00:00", "ERROR", "Connection refused").encode()
        fields = resolve_log(self.RAW | {"size": len(text), "complete": True}, text)

        log = LogFile.model_validate(fields)

        assert log.complete
        assert log.records[0].signature == "refused"

    def test_a_file_longer_than_its_text_is_not_complete(self) -> None:
        text = b"tail of a record\n" + line("01:00:00", "ERROR", "Connection refused").encode()
        fields = resolve_log(self.RAW | {"size": 10_000, "complete": True}, text)

        log = LogFile.model_validate(fields)

        assert not log.complete
        assert log.read == 1

    def test_an_archive_stands_before_the_file(self) -> None:
        """Just after midnight the log itself is nearly empty."""
        older = b"of a record\n" + start("01:00:00", 100, *LISTENING).encode().rstrip()
        newer = line("02:00:00", "ERROR", f"{LISTEN}Error accepting TCP client", 100).encode()
        fields = resolve_log(self.RAW | {"size": len(newer)}, newer, older)

        log = LogFile.model_validate(fields)

        assert log.startup is not None
        assert [record.signature for record in log.records] == ["accepting-fails"]

    def test_fields_of_the_file_pass_through(self) -> None:
        taken = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)

        assert read("", modified_utc=taken, size=0).modified_utc == taken
