"""Octopus's API in one run: asked once for the machines, and once more for what it says of those in question."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from pytest_tentacle import octopus
from pytest_tentacle.inventory.loading import OctopusSource
from pytest_tentacle.inventory.model import Inventory
from pytest_tentacle.octopus import Node, Portal, PortalError, PortalFailure
from pytest_tentacle.octopus.model import Evidence, Registration

from .options import Options

HANDED_OVER = "PYTEST_TENTACLE_PORTAL"
"""Names a file with what Octopus said, for the other processes of a run: it is asked once."""

MOST_IN_QUESTION = 20
"""Where no more machines than that are selected, each is asked for, healthy or not."""


class OctopusSession:
    """Asks Octopus for a run."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment
        self._client: octopus.Client | None = None
        self._secrets: set[str] = set()

    def ask(self, source: OctopusSource) -> Portal:
        """What Octopus says of its machines; from a file where another process of this run has asked already.

        Raises:
            PortalError: it gives no answer, or no credentials are there.
        """
        handed_over = self._environment.get(HANDED_OVER)
        if handed_over:
            return Portal.model_validate_json(Path(handed_over).read_text("utf-8"))
        self._client = octopus.Client(source.url, self._credentials(source), ca=source.ca)
        return octopus.read_portal(self._client, source.spaces)

    def ask_lab(
        self, inventory: Inventory, source: OctopusSource, names: Collection[str], *, discover: bool
    ) -> Inventory:
        """The lab's inventory with what its own portal says: names are those that its machines are registered by.

        Raises PortalError.
        """
        client = octopus.Client(source.url, self._credentials(source), ca=source.ca)
        try:
            portal = octopus.read_portal(client)
            ids = {each.name: each.id for each in portal.registrations}
            tentacles = tuple(
                tentacle.model_copy(update={"registrations": (ids[tentacle.name],) if tentacle.name in ids else ()})
                for tentacle in inventory.tentacles
            )
            asked = inventory.model_copy(update={"tentacles": tentacles, "portal": portal})
            evidence = tuple(
                octopus.read_evidence(client, _in_question(asked, portal, names), discover=discover, portal=portal)
            )
            return asked.model_copy(update={"portal": _with(portal, evidence, client)})
        finally:
            client.close()

    def nodes(self) -> tuple[Node, ...]:
        """The server's nodes with what they run at this moment; none where Octopus was not asked, or does not tell."""
        if self._client is None:
            return ()
        try:
            return octopus.read_nodes(self._client)
        except PortalError:
            return ()

    def secrets(self) -> frozenset[str]:
        """What must never be shown."""
        return frozenset(self._secrets)

    @contextmanager
    def evidence(
        self, inventory: Inventory, names: Collection[str], *, discover: bool
    ) -> Iterator[Callable[[], Portal | None]]:
        """Ask, beside the survey, what Octopus says of the named machines that it does not call healthy.

        Yields:
            Waits for the answers, and gives Octopus's words with them; None where it did not give the machines.
        """
        portal, client = inventory.portal, self._client
        if portal is None or client is None:
            yield lambda: None
            return
        asked = _in_question(inventory, portal, names)
        answers: Future[tuple[Evidence, ...]] = Future()

        def read() -> None:
            try:
                answers.set_result(tuple(octopus.read_evidence(client, asked, discover=discover, portal=portal)))
            except BaseException as error:  # noqa: BLE001  whoever waits for the answers is told
                answers.set_exception(error)

        threading.Thread(target=read, name="octopus", daemon=True).start()  # nothing waits for it at Ctrl-C
        try:
            yield lambda: _with(portal, answers.result(), client)
        finally:
            client.give_up()

    def _credentials(self, source: OctopusSource) -> octopus.Credentials:
        if source.api_key or source.token:
            key, token = (each.get_secret_value() if each else None for each in (source.api_key, source.token))
        else:
            key = self._environment.get("OCTOPUS_API_KEY")
            token = None if key else self._environment.get("OCTOPUS_ACCESS_TOKEN")
        found = octopus.Credentials(api_key=key or None, token=token or None)
        self._secrets |= found.secrets()
        if not found.secrets():
            raise PortalError(
                PortalFailure.NOT_LOGGED_IN,
                f"there is no API key and no token for {source.url}",
                "set OCTOPUS_API_KEY (portal: your profile > My API Keys), or OCTOPUS_ACCESS_TOKEN",
            )
        if any(
            not secret.isascii() or not secret.isprintable() or secret != secret.strip() for secret in self._secrets
        ):
            raise PortalError(
                PortalFailure.NOT_LOGGED_IN, "the API key or token holds characters that none has", "copy it once more"
            )
        return found


def source_of(options: Options) -> OctopusSource | None:
    """The Octopus Server that the command line names."""
    if options.octopus is None:
        return None
    return OctopusSource(
        url=options.octopus,
        spaces=options.spaces,
        include_disabled=options.include_disabled,
        ca=options.octopus_ca,
    )


def _with(portal: Portal, evidence: tuple[Evidence, ...], client: octopus.Client) -> Portal:
    answered_by = tuple(sorted(client.nodes_seen))
    return portal.model_copy(update={"evidence": evidence, "requests": len(client.asked), "answered_by": answered_by})


def hand_over(inventory: Inventory) -> Path | None:
    """Write what Octopus said where the other processes of this run find it; the caller removes the file."""
    if inventory.portal is None:
        return None
    handle, name = tempfile.mkstemp(prefix="pytest-tentacle-", suffix=".json")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(inventory.portal.model_dump_json())
    os.environ[HANDED_OVER] = name
    return Path(name)


def take_back(path: Path) -> None:
    """Undo `hand_over`."""
    os.environ.pop(HANDED_OVER, None)
    path.unlink(missing_ok=True)


def _in_question(inventory: Inventory, portal: Portal, names: Collection[str]) -> list[Registration]:
    chosen = [tentacle for tentacle in inventory.tentacles if tentacle.name in names]
    ids = {each for tentacle in chosen for each in tentacle.registrations}
    found = [each for each in portal.registrations if each.id in ids]
    if len(chosen) <= MOST_IN_QUESTION:
        return found
    return [each for each in found if each.health != "Healthy"]
