"""Names with several addresses, of which not all answer: IPv4 and IPv6, and several of one kind."""

from __future__ import annotations

from support.hosts.scenario import Scenario, scenario

from .filters import nft, tables

_POLLS = "poll-1,poll-2"
_ONE = "TT715 TT716"


def records(subnet: str, *scripts: str) -> str:
    """A DNS server that does not change the order of its answers, with these changes of its records."""
    changes = " ".join(f"-e '{script}'" for script in scripts)
    return (
        f"dns: start {subnet} -- --no-round-robin\n"
        f"router: sed -i {changes} /mnt/router/dns-{subnet}.hosts; kill -HUP $(cat /mnt/router/dns-{subnet}.pid)"
    )


def before(name: str, *addresses: str) -> str:
    """Addresses before a name's own one."""
    return f"/{name}/i " + "\\n".join(f"{address} {name}.lab.test" for address in addresses)


def behind(name: str, *addresses: str) -> str:
    """Addresses behind a name's own one."""
    return f"/{name}/a " + "\\n".join(f"{address} {name}.lab.test" for address in addresses)


def several(
    name: str, fault: str, do: str, expect: str, *, beside: str = "", undo: str = "", merged: tuple[str, ...] = ()
) -> Scenario:
    return scenario(f"several-{name}", "addresses", fault, do, expect, beside=beside, undo=undo, merged=merged)


SCENARIOS: tuple[Scenario, ...] = (
    several("first-dead", "of a Tentacle's two addresses the first is nobody's", records("a", before("web-1", "10.10.2.77")), f"web-1: {_ONE}"),
    several("last-dead", "of a Tentacle's two addresses the last is nobody's", records("a", behind("web-1", "10.10.2.77")), f"web-1: {_ONE}"),
    several("first-swallowed", "what goes to the first of two addresses is dropped", f"{records('a', before('web-1', '10.10.2.78'))}\n{nft('router', 'ip daddr 10.10.2.78 drop', hook='forward')}", f"web-1: {_ONE}"),
    several("first-refuses", "the first of two addresses refuses", records("a", before("web-1", "10.10.2.1")), f"web-1: {_ONE}"),
    several("three", "of three addresses two are nobody's", records("a", before("web-1", "10.10.2.77", "10.10.2.78")), f"web-1: {_ONE}"),
    several("first-another", "the first of two addresses is another Tentacle's", records("a", before("web-1", "10.10.2.12")), "web-1: TC5312"),
    several("last-another", "the last of two addresses is another Tentacle's", records("a", behind("web-1", "10.10.2.12")), "web-1: TC5312 TT715"),
    several("both-dead", "both of a Tentacle's addresses are nobody's", records("a", "s/10.10.2.11/10.10.2.77/", behind("web-1", "10.10.2.78")), "web-1: TC5121"),
    several("six-dead", "the IPv6 address is nobody's, the IPv4 one is right", records("a", behind("web-1", "fd10:2::77")), f"web-1: {_ONE}"),
    # Where the other fault takes the other address, all of them fail on the way, and nothing tells one fault from two.
    several("six-filtered", "the router drops IPv6 alone", f"{records('a', behind('web-1', 'fd10:2::11'))}\n{nft('router', 'ip6 daddr fd10:2::11 tcp dport 10933 drop', hook='forward')}", f"web-1: {_ONE}", merged=("TC5202", "TC5203", "TC5222")),
    several("six-own-filter", "the Tentacle's own filter drops IPv6 alone", f"{records('a', behind('web-1', 'fd10:2::11'))}\n{tables('web-1', '-A INPUT -p tcp --dport 10933 -j DROP', tool='ip6tables')}", f"web-1: {_ONE} TC5411 TT546", beside=f"{_ONE} TC5411"),
    several("six-no-way-back", "a Tentacle has no IPv6 way back", f"{records('a', behind('web-1', 'fd10:2::11'))}\nweb-1: ip -6 route del default", f"web-1: {_ONE}"),
    several("server-first-dead", "of the server's two addresses the first is nobody's", records("c", before("octo-1", "10.10.1.77")), f"{_POLLS}: {_ONE}"),
    several("server-six-dead", "the server's IPv6 address is nobody's", records("c", behind("octo-1", "fd10:1::77")), f"{_POLLS}: {_ONE}"),
    several("server-six-filtered", "the server drops IPv6 alone", f"{records('c', behind('octo-1', 'fd10:1::10'))}\n{nft('octo-1', 'ip6 saddr fd10:3::/64 tcp dport 10943 drop')}", f"{_POLLS}: {_ONE} TC5411", beside=f"{_ONE} TC5411 TT546"),
    scenario("healthy-two-addresses", "healthy", "a Tentacle with two addresses that both work", f"{records('a', behind('web-1', '10.10.2.111'))}\nweb-1: ip address add 10.10.2.111/24 dev eth0", "", healthy=True, undo="web-1: ip address del 10.10.2.111/24 dev eth0 || :"),
    scenario("healthy-without-six", "healthy", "a server without IPv6, and names with IPv6 addresses", f"{records('a', behind('web-1', 'fd10:2::11'), behind('web-2', 'fd10:2::12'))}\nocto-1: sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1", "", healthy=True, undo="octo-1: sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0; ip -6 addr replace fd10:1::10/64 dev eth0 nodad; ip -6 route replace default via fd10:1::1"),
)  # fmt: skip
