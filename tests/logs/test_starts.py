"""An agent's start in the lines of each age: which records are of it, and what it says that it runs with."""

import pytest

from pytest_tentacle.logs.model import LogFile
from support.logs import read_log

TP = "33FE43EA811E4D11CF171D80715F7778C0F73832"
TWO = "2013-12-30 {time}.0895   {level}  {text}\n"
THREE = "2016-07-13 {time}.0201      6  {level}  {text}\n"
PID = "2019-02-01 {time}.0201   {pid}      6  {level}  {text}\n"


def lines(layout: str, *entries: tuple[str, str, str], pid: int = 2136) -> str:
    return "".join(layout.format(time=time, level=level, text=text, pid=pid) for time, level, text in entries)


def read(text: str) -> LogFile:
    return read_log(text.encode(), product="tentacle", instance="Tentacle", path="x")


def trusted(time: str, word: str = "servers") -> tuple[tuple[str, str, str], ...]:
    return (
        (time, "INFO", f"Agent will trust Octopus {word} with the thumbprint: {TP}"),
        (time, "INFO", f"Agent will poll Octopus {word[:-1]} at https://octo-1.lab:10943/ for subscription poll://abc/ expecting thumbprint {TP}"),
        (time, "INFO", "listen://0.0.0.0:10933/          5  Listener started"),
        (time, "INFO", "Agent listening on: 0.0.0.0:10933"),
        (time, "INFO", "The Windows Service has started"),
    )  # fmt: skip


def test_octopus_2_says_its_version_first() -> None:
    text = lines(
        TWO,
        ("09:00:01", "INFO", "Octopus Deploy: Tentacle version 2.0.9.1031"),
        ("09:00:01", "INFO", "Agent listening on: 10933"),
        ("10:00:01", "INFO", "Octopus Deploy: Tentacle version 2.0.10.1040"),
        ("10:00:02", "INFO", "Agent listening on: 10933"),
    )
    log = read(text)
    assert log.starts == 2
    assert log.startup is not None
    assert (log.startup.version, log.startup.listens, log.startup.listening) == ("2.0.10.1040", True, "10933")


def test_3_0_names_no_command() -> None:
    text = lines(THREE, *trusted("09:00:01"), ("09:30:00", "INFO", "listen://0.0.0.0:10933/  5  Listener stopped"))
    log = read(text + lines(THREE, *trusted("11:00:01")))
    assert log.starts == 2
    assert log.startup is not None
    assert log.startup.trusted == (TP,)
    assert [server.address for server in log.startup.polls] == ["https://octo-1.lab:10943/"]


def test_3_0_tells_its_version_after_it_listens() -> None:
    entries = (*trusted("09:00:01"), ("09:00:02", "INFO", "Tentacle version: 3.0.4.2105 / 3.0.4"))
    startup = read(lines(THREE, *entries)).startup
    assert startup is not None
    assert (startup.version, startup.listens) == ("3.0.4.2105", True)


@pytest.mark.parametrize("command", ["==== RunAgentCommand starting ====", "==== RunAgentCommand ===="])
@pytest.mark.parametrize("word", ["servers", "Servers"])
def test_later_ones_name_their_command(command: str, word: str) -> None:
    text = lines(PID, ("09:00:00", "INFO", "=" * 80), ("09:00:00", "INFO", command), *trusted("09:00:01", word))
    log = read(text)
    assert log.starts == 1
    assert log.startup is not None
    assert (log.startup.trusted, len(log.startup.polls), log.startup.listens) == ((TP,), 1, True)


@pytest.mark.parametrize("word", ["servers", "Servers"])
def test_a_start_that_trusts_nobody_says_so(word: str) -> None:
    startup = read(
        lines(THREE, ("09:00:00", "INFO", f"The agent is not configured to trust any Octopus {word}."))
    ).startup
    assert startup is not None
    assert startup.trusts_nobody


def test_several_trusted_servers_are_one_start() -> None:
    first, *rest = trusted("09:00:01")
    log = read(lines(THREE, first, first, *rest))
    assert log.starts == 1
    assert log.startup is not None
    assert len(log.startup.trusted) == 2


def test_who_was_not_let_in_before_a_start_says_nothing_of_the_new_one() -> None:
    came = ("09:10:00", "INFO", "listen://0.0.0.0:10933/    5  Accepted TCP client: 10.0.0.1:50001")
    log = read(lines(THREE, *trusted("09:00:01"), came, came, came) + lines(THREE, *trusted("10:00:01")))
    (peer,) = log.peers
    assert (peer.accepted, peer.unanswered) == (3, 0)


def test_a_registration_that_takes_long_is_still_a_calls() -> None:
    """Logs of that time have no process numbers: a call lasts while it goes on speaking."""
    call = (
        ("12:00:00", "INFO", "=" * 80),
        ("12:00:00", "INFO", "==== RegisterMachineCommand ===="),
        ("12:00:25", "INFO", "Checking connectivity on the server communications port 10943..."),
        ("12:00:50", "FATAL", "No space left on device"),
    )
    (record,) = read(lines(THREE, *trusted("09:00:01"), *call)).records
    assert record.command == "RegisterMachineCommand"
