"""What a rule of Windows Firewall asks for besides port, network, peer and program: decided where the survey can tell."""

from __future__ import annotations

import pytest

from pytest_tentacle.packet_filter.firewall import Firewall, FirewallProfile, FirewallRule
from pytest_tentacle.sections.connections.filter_rules import Filtered, on_windows, secured_by

DOMAIN = FirewallProfile(name="Domain", enabled=True, inbound="block", local_rules=True, active=True)
PEER, OWN, SERVICE = "192.0.2.10", "198.51.100.1", "OctopusDeploy Tentacle"


def allowing(*conditions: str) -> FirewallRule:
    return FirewallRule(name="Octopus", action="allow", ports=("10933",), conditional=True, conditions=conditions)


def verdict(rule: FirewallRule) -> Filtered:
    firewall = Firewall(engine="windows", running=True, profiles=(DOMAIN,), rules=(rule,))
    return on_windows(firewall, 10933, [PEER], [], services=[SERVICE], addresses=[OWN]).filtered


@pytest.mark.parametrize(
    ("conditions", "what"),
    [
        (("Svc=octopusdeploy tentacle",), Filtered.OPEN),
        (("Svc=*",), Filtered.OPEN),
        (("Svc=W3SVC",), Filtered.OTHER_SCOPE),
        (("LA4=198.51.100.0/255.255.255.0",), Filtered.OPEN),
        (("LA4=10.0.0.1", "LA4=198.51.100.1"), Filtered.OPEN),
        (("LA4=10.0.0.1",), Filtered.OTHER_SCOPE),
        (("RPort=10933",), Filtered.OTHER_SCOPE),
        (("RPort2_10=1024-65535",), Filtered.UNCLEAR),
        (("IFType=Lan",), Filtered.UNCLEAR),
        (("Security=Authenticate",), Filtered.UNCLEAR),
        (("Svc=W3SVC", "IFType=Lan"), Filtered.OTHER_SCOPE),
        (("Svc=OctopusDeploy Tentacle", "IFType=Lan"), Filtered.UNCLEAR),
        (("LUAuth=O:LSD:(A;;CC;;;S-1-5-18)",), Filtered.UNCLEAR),
        ((), Filtered.UNCLEAR),
    ],
    ids=str,
)
def test_conditions(conditions: tuple[str, ...], what: Filtered) -> None:
    """All kinds have to hold, and of one kind any; without a word about them (an older survey) nothing is decided."""
    assert verdict(allowing(*conditions)) is what


def test_what_is_not_known_decides_nothing() -> None:
    rules = (allowing("Svc=W3SVC"), allowing("LA4=10.0.0.1"))
    firewall = Firewall(engine="windows", running=True, profiles=(DOMAIN,), rules=rules)
    assert on_windows(firewall, 10933, [PEER], []).filtered is Filtered.UNCLEAR


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ({}, True),
        ({"remote": ("192.0.2.0-192.0.2.255", "10.0.0.0-10.0.0.9")}, True),
        ({"remote": ("10.0.0.0-10.0.0.9",)}, False),
        ({"profiles": ("Public",)}, False),
    ],
)
def test_security_of_connections(rule: dict[str, tuple[str, ...]], holds: bool) -> None:
    demands = FirewallRule(name="Isolation", action="block", **rule)
    firewall = Firewall(engine="windows", running=True, profiles=(DOMAIN,), secured=(demands,))
    assert (secured_by(firewall, 10933, [PEER]) == demands) is holds
