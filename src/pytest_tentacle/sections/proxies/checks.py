"""Guide, "Watch out for proxy servers or SSL offloading": what is set, told apart, and whether it can be right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from pytest_tentacle.guide.consequences import INTERCEPTED
from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.entries import entries_of
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.link.hosts import plain_address, plain_host
from pytest_tentacle.logs.model import Startup
from pytest_tentacle.sections.identify.records import logs_of
from pytest_tentacle.survey.configuration import PROXY_PORT
from pytest_tentacle.survey.configuration import Proxy as Settings
from pytest_tentacle.survey.surroundings import Proxy

_BARE_HOST = re.compile(r"[^\s:/\\@?#\[\]]+")
_USES = re.compile(r"Agent will use the octopus configured proxy at (?P<host>\S+):(?P<port>\d+) for server")
_SYSTEM = re.compile(r"Agent (will use the configured|configured to use the) system proxy")
_NONE = re.compile(r"Agent will not use a proxy server")
"""What a Tentacle says of each server when it starts (Tentacle's ProxyConfigParser.cs); its log is never localised."""

_ACCOUNTS = "the proxy of its account"
_USER = re.compile(r"[^/@]*@")

_LAYERS = {
    "wininet": "Internet Options",
    "winhttp": "WinHTTP",
    "policy": "group policy",
    "environment": "environment",
    "service-environment": "the service's environment",
}


@dataclass(frozen=True)
class _Kind:
    """One of a Tentacle's two proxies: its command, the prefix of its keys, and what it is for."""

    command: str
    keys: str
    words: str


_POLLING = _Kind("polling-proxy", "Octopus.Server.Proxy", "the proxy for polling")
_WEB = _Kind("proxy", "Octopus.Proxy", "the proxy for web requests")


@check(codes=("TT601", "TT602", "TT603", "TT604"), reads=("instances", "services"))
def proxy_settings_can_be_right(subject: Subject) -> Iterator[Finding]:
    """The Tentacle's own proxy settings, for polling and for web requests, can be right.

    A listening Tentacle does not use the one for polling. Whether something on the way answers in the peer's place is
    what the step of the welcome page across the link says.
    """
    standing = subject.first_problem(INTERCEPTED, "welcome-page-across")
    if standing is not None:
        yield Blocked(standing.code, subject.name, standing.actual)
    own = subject.settings
    if subject.mode is Mode.POLLING:
        yield from _judge(subject, _POLLING, own.polling_proxy)
    yield from _judge(subject, _WEB, own.web_proxy)


@check(codes=("TT605",), reads=("instances", "services", "logs", "proxies"))
def process_uses_the_proxy_of_its_settings(subject: Subject) -> Iterator[Finding]:
    """A polling Tentacle runs with the proxy that its settings name; what else is set around it is told."""
    yield from _around(subject)
    if subject.mode is not Mode.POLLING:
        return
    configured = _meant(subject.settings.polling_proxy)
    service = subject.service
    for log in logs_of(subject):
        startup = log.startup
        if startup is None or service is None or service.pid is None or startup.pid != service.pid:
            continue
        said = _said(startup)
        evidence = tuple(
            Evidence(f"log of {subject.name}, {log.path}", f"{startup.time}: {_USER.sub('***@', line)}")
            for line in startup.proxies
        )
        yield from evidence
        if said is None or configured is None or configured in said:
            continue
        yield Problem(
            "TT605",
            subject.name,
            expected=f"it polls with {configured}, as its settings say",
            actual=f"its process polls with {' and '.join(sorted(said))}",
            evidence=evidence,
            facts={"instance": subject.instance_name, "configured": configured},
        )


def can_be_right(subject: Subject) -> bool:
    """Whether a polling Tentacle's settings name a proxy, use it, and nothing in their form stands against it."""
    proxy = subject.settings.polling_proxy
    if proxy.use_default or not proxy.host or proxy.port is None or _taken_apart(proxy.host)[0] != proxy.host:
        return False
    return _polled_there(subject, proxy.host, proxy.port) is None


def _around(subject: Subject) -> Iterator[Finding]:
    """The proxies of the service's account and of the machine, each as evidence, and whom they concern."""
    try:
        found = subject.read(FACTS.proxies)
    except Unknown as unknown:
        yield unknown
        return
    for proxy in found:
        yield Evidence(_place(proxy), _line(proxy))
    if not any(proxy.enabled for proxy in found):
        yield Evidence(f"proxies of {subject.name}", "neither its account nor the machine has one")
    elif subject.mode is Mode.POLLING and subject.settings.polling_proxy.use_default:
        yield Evidence(
            subject.instance.configuration.path,
            "UseDefaultProxy is true: a Tentacle on .NET Framework polls through the proxy of its service's account, a "
            "later one polls directly",
        )


def _judge(subject: Subject, kind: _Kind, proxy: Settings) -> Iterator[Finding]:
    path = subject.instance.configuration.path
    host = proxy.host
    if not host:
        words = "that of the service's account, if its .NET has one" if proxy.use_default else "none"
        yield Evidence(path, f"{kind.words}: {words}")
        return
    bare, port = _taken_apart(host)
    shown = _USER.sub("***@", host)
    facts = {
        "instance": subject.instance_name,
        "command": kind.command,
        "configured": shown,
        "host": bare,
        "port": port or proxy.port or PROXY_PORT,
    }
    seen = Evidence(path, f"{kind.keys}.ProxyHost = {shown}, ProxyPort = {proxy.port or 'no port number'}")
    if proxy.use_default:
        yield Problem(
            "TT603",
            subject.name,
            expected=f"{kind.keys}.UseDefaultProxy is false where ProxyHost is set",
            actual=f"UseDefaultProxy is true, so {shown} is not used",
            evidence=(seen,),
            facts=facts,
        )
    elif host != bare:
        yield Problem(
            "TT601",
            subject.name,
            expected=f"{kind.keys}.ProxyHost is the name or address of {kind.words}",
            actual=f"it is {shown}",
            evidence=(seen,),
            facts=facts,
        )
    elif proxy.port is None:
        yield Problem(
            "TT602",
            subject.name,
            expected=f"{kind.keys}.ProxyPort is the port of {kind.words}, 1 to 65535",
            actual="what stands there is no port number",
            evidence=(seen,),
            facts=facts | {"port": None},
        )
    elif kind is _POLLING and (polled := _polled_there(subject, bare, proxy.port)):
        yield Problem(
            "TT604",
            subject.name,
            expected="the proxy is another one than the server that it leads to",
            actual=f"{host}:{proxy.port} is the polled server itself, {polled}",
            evidence=(seen,),
            facts=facts,
        )
    else:
        yield Evidence(path, f"{kind.words}: {host}:{proxy.port}")


def _taken_apart(host: str) -> tuple[str, int | None]:
    """The bare host that a text means, and the port in it. The same text comes back where it is bare already."""
    if _BARE_HOST.fullmatch(host) or plain_address(host):
        return host, None
    text = host.strip()
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        port = parts.port
    except ValueError:
        return "", None
    return parts.hostname or "", port


def _polled_there(subject: Subject, host: str, port: int) -> str | None:
    for entry in entries_of(subject.settings):
        if not entry.is_web_socket and entry.port == port and plain_host(entry.host) == plain_host(host):
            return entry.address
    return None


def _meant(proxy: Settings) -> str | None:
    """What a start by these settings would come to; None where they are wrong."""
    if proxy.use_default:
        return _ACCOUNTS
    if not proxy.host:
        return "no proxy"
    return _through(proxy.host, proxy.port) if proxy.port else None


def _said(startup: Startup) -> set[str] | None:
    """What the process said it would use, by server; None where it said nothing of it."""
    said: set[str] = set()
    for line in startup.proxies:
        if found := _USES.search(line):
            said.add(_through(found["host"], int(found["port"])))
        elif _SYSTEM.search(line):
            said.add(_ACCOUNTS)
        elif _NONE.search(line):
            said.add("no proxy")
    return said or None


def _through(host: str, port: int) -> str:
    return f"proxy {_USER.sub('***@', plain_host(host))}:{port}"


def _place(proxy: Proxy) -> str:
    return f"{_LAYERS[proxy.layer]} of {proxy.account or 'the machine'}"


def _line(proxy: Proxy) -> str:
    parts = [f"proxy {proxy.address}"] if proxy.address else []
    parts += [f"by the script {proxy.pac}"] if proxy.pac else []
    parts += [f"not for {proxy.bypass}"] if proxy.bypass and parts else []
    words = ", ".join(parts) or "no proxy"
    return words if proxy.enabled or not parts else f"{words}, switched off"
