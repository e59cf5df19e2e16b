"""A domain, a machine that takes its tickets, and the tickets that are used."""

from __future__ import annotations

import getpass
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.gss.by_ssh import TICKETS, as_localhost, wait_for_the_end
from support.gss.domain import Domain, running_domain


@pytest.fixture(scope="session")
def domain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Domain]:
    """A domain whose user `surveyor` may log on here, and whose user `stranger` may not."""
    with running_domain(tmp_path_factory.mktemp("domain"), service="host/localhost") as domain:
        domain.administer("addprinc -pw s3cret stranger")
        domain.log_in("surveyor", "fresh")
        domain.log_in("stranger", "strangers")
        domain.allow(getpass.getuser(), "surveyor")
        shutil.copy(domain.folder / "fresh", domain.folder / "good")
        yield domain


@pytest.fixture(scope="session")
def in_domain(domain: Domain) -> dict[str, str]:
    """What an sshd is given that belongs to it."""
    return {"KRB5_CONFIG": str(domain.folder / "krb5.conf"), "KRB5_KTNAME": str(domain.keytab)}


@pytest.fixture(scope="session")
def machine(in_domain: dict[str, str], start_sshd: Callable[..., Any]) -> Any:
    """An sshd that takes tickets, known as localhost."""
    return as_localhost(start_sshd(*TICKETS, **in_domain))


@pytest.fixture
def tickets(domain: Domain, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have these tickets used from now on; those that hold to begin with."""

    def use(name: str, conf: str = "krb5.conf") -> None:
        for variable, value in domain.environment(name, conf).items():
            monkeypatch.setenv(variable, value)

    use("good")
    return use


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Neither a process nor a file of a log-on stays."""
    place = tempfile.mkdtemp(prefix="t")  # a short path: that of a Unix socket must fit
    monkeypatch.setattr(tempfile, "tempdir", place)
    yield
    monkeypatch.undo()
    Path(place).rmdir()
    wait_for_the_end(place)
