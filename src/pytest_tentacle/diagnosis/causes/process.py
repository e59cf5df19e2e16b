"""Where a process lives by something else than its settings: what it read at its start, its account's proxy."""

from __future__ import annotations

import re
from dataclasses import replace

from pytest_tentacle.diagnosis.from_problem import from_problem, told
from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.commands import AGAIN, RESTART_LINUX, RESTART_WINDOWS, tentacle, when
from pytest_tentacle.guide.consequences import ACROSS, BROKEN_TRUST, PROXIED, STARTLESS, UNCONNECTED
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.thumbprints import as_thumbprint
from pytest_tentacle.link import By
from pytest_tentacle.logs.model import LogFile, Startup
from pytest_tentacle.sections.account.rights import MODIFY, has_rights
from pytest_tentacle.survey.surroundings import Proxy

_DIRECT = tentacle('polling-proxy --instance "<instance>" --proxyEnable False', AGAIN)
_REFUSED = frozenset({"TT118", "TT119"})
_PROXY_HOST = re.compile(r"proxy host (?P<host>[^\s:/]{1,253}) on port")


def _last_start(view: View) -> tuple[LogFile, Startup] | None:
    """The start of the process that runs now, as it told of it itself; None where its log does not reach back."""
    logs = view.survey.logs.data if view.survey else None
    pid = view.service.pid if view.service else None
    for log in logs or ():
        own = log.instance.lower() == view.subject.instance_name.lower() and log.product == view.subject.product
        if own and log.startup is not None and pid is not None and log.startup.pid == pid:
            return log, log.startup
    return None


def _trusted_now(view: View) -> frozenset[str]:
    """By the configuration file; empty where it could not be read."""
    try:
        entries = view.subject.settings.trusted
    except (Unknown, Blocked):
        return frozenset()
    polling = view.subject.mode is Mode.POLLING
    found = (as_thumbprint(entry.thumbprint) for entry in entries if entry.polls or not polling)
    return frozenset(filter(None, found))


def trusts_as_before(view: View, _problem: Problem) -> Clue | None:
    """The file trusts a server of its by now, which the process, by its own words at its start, does not."""
    started = _last_start(view)
    if view.is_server or started is None:
        return None
    log, startup = started
    texts = (*startup.trusted, *(server.thumbprint for server in startup.polls))
    at_start = {thumbprint for text in texts if (thumbprint := as_thumbprint(text))}
    if not at_start and not startup.trusts_nobody:
        return None
    expected = {as_thumbprint(view.scene.view(peer).subject.expected_thumbprint) for peer in view.peers}
    missed = sorted((_trusted_now(view) - at_start).intersection(filter(None, expected)))
    if not missed:
        return None
    before = ", ".join(sorted(at_start)) or "nobody"
    return Clue(
        facts={"thumbprint": missed[0], "before": before},
        evidence=(
            Evidence(f"log of {view.name}, {log.path}", f"at its start ({startup.time}) it trusted {before}"),
            Evidence(view.subject.instance.configuration.path, f"trusts {missed[0]} by now"),
        ),
    )


def _account_proxy(view: View) -> Proxy | None:
    """The proxy of the service's own account; None where the settings name one, or the whole machine has one."""
    try:
        own = view.subject.settings.polling_proxy
    except (Unknown, Blocked):
        return None
    proxies = view.survey.proxies.data if view.survey else None
    account = (view.service.account or "").lower() if view.service else ""
    on = [proxy for proxy in proxies or () if proxy.enabled and (proxy.address or proxy.pac)]
    if own.host or not own.use_default or not account or any(proxy.account is None for proxy in on):
        return None
    return next((proxy for proxy in on if (proxy.account or "").lower() == account), None)


def _one_account(view: View, _problem: Problem) -> Clue | None:
    """The survey's account, which has no such proxy, reaches the server from the same machine."""
    proxy = _account_proxy(view)
    if proxy is None or view.subject.mode is not Mode.POLLING:
        return None
    survey = view.survey
    reached = (
        next((probe for probe in survey.probes if probe.shows_page and probe.by is not By.LOCAL), None)
        if survey
        else None
    )
    if reached is None:
        return None
    return Clue(
        facts={"account": proxy.account, "proxy": proxy.address or proxy.pac},
        evidence=(
            Evidence(f"proxies of {view.name}", f"of {proxy.account}: {proxy.address or proxy.pac} ({proxy.layer})"),
            Evidence(f"probe on {view.name}", f"without a proxy, https://{reached.host}:{reached.port} shows its page"),
        ),
    )


def _past_its_proxy(view: View, problem: Problem) -> Clue | None:
    """A poller that is set to go through a proxy, and whose own log tells of the server's address instead."""
    try:
        proxy, file = view.subject.settings.polling_proxy, view.subject.instance.configuration
    except (Unknown, Blocked):
        return None
    started, server = _last_start(view), view.server_of(problem)
    if view.subject.mode is not Mode.POLLING or not proxy.host or proxy.use_default or server is None:
        return None
    addresses = view.scene.view(server).subject.known_addresses
    told_of = " ".join(each.text for each in problem.evidence)
    if problem.facts.get("vantage") or not any(f"{each}:" in told_of or f"{each}]:" in told_of for each in addresses):
        return None
    if started is not None and any(proxy.host in line for line in started[1].proxies):
        return None  # it said at its start that it goes through it
    since = view.service.started_utc if view.service else None
    changed = since is not None and file.modified_utc is not None and file.modified_utc > since
    clue = told(view, problem)
    return replace(clue, facts=clue.facts | {"proxy": proxy.host, "changed": changed, "unchanged": not changed})


def _holds_none(view: View, problem: Problem) -> Clue | None:
    """Less sure where its log tells of a failure that is not known."""
    clue = told(view, problem)
    if "TT131" not in view.codes:
        return clue
    return replace(
        clue,
        confidence=Confidence.POSSIBLE,
        unsure="The log tells of a failure that is not known here: read what it says of {who} first.",
    )


def proxy_not_found(view: View, problem: Problem) -> Clue | None:
    """What its log says literally: the proxy's name does not resolve."""
    if problem.facts.get("signature") != "proxy-name-unknown":
        return None
    named = _PROXY_HOST.search(str(problem.facts.get("words")))
    clue = told(view, problem)
    host = named["host"] if named else ""
    return replace(clue, facts=clue.facts | ({"proxy": host} if host else {}) | _who_set_it(view, host))


def _who_set_it(view: View, host: str) -> dict[str, object]:
    """Where the name comes from, as far as the survey read it; its own settings where nothing else has it."""
    try:
        by_settings = (view.subject.settings.polling_proxy.host or "").lower() == host.lower()
    except (Unknown, Blocked):
        by_settings = False
    proxies = view.survey.proxies.data if view.survey else None
    found = [] if by_settings or not host else [each for each in proxies or () if each.enabled]
    found = [each for each in found if host.lower() in (each.address or each.pac or "").lower()]
    layer = found[0].layer if found else None
    facts: dict[str, object] = {"by_settings": not found, "by_variable": False, "by_options": False, "whose": ""}
    if layer in _VARIABLES:
        return facts | {
            "by_variable": True,
            "whose": f", from a variable of the {_VARIABLES[layer]}, such as HTTPS_PROXY",
        }
    if layer is not None:
        owner = found[0].account or "the machine"
        return facts | {"by_options": True, "whose": f", from the Internet options of {owner}"}
    return facts


_READ_AT_START = "The settings were changed after the service had started. Restart it:"
_UPGRADE_3_4 = (
    "Upgrade the Tentacle if it is a 3.4: versions of September 2016 register through the proxy that they are set to "
    "and do not use it to poll. No firewall has to be opened for the direct way. What is set:"
)

_SHOW_PROXY = tentacle('show-configuration --instance "<instance>"')
_VARIABLES = {
    "environment": "machine (HTTPS_PROXY and its kin)",
    "service-environment": "service (HTTPS_PROXY and its kin)",
}
_VARIABLE = (
    "The name comes from a variable of the environment, which a Tentacle on .NET takes for the system's proxy, before "
    "any other. Correct it or remove it where it is set, or exempt the server (NO_PROXY), then restart the service:"
)
_OPTIONS = (
    "The name comes from the Internet options, which a Tentacle takes for the system's proxy. Correct it there, for "
    "the account that the service runs as, then restart the service. What the Tentacle itself has set:"
)
_OF_THE_MACHINE = "HKLM:\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment"
_MACHINE_VARIABLES = f"$ Get-ItemProperty '{_OF_THE_MACHINE}' | Select-Object *_proxy"
_RIGHT_NAME = "Correct the proxy's host name (polling-proxy --proxyHost), or its record in DNS; to see what is set:"


def _denied_all_the_same(view: View, problem: Problem) -> Clue | None:
    """Below a home on which its account has all rights, by the access lists of all that lies there (Windows)."""
    path = str(problem.facts.get("path") or "").lower()
    sections = view.survey.permissions.data if view.survey is not None and view.system == "windows" else None
    for rights in sections or ():
        own = rights.instance.lower() == view.subject.instance_name.lower() and rights.product == view.subject.product
        listed = [each for each in rights.access if each.entries is not None]
        if not own or not path.startswith(rights.home.lower().rstrip("\\") + "\\") or not rights.complete:
            continue
        if listed and len(listed) == len(rights.access) and all(has_rights(each, rights, MODIFY) for each in listed):
            told = f"{rights.account} has all rights on {rights.home} and what is below it"
            facts = {"account": rights.account, "home": rights.home}
            return Clue(facts=facts, evidence=(Evidence(f"rights on {view.name}", told),), unsure=_NO_LIST_TELLS)
    return None


_NO_LIST_TELLS = "A read-only file, or one about to be deleted, is refused in the same words: look at {path} itself."
_DEFENDERS_WORD = (
    "$ Get-WinEvent -LogName 'Microsoft-Windows-Windows Defender/Operational' -MaxEvents 20 -ErrorAction Ignore"
)

PROCESS: tuple[CauseKind, ...] = (
    CauseKind(
        "TC1261",
        "Something besides its rights keeps the service from a file",
        "According to the log, the service of {who} may not read or write {path}, though its account ({account}) has "
        "all rights there by the access lists: a security product keeps it out, as Defender's controlled folder access "
        "does with programs that it does not know.",
        frozenset({"TT126"}),
        (
            (
                "More rights would change nothing. See what the security product wrote (Defender: 1123), and have "
                "those who manage it let the Tentacle's programs write there; switch nothing off for it:"
            ),
            _DEFENDERS_WORD,
            '$ Get-Item -LiteralPath "<path>" -Force -ErrorAction Ignore | Select-Object Mode, LastWriteTime',
        ),
        ("This concerns Windows only. See who may read and write it:", '$ ls -la "<path>"'),
        _denied_all_the_same,
        consequences=STARTLESS | {"TT203", "TT202"},
        fold_by=("home",),
        rank=19,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC1184",
        "The name of the proxy does not resolve",
        "According to the log, {who} cannot resolve the name of the proxy that it is set to poll through "
        "({proxy}{whose}).",
        frozenset({"TT118"}),
        (
            *when("by_settings", _RIGHT_NAME, *_SHOW_PROXY[0]),
            *when("by_variable", _VARIABLE, _MACHINE_VARIABLES),
            *when("by_options", _OPTIONS, *_SHOW_PROXY[0]),
            '$ Resolve-DnsName "<proxy>"',
        ),
        (
            *when("by_settings", _RIGHT_NAME, *_SHOW_PROXY[1]),
            *when("by_variable", _VARIABLE, '$ systemctl show "<service>" -p Environment'),
            '$ getent ahosts "<proxy>"',
        ),
        proxy_not_found,
        consequences=UNCONNECTED,
        echoes=ACROSS,
        fold_by=("proxy",),
        rank=34,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC1032",
        "The running process still trusts the old thumbprint",
        "The settings of {who} now trust the server ({thumbprint}), but the running process still trusts "
        "{before}: it was not restarted.",
        BROKEN_TRUST,
        ("Restart the service:", RESTART_WINDOWS),
        ("Restart the service:", RESTART_LINUX),
        trusts_as_before,
        consequences=frozenset({"TT106", "TT109", "TT131", "TT144"}),
        fold_by=("before",),
        rank=25,
    ),
    CauseKind(
        "TC1081",
        "The process does not use the proxy that it is set to",
        "{who} {is} set to poll through the proxy {proxy}, and according to {its} log the process connects to {server} "
        "directly, without it.",
        frozenset({"TT108", "TT107", "TT133"}),
        (*when("unchanged", _UPGRADE_3_4, *_SHOW_PROXY[0]), *when("changed", _READ_AT_START, RESTART_WINDOWS)),
        (*when("unchanged", _UPGRADE_3_4, *_SHOW_PROXY[1]), *when("changed", _READ_AT_START, RESTART_LINUX)),
        _past_its_proxy,
        consequences=UNCONNECTED,
        echoes=ACROSS,
        fold_by=("proxy",),
        rank=34,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC1183",
        "The service account's own proxy is in the way",
        "The account {account}, as which the service of {who} runs, has a proxy of its own ({proxy}), which does not "
        "let the Tentacle through; other accounts of the machine reach the server without one.",
        _REFUSED,
        ("Let the Tentacle poll without its account's proxy, or have the proxy allow the port:", *_DIRECT[0]),
        ("Let the Tentacle poll without its account's proxy, or have the proxy allow the port:", *_DIRECT[1]),
        _one_account,
        consequences=(PROXIED | {"TT553"}) - _REFUSED,
        echoes=ACROSS,
        fold_by=("proxy",),
        rank=25,
        told_apart_by=frozenset({"probes"}),
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC5511",
        "TT551",
        "The server hangs up on a polling Tentacle",
        "The path from {who} to {its} server is open, but the Tentacle's process holds no connection: the server "
        "does not trust its thumbprint, the machine is disabled or deleted in the portal, the process is stuck, or "
        "something of its own machine keeps it, and no other, from connecting (an agent of security).",
        match=_holds_none,
        consequences=frozenset({"TT115"}),
        fold_by=("server",),
        rank=40,
        confidence=Confidence.LIKELY,
    ),
)
