"""What takes packets away below a packet filter, or beside it: programs in the kernel, queues, IPsec's policies, control groups."""

from __future__ import annotations

from support.hosts.scenario import Scenario, scenario
from support.hosts.scenarios.operated import _LATER, _NOW, _START
from support.hosts.scenarios.unusual import _UNIT

_WEBS, _POLLS = "web-1,web-2", "poll-1,poll-2"
_BPF = "/lab/python/bin/python /lab/tests/programs/bpf.py"
_PINS = "mount -t bpf bpf /sys/fs/bpf"
_NO_PINS = "umount /sys/fs/bpf"
_NO_XDP = f"ip link set dev eth0 xdpgeneric off; {_NO_PINS}"
_NO_TC = f"tc qdisc del dev eth0 clsact; {_NO_PINS}"
_GROUP = "/sys/fs/cgroup/system.slice/Tentacle.service"
_BELOW = "TC5413 TC5411 TC5201? TC5202? TC5205?"
"""The machine's own program or policy. Where nobody read it, the machine's own side, or the way, is no more than possible."""
_OUT = "TT533 TC5413 TC5213?"
_RESTARTED = f"octo-1: systemctl restart octopusserver; sleep 4; {_LATER}\npoll-1: {_LATER}"
_NEEDS_IPSEC = "tmpl src {0} dst {1} proto esp mode transport level required"


def xdp(what: object) -> str:
    """A program at the card that drops what goes to or comes from this port; `none`: nothing."""
    return f"{_PINS}; {_BPF} xdp {what} /sys/fs/bpf/guard; ip link set dev eth0 xdpgeneric pinned /sys/fs/bpf/guard"


def queued(what: object, way: str) -> str:
    """The same at the card's queue, for what comes in (`ingress`) or goes out (`egress`)."""
    return f"{_PINS}; {_BPF} tc {what} /sys/fs/bpf/guard; tc qdisc add dev eth0 clsact; tc filter add dev eth0 {way} bpf da pinned /sys/fs/bpf/guard"


_FAULTS = (
    scenario("xdp-drop", "below the packet filter", "a program at the card (XDP) drops the port", f"web-1: {xdp(10933)}", f"web-1: {_BELOW}", undo=f"web-1: {_NO_XDP}"),
    scenario("tc-drop", "below the packet filter", "a program at the card's queue drops the port", f"web-1: {queued(10933, 'ingress')}", f"web-1: {_BELOW}", undo=f"web-1: {_NO_TC}"),
    scenario("tc-redirect", "below the packet filter", "a mirror of the port takes the packets away instead of copying them", "web-1: ip tuntap add mon0 mode tap; ip link set mon0 up; tc qdisc add dev eth0 ingress; tc filter add dev eth0 parent ffff: protocol ip u32 match ip protocol 6 0xff match ip dport 10933 0xffff action mirred egress redirect dev mon0", f"web-1: {_BELOW}", undo="web-1: tc qdisc del dev eth0 ingress; ip link del mon0"),
    # The first packets are small and come through; a certificate does not.
    scenario("tc-burst", "below the packet filter", "a queue of the Tentacle drops what is longer than 600 bytes", "web-1: tc qdisc add dev eth0 root tbf rate 10mbit burst 600 limit 30000", "web-1: TC5413 TC5283 TC5281? TC5282?"),
    scenario("poller-tc-out", "below the packet filter", "a program at a poller's queue lets nothing out to the polling port", f"poll-1: {queued(10943, 'egress')}", f"poll-1: {_OUT}", undo=f"poll-1: {_NO_TC}"),
    scenario("server-tc-out", "below the packet filter", "a program at the server's queue lets nothing out to Tentacles", f"octo-1: {queued(10933, 'egress')}", f"{_WEBS}: TT533 TC5413 TC5203? TC5204?", beside="TT533", undo=f"octo-1: {_NO_TC}"),
    scenario("server-xdp", "below the packet filter", "a program at the server's card drops the polling port", f"octo-1: {xdp(10943)}", f"{_POLLS}: TC5413 TC5411 TC5211?", beside="TC5413 TC5411", undo=f"octo-1: {_NO_XDP}"),
    # The machine's own attempts are not the service's: they come through.
    scenario("poller-group-program", "filter of the poller", "a program of the service's control group refuses its connections to the polling port", f"poll-1: {_BPF} connect 10943 {_GROUP}\n{_RESTARTED}", "poll-1: TC5531 TT641 TT533", undo=f"octo-1: {_NOW}\npoll-1: {_NOW}; {_START}\nhere: sleep 2", awaited="which programs a control group has, no tool of a usual machine shows"),
    scenario("poller-namespace", "filter of the poller", "the unit runs its service in a network namespace that leads nowhere", f"poll-1: cp {_UNIT} /root/unit; ip netns add shut; sed -i 's#^User=root#&\\nNetworkNamespacePath=/run/netns/shut#' {_UNIT}; {_START}; {_LATER}\nocto-1: sleep 3; {_LATER}", "poll-1: TC5531 TT641", undo=f"octo-1: {_NOW}\npoll-1: {_NOW}; cp /root/unit {_UNIT}; {_START}; ip netns del shut\nhere: sleep 2"),
    scenario("ipsec-required", "below the packet filter", "IPsec's policy wants the server's packets encrypted, and nobody negotiates", f"web-1: ip xfrm policy add dir in src 10.10.1.10/32 dst 10.10.2.11/32 {_NEEDS_IPSEC.format('10.10.1.10', '10.10.2.11')}", f"web-1: {_BELOW}", undo="web-1: ip xfrm policy flush"),
    scenario("poller-ipsec", "below the packet filter", "IPsec's policy of a poller encrypts what goes to the server, and nobody negotiates", f"poll-1: ip xfrm policy add dir out src 10.10.3.21/32 dst 10.10.1.0/24 {_NEEDS_IPSEC.format('10.10.3.21', '10.10.1.10')}", f"poll-1: {_OUT}", undo="poll-1: ip xfrm policy flush"),
)  # fmt: skip

_SLEEPS = "(setsid sleep 600 >/dev/null 2>&1 & echo $! > /run/holds.pid)"
_HEALTHY = (
    ("xdp", "a program at the card (XDP) that lets all through", f"web-1: {xdp('none')}\nocto-1: {xdp('none')}", f"web-1: {_NO_XDP}\nocto-1: {_NO_XDP}"),
    ("queues", "programs and classes at the queues that let all through", f"web-1: {queued('none', 'ingress')}; tc filter add dev eth0 egress bpf da pinned /sys/fs/bpf/guard; tc qdisc add dev eth0 root handle 1: htb default 2; tc class add dev eth0 parent 1: classid 1:2 htb rate 50mbit burst 64k", f"web-1: {_NO_TC}"),
    ("ipsec-elsewhere", "IPsec for another network, and for the server where somebody offers it", f"web-1: ip xfrm policy add dir out src 10.10.2.11/32 dst 192.168.50.0/24 {_NEEDS_IPSEC.format('10.10.2.11', '192.168.50.1')}; ip xfrm policy add dir in src 192.168.50.0/24 dst 10.10.2.11/32 action block; ip xfrm policy add dir out src 10.10.2.11/32 dst 10.10.1.0/24 tmpl src 10.10.2.11 dst 10.10.1.10 proto esp mode transport level use", "web-1: ip xfrm policy flush"),
    ("group-program", "a program of the service's control group that refuses another port", f"poll-1: {_BPF} connect 25 {_GROUP}", f"poll-1: {_START}\nhere: sleep 2"),
    ("stopped-job", "a job of somebody's shell is stopped", f"web-1: {_SLEEPS}; sleep 0.5; kill -STOP $(cat /run/holds.pid)\npoll-1: {_SLEEPS}; sleep 0.5; kill -STOP $(cat /run/holds.pid)", "web-1: kill -KILL $(cat /run/holds.pid)\npoll-1: kill -KILL $(cat /run/holds.pid)"),
)  # fmt: skip

SCENARIOS: tuple[Scenario, ...] = (
    *_FAULTS,
    *(
        scenario(f"healthy-{name}", "healthy", fault, do, "", undo=undo, healthy=True)
        for name, fault, do, undo in _HEALTHY
    ),
)
