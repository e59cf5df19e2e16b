"""`Tentacle configure` and `update-trust` in a host: the model of Tentacle's commands, on the host's own settings file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

sys.path.insert(0, "/opt/lab")

from support.remedies.commands import Portal, Refused, State, Trusted

CONFIG = Path("/etc/octopus/default/tentacle-Tentacle.config")
TRUST = "Tentacle.Communication.TrustedOctopusServers"


def main() -> int:
    """Exit code 1 where the command is refused."""
    tree = ET.parse(CONFIG)
    keys = {each.get("key"): each for each in tree.getroot()}
    entries = json.loads(keys[TRUST].text or "[]") if TRUST in keys else []
    trusted = [
        Trusted(e["Thumbprint"], e["CommunicationStyle"], e.get("Address"), e.get("SubscriptionId")) for e in entries
    ]
    state = State(trusted, Portal(""), no_listen=False, windows=False)
    try:
        state.call(sys.argv[1:])
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    if TRUST not in keys:
        keys[TRUST] = ET.SubElement(tree.getroot(), "set", key=TRUST)
    keys[TRUST].text = json.dumps(
        [
            {"Thumbprint": e.thumbprint, "CommunicationStyle": e.style, "Address": e.address,
             "SubscriptionId": e.subscription, "Squid": None}
            for e in state.trusted
        ]
    )  # fmt: skip
    tree.write(CONFIG, encoding="utf-8", xml_declaration=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
