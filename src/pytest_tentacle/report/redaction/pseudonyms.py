"""Stable false names for hosts, users and addresses, so that strangers can be shown a report and understand it.

Equality is kept (one real name, one false name, whatever its case), and so are subnets: two addresses that share their
first n bits share the first n bits of their false ones (the scheme of Crypto-PAn, keyed with HMAC-SHA-256).
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import ntpath
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterable

from pytest_tentacle.hiding.words import words_pattern

from .belonging import Belongings, telling_labels

_PRODUCT_WORDS = frozenset(
    {"octopus", "tentacle", "octopusdeploy", "server", "localhost", "windows", "linux", "default"}
)
"""Never taken for a name: as a name they tell nothing, and without them no sentence could be read."""

_WELL_KNOWN_USERS = frozenset(
    {
        *("root", "nobody", "system", "localsystem", "local system", "networkservice", "network service"),
        *("localservice", "local service", "administrator", "administrators", "nt authority", "nt service"),
        *("builtin", "public", "default", "admin", "daemon", "debian", "ec2-user", "everyone", "guest", "sudo"),
        *("ubuntu", "user", "users", "vagrant", "wheel", "workgroup"),
    }
)

_TOP_LEVELS = frozenset({"com", "net", "org", "edu", "gov", "mil", "int", "info", "biz", "cloud", "app", "dev", "io"})
"""A host's domain is never one of these alone, nor a country's two letters: `contoso.com` is a domain itself."""

_PUBLIC = ("octopus.com", "microsoft.com", "windowsupdate.com", "digicert.com", "w3.org", "xmlsoap.org", "ietf.org")
"""Whoever names these says nothing of himself, and links must work."""

_KEPT = tuple(
    ipaddress.ip_network(text)
    for text in ("127.0.0.0/8", "0.0.0.0/32", "255.0.0.0/8", "224.0.0.0/4", "::1/128", "::/128", "ff00::/8")
)
_CLASSES = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "100.64.0.0/10",
        "fe80::/10",
        "fc00::/7",
    )
)
"""Networks whose members stay in them: a private address stays a private one."""

_FIXED = frozenset(
    (network.version, length, int(network.network_address) >> (network.max_prefixlen - length))
    for network in (*_KEPT, *_CLASSES)
    for length in range(network.prefixlen)
)
"""Beginnings on the way to those networks: what follows them is never turned, so that nobody gets in or out."""

_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_IPV4 = re.compile(
    rf"(?<![\w.-])(?P<version>(?:[vV]|[vV]ersion[ =:]+))?(?P<ip>{_OCTET}(?:\.{_OCTET}){{3}})"
    r"(?:/(?P<bits>\d{1,2}))?(?![\w-]|\.\w)"
)
_IPV6 = re.compile(
    r"(?<![\w:.])(?P<ip>(?=[0-9a-fA-F]*:[0-9a-fA-F:]*:)[0-9a-fA-F:]{2,39})(?:/(?P<bits>\d{1,3}))?(?![\w:.])"
)
_HOME = re.compile(r"(?i)(?:[a-z]:\\+users\\+|/home/)([\w.$-]+)")
_ACCOUNT = re.compile(r"(?<![\w\\.-])([\w.-]+)\\+([\w.$-]+)")
_MAIL = re.compile(r"(?<![\w.+-])([\w.+-]+)@([A-Za-z0-9][\w-]*(?:\.[\w-]+)+)")
_FQDN = re.compile(r"(?<![\w.-])[A-Za-z0-9_](?:[\w-]*\w)?(?:\.[A-Za-z0-9_](?:[\w-]*\w)?)+(?![\w-])")


_LONGEST_NAME = 253
"""Letters of a name in the DNS (RFC 1035, 2.3.4)."""


class Pseudonyms:
    """False names, made as real ones turn up. `key`: the same key gives the same addresses in another run."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(32)
        self._hosts: dict[str, str] = {}
        self._domains: dict[str, str] = {}
        self._users: dict[str, str] = {}
        self._files: dict[str, str] = {}
        self._addresses: dict[str, str] = {}
        self._flips: dict[tuple[int, int, int], int] = {}
        self._names: re.Pattern[str] | None = None
        self._shown: dict[str, str] = {}
        self._numbers: Counter[str] = Counter()
        self._belongings = Belongings()
        self._labels: dict[str, str] = {}

    def learn(
        self,
        hosts: Iterable[str] = (),
        users: Iterable[str] = (),
        files: Iterable[tuple[str, str]] = (),
        texts: Iterable[str] = (),
        groups: Iterable[str] = (),
    ) -> None:
        """Names to be replaced wherever they stand as a word. Host names with their domain teach the domain as well.

        `files` are paths with what is shown instead: a folder, or a file's name, may tell who somebody is. `texts` may
        show names that are nowhere else.
        """
        for path, shown in files:
            self._files.setdefault(path, shown)
            self._files.setdefault(ntpath.basename(path), shown)
        for host in hosts:
            self._learn_host(host.strip().rstrip(".").lower())
        for user in users:
            self._learn_user(user.strip())
        for group in groups:
            if group.lower() not in self._hosts and group.lower() not in self._users:
                self._belongings.learn_group(group)
        self._names = None
        for text in texts:
            self._learn_from(text)

    def apply(self, text: str, count: Callable[[str], None]) -> str:
        """The text with false names; `count` is told each replacement's kind."""
        self._learn_from(text)
        text = self._belongings.apply(text, self.address, count)
        if self._hosts or self._users or self._files or self._belongings.groups:
            text = self._pattern().sub(lambda match: self._name(match[0], count), text)
        if ":" in text:
            text = _IPV6.sub(lambda match: self._address_in(match, count), text)
        if "." in text:
            text = _IPV4.sub(lambda match: self._address_in(match, count), text)
        return text

    def _learn_from(self, text: str) -> None:
        """Names that nobody declared, told by what stands around them."""
        users = _HOME.findall(text)
        if "@" in text:
            for user, host in _MAIL.findall(text):
                users.append(user)
                if not _is_public(host.lower()):
                    self._learn_domain(host.lower())
        if "\\" in text:
            users += [user for domain, user in _ACCOUNT.findall(text) if domain.lower() in self._users]
        for user in users:
            self._learn_user(user)
        if self._domains and "." in text:
            for match in _FQDN.finditer(text):
                self._learn_below(match[0].lower())

    def address(self, text: str, bits: int | None = None) -> str:
        """An address's false one; with `bits`, a network's, whose host bits stay. Raises ValueError for no address."""
        if bits is None and text in self._addresses:
            return self._addresses[text]
        real = ipaddress.ip_address(text)
        if any(real.version == kept.version and real in kept for kept in _KEPT):
            return text
        width = real.max_prefixlen
        value = int(real)
        result = 0
        for position in range(width):
            bit = value >> (width - 1 - position) & 1
            result = result << 1 | (bit ^ self._flip(real.version, position, value >> (width - position)))
        if bits is not None and bits <= width:
            host = (1 << (width - bits)) - 1
            result = result & ~host | value & host
        false = str(type(real)(result))
        self._addresses[text] = false
        return false

    def mapping(self) -> dict[str, dict[str, str]]:
        """Real name -> false name, by kind; for the private file."""
        return {
            "hosts": dict(self._hosts),
            "domains": dict(self._domains),
            "users": dict(self._users),
            "files": dict(self._files),
            "addresses": dict(self._addresses),
            "groups": dict(self._belongings.groups),
            "units": dict(self._belongings.units),
            "security identifiers": dict(self._belongings.sids),
            "labels": dict(self._labels),
        }

    def _flip(self, version: int, position: int, prefix: int) -> int:
        if (version, position, prefix) in _FIXED:
            return 0
        known = self._flips.get((version, position, prefix))
        if known is None:
            message = f"{version}/{position}/{prefix}".encode()
            known = hmac.digest(self._key, message, hashlib.sha256)[0] & 1
            self._flips[version, position, prefix] = known
        return known

    def _next(self, kind: str) -> str:
        self._numbers[kind] += 1
        return f"{kind}-{self._numbers[kind]:03d}"

    def _learn_host(self, host: str) -> None:
        label, _, domain = host.partition(".")
        if not label or host in self._hosts or host in self._domains or _is_address(host) or _is_public(host):
            return
        if _is_top_level(domain):
            self._learn_domain(host)
            return
        self._names = None
        known = label in _PRODUCT_WORDS
        if not known and label not in self._hosts:
            self._hosts[label] = self._next("host")
        if domain:
            self._learn_domain(domain)
            self._hosts[host] = f"{label if known else self._hosts[label]}.{self._domains[domain]}"

    def _learn_domain(self, domain: str) -> None:
        if domain not in self._domains:
            self._domains[domain] = f"domain-{len(self._domains) + 1}.example"
            for label in telling_labels(domain):
                if label not in _PRODUCT_WORDS:
                    self._labels.setdefault(label, f"domain-{len(self._domains)}")
            self._names = None

    def _learn_user(self, user: str) -> None:
        for part in re.split(r"[\\@/]", user):
            word = part.strip().lower()
            known = word in _WELL_KNOWN_USERS or word in _PRODUCT_WORDS or word in self._hosts or word in self._users
            if len(word) > 1 and not known and word not in self._domains and not word.startswith("s-1-"):
                self._users[word] = self._next("user")
                self._names = None

    def _learn_below(self, name: str) -> None:
        """A host not met before, below a known domain, becomes known."""
        if len(name) > _LONGEST_NAME:
            return
        domain = name.partition(".")[2]
        while domain:
            if domain in self._domains and name not in self._hosts and name not in self._domains:
                self._hosts[name] = f"{self._next('host')}.{self._domains[domain]}"
                self._names = None
            domain = domain.partition(".")[2]

    def _pattern(self) -> re.Pattern[str]:
        """A domain of one label, such as `lab`, is one only behind a dot, and not where a file's name goes on."""
        if self._names is None:
            short = [f".{domain}" for domain in self._domains if "." not in domain]
            long = [domain for domain in self._domains if "." in domain]
            others = [*self._belongings.groups, *self._labels, *(path.lower() for path in self._files)]
            words = words_pattern([*self._hosts, *long, *self._users, *others])
            behind = rf"|(?<=[\w*]){words_pattern(short)}(?![A-Za-z0-9-]|\.\w)" if short else ""
            self._names = re.compile(rf"(?i)(?<![A-Za-z0-9]){words}(?![A-Za-z0-9]){behind}")
            self._shown = {path.lower(): shown for path, shown in self._files.items()}
        return self._names

    def _name(self, found: str, count: Callable[[str], None]) -> str:
        word = found.lower()
        if word.startswith(".") and word[1:] in self._domains:
            count("host name")
            return f".{self._domains[word[1:]]}"
        kinds = (
            ("file name", self._shown),
            ("host name", self._hosts),
            ("host name", self._domains),
            ("user name", self._users),
            ("group name", self._belongings.groups),
            ("host name", self._labels),
        )
        for kind, names in kinds:
            if word in names:
                count(kind)
                return names[word]
        return found

    def _address_in(self, match: re.Match[str], count: Callable[[str], None]) -> str:
        groups = match.groupdict()
        if groups.get("version"):
            return match[0]
        bits = int(groups["bits"]) if groups["bits"] else None
        try:
            false = self.address(groups["ip"], bits)
        except ValueError:
            return match[0]
        if false != groups["ip"]:
            count("address")
        return false + (f"/{groups['bits']}" if groups["bits"] else "")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_top_level(domain: str) -> bool:
    return domain in _TOP_LEVELS or (len(domain) == 2 and domain.isalpha())  # noqa: PLR2004  a country's


def _is_public(host: str) -> bool:
    return any(host == public or host.endswith(f".{public}") for public in _PUBLIC)
