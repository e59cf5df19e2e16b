"""The management path of one lab machine: its own WinRM or SSH server, and the settings that log on to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import paramiko
from pydantic import SecretStr

from pytest_tentacle.inventory.model import SSH, WinRM
from pytest_tentacle.link.certificate import KeyedCertificate

from .blueprint import Blueprint
from .halibut.listener import make_certificate
from .linux import machine as linux_machine
from .recording import RecordedRunner
from .ssh_server import SSHServer
from .windows import machine as windows_machine
from .winrm.runner import CommandRunner, PowerShellRunner
from .winrm.server import WinRMServer

WINRM_PORT, SSH_PORT = 5986, 2222


class LabAccess:
    """Starts and stops one machine's server.

    Attributes:
        recorded: a recording answers, for want of a PowerShell.
        server: the running server, which counts requests, connections and commands.
    """

    def __init__(
        self,
        blueprint: Blueprint,
        folder: Path,
        *,
        login: tuple[str, str],
        authority: KeyedCertificate,
        powershell: Path | None,
        substitutes: dict[str, str],
    ) -> None:
        self.blueprint = blueprint
        self.recorded = blueprint.is_windows and powershell is None
        self.server: Any = None
        self._folder = folder
        self._user, self._password = login
        self._authority = authority
        self._powershell = powershell
        self._substitutes = substitutes

    def start(self) -> WinRM | SSH:
        """Serve, and say how to log on. Raises OSError where the port cannot be had."""
        settings = self._start_winrm() if self.blueprint.is_windows else self._start_ssh()
        self.server.start()
        if not self.blueprint.answers:
            self.stop()
        return settings

    def stop(self) -> None:
        """Stop; may be called again."""
        if self.server is not None:
            self.server.stop()

    def _start_winrm(self) -> WinRM:
        address = self.blueprint.address
        certificate = make_certificate(self.blueprint.name, issuer=self._authority, names=[address])
        chain, ca = self._folder / "winrm.pem", self._folder / "ca.pem"
        chain.write_text(certificate.certificate_pem + certificate.key_pem, encoding="ascii")
        chain.chmod(0o600)
        ca.write_text(self._authority.certificate_pem, encoding="ascii")
        self.server = WinRMServer(
            address, WINRM_PORT, users={self._user: self._password}, runner=self._runner(), certificate=chain
        )
        return WinRM(host=address, port=self.server.port, user=self._user, password=self._given_password(), ca=ca)

    def _start_ssh(self) -> SSH:
        address = self.blueprint.address
        key = paramiko.ECDSAKey.generate()
        self.server = SSHServer(
            address,
            SSH_PORT,
            host_key=key,
            users={self._user: self._password},
            environment=linux_machine.prepare(self._folder, record=False),
            cwd=self._folder,
        )
        known = self._folder / "known_hosts"
        known.write_text(f"[{address}]:{self.server.port} {key.get_name()} {key.get_base64()}\n", encoding="ascii")
        nothing = self._folder / "ssh_config"
        nothing.touch()
        return SSH(
            host=address,
            port=self.server.port,
            user=self._user,
            password=self._given_password(),
            known_hosts=known,
            ssh_config=nothing,
            agent=False,
        )

    def _runner(self) -> CommandRunner:
        if self._powershell is None:
            return RecordedRunner(self.blueprint, self._substitutes)
        prelude, environment = windows_machine.prepare(self._folder)
        if self.blueprint.prelude:
            own = self._folder / "prelude.ps1"
            quoted = str(prelude).replace("'", "''")
            own.write_text(f". '{quoted}'\n{self.blueprint.prelude}\n", encoding="utf-8")
            prelude = own
        return PowerShellRunner(self._powershell, prelude=prelude, environment=environment)

    def _given_password(self) -> SecretStr:
        return SecretStr("an old one" if self.blueprint.wrong_password else self._password)
