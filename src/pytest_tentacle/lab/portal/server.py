"""The portal's HTTP side: one verb, JSON, an API key, pages; anything else is noted as a fault of the asker."""

from __future__ import annotations

import gzip
import json
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .resources import PortalData, Space

_DEFAULT_TAKE = 30
_NOT_LOGGED_IN = (
    "You must be logged in to request this resource. Please provide a valid API key or log in again."
)  # fmt: skip

_NO_PERMISSION = "You do not have permission to perform this action. Missing permission: {}"


_OVER_SPACES = {
    "Events": "/api/events{/id}{?skip,regarding,regardingAny,eventCategories,take,ids,spaces,includeSystem}",
    "Tasks": "/api/tasks{/id}{?skip,active,name,take,ids,partialName,spaces,includeSystem}",
}
"""In 2019.4 these were over all spaces, with a filter."""


@dataclass(frozen=True)
class Answer:
    """One answer; `body` is sent as it is, everything else as JSON."""

    status: int = 200
    data: Any = None
    body: bytes | None = None
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


Override = Callable[[str, Mapping[str, str]], "Answer | None"]
"""Takes a path below `/api` and the query; an Answer takes the place of the ordinary one."""


class PortalServer:
    """Serves one portal on a loopback address.

    Attributes:
        asked: method and path of each request, in order.
        faults: what a careful client never does: another verb, a key in the address, a path that is not there.
        override: see `Override`; a test makes the portal misbehave by it.
        discover: the server's own look at a host and port; None where it meets nothing.
    """

    def __init__(
        self,
        data: PortalData,
        *,
        address: str = "127.0.0.1",
        port: int = 0,
        api_key: str | None = None,
        certificate: Path | None = None,
        folder: str = "",
        node: str = "octo-1",
    ) -> None:
        self.data = data
        self.asked: list[tuple[str, str]] = []
        self.faults: list[str] = []
        self.override: Override = lambda _path, _query: None
        self.discover: Callable[[str, int], dict[str, Any] | None] = lambda host, at: data.discoveries.get(
            f"{host}:{at}"
        )
        self.folder = folder
        self.node = node
        self._api_key = api_key
        self._server = _Server((address, port), _handler(self))
        self._scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
            self._scheme = "https"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """The portal's address."""
        host, port = self._server.server_address[:2]
        return f"{self._scheme}://{host!s}:{port}{self.folder}"

    def start(self) -> PortalServer:
        """Serve."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop; may be called again."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    # -- what is answered ----------------------------------------------------------------------------------------

    def answer(self, method: str, target: str, headers: Mapping[str, str]) -> Answer:
        """The answer to one request."""
        parts = urlsplit(target)
        query = {key: values[-1] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
        self.asked.append((method, parts.path))
        if method != "GET":
            self.faults.append(f"{method} {parts.path}")
            return _error(405, "Method not allowed")
        if {"apikey", "api-key"} & {key.lower() for key in query}:
            self.faults.append("a key in the address")
        path = parts.path.removeprefix(self.folder)
        if path.rstrip("/") == "" or not path.startswith("/api"):
            return Answer(302, headers={"Location": "/app"})
        path = path.removeprefix("/api").rstrip("/")
        if (special := self.override(path, query)) is not None:
            return special
        if path not in {"", "/octopusservernodes/ping", "/serverstatus/health"} and not self._is_known(headers):
            return _error(401, _NOT_LOGGED_IN)
        return self._page(path, query)

    def _is_known(self, headers: Mapping[str, str]) -> bool:
        if self._api_key is None:
            return True
        return headers.get("x-octopus-apikey") == self._api_key or headers.get("authorization") == (
            f"Bearer {self._api_key}"
        )

    def _page(self, path: str, query: Mapping[str, str]) -> Answer:
        data = self.data
        fixed: dict[str, Callable[[], Any]] = {
            "": self._root,
            "/users/me": lambda: {"Id": "Users-21", "Username": "surveyor", "IsService": True},
            "/users/me/permissions": data.granted,
            "/octopusservernodes/summary": lambda: {"Nodes": data.nodes},
            "/octopusservernodes/ping": lambda: next(iter(data.nodes), {}),
            "/serverstatus": lambda: data.status,
            "/configuration/certificates/certificate-global": lambda: {
                "Id": "certificate-global", "Name": "Octopus Server", "Thumbprint": data.thumbprint,
                "SignatureAlgorithm": "sha256RSA",
            },
        }  # fmt: skip
        if path in fixed:
            return Answer(data=fixed[path]())
        if (special := self._of_server(path, query)) is not None:
            return special
        if path == "/spaces":
            return _paged([space.resource() for space in data.spaces], query)
        for space in data.spaces:
            if path.startswith(f"/{space.id}/"):
                return self._of_space(space, path.removeprefix(f"/{space.id}"), query)
        default = next((space for space in data.spaces if space.is_default), None)
        return self._of_space(default, path, query) if default else _missing()

    def _of_server(self, path: str, query: Mapping[str, str]) -> Answer | None:
        """What depends on the server's state, or on what the account may."""
        data = self.data
        if path == "/serverstatus/health":
            return Answer(200 if data.health.get("IsOperatingNormally") else 418, data.health)
        if path == "/serverstatus/redis":
            return _missing() if data.redis is None else Answer(data=data.redis)
        if path == "/serverstatus/logs":
            allowed = "AdministerSystem" in data.system_permissions
            return Answer(data=data.server_log) if allowed else _error(403, _NO_PERMISSION.format("AdministerSystem"))
        if path == "/events" and "regardingAny" in query:
            return _paged(data.events, query)
        if data.is_old and path.endswith(("/events", "/tasks")) and path.startswith("/Spaces-"):
            return _missing()
        return None

    def _root(self) -> dict[str, Any]:
        prefix = f"{self.folder}/api"
        return {
            "Application": "Octopus Deploy",
            "Version": self.data.version,
            "ApiVersion": "3.0.0",
            "InstallationId": "5f0dfd1c-2a3b-4c5d-8e9f-0123456789ab",
            "Links": {
                "Self": prefix,
                "Spaces": prefix + "/spaces{/id}{?skip,ids,take,partialName}",
                "SpaceHome": prefix + "/{spaceId}",
                **(_OVER_SPACES if self.data.is_old else {}),
                "Machines": prefix + "/Spaces-1/machines{/id}{?skip,take,name,ids,partialName}",
            },
        }

    def _of_space(self, space: Space, path: str, query: Mapping[str, str]) -> Answer:
        lists: dict[str, list[dict[str, Any]]] = {
            "/environments": _named(space.environments),
            "/tenants": _named(space.tenants),
            "/workerpools": _named(space.pools),
            "/proxies": space.proxies,
            "/machinepolicies": space.policies,
            "/machines": space.machines,
            "/workers": space.workers,
        }
        if path.removesuffix("/all") in lists:
            items = lists[path.removesuffix("/all")]
            return Answer(data=items) if path.endswith("/all") else _paged(_filtered(items, query), query)
        if path == "/events":
            return _paged(space.events.get(query.get("regarding", ""), []), query)
        if path.startswith("/tasks"):
            return _of_tasks(space, path, query)
        if path.endswith("/discover"):
            found = self.discover(query.get("host", ""), int(query.get("port") or 0))
            return Answer(data=found) if found else _error(400, "There was a problem with your request.")
        _, kind, identity, *rest = [*path.split("/"), "", ""]
        known = next((each for each in lists.get(f"/{kind}", ()) if each["Id"] == identity), None)
        if known is not None and rest[:1] == ["connection"]:
            return Answer(
                data={
                    "Id": identity, "MachineId": identity, "Status": "Online",
                    "LastChecked": "2026-11-29T10:00:00+00:00", "Logs": space.connections.get(identity, []),
                }
            )  # fmt: skip
        return _missing() if known is None else Answer(data=known)


def _of_tasks(space: Space, path: str, query: Mapping[str, str]) -> Answer:
    if path == "/tasks":
        return _paged([task for task in space.tasks if task["Name"] == query.get("name", task["Name"])], query)
    identity, _, what = path.removeprefix("/tasks/").partition("/")
    task = next((each for each in space.tasks if each["Id"] == identity), None)
    if task is None:
        return _missing()
    if what == "raw":
        return Answer(body=space.raw_logs.get(identity, "").encode(), content_type="text/plain; charset=utf-8")
    return Answer(data={"Task": task, "ActivityLogs": space.activities.get(identity, [])})


def _named(names: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"Id": identity, "Name": name} for identity, name in names.items()]


def _filtered(items: list[dict[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
    ids = query.get("ids")
    wanted = set(ids.split(",")) if ids else None
    name = query.get("partialName", "").casefold()
    return [
        item
        for item in items
        if (wanted is None or item["Id"] in wanted) and name in str(item.get("Name", "")).casefold()
    ]


def _paged(items: list[dict[str, Any]], query: Mapping[str, str]) -> Answer:
    """The envelope of a list: `Page.Next` is absent on the last page, `LastPageNumber` counts from nought."""
    skip, take = int(query.get("skip") or 0), int(query.get("take") or _DEFAULT_TAKE)
    shown = items[skip : skip + take]
    pages = max(1, -(-len(items) // take)) if take else 1
    links = {"Page.Next": "?skip=%d&take=%d" % (skip + take, take)} if skip + take < len(items) else {}  # noqa: UP031
    return Answer(
        data={
            "ItemType": "Resource",
            "TotalResults": len(items),
            "ItemsPerPage": take,
            "NumberOfPages": pages,
            "LastPageNumber": pages - 1,
            "Items": shown,
            "Links": links,
        }
    )


def _error(status: int, message: str) -> Answer:
    return Answer(status, {"ErrorMessage": message})


def _missing() -> Answer:
    return _error(404, "The resource you requested was not found.")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that hangs up, or does not trust our certificate, is no fault of the portal."""


def _handler(portal: PortalServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def _serve(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = portal.answer(self.command, self.path, headers)
            body = json.dumps(answer.data).encode() if answer.body is None else answer.body
            packed = "gzip" in headers.get("accept-encoding", "") and answer.body is None
            body = gzip.compress(body, 1) if packed else body
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Octopus-Node", portal.node)
            if packed:
                self.send_header("Content-Encoding", "gzip")
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve  # noqa: N815  http.server's names

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler
