"""A good inventory: what its files become."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_tentacle.inventory import load
from pytest_tentacle.inventory.faults import Place
from pytest_tentacle.inventory.layers import Layer, Setting, merged
from pytest_tentacle.inventory.model import SSH, Local, Mode, NoTransport, OperatingSystem, WinRM

THUMBPRINT = "0123456789ABCDEF0123456789ABCDEF01234567"


class TestMachines:
    def test_names_alone_will_do(self, files):
        """Tentacles may be listed by name; nothing else about them is then asserted."""
        inventory = files.load("""
            servers: [octo-1]
            tentacles:
              - web-1
              - web-2
        """)
        assert [machine.name for machine in inventory.machines] == ["octo-1", "web-1", "web-2"]
        tentacle = inventory.find("web-2")
        assert (tentacle.mode, tentacle.port, tentacle.thumbprint, tentacle.os) == (None, None, None, None)
        assert tentacle.transport == NoTransport()

    def test_every_key_of_a_tentacle(self, files):
        """All that can be declared of a Tentacle arrives, typed."""
        inventory = files.load(f"""
            servers: [octo-1, octo-2]
            groups: {{web: }}
            tentacles:
              - name: web-1
                dns_name: web-1.example.com
                ip: 10.0.0.1
                mode: polling
                port: 10934
                instance: Test
                os: linux
                thumbprint: {THUMBPRINT.lower()}
                servers: [octo-1, octo-2]
                groups: [web]
                transport: local
        """)
        tentacle = inventory.tentacles[0]
        assert tentacle.dns_name == "web-1.example.com"
        assert tentacle.ip == "10.0.0.1"
        assert tentacle.mode is Mode.POLLING
        assert tentacle.port == 10934
        assert tentacle.instance == "Test"
        assert tentacle.os is OperatingSystem.LINUX
        assert tentacle.thumbprint == THUMBPRINT
        assert tentacle.servers == ("octo-1", "octo-2")
        assert tentacle.groups == ("web",)
        assert tentacle.transport == Local()
        assert tentacle.origin.file.endswith("prod.yaml")
        assert tentacle.origin.line == 4

    def test_every_key_of_a_server(self, files):
        """All that can be declared of a server node arrives, typed; one value stands for a list of it."""
        inventory = files.load("""
            servers:
              - name: octo-1
                addresses: octopus.example.com
                portal: https://octopus.example.com
                polling_ports: 443
                transport: none
              - octo-2
        """)
        first, second = inventory.servers
        assert first.addresses == ("octopus.example.com",)
        assert first.portal == "https://octopus.example.com"
        assert first.polling_ports == (443,)
        assert second.polling_ports == (10943,)

    def test_the_only_server_is_everybodys(self, files):
        """A Tentacle that names no server belongs to the one that is declared, and to none of two."""
        assert files.load("servers: [a]\ntentacles: [t]").tentacles[0].servers == ("a",)
        assert files.load("servers: [a, b]\ntentacles: [t]").tentacles[0].servers == ()
        assert files.load("servers: [a]\ntentacles: [{name: t, servers: }]").tentacles[0].servers == ()

    def test_digits_keep_their_spelling(self, files):
        """A name, user or thumbprint that YAML takes for a number is what is written."""
        digits = "0" * 39 + "1"
        inventory = files.load(f"""
            servers: [007]
            tentacles: [{{name: 1e3, thumbprint: {digits}, transport: {{kind: ssh, user: 0815}}}}]
        """)
        assert inventory.servers[0].name == "007"
        assert inventory.tentacles[0].name == "1e3"
        assert inventory.tentacles[0].thumbprint == digits
        assert inventory.tentacles[0].transport.user == "0815"

    def test_environment_in_any_text(self, files):
        """`${env:NAME}` stands anywhere in a text, also for numbers and words."""
        inventory = files.load(
            "tentacles: [{name: 'web-${env:N}', port: '${env:P}', mode: '${env:M}', dns_name: 'w.${env:D}'}]",
            N="1",
            P="10934",
            M="polling",
            D="example.com",
        )
        tentacle = inventory.tentacles[0]
        assert (tentacle.name, tentacle.port, tentacle.mode) == ("web-1", 10934, Mode.POLLING)
        assert tentacle.dns_name == "w.example.com"

    def test_anchors_and_merge_keys(self, files):
        """YAML's own means of not repeating oneself work, own keys winning over merged ones."""
        inventory = files.load("""
            tentacles:
              - &web {name: web-1, mode: polling, port: 10940}
              - {<<: *web, name: web-2, port: 10941}
        """)
        assert [(t.name, t.mode, t.port) for t in inventory.tentacles] == [
            ("web-1", Mode.POLLING, 10940),
            ("web-2", Mode.POLLING, 10941),
        ]

    def test_byte_order_mark(self, files):
        """Files as Windows editors save them load."""
        assert files.load(b"\xef\xbb\xbftentacles:\r\n- web-1\r\n").tentacles[0].name == "web-1"

    def test_digest_is_of_the_bytes(self, files):
        """The digest is SHA-256 over the files in order."""
        first, second = files.write("tentacles: [a]", "a.yaml"), files.write("tentacles: [b]", "b.yaml")
        inventory = load([first, second], {})
        assert inventory.digest == hashlib.sha256(b"tentacles: [a]tentacles: [b]").hexdigest()
        assert inventory.files == (str(first), str(second))


class TestSeveralFiles:
    def test_servers_and_groups_are_shared_and_defaults_are_not(self, files):
        """A file's servers and groups serve another file's Tentacles; its defaults are its own."""
        first = files.write(
            """
            defaults: {tentacle: {mode: polling}}
            groups: {lin: {os: linux}}
            servers: [a, b]
            tentacles: [t1]
            """,
            "a.yaml",
        )
        second = files.write("tentacles: [{name: t2, server: b, groups: lin}]", "b.yaml")
        inventory = load([first, second], {})
        assert inventory.find("t1").mode is Mode.POLLING
        assert inventory.find("t2").mode is None
        assert inventory.find("t2").os is OperatingSystem.LINUX
        assert inventory.find("t2").servers == ("b",)

    def test_own_groups_first(self, files):
        """Where two files have a group of one name, each file's machines take their own."""
        first = files.write("groups: {g: {os: linux}}\ntentacles: [{name: t1, groups: g}]", "a.yaml")
        second = files.write("groups: {g: {os: windows}}\ntentacles: [{name: t2, groups: g}]", "b.yaml")
        inventory = load([first, second], {})
        assert inventory.find("t1").os is OperatingSystem.LINUX
        assert inventory.find("t2").os is OperatingSystem.WINDOWS


class TestInheritance:
    def test_defaults_then_groups_in_order_then_own(self, files):
        """The later one wins; transport is merged key by key."""
        inventory = files.load("""
            defaults: {tentacle: {mode: listening, port: 1, transport: {kind: ssh, user: u0, agent: false}}}
            groups:
              g1: {port: 2, instance: I1, transport: {user: u1}}
              g2: {port: 3, transport: {user: u2}}
            tentacles:
              - {name: t0, ip: 10.0.0.1}
              - {name: t1, ip: 10.0.0.2, groups: [g1, g2]}
              - {name: t2, ip: 10.0.0.3, groups: [g2, g1]}
              - {name: t3, ip: 10.0.0.4, groups: [g2, g1], port: 4, transport: {user: u3}}
        """)
        told = [(t.port, t.instance, t.transport.user, t.transport.agent) for t in inventory.tentacles]
        assert told == [
            (1, None, "u0", False),
            (3, "I1", "u2", False),
            (2, "I1", "u1", False),
            (4, "I1", "u3", False),
        ]
        assert {t.mode for t in inventory.tentacles} == {Mode.LISTENING}

    def test_null_clears(self, files):
        """An empty key takes away what is inherited."""
        inventory = files.load("""
            defaults: {tentacle: {mode: polling, transport: {kind: ssh, user: root}}}
            tentacles: [{name: t, mode: , transport: {user: ~}}]
        """)
        assert inventory.tentacles[0].mode is None
        assert inventory.tentacles[0].transport.user is None

    def test_another_kind_of_transport_starts_anew(self, files):
        """Nothing of a WinRM login goes into an SSH login, and none makes an end of it."""
        inventory = files.load(
            """
            defaults: {tentacle: {transport: {kind: winrm, user: admin, password: '${env:P}', auth: basic}}}
            tentacles:
              - {name: a, transport: {kind: ssh, key: prod.yaml}}
              - {name: b, transport: none}
              - {name: c, transport: winrm}
            """,
            P="x",
        )
        a, b, c = inventory.tentacles
        assert isinstance(a.transport, SSH)
        assert (a.transport.user, a.transport.password) == (None, None)
        assert b.transport == NoTransport()
        assert isinstance(c.transport, WinRM)
        assert (c.transport.user, c.transport.auth) == ("admin", "basic")

    def test_a_group_serves_servers_and_tentacles(self, files):
        """A server in a group takes what is a server's and leaves what is a Tentacle's."""
        inventory = files.load("""
            groups: {site: {mode: polling, polling_ports: [443], os: linux}}
            servers: [{name: s, groups: site}]
            tentacles: [{name: t, groups: site}]
        """)
        assert inventory.servers[0].polling_ports == (443,)
        assert inventory.tentacles[0].mode is Mode.POLLING
        assert {machine.os for machine in inventory.machines} == {OperatingSystem.LINUX}

    def test_server_and_servers_are_one_key(self, files):
        """Own `servers` takes the place of inherited `server`, and the other way round."""
        inventory = files.load("""
            defaults: {tentacle: {server: a}}
            groups: {both: {servers: [a, b]}}
            servers: [a, b]
            tentacles: [{name: t, servers: [b]}, {name: u, groups: both, server: b}]
        """)
        assert [t.servers for t in inventory.tentacles] == [("b",), ("b",)]

    @given(
        layers=st.lists(
            st.dictionaries(st.sampled_from("abcde"), st.integers(0, 9), max_size=4), min_size=1, max_size=5
        ),
    )
    def test_the_last_layer_that_has_a_key_wins(self, layers):
        """Whatever the layers: each key has the value of the last layer that has it, settings and transport alike."""
        place = Place("f", 1, 1)

        def settings(values: dict[str, int]) -> dict[str, Setting]:
            return {key: Setting(value, place, place) for key, value in values.items()}

        result = merged([Layer(place, settings(v), settings(v), place) for v in layers])
        expected = {key: next(v[key] for v in reversed(layers) if key in v) for v in layers for key in v}
        assert {key: setting.value for key, setting in result.settings.items()} == expected
        assert {key: setting.value for key, setting in result.transport.items()} == expected


class TestTransports:
    @pytest.mark.parametrize(
        ("keys", "host"),
        [
            ("transport: {kind: ssh, host: h}, ip: 10.0.0.1, dns_name: d", "h"),
            ("transport: ssh, ip: 10.0.0.1, dns_name: d", "10.0.0.1"),
            ("transport: ssh, dns_name: d", "d"),
            ("transport: ssh", "t"),
            ("transport: ssh, ip: '2001:DB8::1'", "2001:db8::1"),
        ],
    )
    def test_host(self, files, keys, host):
        """The host to log on to is the transport's own, else the ip, else the DNS name, else the name."""
        assert files.load(f"tentacles: [{{name: t, {keys}}}]").tentacles[0].transport.host == host

    def test_winrm_defaults(self, files):
        """WinRM is HTTPS with NTLM and a verified certificate, and its machine runs Windows."""
        inventory = files.load("tentacles: [{name: t, transport: {kind: winrm, user: u, password: '${env:P}'}}]", P="p")
        transport = inventory.tentacles[0].transport
        assert (transport.port, transport.scheme, transport.auth, transport.verify) == (5986, "https", "ntlm", "verify")
        assert inventory.tentacles[0].os is OperatingSystem.WINDOWS

    def test_winrm_over_http_has_its_own_port(self, files):
        """With scheme http the port is 5985 unless it is written."""
        text = "tentacles: [{{name: t, transport: {{kind: winrm, scheme: http, auth: kerberos{}}}}}]"
        assert files.load(text.format("")).tentacles[0].transport.port == 5985
        assert files.load(text.format(", port: 80")).tentacles[0].transport.port == 80

    def test_a_log_on_by_kerberos(self, files):
        """SSH takes a ticket where that is said; what other kinds know of `auth` is not meant for it, and null clears it."""
        inventory = files.load(
            """
            defaults: {tentacle: {transport: {auth: ntlm, user: u, password: '${env:P}'}}}
            groups: {tickets: {transport: {kind: ssh, auth: kerberos}}, keys: {transport: {kind: winrm, auth: kerberos}}}
            tentacles:
              - {name: a, transport: {kind: ssh}}
              - {name: b, groups: [tickets]}
              - {name: c, groups: [tickets], transport: {auth: keys}}
              - {name: d, groups: [tickets], transport: {auth: null}}
              - {name: e, groups: [keys]}
              - {name: f, transport: {kind: winrm}}
            """,
            P="p",
        )
        assert [machine.transport.auth for machine in inventory.tentacles] == [
            "keys", "kerberos", "keys", "keys", "kerberos", "ntlm",
        ]  # fmt: skip

    def test_paths_are_beside_the_file_they_are_written_in(self, files):
        """Relative paths count from the inventory file, `~` from the home folder."""
        (files.folder / "keys").mkdir()
        (files.folder / "keys" / "id").write_text("")
        inventory = files.load("tentacles: [{name: t, transport: {kind: ssh, key: keys/id, known_hosts: ~/hosts}}]")
        transport = inventory.tentacles[0].transport
        assert transport.key == files.folder / "keys" / "id"
        assert transport.known_hosts == Path("~/hosts").expanduser()

    def test_two_instances_on_one_host_share_a_login(self, files):
        """Machines of one host have one host_key."""
        inventory = files.load("""
            tentacles:
              - {name: a, ip: 10.0.0.1, transport: ssh}
              - {name: b, ip: 10.0.0.1, instance: Second, transport: ssh}
        """)
        assert len({machine.host_key for machine in inventory.machines}) == 1


class TestLab:
    def test_what_the_lab_is_told(self, files):
        """`lab` is kept aside, machine by machine, with YAML's own types."""
        inventory = files.load("""
            lab: {locale: de}
            defaults: {tentacle: {lab: {speed: 1}}}
            tentacles: [a, {name: b, lab: {fault: stopped, since: 3, deep: [true, 0.5, ~]}}]
        """)
        assert inventory.is_lab
        assert inventory.lab_settings == {"locale": "de"}
        assert inventory.lab_faults == {
            "a": {"speed": 1},
            "b": {"speed": 1, "fault": "stopped", "since": 3, "deep": [True, 0.5, None]},
        }

    def test_true_and_false(self, files):
        """`lab: true` asks for the lab, `lab: false` does not."""
        assert files.load("lab: true\ntentacles: [a]").is_lab
        assert not files.load("lab: false\ntentacles: [a]").is_lab

    def test_the_lab_knows_its_own_users(self, files):
        """In the lab a WinRM transport needs no user and password."""
        assert files.load("lab: true\ntentacles: [{name: a, transport: winrm}]").is_lab


class TestSpeed:
    def test_a_thousand_machines(self, files):
        """1,000 machines with all kinds of settings load well under two seconds of processor time."""
        lines = [
            f"  - {{name: web-{n}, ip: 10.0.{n // 250}.{n % 250 + 1}, mode: listening, thumbprint: {n:040x}, groups: [g]}}"
            for n in range(1000)
        ]
        text = "groups: {g: {transport: {kind: ssh, user: u}}}\nservers: [octo-1]\ntentacles:\n" + "\n".join(lines)
        path = files.write(text.encode())
        started = time.process_time()
        inventory = load([path], {})
        assert len(inventory.tentacles) == 1000
        assert time.process_time() - started < 2
