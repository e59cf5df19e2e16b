"""One SSH server that is N Linux machines: canned answers over real SSH, for a client's own cost with a large fleet.

Two machines of the embedded lab, a listening and a polling Tentacle, really run the survey once. After that one server
on all loopback addresses answers for every machine at once with what the machine of its mode has said, with the name,
address and subscription of the machine that was called. A listener answers for all their ports. The first line on stdin
is the number of machines; the first line on stdout says how to log on; it ends when its stdin closes.
"""

from __future__ import annotations

import base64
import json
import re
import sys
from pathlib import Path
from typing import Any

import paramiko
from canned_linux import SURVEY, CannedSSHServer, learn_all
from plan import SERVER, lab_inventory

from pytest_tentacle.inventory.model import POLLING_PORT, TENTACLE_PORT
from pytest_tentacle.lab import access
from pytest_tentacle.lab.halibut.listener import HalibutListener
from pytest_tentacle.lab.site import Lab
from pytest_tentacle.survey.answer import read_document
from pytest_tentacle.survey.framing import frame
from pytest_tentacle.survey.request import Call
from pytest_tentacle.transport import Answer

PORT = 2222


def address_of(number: int) -> str:
    """A machine's own loopback address."""
    return f"127.77.{number // 250}.{number % 250 + 1}"


class ManySSHServer(CannedSSHServer):
    """Every machine's SSH server: who was called is known by the address."""

    def __init__(self, documents: list[str], was: list[tuple[str, str]], **others: Any) -> None:
        super().__init__("0.0.0.0", PORT, environment={}, cwd="/", **others)
        self._documents = documents
        self._was = was

    def _answer(self, channel: paramiko.Channel, line: str) -> None:
        _, _, third, fourth = channel.get_transport().sock.getsockname()[0].split(".")
        number = int(third) * 250 + int(fourth) - 1
        name, address = self._was[number % 2]
        text = self._documents[number % 2].replace(name, f"lin-{number:04}").replace(address, address_of(number))
        document = json.loads(text)
        for instance in document["instances"]["data"]:
            instance["configuration"]["text"] = with_subscription(instance["configuration"]["text"], number)
        self._respond(channel, line, (frame("@nonce@", document).encode(), b"", 0))


def with_subscription(text: str, number: int) -> str:
    """A configuration file, in base64, whose subscriptions are a machine's own."""
    settings = re.sub(rb"poll://\w+/", b"poll://many%016d/" % number, base64.b64decode(text))
    return base64.b64encode(settings).decode()


def document_of(answer: tuple[bytes, bytes, int]) -> str:
    """What a machine said, for an inventory that declares the server by its address alone."""
    document = read_document(Call("", b"", "@nonce@"), Answer(*answer), None)
    document["probes"] = [probe for probe in document["probes"] if probe["link"].get("asked", 0) == 0]
    return json.dumps(document)


def main() -> None:
    sys.stdin.readline()
    inventory = lab_inventory(2, "linux")
    lab = Lab(inventory)
    vars(access)["SSHServer"] = CannedSSHServer
    try:
        resolved = lab.start(machine.name for machine in inventory.machines)
        learn_all(resolved, lab)
        tentacles = resolved.tentacles
        answers = [lab.access[tentacle.name].server.learnt[SURVEY] for tentacle in tentacles]
        documents = [document_of(answer) for answer in answers]
        was = [(tentacle.name, tentacle.ip or "") for tentacle in tentacles]
        certificates = {name: blueprint.certificate for name, blueprint in lab.blueprints.items()}
        server = resolved.find(SERVER)
    finally:
        lab.stop()
    known = list(certificates.values())
    key = paramiko.ECDSAKey.generate()
    listeners = [
        HalibutListener("0.0.0.0", TENTACLE_PORT, certificate=certificates[tentacles[0].name], trusted=known),
        HalibutListener(
            server.ip or "", POLLING_PORT, certificate=certificates[SERVER], product="server", trusted=known
        ),
    ]
    for listener in listeners:
        listener.start()
    with ManySSHServer(documents, was, host_key=key, users={"bench": "canned"}):
        said = {
            "host_key": f"{key.get_name()} {key.get_base64()}",
            "server": {"ip": server.ip, "thumbprint": server.thumbprint},
            "thumbprints": [tentacle.thumbprint for tentacle in tentacles],
        }
        print(json.dumps(said), flush=True)
        sys.stdin.read()
    for listener in listeners:
        listener.stop()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
