"""A password that was typed into the wrong place: it is refused where nothing of that form is meant, and never shown."""

from __future__ import annotations

import pytest

from pytest_tentacle.hiding.values import has_password, shown

PASSWORD = "Corr3ct-Horse!"

SSH = "tentacles: [{name: web-01, transport: {kind: ssh, %s}}]"
WINRM = "tentacles: [{name: web-01, transport: {kind: winrm, user: u, password: '${env:P}', %s}}]"
TENTACLE = "tentacles: [{name: web-01, %s}]"
SERVER = "servers: [{name: octo-1, %s}]\ntentacles: [web-01]"

WRONG_PLACES = {
    "before a host": SSH % f"host: 'user:{PASSWORD}@web-01'",
    "before a host, alone": SSH % f"host: '{PASSWORD}@web-01'",
    "in a URL for a host": SSH % f"host: 'ssh://user:{PASSWORD}@web-01'",
    "with an @ in it": SSH % f"host: 'ssh://user:p@{PASSWORD}@web-01:22'",
    "with a slash in it": SSH % f"host: 'ssh://user:p/{PASSWORD}@web-01:22'",
    "with a blank in it": SSH % f"host: 'user:p {PASSWORD}@web-01'",
    "behind a user": SSH % f"user: 'user:{PASSWORD}'",
    "in a machine to jump over": SSH % f"proxy_jump: 'jump-1,user:{PASSWORD}@jump-2'",
    "in a name": f"tentacles: ['user:{PASSWORD}@web-01']",
    "in a name of a map": f"tentacles: [{{name: 'user:{PASSWORD}@web-01', transport: ssh}}]",
    "in a group's name": f"groups: {{'user:{PASSWORD}@web-01': {{}}}}\ntentacles: [web-01]",
    "before a DNS name": TENTACLE % f"dns_name: 'user:{PASSWORD}@web-01'",
    "before an address": TENTACLE % f"ip: '{PASSWORD}@192.0.2.1'",
    "before a proxy": TENTACLE % f"via_proxy: 'user:{PASSWORD}@proxy:3128'",
    "in a URL for a proxy": TENTACLE % f"via_proxy: 'http://user:{PASSWORD}@proxy:3128'",
    "before a gateway": SERVER % f"gateway: 'user:{PASSWORD}@balancer:10943'",
    "before a further address": SERVER % f"addresses: [octo-2, 'user:{PASSWORD}@octo-3']",
    "in the portal's URL": SERVER % f"portal: 'https://user:{PASSWORD}@octopus.example.com'",
    "as an API key in the portal's URL": SERVER % f"portal: 'https://octopus.example.com?apikey={PASSWORD}'",
    "as an API key in a URL": f"octopus: {{url: 'https://octopus.example.com/?apikey={PASSWORD}'}}",
    "without a blank after the colon": SSH % f"password:{PASSWORD}",
    "with a comma for the colon": SSH % f"password, {PASSWORD}",
    "in a line without a blank": f"tentacles:\n- name: web-01\n  transport:\n    kind: ssh\n    password:{PASSWORD}\n",
    "in a list": f"tentacles:\n- name: web-01\n- password:{PASSWORD}\n",
    "at the top": f"tentacles: [web-01]\n? password:{PASSWORD}\n",
    "as a port": TENTACLE % f"port: '{PASSWORD}'",
    "as a short port": TENTACLE % "port: hunter2",
    "as a thumbprint": TENTACLE % f"thumbprint: '{PASSWORD}'",
    "as a group": TENTACLE % f"groups: ['{PASSWORD}']",
    "as a server": TENTACLE % f"server: '{PASSWORD}'",
    "as a mode": TENTACLE % f"mode: '{PASSWORD}'",
    "as a switch": SSH % f"agent: '{PASSWORD}'",
    "as a way to authenticate": WINRM % f"auth: '{PASSWORD}'",
    "as a scheme": WINRM % f"scheme: '{PASSWORD}'",
    "as a key file": SSH % f"key: '{PASSWORD}'",
    "as a secret file": SSH % f"password: '${{file:{PASSWORD}}}'",
    "as a variable": SSH % f"password: '${{env:{PASSWORD}}}'",
    "as a reference": TENTACLE % f"instance: '${{{PASSWORD}}}'",
    "as a list": SSH % f"password: ['{PASSWORD}']",
    "as a waiver's code": TENTACLE % f"waive: [{{code: '{PASSWORD}', reason: r}}]",
    "as a waiver's date": TENTACLE % f"waive: [{{code: TT205, reason: r, until: '{PASSWORD}'}}]",
    "written twice": TENTACLE % f"'{PASSWORD}': 1, '{PASSWORD}': 2",
}


class TestWrongPlaces:
    @pytest.mark.parametrize("text", WRONG_PLACES.values(), ids=WRONG_PLACES)
    def test_refused_and_not_shown(self, files, text):
        """With file and line, which is what one needs to find it."""
        faults = files.faults(text, environment={"P": "p"})
        assert all(fault.startswith("prod.yaml:") for fault in faults)
        for secret in (PASSWORD, "hunter2"):
            assert secret not in "\n".join(faults)

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            (SSH % "host: 'u:p@h'", "take out what stands before the @: user: and password: are keys of transport:"),
            (SSH % "user: 'u:p'", "user may not have a colon in it; write the password as password:"),
            (SSH % "proxy_jump: 'u:p@h'", "proxy_jump may not have a password in it; "),
            (SSH % "password:p", "with nothing behind it; a key needs a colon and a space before its value"),
            (TENTACLE % "via_proxy: 'u:p@h:3128'", "via_proxy must be a host and a port; take out what stands before the @"),
            ("octopus: {url: 'https://h/?apikey=x'}", "url must not have a ? in it; an API key goes into api_key:"),
        ],
    )  # fmt: skip
    def test_what_to_do_is_said(self, files, text, told):
        """In the same line."""
        (fault,) = files.faults(text)
        assert told in fault

    @pytest.mark.parametrize(
        "text",
        [SSH % "proxy_jump: 'user@jump-1:2222,jump-2'", SSH % "user: 'user@example.com'", "tentacles: ['app@web-01']"],
    )
    def test_what_has_no_password_is_taken(self, files, text):
        """A user before `@` is none."""
        assert files.load(text).tentacles


class TestShown:
    @pytest.mark.parametrize(
        ("value", "told"),
        [
            ("70000", "70000"),
            ("https://web-01:5986/wsman", "https://web-01:5986/wsman"),
            ("octo-l", "octo-l"),
            ("CORP\\Web01", "CORP\\Web01"),
            ("https://u:p@x@web-01/x", "https://***@web-01/x"),
            ("u:p@web-01", "***@web-01"),
            ("API-ABCDEFGHIJKLMNOP", None),
            ("password=x", None),
            (PASSWORD, None),
            (f"a {PASSWORD} b", None),
            ("x" * 100, "x" * 59 + "…"),
        ],
    )
    def test_value(self, value, told):
        """Names, numbers and addresses are shown; a log-on before `@` and what looks like a secret are not."""
        assert shown(value) == told

    @pytest.mark.parametrize(
        ("text", "has"),
        [("u:p@h", True), ("password:p", True), ("u@h", False), ("fd00::1", False), ("web-01", False), ("a: b", False)],
    )
    def test_password(self, text, has):
        """`user:password@`, or a word for it and what follows."""
        assert has_password(text) is has
