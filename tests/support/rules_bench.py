"""Rules of a real packet filter, and whether a real connection gets through them.

Run by `tests/packet_filter/test_real_rules.py` as a program in namespaces of its own: whatever happens, all of it is gone
when the program ends. Reads JSON lines `{"tool", "rules", ...}` and answers each with what came of it.
"""

from __future__ import annotations

import contextlib
import json
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

HOST, PEER, OTHER = "10.7.0.9", "10.7.0.1", "10.7.0.2"
HOST6, PEER6 = "fd07::9", "fd07::1"
PORT = 10933
SECONDS = 0.3


def run(*command: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, input=text, text=True, capture_output=True, check=False, timeout=30)


def must(*command: str, text: str | None = None) -> None:
    done = run(*command, text=text)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")


class Bench:
    """The peer is here, the host in a network namespace below; one cable between them."""

    def __init__(self) -> None:
        self.host = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        while Path(f"/proc/{self.host.pid}/ns/net").readlink() == Path("/proc/self/ns/net").readlink():
            time.sleep(0.005)
        must("ip", "link", "add", "v0", "type", "veth", "peer", "name", "eth0", "netns", str(self.host.pid))
        self.inside = ("nsenter", "-t", str(self.host.pid), "-n")
        for where, name, addresses in (
            ((), "v0", (f"{PEER}/24", f"{OTHER}/24", f"{PEER6}/64")),
            (self.inside, "eth0", (f"{HOST}/24", f"{HOST6}/64")),
        ):
            for address in addresses:
                nodad = ("nodad",) if ":" in address else ()
                must(*where, "ip", "address", "add", address, "dev", name, *nodad)
            for link in ("lo", name):
                must(*where, "ip", "link", "set", link, "up")
        listener = (
            "import socket\n"
            f"s = socket.create_server(('::', {PORT}), family=socket.AF_INET6, dualstack_ipv6=True)\n"
            "print('ready', flush=True)\n"
            "while True: s.accept()[0].close()\n"
        )
        started = subprocess.Popen([*self.inside, sys.executable, "-c", listener], stdout=subprocess.PIPE)
        assert started.stdout is not None
        started.stdout.readline()
        while not self.connects((PEER6, HOST6))[PEER6]:
            time.sleep(0.05)

    def apply(self, case: dict[str, str]) -> None:
        """Puts the rules in; a tool of iptables gets one command a line."""
        if case["tool"] == "nft":
            must(*self.inside, "nft", "-f", "-", text=case["rules"])
        else:
            must(*self.inside, "sh", "-ec", case["rules"])

    def flush(self, *, legacy: bool) -> None:
        must(*self.inside, "nft", "flush", "ruleset")
        if not legacy:
            return
        for tool in ("iptables-legacy", "ip6tables-legacy"):
            for table in ("filter", "raw", "mangle", "nat"):
                run(*self.inside, tool, "-t", table, "-F")
                run(*self.inside, tool, "-t", table, "-X")
            for chain in ("INPUT", "OUTPUT"):
                run(*self.inside, tool, "-P", chain, "ACCEPT")

    def read(self) -> dict[str, object]:
        """What the survey's script says, in the host."""
        parts = resources.files("pytest_tentacle.survey.scripts.linux")
        text = "".join(
            parts.joinpath(*name.split("/")).read_text(encoding="utf-8") for name in ("tools.sh", "network/firewall.sh")
        )
        done = run(
            *self.inside,
            "sh",
            text=f"budget=30 started=0 timeout_style=gnu\n{text}\nclock; started=$now\nsection_firewall\n",
        )
        return dict(json.loads(done.stdout.splitlines()[0]))

    def connects(self, *pairs: tuple[str, str]) -> dict[str, bool]:
        """Which sources get through, all at once, in a time that a cable without a filter never needs."""
        waiting: dict[socket.socket, str] = {}
        came = {source: False for source, _ in pairs}
        for source, target in pairs:
            own = socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET, socket.SOCK_STREAM)
            own.settimeout(0)
            own.bind((source, 0))
            with contextlib.suppress(OSError):
                own.connect((target, PORT))
            waiting[own] = source
        ends = time.monotonic() + SECONDS
        undecided = set(waiting)
        while undecided and (left := ends - time.monotonic()) > 0:
            _, ready, _ = select.select([], list(undecided), [], left)
            for own in ready:
                came[waiting[own]] = own.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
            undecided -= set(ready)
        for own in waiting:
            own.close()
        return came

    def outcome(self, case: dict[str, str]) -> dict[str, object]:
        try:
            self.apply(case)
            pairs = ((PEER, HOST), (OTHER, HOST), (PEER6, HOST6))
            came = self.connects(*pairs)
            return {"read": self.read(), "came": came}
        except RuntimeError as error:
            return {"failed": str(error)}
        finally:
            self.flush(legacy="legacy" in case["rules"])


def main() -> Iterator[dict[str, object]]:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    bench = Bench()
    for line in sys.stdin:
        yield bench.outcome(json.loads(line))


if __name__ == "__main__":
    for answer in main():
        print(json.dumps(answer), flush=True)
