"""The words for set-ups that a survey cannot see: each faulty value is told in one clear sentence.

A word that might be a password in the wrong place is not repeated.
"""

from __future__ import annotations

import pytest

HOST_AND_PORT = "must be a host and a port: {}; such as balancer.example.com:10944"
PORT = "must be a whole number from 1 to 65535: {}"
SWITCH = "must be true or false: {}"
ENDS = "must end with a port, a whole number from 1 to 65535: {}; such as balancer.example.com:10944"

OF_TENTACLES = [
    ("via_proxy", "proxy", HOST_AND_PORT.format("'proxy'")),
    ("via_proxy", "http://proxy:3128", HOST_AND_PORT.format("'http://proxy:3128'")),
    ("via_proxy", "proxy:99999", ENDS.format("'proxy:99999'")),
    ("via_proxy", "proxy:", ENDS.format("'proxy:'")),
    ("via_proxy", "[proxy, 3128]", "must be text, not a list"),
    ("via_proxy", "true", "must be text: 'true'; put it in quotes"),
    ("listens_on", "0", PORT.format("'0'")),
    ("listens_on", "70000", PORT.format("'70000'")),
    ("listens_on", "tcp", PORT.removesuffix(": {}")),
    ("listens_on", "10933.5", PORT.format("'10933.5'")),
    ("listens_on", "[10933]", "must be a whole number from 1 to 65535"),
    ("cluster", "[a, b]", "must be text, not a list"),
    ("cluster", "{name: a}", "must be text, not a mapping"),
    ("cluster", "true", "must be text: 'true'; put it in quotes"),
    ("cluster", "''", "is empty: ''; leave the key out if there is nothing to say"),
    ("shares_certificate", "maybe", SWITCH.removesuffix(": {}")),
    ("shares_certificate", "1", SWITCH.format("'1'")),
    ("shares_certificate", "'yes'", SWITCH.format("'yes'")),
    ("shares_certificate", "[true]", "must be true or false"),
    ("container", "docker", SWITCH.removesuffix(": {}")),
    ("container", "{}", "must be true or false"),
]
OF_SERVERS = [
    ("vantage", "contoller", "must be one of server, controller: 'contoller'; did you mean 'controller'?"),
    ("vantage", "true", "must be one of server, controller"),
    ("vantage", "[]", "must be one of server, controller"),
    ("gateway", "balancer", HOST_AND_PORT.format("'balancer'")),
    ("gateway", "balancer:0", ENDS.format("'balancer:0'")),
    ("gateway", "balancer:x", ENDS.format("'balancer:x'")),
    ("container", "maybe", SWITCH.removesuffix(": {}")),
    ("cluster", "[a]", "must be text, not a list"),
]
ELSEWHERE = [
    ("tentacles", "vantage", "controller", "unknown key of a Tentacle: 'vantage'"),
    ("tentacles", "gateway", "balancer:10943", "unknown key of a Tentacle: 'gateway'"),
    ("servers", "via_proxy", "proxy:3128", "unknown key of a server: 'via_proxy'"),
    ("servers", "listens_on", "10933", "unknown key of a server: 'listens_on'"),
    ("servers", "shares_certificate", "true", "unknown key of a server: 'shares_certificate'"),
]


@pytest.mark.parametrize(
    ("kind", "key", "value", "told"),
    [*(("tentacles", *row) for row in OF_TENTACLES), *(("servers", *row) for row in OF_SERVERS)],
)
def test_a_faulty_value(files, kind: str, key: str, value: str, told: str) -> None:
    """Its place, the word, what it must be, and the value as it stands there."""
    column = 14 + len(key)
    assert files.faults(f"{kind}:\n  - {{name: m, {key}: {value}}}") == [f"prod.yaml:2:{column + 3}: {key} {told}"]


@pytest.mark.parametrize(("kind", "key", "value", "told"), ELSEWHERE)
def test_a_word_of_the_other_kind_of_machine(files, kind: str, key: str, value: str, told: str) -> None:
    """It is told at the key, not at what stands there."""
    (fault,) = files.faults(f"{kind}:\n  - {{name: m, {key}: {value}}}")
    assert fault.startswith(f"prod.yaml:2:15: {told}")
