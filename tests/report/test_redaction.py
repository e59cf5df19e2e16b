"""Redaction: secrets in all forms, names that stay themselves, and text that stays readable."""

from __future__ import annotations

import base64
import html
import ipaddress
import json
import time
import urllib.parse

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from hypothesis import given
from hypothesis import strategies as st

from pytest_tentacle.report.redaction.redactor import Redactor
from support import runs

SECRET = "pä\"ss<w&rd'7\\x"


class TestKnownSecrets:
    """A secret of the inventory is removed in whatever form it was written down."""

    @pytest.mark.parametrize(
        "written",
        [
            SECRET,
            base64.b64encode(SECRET.encode()).decode(),
            base64.b64encode(SECRET.encode("utf-16-le")).decode(),
            base64.b64encode(f"svc:{SECRET}".encode()).decode(),
            base64.b64encode(f"svc1:{SECRET}!".encode()).decode(),
            base64.b64encode(f"svc12:{SECRET}".encode()).decode(),
            urllib.parse.quote(SECRET),
            urllib.parse.quote(SECRET, safe=""),
            urllib.parse.quote_plus(SECRET).lower(),
            json.dumps(SECRET),
            json.dumps(SECRET, ensure_ascii=False),
            json.dumps(json.dumps(SECRET)),
            html.escape(SECRET),
            html.escape(SECRET).replace("&quot;", "&#34;").replace("&#x27;", "&#39;"),
            repr(SECRET),
        ],
    )
    def test_every_form(self, written):
        """No form of the secret, nor the bulk of it, is left."""
        clean = Redactor([SECRET]).text(f"before {written} after")
        assert "[removed: secret]" in clean
        assert clean.startswith("before")
        assert clean.endswith("after")
        assert written not in clean

    def test_a_short_secret_goes_as_a_word_only(self):
        """A secret of one letter does not eat the report."""
        clean = Redactor(["a"]).text("a banana a")
        assert clean == "[removed: secret] banana [removed: secret]"

    def test_the_longest_of_two_wins(self):
        """Where one secret begins another, nothing of the longer one is left."""
        assert Redactor(["hunter2", "hunter2-and-more"]).text("hunter2-and-more") == "[removed: secret]"

    def test_no_secrets_change_nothing(self):
        """An ordinary sentence stays as it is."""
        sentence = "Service OctopusDeploy Tentacle is running as LocalSystem, pid 1234, since 2026-11-20 03:04:05Z."
        assert Redactor().text(sentence) == sentence

    @given(st.text(min_size=6, max_size=30), st.text(alphabet="abc ", max_size=10))
    def test_any_secret_is_gone_from_any_text(self, secret, rest):
        """Whatever the secret, it does not come through."""
        if not secret.strip() or secret in "[removed: secret]" + rest:
            return
        assert secret not in Redactor([secret]).text(f"{rest}{secret}{rest}")


def _pfx() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    blob = pkcs12.serialize_key_and_certificates(b"n", key, None, None, serialization.NoEncryption())
    return base64.b64encode(blob).decode()


def _der_key(kind: serialization.PrivateFormat) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    raw = key.private_bytes(serialization.Encoding.DER, kind, serialization.NoEncryption())
    return base64.encodebytes(raw).decode()


class TestShapes:
    """What nobody told us of is known by its shape."""

    @pytest.mark.parametrize(
        ("text", "canary"),
        [
            ("use API-ABCDEFGH1234 now", "ABCDEFGH1234"),
            ("https://svc:c4nary@octo-1/api", "c4nary"),
            ("Server=db;User Id=sa;Password=c4 nary x;Database=y", "c4 nary x"),
            ("Pwd='c4;nary';Server=db", "c4;nary"),
            ("Authorization: Basic c4nary==", "c4nary"),
            ('Authorization: Digest username="x", response="c4nary"', "c4nary"),
            ("Cookie: a=1; session=c4nary", "c4nary"),
            ("Set-Cookie: OctopusIdentificationToken=c4nary; HttpOnly", "c4nary"),
            ("X-Octopus-ApiKey: c4nary", "c4nary"),
            ("authenticate with bearer c4nary0123456789", "c4nary0123456789"),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjNG5hcnkifQ.c4nary", "c4nary"),
            ("Tentacle.exe register-with --password c4nary --name x", "c4nary"),
            ('Tentacle.exe register-with --password="c4 nary" --name x', "c4 nary"),
            ("tool /password:c4nary", "c4nary"),
            ("--apiKey=c4nary", "c4nary"),
            ("ProxyPassword=c4nary", "c4nary"),
            ("password: c4nary", "c4nary"),
            ('<set key="Octopus.Proxy.ProxyPassword">c4nary</set>', "c4nary"),
            ("&lt;set key=&quot;Octopus.Proxy.ProxyPassword&quot;&gt;c4nary&lt;/set&gt;", "c4nary"),
            ('<set key="Tentacle.Certificate">c4nary</set>', "c4nary"),
            ('{"Tentacle.Certificate": "c4nary"}', "c4nary"),
            ("Tentacle.Certificate = c4nary", "c4nary"),
            ('{"masterKey":"c4nary"}', "c4nary"),
            ("-----BEGIN RSA PRIVATE KEY-----\nc4nary\n-----END RSA PRIVATE KEY-----", "c4nary"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nc4nary and cut off", "c4nary"),
            ("-----BEGIN PRIVATE KEY-----\\nc4nary\\n-----END PRIVATE KEY-----", "c4nary"),
        ],
    )
    def test_the_canary_is_gone(self, text, canary):
        """The secret part goes; something says so."""
        clean = Redactor().text(text)
        assert canary not in clean
        assert "[removed: " in clean

    @pytest.mark.parametrize(
        "make",
        [
            _pfx,
            lambda: _der_key(serialization.PrivateFormat.PKCS8),
            lambda: _der_key(serialization.PrivateFormat.TraditionalOpenSSL),
        ],
    )
    def test_key_material_in_base64(self, make):
        """A PFX or a key without its PEM lines goes as a whole."""
        blob = make()
        clean = Redactor().text(f"found {blob} there")
        assert clean.split() == ["found", "[removed:", "private", "key]", "there"]

    def test_a_public_certificate_stays(self, make_certificate):
        """What stands in a certificate is evidence, not a secret: base64 in a log, or decoded."""
        raw = runs.certificate_of()
        assert Redactor().text(raw) == raw
        told = make_certificate("Octopus Tentacle").model_dump(mode="json")
        assert Redactor(pseudonyms=True).value(told) == told

    @pytest.mark.parametrize(
        "text",
        [
            '"Tentacle.CertificateThumbprint">AB12</set>',
            "The password must not be empty",
            "https://octo-1:10943/path?mail=a@b",
            "token expected",
            "Basic authentication is refused over HTTP",
            '$ Tentacle polling-proxy --proxyPassword "<password>" --proxyUsername "<user>"',
        ],
    )
    def test_what_only_looks_like_one_stays(self, text):
        """Words about passwords are no passwords."""
        assert Redactor().text(text) == text


class TestValue:
    """JSON-like values keep their shape."""

    def test_shape_and_keys(self):
        """Members are cleaned where they stand; what a secret's name stands before goes whole."""
        redactor = Redactor(["hunter22"])
        value = {
            "a": ["hunter22", 1, None, True],
            "password": "x y",
            "nested": {"Octopus.Proxy.ProxyPassword": "z", "port": "10933"},
            "empty": {"password": ""},
        }
        assert redactor.value(value) == {
            "a": ["[removed: secret]", 1, None, True],
            "password": "[removed: setting]",
            "nested": {"Octopus.Proxy.ProxyPassword": "[removed: setting]", "port": "10933"},
            "empty": {"password": ""},
        }

    def test_json_text_stays_json(self):
        """A document is cleaned value by value, so that what is removed cannot take its quotation marks along."""
        document = json.dumps({"log": 'Authorization: Basic abc"', "next": "password=x"})
        assert json.loads(Redactor().json_text(document)) == {
            "log": "Authorization: [removed: header]",
            "next": "password=[removed: argument]",
        }

    def test_kept_words(self):
        """What a program reads is left alone where asked."""
        assert Redactor(["failed"]).value({"outcome": "failed", "text": "failed"}, frozenset({"outcome"})) == {
            "outcome": "failed",
            "text": "[removed: secret]",
        }

    def test_summary_counts_each_time(self):
        """Counts are of occurrences, also of a text that was seen before."""
        redactor = Redactor(["hunter22"])
        for _ in range(3):
            redactor.text("hunter22 and --password x")
        assert redactor.summary() == {"argument": 3, "secret": 3}


class TestPseudonyms:
    """False names keep equality and neighbourhood."""

    @pytest.fixture
    def redactor(self) -> Redactor:
        redactor = Redactor(pseudonyms=True, key=b"k" * 32)
        redactor.learn(["web-01.corp.example.com", "octo-1", "web-1"], [r"CORP\svc-octopus"])
        return redactor

    def test_neighbours_stay_neighbours(self, redactor):
        """10.4.1.7 and 10.4.1.9 stay in one /24, and 10.5.1.7 stays out of it; all stay private."""
        first, second, third = redactor.text("10.4.1.7 10.4.1.9 10.5.1.7").split()
        network = ipaddress.ip_network(f"{first}/24", strict=False)
        assert ipaddress.ip_address(second) in network
        assert ipaddress.ip_address(third) not in network
        assert first != "10.4.1.7"
        assert all(ipaddress.ip_address(address).is_private for address in (first, second, third))

    @given(st.ip_addresses(v=4), st.ip_addresses(v=4))
    def test_any_two_share_as_many_bits_as_before(self, one, other):
        """Prefix-preserving: for public addresses, exactly as long a common beginning."""
        redactor = Redactor(pseudonyms=True, key=b"k" * 32)
        if not (one.is_global and other.is_global):
            return

        def shared(first, second):
            return 32 - (int(first) ^ int(second)).bit_length()

        false = [ipaddress.ip_address(redactor.text(str(address))) for address in (one, other)]
        assert shared(*false) == shared(one, other)

    def test_ipv6(self, redactor):
        """IPv6 likewise, with its zone; loopback stays."""
        first, second = redactor.text("2001:db8:1::7 2001:db8:1::9").split()
        assert first != "2001:db8:1::7"
        assert ipaddress.ip_network(f"{first}/64", strict=False) == ipaddress.ip_network(f"{second}/64", strict=False)
        assert redactor.text("::1 fe80::1%eth0").startswith("::1 fe")
        assert "%eth0" in redactor.text("fe80::1%eth0")

    @pytest.mark.parametrize(
        "text",
        ["127.0.0.1", "127.3.2.1", "0.0.0.0", "255.255.255.0", "::1", "localhost", "version 6.3.1.0", "12:34:56"],
    )
    def test_what_stays(self, redactor, text):
        """Loopback, any-address, masks, versions and times are no names."""
        assert redactor.text(text) == text

    def test_networks_stay_networks(self, redactor):
        """The host bits of a network stay zero."""
        assert ipaddress.ip_network(redactor.text("10.4.0.0/16"))

    def test_hosts(self, redactor):
        """One host, one name: short, long, in capitals, within a test id; a stranger below a known domain too."""
        clean = redactor.text(
            "web-01 WEB-01.Corp.Example.Com web-01-services-running web-1 db-9.corp.example.com corp.example.com"
        )
        assert "corp.example" not in clean.lower()
        assert "web-" not in clean.lower()
        assert "db-9" not in clean
        short, long, test_id, other, *_ = clean.split()
        assert long.startswith(short + ".")
        assert test_id.startswith(short + "-")
        assert other != short

    def test_users(self, redactor):
        """Accounts, and the owners of home folders; well-known accounts tell nothing and stay."""
        clean = redactor.text(r"CORP\svc-octopus C:\Users\alice\x /home/alice/y NT AUTHORITY\SYSTEM root")
        assert "svc-octopus" not in clean
        assert "CORP" not in clean
        assert "alice" not in clean
        assert r"NT AUTHORITY\SYSTEM root" in clean

    def test_mapping(self, redactor):
        """The private file says which is which."""
        clean = redactor.text("octo-1 10.4.1.7")
        mapping = redactor.mapping()
        assert clean == f"{mapping['hosts']['octo-1']} {mapping['addresses']['10.4.1.7']}"
        assert Redactor().mapping() == {}


class TestSpeed:
    """16,000 results are nothing to wait for."""

    def test_sixteen_thousand_texts(self):
        """With 1,000 secrets and 2,000 host names, in at most half a millisecond of CPU each."""
        started = time.thread_time()
        redactor = Redactor([f"secret-{number}-{number * 7919 % 9973}" for number in range(1000)], pseudonyms=True)
        redactor.learn([f"web-{number}.corp.local" for number in range(2000)])
        for number in range(16_000):
            redactor.text(
                f"octo-1 connects to web-{number % 2000}.corp.local:10933 (10.4.{number % 256}.{number % 251}): timed out after {number} ms"
            )
        assert time.thread_time() - started < 8
