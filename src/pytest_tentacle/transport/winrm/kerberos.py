"""Why Kerberos did not log on over WinRM: by the numbers of the library, for pywinrm hands on a bare 401 instead."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from pytest_tentacle.transport.kerberos import UNKNOWN, reason_of_number


def hear(auth: Any, note: Any) -> None:
    """Has `note` called with each failure of `auth`, a requests_kerberos of pywinrm's, which keeps it to itself."""
    generate = auth.generate_request_header

    @functools.wraps(generate)
    def listened(*args: Any, **kwargs: Any) -> Any:
        try:
            return generate(*args, **kwargs)
        except Exception as error:
            note(error)
            raise

    auth.generate_request_header = listened


def reason_of(error: BaseException) -> tuple[str, str, int | None]:
    """What it means, what to do, and the library's number; None where it gave none that is known."""
    for number in _numbers(error):
        known = reason_of_number(number)
        if known:
            return (*known, number)
    return (*UNKNOWN, next((number for number in _numbers(error) if number), None))


def _numbers(error: BaseException | None) -> Iterator[int]:
    """The library's own errors stand behind the first: pairs of a text and a number."""
    while error is not None:
        for part in error.args:
            if isinstance(part, tuple) and len(part) == 2 and isinstance(part[1], int):  # noqa: PLR2004  text and number
                yield part[1]
        error = error.__cause__ or error.__context__
