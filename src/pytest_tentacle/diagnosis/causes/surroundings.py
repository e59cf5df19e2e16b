"""What stands around a Tentacle: proxies, addresses, zombies, its account's rights, load time."""

from __future__ import annotations

from pytest_tentacle.diagnosis.kind import CauseKind, Confidence
from pytest_tentacle.guide.consequences import ACROSS, DOWN, PROXIED, STARTLESS, UNANSWERED

from .from_problem import from_problem

_NO_ANSWER = frozenset({"TT512", "TT520", "TT521", "TT522", "TT527", "TT528"}) | UNANSWERED | {"TT133"}
_RIGHTS = frozenset({"TT126", "TT203", "TT122"}) | STARTLESS

SURROUNDINGS: tuple[CauseKind, ...] = (
    from_problem(
        "TC601",
        "TT601",
        "The proxy's host is written as a URL",
        "The proxy's host in the settings of {who} is no bare name: the Tentacle takes the whole text for a name.",
        also=PROXIED,
        echoes=ACROSS,
        rank=30,
    ),
    from_problem(
        "TC602",
        "TT602",
        "The proxy's port cannot be one",
        "What stands for the proxy's port in the settings of {who} is no port number.",
        also=PROXIED,
        echoes=ACROSS,
        rank=30,
    ),
    from_problem(
        "TC603",
        "TT603",
        "The named proxy is ignored for the account's",
        "The settings of {who} name a proxy, and UseDefaultProxy makes the Tentacle use that of the service's account "
        "in its stead, or none.",
        also=PROXIED,
        echoes=ACROSS,
        rank=30,
    ),
    from_problem(
        "TC604",
        "TT604",
        "The server was entered as its own proxy",
        "The proxy in the settings of {who} is the very port that is polled, which is no proxy.",
        also=PROXIED,
        echoes=ACROSS,
        rank=30,
    ),
    from_problem(
        "TC605",
        "TT605",
        "The process still uses the proxy of before",
        "The proxy settings of {who} were changed, and the process not restarted: it uses what it found at its start.",
        also=PROXIED,
        echoes=ACROSS,
        rank=25,
    ),
    from_problem(
        "TC711",
        "TT711",
        "The connection goes to an address that the machine does not have",
        "The address that is used on the link of {who} is none of the machine that should answer: a stale record, or a "
        "NAT device or load balancer that does not pass the port on.",
        also=_NO_ANSWER,
        rank=30,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC712",
        "TT712",
        "The port is open on another address of the machine",
        "The machine that should answer has its port open on another of its addresses than the one that is used on the "
        "link of {who}.",
        also=_NO_ANSWER | {"TT501", "TT505"},
        rank=25,
    ),
    from_problem(
        "TC713",
        "TT713",
        "A link-local address is used",
        "The address that is used on the link of {who} is one that a machine takes when nobody gives it one; no router "
        "passes it on.",
        also=_NO_ANSWER | {"TT711"},
        rank=25,
    ),
    from_problem(
        "TC721",
        "TT721",
        "A zombie takes a part of the connections",
        "On {who}, what an earlier process left behind listens beside the service: connections that end there are "
        "never answered.",
        also=frozenset({"TT528", "TT505", "TT111"}) | UNANSWERED,
        rank=20,
    ),
    from_problem(
        "TC801",
        "TT801",
        "The service's account has no full control of Octopus Home",
        "The account that the service of {who} runs as has too few rights on Octopus Home.",
        also=_RIGHTS | {"TT802"},
        fold_by=("account",),
        rank=20,
    ),
    from_problem(
        "TC802",
        "TT802",
        "Something below Octopus Home is out of the account's reach",
        "The account that the service of {who} runs as may not work with everything below Octopus Home: somebody else "
        "made it, or it does not inherit.",
        also=_RIGHTS,
        fold_by=("account",),
        rank=25,
    ),
    from_problem(
        "TC803",
        "TT803",
        "An entry that denies shuts the account out",
        "An entry of an access list denies the service's account of {who} what others allow.",
        also=_RIGHTS | {"TT801", "TT802"},
        fold_by=("account",),
        rank=20,
    ),
    from_problem(
        "TC811",
        "TT811",
        "The program loads slowly",
        "On {who} the program takes longer to load than the second that the guide allows, each time: a busy machine, "
        "or a virus scanner.",
        also=frozenset({"TT204", "TT116", "TT130"}),
        rank=50,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC812",
        "TT812",
        "The check for revoked certificates waits for an internet that is not there",
        "On {who} Windows looks for revocations of the program's certificate at places that cannot be reached, as in a "
        "DMZ: each first load waits for that.",
        also=frozenset({"TT204", "TT811", "TT130", "TT116"}),
        rank=20,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC813",
        "TT813",
        "The installation is damaged",
        "On {who} the program fails even when it is only asked for its help: its installation is incomplete.",
        also=DOWN | STARTLESS | {"TT501"},
        rank=15,
        confidence=Confidence.LIKELY,
    ),
)
