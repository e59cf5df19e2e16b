"""Which packet filter runs on a stand-in machine, and what it says about the ports of interest."""

from __future__ import annotations

import pytest

NFT = """\
table inet filter {
	set friends {
		type ipv4_addr
		elements = { 10.0.0.1 }
	}
	chain input {
		type filter hook input priority 0; policy drop;
		ct state established,related accept
		ct state invalid drop
		iif "lo" accept
		icmp type echo-request accept
		udp dport 10933 accept
		tcp dport 22 accept
%s
	}
	chain forward {
		type filter hook forward priority 0; policy drop;
		tcp dport 10933 drop
	}
	chain mine {
		tcp dport { 80, 10930-10940 } accept
	}
}
table ip nat {
	chain prerouting {
		type nat hook prerouting priority -100; policy accept;
		tcp dport 10933 redirect to :1
	}
}
"""
IPTABLES = """\
*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp --dport 10933 -j REDIRECT --to-ports 1
COMMIT
*filter
:INPUT %s [0:0]
:FORWARD DROP [0:0]
:MINE - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p udp -m udp --dport 10933 -j DROP
%s
-A MINE -s 10.0.0.0/8 -p tcp -m multiport --dports 80,10933 -m comment --comment "the octopus" -j ACCEPT
COMMIT
"""
UFW = """\
Status: active
Logging: on (low)
Default: deny (incoming), allow (outgoing), disabled (routed)
New profiles: skip

To                         Action      From
--                         ------      ----
22/tcp (OpenSSH)           ALLOW IN    Anywhere
10000:11000/tcp            ALLOW IN    10.0.0.0/8
10933                      DENY IN     Anywhere                   # no more
10933/udp                  ALLOW IN    Anywhere
Anywhere                   ALLOW IN    10.0.0.5
10933/tcp on eth1          ALLOW IN    Anywhere
10933/tcp (v6)             ALLOW IN    Anywhere (v6)
"""
FIREWALLD = """\
block
  target: %%REJECT%%
  interfaces:
  ports: 10933/tcp

public (active)
  target: default
  icmp-block-inversion: no
  interfaces: eth0
  sources:
  services: dhcpv6-client octopus ssh
  ports: 22/tcp 10933/tcp 10933/udp 10000-11000/tcp
  protocols:
  forward: yes
  masquerade: no
  rich rules:
\trule family="ipv4" source address="10.0.0.66" port port="10933" protocol="tcp" reject
\trule family="ipv4" source NOT address="10.0.0.0/8" port port="10933" protocol="tcp" drop
"""


def surveyed(machine, shell=("dash",), denied=(), **firewall):
    machine.description |= {"firewall": firewall, "denied": list(denied)}
    return machine.survey(shell).survey.firewall


def told(rules):
    return [(rule.action, rule.ports, rule.remote, rule.conditional) for rule in rules]


class TestNone:
    @pytest.mark.parametrize("tools", [{}, {"nft": ""}, {"iptables": "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n"}])
    def test_nothing_filters(self, whole, tools):
        """No tool, no rules, or a policy that lets everything in: nothing filters."""
        found = surveyed(whole, **tools).data
        assert (found.engine, found.running, found.profiles, found.rules) == ("none", False, (), ())

    @pytest.mark.parametrize("tool", ["nft", "iptables", "ufw", "firewalld"])
    def test_denied(self, whole, tool):
        """A tool that wants root leaves the filter unknown, with its own words."""
        unknown = surveyed(whole, denied=["firewall"], **{tool: "anything"}).unknown
        assert "root" in unknown or "Authorization failed" in unknown

    def test_one_denied_another_knows(self, whole):
        """A refusal by one tool does not hide what another one says."""
        rules = IPTABLES % ("DROP", "")
        whole.description["missing"] = ["nft"]
        assert surveyed(whole, iptables=rules, firewalld=None).data.engine == "iptables"


class TestNft:
    def test_policy_drops(self, whole, shell):
        """The policy stands where no rule names the port; rules of other hooks and protocols do not count."""
        found = surveyed(whole, shell, nft=NFT % "").data
        assert (found.engine, found.running) == ("nftables", True)
        assert [(profile.name, profile.inbound) for profile in found.profiles] == [("inet filter input", "block")]
        assert found.rules == ()
        assert "policy drop" in found.text

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("tcp dport 10933 accept", ("allow", ("10933",), (), False)),
            ('tcp dport { 22, 10933 } counter packets 1 bytes 60 accept comment "a drop"', ("allow", ("22", "10933"), (), False)),
            ("tcp dport 10000-11000 accept", ("allow", ("10000-11000",), (), False)),
            ("ip saddr 10.0.0.0/8 tcp dport 10933 accept", ("allow", ("10933",), ("10.0.0.0/8",), False)),
            ("ip saddr { 10.0.0.1, 10.0.0.2 } tcp dport 10933 drop", ("block", ("10933",), ("10.0.0.1", "10.0.0.2"), False)),
            ("ip saddr 10.0.0.9 accept", ("allow", (), ("10.0.0.9",), False)),
            ("ip saddr @friends tcp dport 10933 accept", ("allow", ("10933",), (), True)),
            ('iifname "eth1" tcp dport 10933 accept', ("allow", ("10933",), (), True)),
            ("tcp dport 10933 ct state new accept", ("allow", ("10933",), (), False)),
            ("tcp dport 10933 reject with tcp reset", ("block", ("10933",), (), False)),
            ('tcp dport 10933 log prefix "x accept " drop', ("block", ("10933",), (), False)),
            ("meta l4proto tcp tcp dport 10933 accept", ("allow", ("10933",), (), False)),
            ("jump mine", ("allow", ("80", "10930-10940"), (), False)),
            ('iifname "eth1" jump mine', ("allow", ("80", "10930-10940"), (), True)),
            ("tcp dport != 10934 drop", ("block", (), (), True)),
        ],
    )  # fmt: skip
    def test_rule(self, whole, line, expected):
        """A rule that covers the port, with its addresses; what else it depends on makes it conditional."""
        found = surveyed(whole, nft=NFT % f"\t\t{line}").data
        assert told(found.rules) == [expected]
        assert found.profiles[0].inbound == "block"

    def test_last_rule_is_the_policy(self, whole):
        """A rule for everybody ends the chain: what follows it is never asked."""
        rules = (NFT % "\t\taccept\n\t\ttcp dport 10933 drop").replace("ct state invalid drop", "")
        found = surveyed(whole, nft=rules).data
        assert (found.profiles[0].inbound, found.rules) == ("allow", ())

    def test_order_is_kept(self, whole):
        """The first rule that fits wins, so their order tells."""
        found = surveyed(whole, nft=NFT % "\t\tip saddr 10.0.0.6 tcp dport 10933 drop\n\t\ttcp dport 10933 accept").data
        assert [rule.action for rule in found.rules] == ["block", "allow"]

    def test_loop(self, whole):
        """Chains that lead in a circle do no harm."""
        rules = (NFT % "\t\tjump mine").replace("tcp dport { 80, 10930-10940 } accept", "jump mine")
        assert surveyed(whole, nft=rules).data.profiles[0].inbound == "block"

    def test_real_nft(self, whole, tmp_path):
        """The real tool's print of a rule set is understood."""
        import subprocess

        script = tmp_path / "rules.nft"
        text = "table inet filter { chain input { type filter hook input priority 0; policy drop; iif lo accept; "
        script.write_text(text + "ip saddr 192.0.2.0/24 tcp dport { 22, 10933 } counter accept; }; }\n")
        done = subprocess.run(
            ["unshare", "-rn", "sh", "-c", f"nft -f {script} && nft -nn list ruleset"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"nft and unshare are needed by this test: {done.stderr}"
        found = surveyed(whole, nft=done.stdout).data
        assert told(found.rules) == [("allow", ("22", "10933"), ("192.0.2.0/24",), False)]
        assert found.profiles[0].inbound == "block"


class TestIptables:
    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("-A INPUT -p tcp -m tcp --dport 10933 -j ACCEPT", [("allow", ("10933",), (), False)]),
            ("-A INPUT -p tcp -m tcp --dport 10000:11000 -j REJECT --reject-with tcp-reset", [("block", ("10000-11000",), (), False)]),
            ("-A INPUT -j MINE", [("allow", ("80", "10933"), ("10.0.0.0/8",), False)]),
            ("-A INPUT -i eth1 -j MINE", [("allow", ("80", "10933"), ("10.0.0.0/8",), True)]),
            ("-A INPUT ! -s 10.0.0.0/8 -p tcp -m tcp --dport 10933 -j DROP", [("block", ("10933",), ("10.0.0.0/8",), True)]),
            ("-A INPUT -p tcp -m state --state NEW -m tcp --dport 10933 -j ACCEPT", [("allow", ("10933",), (), False)]),
            ("-A INPUT -p tcp -m tcp --dport 22 -j DROP", []),
            ("-A INPUT -j LOG", []),
        ],
    )  # fmt: skip
    def test_rule(self, whole, line, expected, shell):
        """As with nft: the same rules in the older tool's words."""
        found = surveyed(whole, shell, iptables=IPTABLES % ("DROP", line)).data
        assert (found.engine, found.profiles[0].inbound) == ("iptables", "block")
        assert told(found.rules) == expected

    def test_last_rule_is_the_policy(self, whole):
        """RHEL's way: the policy accepts, the last rule rejects."""
        found = surveyed(whole, iptables=IPTABLES % ("ACCEPT", "-A INPUT -j REJECT --reject-with x")).data
        assert found.profiles[0].inbound == "block"

    def test_nft_without_input_chain_is_not_all(self, whole):
        """Rules of the older kind do not show in nft: both are asked."""
        found = surveyed(whole, nft="", iptables=IPTABLES % ("DROP", "")).data
        assert found.engine == "iptables"


class TestUfw:
    def test_rules(self, whole, shell):
        """The default and the rules for the port, in their order."""
        found = surveyed(whole, shell, ufw=UFW).data
        assert (found.engine, found.running) == ("ufw", True)
        assert [(profile.name, profile.inbound) for profile in found.profiles] == [("ufw", "block")]
        assert told(found.rules) == [
            ("allow", ("10000-11000",), ("10.0.0.0/8",), False),
            ("block", ("10933",), (), False),
            ("allow", (), ("10.0.0.5",), False),
            ("allow", ("10933",), (), True),
        ]

    def test_inactive(self, whole):
        """An inactive ufw filters nothing; the next tool is asked."""
        assert surveyed(whole, ufw="Status: inactive\n", nft=NFT % "").data.engine == "nftables"


class TestFirewalld:
    def test_active_zones(self, whole, shell):
        """Only zones in use count; ports, unknown services and rich rules."""
        found = surveyed(whole, shell, firewalld=FIREWALLD, nft="").data
        assert (found.engine, found.running) == ("firewalld", True)
        assert [(profile.name, profile.inbound, profile.active) for profile in found.profiles] == [
            ("public", "block", True)
        ]
        assert told(found.rules) == [
            ("allow", (), (), True),
            ("allow", ("10933",), (), False),
            ("allow", ("10000-11000",), (), False),
            ("block", ("10933",), ("10.0.0.66",), False),
            ("block", ("10933",), ("10.0.0.0/8",), True),
        ]

    def test_trusting_zone(self, whole):
        """A zone that accepts everything."""
        assert surveyed(whole, firewalld="trusted (active)\n  target: ACCEPT\n").data.profiles[0].inbound == "allow"

    def test_not_running(self, whole):
        """A firewalld that does not run filters nothing."""
        assert surveyed(whole, firewalld=None, nft="").data.engine == "none"
