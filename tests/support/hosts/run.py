"""The lab's program: builds the hosts, then answers each line of stdin, a scenario's name, with what came of it.

To be started by `support.namespaces.start` only: everything that it makes ends with it.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from support.hosts.judge import judged
from support.hosts.network import FLEETS, Network
from support.hosts.scenarios import SCENARIOS


def main() -> None:
    """Until stdin ends."""
    started = time.monotonic()
    network = Network([name for name in FLEETS if name])
    keep = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    try:
        network.start()
        print(json.dumps({"up": round(time.monotonic() - started, 1)}), flush=True)
        for line in sys.stdin:
            names = line.split()
            try:
                answer = judged(
                    network, [SCENARIOS[name] for name in names], keep / f"{'+'.join(names)}.json" if keep else None
                )
            except Exception as error:  # noqa: BLE001  told to whoever asked
                answer = {"failed": f"{type(error).__name__}: {error}"}
            print(json.dumps(answer), flush=True)
    finally:
        network.stop()


if __name__ == "__main__":
    main()
