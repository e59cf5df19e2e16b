"""One connection to Octopus's API: GET alone, paths of a list, no redirect followed, a budget for all of it."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from pytest_tentacle.hiding import hide, shorten

from .allowed import is_allowed
from .errors import PortalError, PortalFailure

PAGE = 500
"""Entries asked for at once. 5,000 machines in 12 spaces are 12 pages."""

MOST_REQUESTS = 400
"""In one run. What is beyond it was not looked at, and is told so."""

MOST_BYTES = 64 * 1024 * 1024
"""Of one answer, unpacked: 5,000 machines take 9 MB."""

ANSWER_SECONDS = 30.0
DISCOVER_SECONDS = 90.0
"""A server that looks at a machine which does not answer takes a minute for it."""

LONGEST_WAIT = 30.0
"""Seconds that a rate limit may cost one question."""

_TRIES = 3
_UNAVAILABLE = frozenset({408, 502, 503, 504})
_NORMAL = frozenset({200, 418})
"""418 is no error: a node that drains or a server that is not well answers so, with its ordinary body."""

_MISSING_PERMISSION = re.compile(r"Missing permission: (\w+)")


@dataclass(frozen=True, repr=False)
class Credentials:
    """An API key, or a bearer token. Neither is ever shown."""

    api_key: str | None = None
    token: str | None = None

    def headers(self) -> dict[str, str]:
        """The header that logs on; none for a guest."""
        if self.api_key:
            return {"X-Octopus-ApiKey": self.api_key}
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def secrets(self) -> frozenset[str]:
        """What must never be shown."""
        return frozenset(secret for secret in (self.api_key, self.token) if secret)

    def __repr__(self) -> str:
        return "Credentials(...)"


class _NoNetrc(requests.auth.AuthBase):
    """Keeps `requests` from putting a password of the user's netrc instead of ours."""

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        return r


@dataclass
class Client:
    """Asks Octopus's API.

    Attributes:
        url: the portal's address, with or without `/api`, with or without a final slash.
        ca: a PEM bundle of the private CA that the portal's certificate is verified against.
        budget_seconds: for all questions together.
        sleep: waits; a test counts instead.
    """

    url: str
    credentials: Credentials
    ca: Path | None = None
    budget_seconds: float = 300.0
    most_requests: int = MOST_REQUESTS
    sleep: Callable[[float], None] = time.sleep
    asked: list[str] = field(default_factory=list)
    nodes_seen: set[str] = field(default_factory=set)
    """Names of the nodes that answered, by the header `Octopus-Node`."""

    last_node: str | None = None
    """The node that gave the last answer."""

    def __post_init__(self) -> None:
        self.portal = portal_url(self.url)
        self.base = f"{self.portal}/api"
        self._session = requests.Session()
        self._session.auth = _NoNetrc()
        self._session.headers.update(
            {"Accept": "application/json", "User-Agent": f"pytest-tentacle/{version('pytest-tentacle')}"}
        )
        self._session.headers.update(self.credentials.headers())
        self._deadline = time.monotonic() + self.budget_seconds

    def get(self, path: str, *, seconds: float = ANSWER_SECONDS, **query: Any) -> Any:
        """One answer, as JSON.

        Args:
            path: below the API's base, such as `/Spaces-1/machines`.
            seconds: that the answer may take.
            query: parameters; those that are None are left out.

        Raises:
            PortalError: there is no usable answer.
            ValueError: the path is none of those that may be asked for; a fault of ours.
        """
        return self._good(path, seconds, query).read(path)

    def text(self, path: str, *, seconds: float = ANSWER_SECONDS) -> str:
        """One answer that is plain text, such as a task's raw log. Raises as `get` does."""
        return self._good(path, seconds, {}).read_text(path)

    def _good(self, path: str, seconds: float, query: Mapping[str, Any]) -> _Answer:
        """The answer that is neither a rate limit nor a server that is busy, after some tries."""
        if not is_allowed(path):
            raise ValueError(f"{path} is not on the list of what may be asked of Octopus")
        parameters = {name: value for name, value in query.items() if value is not None}
        for attempt in range(1, _TRIES + 1):
            answer = self._ask(path, parameters, seconds)
            if answer.status == 429:  # noqa: PLR2004  Too Many Requests
                wait = max(_seconds(answer.headers.get("Retry-After")), 1.0) + random.uniform(0, 0.5)  # noqa: S311
                if attempt == _TRIES or wait > LONGEST_WAIT:
                    raise PortalError(
                        PortalFailure.RATE_LIMITED,
                        f"Octopus limits how often this account may ask ({path})",
                        "run again later, or use an account that nobody else uses",
                    )
                self._wait(wait)
            elif answer.status in _UNAVAILABLE and attempt < _TRIES:
                self._wait(float(attempt))
            else:
                self._pace(answer.headers)
                return answer
        raise AssertionError("the last try returns or raises")

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """All entries of a paged list, each id once, however its pages are told. Raises PortalError."""
        skip, seen = 0, set[str]()
        while True:
            page = self.get(path, skip=skip, take=PAGE, **query)
            items = page if isinstance(page, list) else page.get("Items") if isinstance(page, dict) else None
            if not isinstance(items, list):
                raise PortalError(PortalFailure.DAMAGED, f"the answer to {path} is no list", _NOT_OCTOPUS)
            fresh = [item for item in items if isinstance(item, dict) and item.get("Id") not in seen]
            seen.update(str(item.get("Id")) for item in fresh)
            yield from fresh
            skip += len(items)
            total = page.get("TotalResults") if isinstance(page, dict) else None
            if not fresh or not isinstance(total, int) or skip >= total:
                return

    def give_up(self) -> None:
        """Ask nothing more: what is being asked ends with its own time-out, the next question is refused."""
        self._deadline = 0.0

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    # -- one request ---------------------------------------------------------------------------------------------

    def _ask(self, path: str, parameters: Mapping[str, Any], seconds: float) -> _Answer:
        if len(self.asked) >= self.most_requests:
            raise PortalError(PortalFailure.BUDGET, f"{self.most_requests} questions were asked of Octopus", _NOT_ALL)
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise PortalError(PortalFailure.BUDGET, f"Octopus took all of its {self.budget_seconds:g} s", _NOT_ALL)
        self.asked.append(path or "/")
        limit = min(seconds, left)
        try:
            with self._session.get(
                self.base + path,
                params=parameters,
                timeout=limit,
                allow_redirects=False,
                stream=True,
                verify=str(self.ca) if self.ca else True,  # here, or the environment would win
            ) as response:
                self.last_node = response.headers.get("Octopus-Node")
                self.nodes_seen.update(filter(None, [self.last_node]))
                return _Answer(response.status_code, response.headers, _body(response, time.monotonic() + limit))
        except requests.exceptions.SSLError as error:
            raise _tls(self.portal, error) from None
        except requests.exceptions.Timeout:
            raise _slow(self.portal, limit) from None
        except requests.exceptions.ConnectionError as error:
            raise _unreachable(self.portal, error) from None
        except (requests.exceptions.RequestException, ValueError) as error:
            raise PortalError(
                PortalFailure.DAMAGED, f"the answer of {self.portal} broke off ({type(error).__name__})", "run again"
            ) from None

    def _wait(self, seconds: float) -> None:
        self.sleep(max(0.0, min(seconds, self._deadline - time.monotonic())))

    def _pace(self, headers: Mapping[str, str]) -> None:
        """Slow down before the limit is met, by what the server says is left (octopus-rest 1.5)."""
        limit = re.search(r"l=(\d+)", headers.get("Octopus-RateLimit-Policy", ""))
        state = re.search(r"r=(\d+);\s*t=(\d+)", headers.get("Octopus-RateLimit", ""))
        if limit and state and int(state[1]) * 5 < int(limit[1]):
            self._wait(min(int(state[2]) / max(int(limit[1]) - int(state[1]), 1), 2.0))


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def read_text(self, path: str) -> str:
        """The text of a good answer. Raises PortalError for any other, and for a page of HTML."""
        text = self.body.decode("utf-8-sig", "replace")
        if self.status in _NORMAL and text.lstrip()[:1] != "<":
            return text
        if self.status in _NORMAL:
            raise PortalError(PortalFailure.NOT_OCTOPUS, "what answers is no Octopus portal", _NOT_OCTOPUS)
        self.read(path)
        raise AssertionError("an answer that is not good raises")

    def read(self, path: str) -> Any:
        """The JSON of a good answer. Raises PortalError for any other."""
        if 300 <= self.status < 400:  # noqa: PLR2004  redirects
            where = urlsplit(self.headers.get("Location", "")).netloc or "another page"
            raise PortalError(
                PortalFailure.REDIRECTED,
                f"the portal sends us on to {where}, and a key is never taken along",
                "give the portal's own https address",
            )
        data = _json(self.body)
        if self.status in _NORMAL:
            if data is None:
                raise PortalError(PortalFailure.NOT_OCTOPUS, "what answers is no Octopus portal", _NOT_OCTOPUS)
            return data
        message = str(data.get("ErrorMessage") or "") if isinstance(data, dict) else ""
        raise _refusal(self.status, path, message)


_NOT_OCTOPUS = "a proxy or a log-on page may stand in front of it: give the address that API clients use"
_NOT_ALL = "what was not asked by then was not checked"


def _refusal(status: int, path: str, message: str) -> PortalError:
    first = shorten(hide(message).strip().splitlines()[0], 300) if message.strip() else ""
    if status == 401:  # noqa: PLR2004
        return PortalError(
            PortalFailure.NOT_LOGGED_IN,
            "Octopus does not accept the API key or token",
            "make a new key in your profile; a token may have ended",
        )
    if status == 403:  # noqa: PLR2004
        permission = match[1] if (match := _MISSING_PERMISSION.search(message)) else None
        missing = f"the permission {permission} is missing" if permission else "the account may not"
        return PortalError(
            PortalFailure.FORBIDDEN, f"{missing} ({path})", "add it to a role of the account", permission
        )
    if status == 404:  # noqa: PLR2004
        return PortalError(PortalFailure.NOT_FOUND, f"this Octopus has no {path}, or the account may not see it")
    if status in _UNAVAILABLE:
        return PortalError(PortalFailure.SERVER_ERROR, f"the portal answers with HTTP {status}", "is it starting?")
    text = f": {first}" if first and status < 500 else ""  # noqa: PLR2004  above, it is a stack trace
    return PortalError(PortalFailure.SERVER_ERROR, f"the portal answers {path} with HTTP {status}{text}")


def portal_url(url: str) -> str:
    """The portal's address without `/api` and without a final slash. Raises PortalError for what is no address."""
    text = url.strip()
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        advice = f"write https://{text}" if text and "://" not in text else "write https://octopus.example.com"
        raise PortalError(PortalFailure.NO_ADDRESS, f"{text!r} is no address of a portal", advice)
    if parts.username or parts.password or parts.query:
        raise PortalError(
            PortalFailure.NO_ADDRESS, "the portal's address must not hold a user, a password or a query",
            "give the key in OCTOPUS_API_KEY",
        )  # fmt: skip
    path = parts.path.rstrip("/").removesuffix("/api").rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}"


def _body(response: requests.Response, deadline: float) -> bytes:
    """The answer's bytes, within its time and size."""
    parts, size = [], 0
    for part in response.iter_content(65_536):
        parts.append(part)
        size += len(part)
        if size > MOST_BYTES:
            raise PortalError(
                PortalFailure.TOO_LARGE, f"an answer of the portal has more than {MOST_BYTES // 2**20} MiB"
            )
        if time.monotonic() > deadline:
            raise requests.exceptions.Timeout
    return b"".join(parts)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None


def _seconds(text: str | None) -> float:
    try:
        return max(0.0, float(text or 0))
    except ValueError:
        return 0.0


def _tls(portal: str, error: Exception) -> PortalError:
    words = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in words or "certificate verify failed" in words:
        reason = match[1].strip() if (match := re.search(r"certificate verify failed: ([^(]+)", words)) else "unknown"
        return PortalError(
            PortalFailure.TLS,
            f"the certificate of {portal} is not trusted here ({reason})",
            "give its CA: --octopus-ca FILE.pem",
        )
    return PortalError(PortalFailure.TLS, f"no TLS with {portal}", "is it an https port?")


def _slow(portal: str, seconds: float) -> PortalError:
    return PortalError(PortalFailure.TIMED_OUT, f"{portal} did not answer within {seconds:g} s", "is it reachable?")


def _unreachable(portal: str, error: Exception) -> PortalError:
    words = str(error)
    if "NameResolutionError" in words or "getaddrinfo" in words or "Name or service not known" in words:
        reason = "its name is not known here"
    elif "refused" in words:
        reason = "the connection was refused"
    elif "IncompleteRead" in words or "RemoteDisconnected" in words or "Connection aborted" in words:
        reason = "it hung up"
    else:
        reason = "no connection"
    return PortalError(
        PortalFailure.UNREACHABLE, f"{portal} cannot be reached from here: {reason}", "check the address"
    )
