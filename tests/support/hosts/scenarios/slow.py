"""Ways that lose packets, or take long: the links work, now and then or late."""

from __future__ import annotations

from pathlib import Path

from support.hosts.scenario import Scenario, scenario

from .filters import nft

_DELAY = Path(__file__).resolve().parents[1] / "programs" / "delay.py"
_POLLS = "poll-1,poll-2"
_SLOW = "TC5351 TC5352"
_LOSSY = f"{_SLOW} TC6421 TC6422 TC6442 TT642 TT643"


def late(address: str, seconds: float) -> str:
    """The router gives what goes to an address a way that takes so long."""
    return (
        f"router: python3 {_DELAY} late0 {seconds} </dev/null >/mnt/router/late.log 2>&1 & echo $! > /mnt/router/late.pid; "
        "for i in $(seq 100); do ip link show late0 >/dev/null 2>&1 && break; sleep 0.05; done; "
        "sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.late0.rp_filter=0; ip link set late0 up; "
        f"ip route add default dev late0 table 77; ip rule add iif late0 lookup main pref 50; "
        f"for net in a b c; do ip rule add to {address} iif net-$net lookup 77 pref 51; done"
    )


_NO_LATE = (
    "router: ip rule del pref 50; for net in a b c; do ip rule del pref 51; done; kill $(cat /mnt/router/late.pid)"
)

SCENARIOS: tuple[Scenario, ...] = (
    scenario("late-one", "slow ways", "a round trip to one Tentacle takes 3 s", late("10.10.2.11", 3), f"web-1: {_SLOW}", undo=_NO_LATE, seconds=5),
    scenario("late-one-half", "slow ways", "a round trip to one Tentacle takes 1.8 s", late("10.10.2.11", 1.8), f"web-1: {_SLOW}", undo=_NO_LATE, seconds=5),
    scenario("late-one-pinged", "slow ways", "a round trip to one Tentacle takes 3 s, and it is pinged", late("10.10.2.11", 3), f"web-1: {_SLOW}", undo=_NO_LATE, pings=5, seconds=5),
    scenario("late-poller", "slow ways", "a round trip to one poller takes 3 s", late("10.10.3.21", 3), f"poll-1: {_SLOW}", undo=_NO_LATE, seconds=5),
    scenario("late-server", "slow ways", "a round trip to the server takes 2 s", late("10.10.1.10", 2), f"web-1,web-2,{_POLLS}: {_SLOW}", undo=_NO_LATE, seconds=5),
    scenario("healthy-far", "healthy", "a round trip of 250 ms", late("10.10.2.11", 0.25), "", undo=_NO_LATE, healthy=True),
    scenario("loses-third", "slow ways", "a third of the packets to and from one Tentacle is lost", nft("router", "ip daddr 10.10.2.11 numgen inc mod 3 0 drop; ip saddr 10.10.2.11 numgen inc mod 3 0 drop", hook="forward"), f"web-1: {_LOSSY}", pings=10),
    scenario("mtu-poll", "middle boxes", "large packets of the server do not get through", nft("router", "ip saddr 10.10.1.10 tcp sport 10943 meta length > 700 drop", hook="forward"), f"{_POLLS}: TC5282", seconds=5),
)  # fmt: skip
