"""Log on over WinRM by Kerberos in each way that is named, and print what comes of it.

It is a process of its own, for the library reads its settings from the environment.

    python log_ons.py FOLDER

FOLDER holds krb5.conf, keytab, ca.pem, server.pem and the caches of tickets `good` and `expired`.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
FOLDER = Path(sys.argv[1])
os.environ |= {"KRB5_CONFIG": str(FOLDER / "krb5.conf"), "KRB5_KTNAME": str(FOLDER / "keytab")}

import kerberos  # noqa: E402

from pytest_tentacle.inventory.model import WinRM  # noqa: E402
from pytest_tentacle.lab.winrm.auth import Login  # noqa: E402
from pytest_tentacle.lab.winrm.runner import ProcessCommand  # noqa: E402
from pytest_tentacle.lab.winrm.server import WinRMServer  # noqa: E402
from pytest_tentacle.lab.winrm.service import Service  # noqa: E402
from pytest_tentacle.transport.base import Deadline, TransportError  # noqa: E402
from pytest_tentacle.transport.winrm.transport import WinRMTransport  # noqa: E402


class ByKerberos(Login):
    """Takes Kerberos alone."""

    def step(self, authorization: str) -> tuple[bool, str | None]:
        """One token logs on; the reply proves who the server is."""
        _, context = kerberos.authGSSServerInit("HTTP@localhost")
        kerberos.authGSSServerStep(context, authorization.partition(" ")[2])
        self.user = kerberos.authGSSServerUserName(context)
        return True, f"Negotiate {kerberos.authGSSServerResponse(context)}"


class Runner:
    """Runs the command line as a Python program."""

    def start(self, command: str) -> ProcessCommand:
        return ProcessCommand([sys.executable, "-c", command])


def log_on(port: int, host: str = "localhost", **environment: str) -> str:
    """What the command printed, or the one line that says why there is no log-on."""
    before = dict(os.environ)
    os.environ |= environment
    settings = WinRM(
        host=host, port=port, scheme="https", auth="kerberos", user="surveyor@LAB.EXAMPLE", ca=FOLDER / "ca.pem"
    )
    transport = WinRMTransport(settings)
    try:
        transport.connect(Deadline(60))
        return transport.execute("print(6 * 7)", b"", Deadline(60)).stdout.decode().strip()
    except TransportError as error:
        return f"{error.stage.value}: {error.summary}"
    finally:
        transport.close()
        os.environ.clear()
        os.environ |= before


Service.new_login = lambda self: ByKerberos(self._accounts, self._binding, basic=False)  # type: ignore[method-assign]
with WinRMServer("127.0.0.1", 0, users={}, runner=Runner(), certificate=FOLDER / "server.pem") as server:
    good = {"KRB5CCNAME": f"FILE:{FOLDER / 'good'}"}
    told = {
        "a ticket": log_on(server.port, **good),
        "by address": log_on(server.port, "127.0.0.1", **good),
        "no ticket": log_on(server.port, KRB5CCNAME=f"FILE:{FOLDER / 'none'}"),
        "expired": log_on(server.port, KRB5CCNAME=f"FILE:{FOLDER / 'expired'}"),
        "no domain": log_on(server.port, KRB5CCNAME=f"FILE:{FOLDER / 'fresh'}", KRB5_CONFIG=str(FOLDER / "away.conf")),
        "wrong realm": log_on(
            server.port, KRB5CCNAME=f"FILE:{FOLDER / 'fresh'}", KRB5_CONFIG=str(FOLDER / "realm.conf")
        ),
    }
print(json.dumps(told))
