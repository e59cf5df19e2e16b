"""Firewalls, routers and DNS servers of a network of its own: two namespaces, real nftables, real dnsmasq.

Needs root, `ip`, `nft` and `dnsmasq`; without one of them these tests fail and say so.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_tentacle.link import Failure, Probe, Stage

NAME = "tentacle-1.lab"
SERVER, TENTACLE = "10.99.0.1", "10.99.0.2"
SERVER6, TENTACLE6 = "fd99::1", "fd99::2"
PORT = 10933


def run(*command: str, text: str | None = None) -> None:
    subprocess.run(command, check=True, input=text, text=True, capture_output=text is None, timeout=20)


class Network:
    """`oct`, where the probe runs, and `ten`, where a pong listens on the Tentacle's port; one cable between."""

    def __init__(self, folder: Path) -> None:
        mark = uuid.uuid4().hex[:6]
        self.oct, self.ten = f"oct-{mark}", f"ten-{mark}"
        self.folder = folder
        self.etc = Path("/etc/netns") / self.oct
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        for namespace in (self.oct, self.ten):
            run("ip", "netns", "add", namespace)
            run("ip", "-n", namespace, "link", "set", "lo", "up")
        run("ip", "link", "add", "v0", "netns", self.oct, "type", "veth", "peer", "name", "v0", "netns", self.ten)
        for namespace, address, address6 in ((self.oct, SERVER, SERVER6), (self.ten, TENTACLE, TENTACLE6)):
            run("ip", "-n", namespace, "address", "add", f"{address}/24", "dev", "v0")
            run("ip", "-n", namespace, "address", "add", f"{address6}/64", "dev", "v0", "nodad")
            run("ip", "-n", namespace, "link", "set", "v0", "up")
        self.etc.mkdir(parents=True)
        (self.etc / "resolv.conf").write_text(f"nameserver {TENTACLE}\noptions timeout:1 attempts:1\n")
        self.begin(self.ten, sys.executable, "-m", "pytest_tentacle.cli", "pong", "--port", str(PORT))
        self.wait_for(PORT)

    def stop(self) -> None:
        for process in self.running:
            process.terminate()
        for process in self.running:
            process.wait(10)
        for namespace in (self.oct, self.ten):
            subprocess.run(["ip", "netns", "delete", namespace], check=False, capture_output=True)
        shutil.rmtree(self.etc, ignore_errors=True)
        with contextlib.suppress(OSError):
            self.etc.parent.rmdir()  # only if it is ours alone

    def begin(self, namespace: str, *command: str) -> None:
        self.running.append(
            subprocess.Popen(
                ["ip", "netns", "exec", namespace, *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )

    def wait_for(self, port: int) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            told = subprocess.run(
                ["ip", "netns", "exec", self.ten, "cat", "/proc/net/tcp", "/proc/net/tcp6"],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
            if any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A" for line in told.splitlines()):
                return
            time.sleep(0.05)
        pytest.fail(f"nothing came to listen on port {port} in the namespace")

    def dns(self, *options: str) -> None:
        """A DNS server on the Tentacle's side that knows what the options say and nothing more."""
        self.begin(
            self.ten,
            "dnsmasq",
            "--keep-in-foreground",
            "--no-resolv",
            "--no-hosts",
            "--conf-file=/dev/null",
            "--bind-interfaces",
            f"--listen-address={TENTACLE}",
            "--pid-file=",
            "--user=root",
            *options,
        )
        self.wait_for(53)

    def firewall(self, verdict: str, *, family: str = "inet") -> None:
        """What the Tentacle's side does with a SYN to the port."""
        rules = (
            f"table {family} guard {{ chain input {{ type filter hook input priority 0; "
            f"tcp dport {PORT} {verdict}; }}; }}"
        )
        run("ip", "netns", "exec", self.ten, "nft", "-f", "-", text=rules)

    def probe(self, host: str, *, seconds: float = 4.0) -> Probe:
        """One attempt from the server's side."""
        command = [sys.executable, "-m", "pytest_tentacle.cli", "ping", host, "--port", str(PORT), "--count", "1"]
        told = subprocess.run(
            ["ip", "netns", "exec", self.oct, *command, "--json", "--timeout", str(seconds)],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert told.stdout, told.stderr
        return Probe.model_validate(json.loads(told.stdout)["probe"])


@pytest.fixture
def network(tmp_path) -> Iterator[Network]:
    for tool in ("ip", "nft", "dnsmasq"):
        assert shutil.which(tool), f"this test needs {tool}"
    assert os.geteuid() == 0, "this test makes network namespaces and needs root"
    made = Network(tmp_path)
    try:
        made.start()
        yield made
    finally:
        made.stop()


class TestFirewall:
    def test_open(self, network):
        """The control: without a rule the probe goes through, over IPv4 and IPv6."""
        assert network.probe(TENTACLE).failed is None
        assert network.probe(TENTACLE6).failed is None

    @pytest.mark.parametrize(
        ("verdict", "word"),
        [
            ("drop", Failure.TIMED_OUT),
            ("reject with tcp reset", Failure.REFUSED),
            ("reject with icmpx admin-prohibited", Failure.UNREACHABLE),
            ("reject with icmpx host-unreachable", Failure.UNREACHABLE),
        ],
    )
    def test_closed(self, verdict, word, network):
        """What the firewall does decides the word, the same for both families."""
        network.firewall(verdict)
        for address in (TENTACLE, TENTACLE6):
            found = network.probe(address, seconds=1.5)
            assert (Stage.CONNECT, word) == (found.failed[0], found.connect.error), found.connect

    def test_no_route(self, network):
        """A network that nobody leads to."""
        assert Failure.UNREACHABLE is network.probe("192.0.2.1").connect.error

    def test_no_such_neighbour(self, network):
        """Nobody has the address: the neighbour's silence becomes host unreachable."""
        assert Failure.UNREACHABLE is network.probe("10.99.0.77", seconds=10).connect.error

    def test_prohibited_by_the_machines_own_policy(self, network):
        """A route that forbids."""
        run("ip", "-n", network.oct, "route", "add", "prohibit", "10.98.0.0/24")
        assert Failure.PROHIBITED is network.probe("10.98.0.1").connect.error


class TestDns:
    def test_name(self, network):
        """The control: a name that is right."""
        network.dns("--local=/lab/", f"--address=/{NAME}/{TENTACLE}")
        found = network.probe(NAME)
        assert found.failed is None
        assert found.resolve.addresses == (TENTACLE,)

    def test_two_families(self, network):
        """Both addresses are told; a firewall on one family leaves the other."""
        network.dns("--local=/lab/", f"--address=/{NAME}/{TENTACLE}", f"--address=/{NAME}/{TENTACLE6}")
        network.firewall("drop", family="ip6")
        found = network.probe(NAME, seconds=6)
        assert {TENTACLE, TENTACLE6} == set(found.resolve.addresses)
        assert found.connect.address == TENTACLE
        assert found.failed is None

    def test_server_is_down(self, network):
        """No DNS server answers; by address all is well."""
        found = network.probe(NAME, seconds=10)
        assert (found.failed[0], found.resolve.error) == (Stage.RESOLVE, Failure.RESOLVER_FAILED)
        assert network.probe(TENTACLE).failed is None

    def test_silent_server(self, network):
        """The resolver's patience is longer than ours."""
        (network.etc / "resolv.conf").write_text("nameserver 10.99.0.77\noptions timeout:20 attempts:1\n")
        run("ip", "-n", network.oct, "neigh", "add", "10.99.0.77", "lladdr", "02:00:00:00:00:77", "dev", "v0")
        assert Failure.TIMED_OUT is network.probe(NAME, seconds=1).resolve.error

    def test_no_such_name(self, network):
        """NXDOMAIN."""
        network.dns("--local=/lab/")
        assert Failure.NAME_NOT_FOUND is network.probe(NAME).resolve.error

    def test_name_without_address(self, network):
        """The name exists, and has a text only."""
        network.dns("--local=/lab/", f"--txt-record={NAME},hello")
        assert Failure.NO_ADDRESS is network.probe(NAME).resolve.error

    def test_wrong_address(self, network):
        """The name leads to a machine that is gone; by address all is well."""
        network.dns("--local=/lab/", f"--address=/{NAME}/10.99.0.77")
        found = network.probe(NAME, seconds=10)
        assert found.resolve.addresses == ("10.99.0.77",)
        assert Stage.CONNECT is found.failed[0]
        assert network.probe(TENTACLE).failed is None
