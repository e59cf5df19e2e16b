r"""Programs on a Windows lab machine's drive C: that the survey starts, and who signed the product's own.

netsh prints what machine.json says: a list of excluded ports and one of http.sys's URLs, in the machine's language. Its
forms are those of outputs that were published (windows-shapes 2.1 and 2.2); the German words and the Japanese ones of
the second form are ours, and the survey must not look at any of them.
"""

from __future__ import annotations

import base64
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

_EXCLUDED_WORDS = {
    "en": ("Protocol tcp Port Exclusion Ranges", "Start Port    End Port", "* - Administered port exclusions."),
    "de": ("Protokoll tcp Portausschlussbereiche", "Startport     Endport", "* - Verwaltete Portausschlüsse."),
    "ja": ("プロトコル tcp ポート除外範囲", "開始ポート    終了ポート", "* - 管理されたポート除外。"),
}
_QUEUE_WORDS = {
    "en": ("Snapshot of HTTP service state (Request Queue View):", "Request queue name: Request queue is unnamed.",
           "Version: 2.0", "State: Active", "Process IDs:", "Registered URLs:", "Processes:"),
    "de": ("Momentaufnahme des HTTP-Dienststatus (Anforderungswarteschlangenansicht):",
           "Name der Anforderungswarteschlange: Unbenannte Anforderungswarteschlange.",
           "Version: 2.0", "Status: Aktiv", "Prozess-IDs:", "Registrierte URLs:", "Prozesse:"),
    "ja": ("HTTP サービス状態のスナップショット (要求キュー ビュー):", "要求キュー名: 要求キューに名前がありません。",
           "バージョン: 2.0", "状態: アクティブ", "プロセス ID:", "登録された URL:", "プロセス:"),
}  # fmt: skip
_CODE_PAGES = {"en": "cp850", "de": "cp850", "ja": "cp932"}

HEALTHY_URLS = ("HTTP://+:5985/WSMAN/", "HTTP://+:47001/WSMAN/")
"""What http.sys serves on every server: WinRM."""


def excluded_text(description: dict[str, Any]) -> bytes:
    """`netsh interface ipv4 show excludedportrange`: `excluded_ports` are `[first, last]` or `[first, last, "*"]`."""
    locale = _locale(description)
    title, columns, note = _EXCLUDED_WORDS[locale]
    rows = [[5985, 5985], [47001, 47001], *(description.get("excluded_ports") or [])]
    lines = ["", title, "", columns, "----------    --------", *map(_row, rows), "", note, ""]
    return "\r\n".join(lines).encode(_CODE_PAGES[locale], "replace")


def queue_text(description: dict[str, Any]) -> bytes:
    """`netsh http show servicestate view=requestq`: one queue for each URL of `http_sys`."""
    locale = _locale(description)
    title, name, version, state, old_ids, urls, new_ids = _QUEUE_WORDS[locale]
    found = description.get("http_sys")
    lines = ["", title, "-" * len(title), ""]
    for number, url in enumerate(HEALTHY_URLS if found is None else found):
        # To Server 2019 bare numbers, later an id with its image: one each, so that both are read.
        ids = (
            [f"    {old_ids}", "        2264"]
            if number % 2 == 0
            else [f"    {new_ids}", r"        ID: 2688, image: C:\Windows\System32\svchost.exe"]
        )
        lines += [name, f"    {version}", f"    {state}", *ids, f"    {urls}", f"        {url}", ""]
    return "\r\n".join(lines).encode(_CODE_PAGES[locale], "replace")


def put_netsh(folder: Path, drive: Path, description: dict[str, Any]) -> None:
    """The program, as a script of the shell, which notes its call beside those of the other stand-ins.

    `denied: ["netsh"]` makes it fail; `netsh_seconds` is how long it takes.
    """
    system = drive / "Windows" / "System32"
    system.mkdir(parents=True, exist_ok=True)
    answers = {"excludedportrange": excluded_text(description), "servicestate": queue_text(description)}
    for name, text in answers.items():
        (folder / f"netsh-{name}.txt").write_bytes(text)
    note = r"""printf '{"command":"netsh.exe","arguments":{"arguments":"%s"}}\n' "$*" >> """
    wait = f"sleep {float(description['netsh_seconds'])}\n" if description.get("netsh_seconds") else ""
    denied = "exit 1\n" if "netsh" in (description.get("denied") or []) else ""
    where = shlex.quote(str(folder.resolve()))
    program = system / "netsh.exe"
    program.write_text(
        f'#!/bin/sh\nf={where}\n{note}"$f/commands.log"\n{wait}{denied}'
        'case "$*" in\n*excludedportrange*) cat "$f/netsh-excludedportrange.txt" ;;\n'
        '*servicestate*) cat "$f/netsh-servicestate.txt" ;;\n*) exit 1 ;;\nesac\n',
        encoding="utf-8",
        newline="\n",
    )
    program.chmod(0o755)


def put_signer(folder: Path, description: dict[str, Any]) -> None:
    """The certificate of whoever signed the products' programs, which names `crl` and `ocsp`; none without either."""
    lists, responders = description.get("crl") or [], description.get("ocsp") or []
    file = folder / "signer.txt"
    if lists or responders:
        file.write_text(base64.b64encode(signer(lists, responders)).decode(), encoding="ascii")
    elif file.exists():
        file.unlink()


def signer(lists: list[str], responders: list[str]) -> bytes:
    """A publisher's certificate (DER) that names these revocation lists and OCSP responders."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Octopus Deploy Pty Ltd")])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
    )
    if lists:
        points = [x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None) for url in lists]
        builder = builder.add_extension(x509.CRLDistributionPoints(points), critical=False)
    issuers = [(AuthorityInformationAccessOID.CA_ISSUERS, "http://cacerts.lab.example/publisher.crt")]
    accesses = [*((AuthorityInformationAccessOID.OCSP, url) for url in responders), *issuers]
    described = [x509.AccessDescription(method, x509.UniformResourceIdentifier(url)) for method, url in accesses]
    builder = builder.add_extension(x509.AuthorityInformationAccess(described), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _row(row: list[Any]) -> str:
    mark = f"     {row[2]}" if len(row) > 2 else ""  # noqa: PLR2004  first, last, mark
    return f"{row[0]:>10}  {row[1]:>10}{mark}"


def _locale(description: dict[str, Any]) -> str:
    locale = str(description.get("locale") or "en")
    return locale if locale in _EXCLUDED_WORDS else "en"
