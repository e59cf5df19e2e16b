"""Why a handshake fails: linux.sh by the number of OpenSSL's reason, our own client by its name, for all that there are."""

from __future__ import annotations

import _ssl
import re
import ssl
import subprocess
from importlib.resources import files

from pytest_tentacle.link.failures import of_stream

_OF_TLS = 20
"""The number of OpenSSL's library for TLS among its libraries."""
_OURS = {"UNEXPECTED_EOF_WHILE_READING": "closed"}
"""What Python raises as an error of its own."""


def test_all_reasons() -> None:
    """The same word for each reason that OpenSSL has a name for, alerts among them."""
    names = {reason: name for (library, reason), name in _ssl.err_codes_to_names.items() if library == _OF_TLS}
    assert len(names) > 300
    script = (files("pytest_tentacle.survey.scripts.linux") / "looks" / "probe_reader.sh").read_text(encoding="utf-8")
    function = re.search(r"^function reason_word\(reason\) \{.*?^\}", script, re.DOTALL | re.MULTILINE)
    assert function is not None
    told = subprocess.run(
        ["awk", f"{function[0]}\n{{ print $1, reason_word($1) }}"],
        input="\n".join(f"{reason:03X}" for reason in names), capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    by_number = {int(line.split()[0], 16): [*line.split(), "other"][1] for line in told}
    by_name = {reason: _OURS.get(name) or _word(name) for reason, name in names.items()}
    assert {names[reason]: by_number[reason] for reason in names if by_number[reason] != by_name[reason]} == {}
    assert {"not-tls", "protocol-version", "no-common-cipher", "closed", "other"} == set(by_name.values())


def _word(name: str) -> str:
    error = ssl.SSLError()
    error.reason = name
    return of_stream(error).value
