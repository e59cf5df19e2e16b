"""What stands beside the rules: as iproute2 6.1 printed it in the lab of hosts; flower's form is that of its source."""

from __future__ import annotations

import pytest

from pytest_tentacle.packet_filter import Packet, Way, engine_of, read_sources, walk

FULL, NEARLY = "262144 262144\n", "259000 262144\n"


@pytest.mark.parametrize(("text", "way"), [(FULL, Way.STOPPED), (NEARLY, Way.UNCLEAR), ("", Way.PASSES)])
@pytest.mark.parametrize("to", ["in", "out"])
def test_a_full_table(text: str, way: Way, to: str) -> None:
    """What begins a connection, either way; that a table that is nearly full was so a moment ago nobody knows."""
    filters = read_sources([{"tool": "nft", "text": ""}, {"tool": "conntrack", "text": text}])
    assert walk(filters, Packet(to, family=4, port=10933)).way is way  # type: ignore[arg-type]


def test_a_full_table_takes_no_more_than_what_begins() -> None:
    """What stands goes on, and what a rule leaves untracked needs no room in it."""
    full = {"tool": "conntrack", "text": FULL}
    raw = "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -m tcp --dport 10933 -j CT --notrack\nCOMMIT\n"
    untracked = read_sources([{"tool": "iptables", "text": raw}, full])
    assert walk(untracked, Packet("in", family=4, port=10933)).way is Way.PASSES
    assert walk(read_sources([full]), Packet("in", family=4, port=10933, later=True)).way is Way.PASSES


XDP = (
    "1: lo: <LOOPBACK,UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT group default qlen 1000\\    link/loopback\n"
    "2: eth0@if9: <BROADCAST,UP> mtu 1500 xdpgeneric qdisc noqueue state UP mode DEFAULT group default qlen 1000\\    "
    "link/ether 6e:13:20:ee:6a:24 brd ff:ff:ff:ff:ff:ff\\    prog/xdp id 2641 name guard tag b11459a0e11ca14c jited \n"
)
QUEUES = "qdisc clsact ffff: dev eth0 parent ffff:fff1 \n Sent 0 bytes 0 pkt (dropped 0, overlimits 0 requeues 0) \n"
BPF = """\
filter protocol all pref 49152 bpf chain 0 
filter protocol all pref 49152 bpf chain 0 handle 0x1 guard:[*fsobj] direct-action not_in_hw id 5 name guard tag b1 jited 
"""  # noqa: W291  as it is printed
U32 = """\
filter parent ffff: protocol ip pref 49152 u32 chain 0 
filter parent ffff: protocol ip pref 49152 u32 chain 0 fh 800: ht divisor 1 
filter parent ffff: protocol ip pref 49152 u32 chain 0 fh 800::800 order 2048 key ht 800 bkt 0 terminal flowid not_in_hw 
  match 00060000/00ff0000 at 8
  match 00002ab5/0000ffff at 20
  match 0a0a0100/ffffff00 at 12
@action order 1: {action}
@index 1 ref 1 bind 1

""".replace("@", "\t")  # noqa: W291
FLOWER = """\
filter protocol ip pref 49152 flower chain 0 
filter protocol ip pref 49152 flower chain 0 handle 0x1 
  eth_type ipv4
  ip_proto tcp
  dst_port 10933
  not_in_hw
@action order 1: gact action drop
@ random type none pass val 0
@ index 1 ref 1 bind 1

""".replace("@", "\t")  # noqa: W291
BUCKET = "qdisc tbf 8003: dev eth0 root refcnt 2 rate 10Mbit burst {burst} lat 24ms \n"
POLICY = """\
src 10.10.1.10/32 dst 10.10.2.11/32 {selector}
	dir {way} {action}priority {priority} ptype main 
""".replace("@", "\t")  # noqa: W291
TEMPLATE = "\ttmpl src 10.10.1.10 dst 10.10.2.11\n\t\tproto esp reqid 0 mode transport\n"
REQUEST = Packet("in", 4, frozenset({"10.10.1.10"}), frozenset({"10.10.2.11"}), None, 10933, frozenset({"eth0"}))
ANSWER = Packet(
    "out", 4, frozenset({"10.10.2.11"}), frozenset({"10.10.1.10"}), 10933, None, frozenset({"eth0"}), answer=True
)


def way(tool: str, text: str, packet: Packet = REQUEST) -> Way:
    return walk(read_sources([{"tool": tool, "text": text}]), packet).way


def at(text: str, hook: str = "ingress") -> str:
    return f"{QUEUES}\n# eth0 {hook}\n{text}"


class TestPrograms:
    def test_at_the_card(self) -> None:
        """Nobody sees what a program does: with what comes in by its card it is not clear, with all else it is."""
        assert way("xdp", XDP) is Way.UNCLEAR
        assert way("xdp", XDP, ANSWER) is Way.PASSES
        other = Packet("in", 4, REQUEST.sources, REQUEST.destinations, None, 10933, frozenset({"lo"}))
        assert way("xdp", XDP, other) is Way.PASSES
        passage = walk(read_sources([{"tool": "xdp", "text": XDP}]), REQUEST)
        assert passage.words == (
            "prog/xdp id 2641 name guard tag b11459a0e11ca14c jited, in chain programs at eth0 (ip link)"
        )

    def test_at_the_queue(self) -> None:
        assert way("tc", at(BPF)) is Way.UNCLEAR
        assert way("tc", at(BPF), ANSWER) is Way.PASSES
        assert way("tc", at(BPF, "egress"), ANSWER) is Way.UNCLEAR

    def test_they_are_no_engine(self) -> None:
        """Whose rules they are is told of rules."""
        sources = [{"tool": "nft", "text": ""}, {"tool": "xdp", "text": XDP}]
        assert engine_of(read_sources(sources), sources) == "none"


class TestFilters:
    @pytest.mark.parametrize(
        ("action", "comes_to"),
        [
            ("gact action drop", Way.STOPPED),
            ("mirred (Egress Redirect to device mon0) stolen", Way.UNCLEAR),
            ("mirred (Egress Redirect to device ifb0) stolen", Way.PASSES),
            ("mirred (Egress Mirror to device mon0) pipe", Way.PASSES),
            ("police 0x1 rate 8Kbit burst 1Kb mtu 2Kb action drop overhead 0b", Way.UNCLEAR),
            ("gact action pass", Way.PASSES),
        ],
    )
    def test_what_it_does(self, action: str, comes_to: Way) -> None:
        """A copy takes nothing away; a limit drops now and then; a device that only shapes gives back."""
        assert way("tc", at(U32.format(action=action))) is comes_to

    @pytest.mark.parametrize(
        ("before", "after"), [("00002ab5", "00002ab6"), ("0a0a0100", "0a0a0200"), ("00060000", "00110000")]
    )
    def test_of_another_packet(self, before: str, after: str) -> None:
        """Another port, network or protocol."""
        told = U32.format(action="gact action drop")
        assert way("tc", at(told.replace(before, after))) is Way.PASSES

    def test_bytes_that_are_not_understood(self) -> None:
        told = U32.format(action="gact action drop").replace("at 12", "at 24")
        assert way("tc", at(told)) is Way.UNCLEAR

    def test_by_words(self) -> None:
        assert way("tc", at(FLOWER)) is Way.STOPPED
        assert way("tc", at(FLOWER.replace("10933", "22"))) is Way.PASSES
        assert way("tc", at(FLOWER.replace("not_in_hw", "tcp_flags 0x2/2"))) is Way.UNCLEAR

    def test_in_their_order(self) -> None:
        """The first that fits decides."""
        passes = FLOWER.replace("gact action drop", "gact action pass")
        assert way("tc", at(passes + FLOWER)) is Way.PASSES


class TestBuckets:
    @pytest.mark.parametrize(
        ("burst", "comes_to"),
        [("600b", Way.UNCLEAR), ("4Kb", Way.PASSES), ("1599b", Way.PASSES)],
    )
    def test_too_small_for_a_packet(self, burst: str, comes_to: Way) -> None:
        """What is longer than the bucket never comes out."""
        assert way("tc", BUCKET.format(burst=burst), ANSWER) is comes_to


class TestPolicies:
    @pytest.mark.parametrize(
        ("text", "comes_to"),
        [
            (POLICY.format(selector="", way="in", action="action block ", priority=0), Way.STOPPED),
            (POLICY.format(selector="", way="out", action="action block ", priority=0), Way.PASSES),
            (POLICY.format(selector="", way="in", action="", priority=0), Way.PASSES),
            (POLICY.format(selector="proto tcp dport 22 ", way="in", action="action block ", priority=0), Way.PASSES),
            (POLICY.format(selector="dev eth7 ", way="in", action="action block ", priority=0), Way.UNCLEAR),
            (POLICY.format(selector="", way="in", action="", priority=0) + TEMPLATE + "\t SAD count 0", Way.STOPPED),
            (POLICY.format(selector="", way="in", action="", priority=0) + TEMPLATE + "\t SAD count 2", Way.UNCLEAR),
            (POLICY.format(selector="", way="in", action="", priority=0) + TEMPLATE, Way.UNCLEAR),
            (
                POLICY.format(selector="", way="in", action="", priority=0)
                + TEMPLATE
                + "\t\tlevel use \n\t SAD count 0",
                Way.PASSES,
            ),
        ],
    )
    def test_one(self, text: str, comes_to: Way) -> None:
        """One that blocks; one that wants encryption, where something is negotiated or nothing; one that does not insist."""
        assert way("xfrm", text) is comes_to

    def test_the_first_by_priority(self) -> None:
        """The lowest number is looked at first, in whatever order they are shown."""
        blocks = POLICY.format(selector="", way="in", action="action block ", priority=9)
        allows = POLICY.format(selector="", way="in", action="", priority=5)
        assert way("xfrm", blocks + allows) is Way.PASSES
        assert way("xfrm", blocks.replace("priority 9", "priority 1") + allows) is Way.STOPPED

    def test_of_one_socket(self) -> None:
        """That belongs to a program, which knows."""
        own = "src 0.0.0.0/0 dst 0.0.0.0/0 \n\tsocket in action block priority 0 ptype main \n"
        assert way("xfrm", own) is Way.PASSES

    def test_an_answer(self) -> None:
        out = POLICY.format(selector="", way="out", action="action block ", priority=0)
        turned = out.replace("src 10.10.1.10/32 dst 10.10.2.11/32", "src 10.10.2.11/32 dst 10.10.1.10/32")
        assert way("xfrm", turned, ANSWER) is Way.STOPPED
