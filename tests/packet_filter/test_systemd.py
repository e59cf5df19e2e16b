"""What a unit's own lists of addresses do with a connection: as systemd.resource-control(5) has it."""

from __future__ import annotations

import pytest

from pytest_tentacle.packet_filter import Packet, Way, engine_of, read_sources, walk

SERVER = frozenset({"10.10.1.10"})
OWN = frozenset({"10.10.2.11"})


def told(*units: str, ports: str = "10933") -> list[dict[str, str]]:
    return [{"tool": "nft", "text": ""}, {"tool": "systemd", "text": f"Ports={ports}\n\n" + "\n\n".join(units)}]


def unit(allow: str, deny: str, name: str = "Tentacle.service") -> str:
    return f"Id={name}\nIPAddressAllow={allow}\nIPAddressDeny={deny}"


def passage(
    *units: str, sources: frozenset[str] = SERVER, port: int = 10933, answer: bool = False, family: int = 4
) -> Way:
    """Of a packet that comes in, or of the answer to it."""
    ends = {"sources": sources, "destinations": OWN, "port": port}
    if answer:
        ends = {"sources": OWN, "destinations": sources, "source_port": port}
    packet = Packet("out" if answer else "in", family=family, answer=answer, **ends)  # type: ignore[arg-type]
    return walk(read_sources(told(*units)), packet).way


@pytest.mark.parametrize(
    ("allow", "deny", "way"),
    [
        ("127.0.0.0/8 ::1/128", "0.0.0.0/0 ::/0", Way.STOPPED),
        ("127.0.0.0/8 10.10.1.0/24", "0.0.0.0/0 ::/0", Way.PASSES),
        ("", "10.10.1.0/24", Way.STOPPED),
        ("", "10.10.9.0/24", Way.PASSES),
        ("10.10.0.0/16", "10.10.1.10/32", Way.PASSES),
        ("10.10.1.0/24", "", Way.PASSES),
    ],
    ids=["all but loopback", "let in", "denied", "another is denied", "allowed wins", "nothing is denied"],
)
@pytest.mark.parametrize("answer", [False, True], ids=["request", "answer"])
def test_one_unit(allow: str, deny: str, way: Way, answer: bool) -> None:
    assert passage(unit(allow, deny), answer=answer) is way


WITH, WITHOUT = "Features=+SECCOMP +BPF_FRAMEWORK", "Features=+SECCOMP -BPF_FRAMEWORK"


@pytest.mark.parametrize(
    ("cards", "features", "way"),
    [
        ("lo", WITH, Way.STOPPED),
        ("lo eth0", WITH, Way.PASSES),
        ("~eth0", WITH, Way.STOPPED),
        ("~eth1", WITH, Way.PASSES),
        ("lo", "", Way.STOPPED),
        ("lo", WITHOUT, Way.PASSES),
    ],
    ids=["loopback alone", "its card", "all but its card", "all but another", "an old survey", "not heeded"],
)
@pytest.mark.parametrize("answer", [False, True], ids=["request", "answer"])
@pytest.mark.parametrize("polls", [False, True], ids=["listens", "polls"])
def test_its_cards(cards: str, features: str, way: Way, answer: bool, polls: bool) -> None:
    """RestrictNetworkInterfaces=, which only a systemd with BPF's framework heeds (systemd.resource-control(5))."""
    ports = "Ports=\nPolled=10943" if polls else "Ports=10933"
    text = f"{ports}\n\n{features}\n\nId=Tentacle.service\nRestrictNetworkInterfaces={cards}"
    inward = answer is polls
    near = {"sources": SERVER, "destinations": OWN} if inward else {"sources": OWN, "destinations": SERVER}
    port = {"source_port" if answer else "port": 10943 if polls else 10933}
    packet = Packet("in" if inward else "out", family=4, answer=answer, interfaces=frozenset({"eth0"}), **near, **port)  # type: ignore[arg-type]
    assert walk(read_sources([{"tool": "systemd", "text": text}]), packet).way is way


def test_it_is_the_unit_s_port_alone() -> None:
    """sshd is no process of the unit's."""
    assert passage(unit("", "0.0.0.0/0"), port=22) is Way.PASSES


def test_a_polled_port() -> None:
    """What the unit connects to, and what comes back."""
    text = "Ports=\nPolled=10943 443\n\n" + unit("127.0.0.0/8", "0.0.0.0/0")
    filters = read_sources([{"tool": "systemd", "text": text}])
    out = Packet("out", family=4, sources=OWN, destinations=SERVER, port=10943)
    back = Packet("in", family=4, sources=SERVER, destinations=OWN, source_port=10943, answer=True)
    assert [walk(filters, packet).way for packet in (out, back)] == [Way.STOPPED, Way.STOPPED]
    assert walk(filters, Packet("out", family=4, sources=OWN, destinations=SERVER, port=22)).way is Way.PASSES


@pytest.mark.parametrize(
    ("told", "ways"),
    [
        ("RestrictAddressFamilies=AF_INET6 AF_UNIX", {4: Way.STOPPED, 6: Way.PASSES}),
        ("RestrictAddressFamilies=AF_INET AF_UNIX", {4: Way.PASSES, 6: Way.STOPPED}),
        ("RestrictAddressFamilies=~AF_INET AF_PACKET", {4: Way.STOPPED, 6: Way.PASSES}),
        ("RestrictAddressFamilies=~AF_PACKET", {4: Way.PASSES, 6: Way.PASSES}),
        ("RestrictAddressFamilies=~", {4: Way.PASSES, 6: Way.PASSES}),
        ("RestrictAddressFamilies=AF_UNIX", {4: Way.STOPPED, 6: Way.STOPPED}),
        ("PrivateNetwork=yes", {4: Way.STOPPED, 6: Way.STOPPED}),
        ("PrivateNetwork=no", {4: Way.PASSES, 6: Way.PASSES}),
        ("NetworkNamespacePath=/run/netns/red", {4: Way.UNCLEAR, 6: Way.UNCLEAR}),
        ("NetworkNamespacePath=", {4: Way.PASSES, 6: Way.PASSES}),
    ],
)
def test_a_process_without_sockets(told: str, ways: dict[int, Way]) -> None:
    """Who polls gets no socket of a family that its unit may not use, whatever addresses the unit allows."""
    text = f"Ports=10933\nPolled=10943\n\nId=Tentacle.service\nIPAddressAllow=0.0.0.0/0 ::/0\nIPAddressDeny=\n{told}"
    filters = read_sources([{"tool": "systemd", "text": text}])
    ends = {4: (OWN, SERVER), 6: (frozenset({"fd10::2"}), frozenset({"fd10::1"}))}
    for family, way in ways.items():
        sources, destinations = ends[family]
        out = Packet("out", family=family, sources=sources, destinations=destinations, port=10943)
        assert walk(filters, out).way is way
        back = Packet("in", family=family, sources=destinations, destinations=sources, port=10933)
        assert walk(filters, back).way is Way.PASSES, "who listens is told by the port"


def test_whose_port_it_is() -> None:
    """Of two units that deny something, nobody knows which has the port; of two of which one does, it is that one."""
    strict, lax = unit("", "0.0.0.0/0"), unit("", "", "OctopusServer.service")
    assert passage(strict, lax) is Way.STOPPED
    assert passage(strict, unit("", "10.10.9.0/24", "OctopusServer.service")) is Way.UNCLEAR


def test_words() -> None:
    """Both lists, and whose they are; and it is nobody's rules for the whole host."""
    sources = told(unit("127.0.0.0/8", "0.0.0.0/0 ::/0"))
    filters = read_sources(sources)
    stopped = walk(filters, Packet("in", family=4, sources=SERVER, destinations=OWN, port=10933))
    assert stopped.words == (
        "IPAddressDeny=0.0.0.0/0 ::/0 but IPAddressAllow=127.0.0.0/8, in chain input of the unit Tentacle.service"
    )
    assert engine_of(filters, sources) == "none"
