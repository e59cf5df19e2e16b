"""Bad inventories: each fault with its place, the offending value and what is near."""

from __future__ import annotations

import os

import pytest

GOOD = "0123456789ABCDEF0123456789ABCDEF01234567"

ONE_FAULT = {
    "unknown key of a Tentacle": (
        "tentacles:\n  - name: t\n    thumprint: x",
        "prod.yaml:3:5: unknown key of a Tentacle: 'thumprint'; did you mean 'thumbprint'?",
    ),
    "unknown key of a server": (
        "servers:\n  - {name: s, portl: x}",
        "prod.yaml:2:15: unknown key of a server: 'portl'; did you mean 'portal'?",
    ),
    "unknown key of a group": (
        "groups:\n  g:\n    moed: x\ntentacles: [t]",
        "prod.yaml:3:5: unknown key of a group: 'moed'; did you mean 'mode'?",
    ),
    "unknown key of defaults": (
        "defaults:\n  tentacles: {}\ntentacles: [t]",
        "prod.yaml:2:3: unknown key of defaults: 'tentacles'; did you mean 'tentacle'?",
    ),
    "unknown key at the top": (
        "tentacle: [t]",
        "prod.yaml:1:1: unknown key of the inventory: 'tentacle'; did you mean 'tentacles'?",
    ),
    "unknown key with an invisible character": (
        "tentacles:\n  - name: t\n    \u200emode: polling",
        (
            "prod.yaml:3:5: unknown key of a Tentacle: '\\u200emode'; it has an invisible character: "
            "LEFT-TO-RIGHT MARK (U+200E) at position 1; did you mean 'mode'?"
        ),
    ),
    "unknown key of a transport": (
        "tentacles:\n  - name: t\n    transport: {kind: ssh, usr: root}",
        "prod.yaml:3:28: unknown key of transport ssh: 'usr'; did you mean 'user'?",
    ),
    "key of another kind of transport": (
        "tentacles:\n  - name: t\n    transport: {kind: ssh, scheme: http}",
        "prod.yaml:3:28: unknown key of transport ssh: 'scheme'; it is a key of another kind of transport",
    ),
    "key of another kind than the inherited transport": (
        "defaults: {tentacle: {transport: ssh}}\ntentacles:\n  - name: t\n    transport: {scheme: http}",
        "prod.yaml:4:17: transport ssh has no such key: 'scheme'",
    ),
    "key of the transport outside of it": (
        "tentacles:\n  - {name: t, passphrase: x}",
        "prod.yaml:2:15: unknown key of a Tentacle: 'passphrase'; it belongs into transport:",
    ),
    "name missing": ("tentacles:\n  - mode: polling", "prod.yaml:2:5: the key name of a Tentacle is missing"),
    "name of nothing": ("tentacles:\n  - name:", "prod.yaml:2:10: name must be text, not nothing: ''"),
    "name with a glob's sign": (
        "tentacles: ['web*']",
        "prod.yaml:1:13: name may not have , * ? [ ] in it nor begin with !: 'web*'; --limit gives these a meaning",
    ),
    "name with an invisible character": (
        "tentacles: [\u200bweb]",
        (
            "prod.yaml:1:13: name has an invisible character: ZERO WIDTH SPACE (U+200B) at position 1: '\\u200bweb'; "
            "type it again instead of copying it"
        ),
    ),
    "name with a space around it": ("tentacles: [' web']", "prod.yaml:1:13: name begins or ends with a space: ' web'"),
    "group's name with a comma": (
        "groups:\n  'a,b': {}\ntentacles: [t]",
        "prod.yaml:2:3: name may not have , * ? [ ] in it nor begin with !: 'a,b'; --limit gives these a meaning",
    ),
    "duplicate name": (
        "servers: [x]\ntentacles:\n  - y\n  - X",
        "prod.yaml:4:5: the name is given twice: 'X'; first at prod.yaml:1:11",
    ),
    "duplicate key": (
        "tentacles:\n  - name: t\n    mode: polling\n    mode: listening",
        "prod.yaml:4:5: the key is written twice: 'mode'; first in line 3",
    ),
    "no such server": (
        "servers: [octo-1, cloud]\ntentacles:\n  - {name: t, servers: [cloud, octo-l]}",
        "prod.yaml:3:32: there is no such server: 'octo-l'; did you mean 'octo-1'?",
    ),
    "no such group": (
        "groups: {linux: {}}\ntentacles:\n  - {name: t, groups: linuks}",
        "prod.yaml:3:23: there is no such group: 'linuks'; did you mean 'linux'?",
    ),
    "server and servers": (
        "servers: [a, b]\ntentacles:\n  - {name: t, server: a, servers: [b]}",
        "prod.yaml:3:15: server and servers are both written; keep one of them",
    ),
    "mode": (
        "tentacles: [{name: t, mode: listning}]",
        "prod.yaml:1:29: mode must be one of listening, polling: 'listning'; did you mean 'listening'?",
    ),
    "operating system": (
        "tentacles: [{name: t, os: Windows}]",
        "prod.yaml:1:27: os must be one of windows, linux: 'Windows'; did you mean 'windows'?",
    ),
    "port too high": (
        "tentacles: [{name: t, port: 70000}]",
        "prod.yaml:1:29: port must be a whole number from 1 to 65535: '70000'",
    ),
    "port zero": (
        "tentacles: [{name: t, port: 0}]",
        "prod.yaml:1:29: port must be a whole number from 1 to 65535: '0'",
    ),
    "port negative": (
        "servers: [{name: t, polling_ports: [10943, -1]}]",
        "prod.yaml:1:44: polling_ports must be a whole number from 1 to 65535: '-1'",
    ),
    "port of the wrong type": (
        "tentacles: [{name: t, port: [1]}]",
        "prod.yaml:1:29: port must be a whole number from 1 to 65535",
    ),
    "text of the wrong type": (
        "tentacles: [{name: t, instance: {a: b}}]",
        "prod.yaml:1:33: instance must be text, not a mapping",
    ),
    "true for text": (
        "tentacles: [{name: t, instance: true}]",
        "prod.yaml:1:33: instance must be text: 'true'; put it in quotes",
    ),
    "text for true": (
        "tentacles: [{name: t, transport: {kind: ssh, agent: yes}}]",
        "prod.yaml:1:53: agent must be true or false: 'yes'",
    ),
    "empty text": (
        "tentacles: [{name: t, instance: ''}]",
        "prod.yaml:1:33: instance is empty: ''; leave the key out if there is nothing to say",
    ),
    "list wanted": ("tentacles: t", "prod.yaml:1:12: tentacles must be a list, not text"),
    "entry that is a list": (
        "tentacles: [[t]]",
        "prod.yaml:1:13: an entry of tentacles must be a name or a mapping, not a list",
    ),
    "map wanted": ("groups: [g]\ntentacles: [t]", "prod.yaml:1:9: groups must be a mapping, not a list"),
    "names that are a map": (
        "tentacles: [{name: t, groups: {a: b}}]",
        "prod.yaml:1:31: groups must be a name or a list of names, not a mapping",
    ),
    "IP address": (
        "tentacles: [{name: t, ip: 10.0.0.256}]",
        "prod.yaml:1:27: ip must be an IPv4 or IPv6 address: '10.0.0.256'",
    ),
    "IPv6 address in brackets": (
        "tentacles: [{name: t, ip: '[::1]'}]",
        "prod.yaml:1:27: ip must be an IPv4 or IPv6 address: '[::1]'; write '::1'",
    ),
    "URL for a host": (
        "tentacles: [{name: t, dns_name: 'https://u:pw@web.example.com/x'}]",
        (
            "prod.yaml:1:33: dns_name must be a host name or an IP address alone; take out what stands before the @: "
            "user: and password: are keys of transport:"
        ),
    ),
    "host with port": (
        "tentacles: [{name: t, dns_name: 'web:10933'}]",
        (
            "prod.yaml:1:33: dns_name must be a host name or an IP address alone: 'web:10933'; "
            "write 'web', and the port as port:"
        ),
    ),
    "portal": (
        "servers: [{name: s, portal: octopus}]",
        "prod.yaml:1:29: portal must be a URL: 'octopus'; such as https://octopus.example.com",
    ),
    "portal with a password": (
        "servers: [{name: s, portal: 'https://admin:hunter2@octopus'}]",
        "prod.yaml:1:29: portal must not have a user or password in it",
    ),
    "transport word": (
        "tentacles: [{name: t, transport: winrn}]",
        "prod.yaml:1:34: transport must be one of winrm, ssh, local, none: 'winrn'; did you mean 'winrm'?",
    ),
    "transport kind": (
        "tentacles: [{name: t, transport: {kind: shh}}]",
        "prod.yaml:1:41: transport must be one of winrm, ssh, local, none: 'shh'; did you mean 'ssh'?",
    ),
    "transport list": (
        "tentacles: [{name: t, transport: [ssh]}]",
        "prod.yaml:1:34: transport must be one of winrm, ssh, local, none, or a mapping, not a list",
    ),
    "transport without kind": (
        "tentacles: [{name: t, transport: {user: root}}]",
        "prod.yaml:1:23: the kind of the transport is missing: 't'; write kind: one of winrm, ssh, local, none",
    ),
    "transport host empty": (
        "tentacles: [{name: t, transport: {kind: ssh, host: ''}}]",
        "prod.yaml:1:52: host is empty: ''; leave the key out if there is nothing to say",
    ),
    "transport host missing": (
        "tentacles: [{name: Web server 1, transport: ssh}]",
        (
            "prod.yaml:1:20: the transport has no host to log on to, and the name is none: 'Web server 1'; "
            "declare ip, dns_name, or host in transport"
        ),
    ),
    "basic over plain http": (
        "tentacles: [{name: t, transport: {kind: winrm, scheme: http, auth: basic, user: u, password: '${env:P}'}}]",
        "prod.yaml:1:68: auth over plain http would send the password in clear: 'basic'; use scheme: https, or auth: ntlm",
    ),
    "NTLM without a password": (
        "tentacles: [{name: t, transport: {kind: winrm, user: u}}]",
        (
            "prod.yaml:1:41: transport winrm with auth ntlm needs password; "
            "add password: to transport:, or to defaults or a group"
        ),
    ),
    "a way to authenticate that SSH does not know": (
        "defaults: {tentacle: {transport: {kind: ssh}}}\ntentacles: [{name: t, transport: {auth: ntlm}}]",
        "prod.yaml:2:41: transport ssh has no such auth: 'ntlm'; write one of keys, kerberos",
    ),
    "a password beside a ticket": (
        "tentacles: [{name: t, transport: {kind: ssh, auth: kerberos, password: '${env:P}'}}]",
        "prod.yaml:1:62: transport ssh with auth kerberos uses no password: 't'; leave it out, or say auth: keys",
    ),
    "certificate missing": (
        "tentacles: [{name: t, transport: {kind: winrm, auth: certificate}}]",
        (
            "prod.yaml:1:54: transport winrm with auth certificate needs certificate and certificate_key; "
            "add certificate: and certificate_key: to transport:, or to defaults or a group"
        ),
    ),
    "same host and instance": (
        (
            "tentacles:\n  - {name: a, ip: 10.0.0.1, transport: ssh}\n"
            "  - {name: b, ip: 10.0.0.1, instance: tentacle, transport: ssh}"
        ),
        (
            "prod.yaml:3:12: same host and instance as 'a', at prod.yaml:2:12: 'b'; "
            "tell them apart by instance:, or by host in transport:"
        ),
    ),
    "lab key without the lab": (
        "tentacles:\n  - {name: a, lab: {fault: x}}",
        "prod.yaml:2:15: lab: is for files with lab: true at their top",
    ),
    "lab of the wrong type": (
        "lab: yes\ntentacles: [t]",
        "prod.yaml:1:6: lab must be true, false or a mapping: 'yes'",
    ),
    "lab list": ("lab: [a]\ntentacles: [t]", "prod.yaml:1:6: lab must be a mapping, not a list"),
    "empty file": ("", "prod.yaml:1:1: the file is empty; declare servers: and tentacles:"),
    "comments alone": ("# nothing\n", "prod.yaml:1:1: the file is empty; declare servers: and tentacles:"),
    "no machine": (
        "servers: []\ntentacles:\n",
        "prod.yaml:1:1: no machine is declared; list Tentacles under tentacles:, servers under servers:",
    ),
    "not a mapping": (
        "- t",
        (
            "prod.yaml:1:1: the file must be a mapping, not a list; "
            "it begins with one of defaults:, groups:, servers:, tentacles:"
        ),
    ),
    "not UTF-8": (
        "tentacles:\n  - büro-ä".encode("latin-1"),
        "prod.yaml:2:6: not UTF-8: the byte here is: '0xFC'; save it as UTF-8",
    ),
    "UTF-16": ("tentacles: [t]".encode("utf-16"), "prod.yaml:1:1: not UTF-8 but UTF-16; save it as UTF-8"),
    "control character": ("tentacles:\n  - a\x1bb", "prod.yaml:2:6: YAML allows no ESCAPE (U+001B)"),
    "bracket left open": (
        "tentacles: [a",
        (
            "prod.yaml:1:14: YAML syntax: while parsing a flow sequence expected ',' or ']', but got '<stream end>'; "
            "a bracket [ or { is not closed"
        ),
    ),
    "reference without quotes in a flow map": (
        "tentacles: [{name: t, port: ${env:P}}]",
        (
            "prod.yaml:1:30: YAML syntax: while parsing a flow mapping expected ',' or '}', but got '{'; "
            "inside of { } and [ ], ${…} must stand in quotes"
        ),
    ),
    "tab": (
        "tentacles:\n\t- a",
        (
            r"prod.yaml:2:1: YAML syntax: while scanning for the next token found character '\t' that cannot start any token; "
            "indent with spaces, not with TAB"
        ),
    ),
    "backslash in double quotes": (
        'tentacles: [{name: t, transport: {kind: ssh, user: "CORP\\svc"}}]',
        (
            "prod.yaml:1:58: YAML syntax: while scanning a double-quoted scalar found unknown escape character 's'; "
            r"in double quotes a backslash begins an escape: write 'DOMAIN\user' in single quotes"
        ),
    ),
    "two documents": (
        "tentacles: [t]\n---\ntentacles: [u]",
        (
            "prod.yaml:2:1: YAML syntax: expected a single document in the stream but found another document; "
            "one file holds one inventory: take the line --- out"
        ),
    ),
    "tag": (
        "tentacles: [!x t]",
        "prod.yaml:1:13: a tag (!…) has no meaning here; text that begins with * & ! % @ ` must stand in quotes",
    ),
    "key that is a list": ("tentacles: [t]\n? [a]\n: b", "prod.yaml:2:3: a key must be text"),
    "merge of text": ("tentacles: [{<<: a, name: t}]", "prod.yaml:1:18: <<: takes a mapping, not text"),
    "alias inside of itself": ("tentacles: &t [*t]", "prod.yaml:1:12: an alias stands inside of what it stands for"),
    "not a reference": (
        "tentacles: [{name: t, dns_name: '${WEB}'}]",
        "prod.yaml:1:33: not a reference: '${WEB}'; did you mean ${env:WEB}?",
    ),
    "file reference outside of secrets": (
        "tentacles: [{name: t, dns_name: '${file:web}'}]",
        "prod.yaml:1:33: ${file:…} is for passwords and passphrases alone: '${file:web}'; write ${env:NAME}",
    ),
    "variable not set": (
        "tentacles: [{name: t, dns_name: '${env:WEBB}'}]",
        "prod.yaml:1:33: the environment variable is not set: 'WEBB'; did you mean 'WEB'?",
    ),
}


class TestOneFault:
    @pytest.mark.parametrize("case", ONE_FAULT)
    def test_is_told_with_its_place(self, files, case):
        """One bad thing gives one line: place, what is wrong, the value, what is near; and nothing that follows from it."""
        text, expected = ONE_FAULT[case]
        assert files.faults(text, environment={"P": "p", "WEB": "w"}) in ([expected], [_with_folder(files, expected)])


def _with_folder(files, text):
    """`first at` names a whole path too, which the fixture shortens only where the folder is written as given."""
    return text.replace(" at prod.yaml", f" at {files.folder}{os.sep}prod.yaml")


class TestThumbprints:
    @pytest.mark.parametrize(
        ("written", "told"),
        [
            (GOOD[:-1], f"must have 40 hexadecimal digits, and has 39: '{GOOD[:-1]}'"),
            (
                f"\u200e{GOOD}",
                (
                    "must be 40 hexadecimal digits and nothing else, and has LEFT-TO-RIGHT MARK (U+200E) at position 1: "
                    f"'\\u200e{GOOD}'; without it: {GOOD}"
                ),
            ),
            (
                f"{GOOD[:2]} {GOOD[2:]}",
                (
                    "must be 40 hexadecimal digits and nothing else, and has SPACE (U+0020) at position 3: "
                    f"'{GOOD[:2]} {GOOD[2:]}'; without it: {GOOD}"
                ),
            ),
            (
                ":".join(GOOD[n : n + 2] for n in range(0, 40, 2)),
                (
                    "must be 40 hexadecimal digits and nothing else, and has COLON (U+003A) at positions 3, 6, 9, 12, …: "
                    f"'{':'.join(GOOD[n : n + 2] for n in range(0, 40, 2))}'; without it: {GOOD}"
                ),
            ),
            (
                f"{GOOD[:-1]}O",
                (
                    "must be 40 hexadecimal digits and nothing else, and has LATIN CAPITAL LETTER O (U+004F) at position 40: "
                    f"'{GOOD[:-1]}O'; it has 39 digits"
                ),
            ),
            ("", "must have 40 hexadecimal digits, and has 0: ''"),
        ],
    )
    def test_malformed(self, files, written, told):
        """What is too much is called by its Unicode name and position, and what would be right is offered."""
        text = f"tentacles:\n  - {{name: t, thumbprint: '{written}'}}"
        assert files.faults(text) == [f"prod.yaml:2:27: thumbprint {told}"]
