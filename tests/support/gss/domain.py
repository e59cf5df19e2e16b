"""A real domain on loopback (MIT's): its keys, users, tickets that hold and such as do not, settings that lead astray."""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PROGRAMS = ("krb5kdc", "kdb5_util", "kadmin.local", "kinit")
PASSWORD = "s3cret"
REALM = "LAB.EXAMPLE"

CONF = """[libdefaults]
 default_realm = LAB.EXAMPLE
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 1
 k5login_directory = {folder}
[realms]
 LAB.EXAMPLE = {{
  kdc = 127.0.0.1:{port}
 }}
[domain_realm]
 localhost = {realm}
"""


@dataclass
class Domain:
    """Who asks it is told by `KRB5_CONFIG`: `krb5.conf`, or `away.conf` and `realm.conf`, which lead astray."""

    folder: Path
    port: int
    path: str
    expires: float = 0.0

    @property
    def keytab(self) -> Path:
        """The service's key."""
        return self.folder / "keytab"

    @property
    def own_environment(self) -> dict[str, str]:
        """What the domain's own programs are given."""
        names = {"KRB5_CONFIG": "krb5.conf", "KRB5_KDC_PROFILE": "kdc.conf"}
        return {"PATH": self.path} | {variable: str(self.folder / name) for variable, name in names.items()}

    def environment(self, tickets: str, conf: str = "krb5.conf") -> dict[str, str]:
        """What a program is given that shall log on with these tickets."""
        return {"KRB5_CONFIG": str(self.folder / conf), "KRB5CCNAME": f"FILE:{self.folder / tickets}"}

    def log_in(self, user: str, tickets: str, *options: str) -> None:
        """Get a user's ticket."""
        self.do("kinit", *options, "-c", f"FILE:{self.folder / tickets}", user, told=PASSWORD)

    def expired(self) -> str:
        """The name of tickets that have ended. Whole seconds count: one of a second has when two more have begun."""
        while (left := self.expires - time.time()) > 0:
            time.sleep(left)
        return "expired"

    def skewed(self, tickets: str) -> str:
        """The name of the same tickets, of one whose clock is an hour off: what the library noted of it at the log-in."""
        data = (self.folder / tickets).read_bytes()
        assert data[:2] == b"\x05\x04", "a ticket cache of another version"
        rest = data[4 + struct.unpack_from(">H", data, 2)[0] :]
        offset = struct.pack(">HHii", 1, 8, 3600, 0)
        name = f"{tickets}-skewed"
        (self.folder / name).write_bytes(data[:2] + struct.pack(">H", len(offset)) + offset + rest)
        return name

    def allow(self, local_user: str, user: str) -> None:
        """Let a user of the domain log on as one of this machine."""
        (self.folder / local_user).write_text(f"{user}@{REALM}\n")

    def administer(self, *queries: str) -> None:
        """As kadmin.local takes them."""
        for query in queries:
            self.do("kadmin.local", "-r", REALM, "-q", query)

    def do(self, *command: str, told: str = "") -> None:
        """Run a program of the domain's to its end."""
        subprocess.run(
            command, env=self.own_environment, input=f"{told}\n".encode(), check=True, capture_output=True, timeout=60
        )


@contextmanager
def running_domain(folder: Path, *, service: str) -> Iterator[Domain]:
    """A domain with the user `surveyor` and one service; `expired` is a ticket that ends at once."""
    path = os.environ["PATH"] + os.pathsep + "/usr/sbin"
    missing = [each for each in PROGRAMS if not shutil.which(each, path=path)]
    if missing:
        pytest.skip(f"{', '.join(missing)} are not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for name, values in {
        "krb5.conf": {"port": port, "realm": REALM},
        "away.conf": {"port": 1, "realm": REALM},
        "realm.conf": {"port": port, "realm": "OTHER.EXAMPLE"},
    }.items():
        (folder / name).write_text(CONF.format(folder=folder, **values))
    (folder / "kdc.conf").write_text(
        f'[kdcdefaults]\n kdc_listen = ""\n kdc_tcp_listen = 127.0.0.1:{port}\n[realms]\n {REALM} = {{\n'
        f"  database_name = {folder}/principal\n  key_stash_file = {folder}/stash\n }}\n"
    )
    domain = Domain(folder, port, path)
    domain.do("kdb5_util", "create", "-s", "-r", REALM, "-P", "master")
    domain.administer(
        f"addprinc -pw {PASSWORD} surveyor", f"addprinc -randkey {service}", f"ktadd -k {folder}/keytab {service}"
    )
    with subprocess.Popen(["krb5kdc", "-r", REALM, "-n"], env=domain.own_environment) as controller:
        try:
            end = time.monotonic() + 30
            while time.monotonic() < end:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            domain.log_in("surveyor", "expired", "-l", "1s")
            domain.expires = time.time() + 2.5
            yield domain
        finally:
            controller.terminate()
