"""Which names of a run become pseudonyms, and which words must not."""

from __future__ import annotations

import json
import re

import pytest

from pytest_tentacle.inventory.model import Inventory
from pytest_tentacle.octopus.model import LeftOut, Node, Policy, Portal, Registration
from pytest_tentacle.report.redaction.names import Names, learn_inventory
from pytest_tentacle.report.redaction.redactor import Redactor
from pytest_tentacle.survey.surroundings import Access, OwnName, Proxy
from support import NOW


def redactor(*hosts: str, **more) -> Redactor:
    made = Redactor(pseudonyms=True, key=b"k" * 32)
    made.learn(hosts, **more)
    return made


class TestDomains:
    """A domain is replaced as one, and no other word with it."""

    def test_a_product_word_keeps_its_place(self):
        """`octopus` tells nothing; the domain behind it does."""
        assert redactor("octopus.contoso.com").text("octopus.contoso.com, Octopus Server") == (
            "octopus.domain-1.example, Octopus Server"
        )

    def test_a_registered_domain_is_one(self):
        """`contoso.com` is no host `contoso` below `com`: other names below `com` stay."""
        clean = redactor("contoso.com").text("contoso.com x.contoso.com nuget.com octopus.com")
        assert clean == "domain-1.example host-001.domain-1.example nuget.com octopus.com"

    def test_a_domain_of_one_label(self):
        """It is one behind a dot only, and not within a file's name."""
        clean = redactor("web-01.lab").text("web-01.lab *.lab the lab, inventory/lab.yaml db.lab:443")
        assert clean == (
            "host-001.domain-1.example *.domain-1.example the lab, inventory/lab.yaml host-002.domain-1.example:443"
        )

    def test_links_work(self):
        """Whoever names the public addresses of products says nothing of himself."""
        link = "https://octopus.com/docs/infrastructure"
        assert redactor(texts=[link]).text(link) == link


class TestShown:
    """Names that only a text shows."""

    @pytest.mark.parametrize(
        ("text", "word"),
        [
            (r"logon of CORP\alice failed", "alice"),
            ("mail alice@fabrikam.org", "alice"),
            ("mail alice@fabrikam.org", "fabrikam.org"),
            (r"C:\Users\alice\x", "alice"),
        ],
    )
    def test_learnt(self, text, word):
        """By what stands around them; then they go everywhere."""
        made = redactor(users=[r"CORP\svc"], texts=[text])
        assert word not in made.text(f"{text} and {word} again")

    def test_files(self):
        """An inventory's path becomes a plain one, also its last part alone."""
        made = redactor(files=[("/home/x/contoso/prod.yaml", "inventory-1.yaml")])
        assert (
            made.text("/home/x/contoso/prod.yaml:3: warning; prod.yaml")
            == "inventory-1.yaml:3: warning; inventory-1.yaml"
        )


class TestFields:
    """Where a field is for a name, the whole of it is one."""

    def names(self, value) -> tuple[list[str], list[str]]:
        found = Names()
        found.walk(value)
        return list(found.hosts), list(found.users)

    def test_proxies(self):
        """Addresses and exceptions, in all the ways in which they are written."""
        proxy = Proxy(
            layer="wininet", enabled=True, account=r"CORP\svc", address="http=p1:80;https=p2.corp:81",
            bypass="*.intra.corp;<local>;10.*; srv9", pac="http://wpad.corp/p.dat",
        )  # fmt: skip
        hosts, users = self.names(proxy)
        assert set(hosts) == {"p1", "p2.corp", "intra.corp", "srv9", "wpad.corp"}
        assert users == [r"CORP\svc"]

    def test_own_names_and_owners(self):
        """Security identifiers name nobody."""
        assert self.names(OwnName(name="web-01"))[0] == ["web-01"]
        assert self.names(Access(path="/x", owner="alice"))[1] == ["alice"]
        assert self.names(Access(path="/x", owner="S-1-5-18"))[1] == []

    def test_well_known_accounts_and_words_of_ours(self):
        """Remedies must stay readable."""
        made = redactor("state", users=["root", "octopus", "sudo"])
        assert made.text("sudo octopus root") == "sudo octopus root"
        assert made.value({"state": "state"}, names=frozenset({"state"})) == {"state": "host-001"}
        assert made.value({"state": "state"}, words={"state": frozenset({"state"})}) == {"host-001": "state"}


class TestBelonging:
    """What names somebody without being a host, a user or an address."""

    TEXT = (
        "groups crew-zanzibar and www-data; S-1-5-21-3623811015-3361044348-30300820-1013 and "
        "S-1-5-21-3623811015-3361044348-30300820-500; CN=x,OU=Sales Nairobi,DC=kilimanjaro,DC=example; the domain "
        "kilimanjaro alone; 19.47.83.10.in-addr.arpa, 47.83.10.in-addr.arpa and an internal error"
    )

    def redactor(self) -> Redactor:
        redactor = Redactor(pseudonyms=True, key=b"k" * 32)
        redactor.learn(hosts=["web-01.kilimanjaro.example.com"], groups=["Crew-Zanzibar", "www-data", "Leopards"])
        return redactor

    def test_none_of_them_stays(self) -> None:
        """Groups, units of a directory, domains' identifiers, a domain's label alone, reversed addresses."""
        clean = self.redactor().text(self.TEXT + " [leopards]")
        for name in ("zanzibar", "nairobi", "kilimanjaro", "3623811015", "19.47.83.10", "47.83.10", "leopards"):
            assert name not in clean.lower()

    def test_what_decides_or_says_nothing_stays(self) -> None:
        """An identifier's last number, well-known groups, everybody's words."""
        clean = self.redactor().text(self.TEXT)
        assert "-1013" in clean
        assert "-500" in clean
        assert "www-data" in clean
        assert "an internal error" in clean

    def test_equal_ones_stay_equal(self) -> None:
        """And a reversed address is the reversed false address."""
        redactor = self.redactor()
        clean = redactor.text(self.TEXT)
        first, second = re.findall(r"S-1-5-21-(\S+)-(?:1013|500)", clean)
        assert first == second
        false = redactor.text("10.83.47.19").split(".")
        assert f"{'.'.join(false[::-1])}.in-addr.arpa" in clean
        assert f" {'.'.join(false[:3][::-1])}.in-addr.arpa" in clean
        assert "domain-1" in clean

    def test_once_is_enough(self) -> None:
        """A text that is clean stays as it is."""
        redactor = self.redactor()
        clean = redactor.text("OU=Sales Nairobi S-1-5-21-1-2-3-500 crew-zanzibar kilimanjaro")
        assert redactor.text(clean) == clean

    def test_a_version_six_zone(self) -> None:
        """Nibble by nibble."""
        zone = "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.0.0.2.ip6.arpa"
        clean = self.redactor().text(zone)
        assert clean != zone
        assert clean.endswith(".ip6.arpa")
        assert len(clean) == len(zone)


class TestOctopus:
    def test_what_octopus_calls_things(self):
        """Spaces, environments, tenants, pools, policies, machines and nodes have false names; Octopus's own words stay."""
        registration = Registration(
            id="Machines-1", name="zqmachine", kind="target", space="Zq Shop", space_id="Spaces-1", mode="listening",
            uri="https://zqhost.zqcorp.test:10933/", host="zqhost.zqcorp.test", proxy="zqproxy:3128",
            environments=("Zq Live",), tenants=("Zq Tenant",), tenant_tags=("Zq Set/Zq Tag",), pools=("Zq Pool",),
            link="https://zqportal.zqcorp.test/app#/Spaces-1/infrastructure/machines/Machines-1/settings",
        )  # fmt: skip
        portal = Portal(
            url="https://zqportal.zqcorp.test",
            spaces=("Default", "Zq Shop"),
            registrations=(registration,),
            left_out=(LeftOut(style="Ssh", reason="no Tentacle", names=("zqssh",)),),
            policies=(Policy(id="P-1", name="Zq Policy"), Policy(id="P-2", name="Default Machine Policy")),
            nodes=(Node(name="zqnode"),),
            taken_utc=NOW,
        )
        redactor = Redactor(pseudonyms=True)
        learn_inventory(redactor, Inventory(portal=portal))
        clean = json.dumps(redactor.value(portal.model_dump(mode="json")))
        assert "zq" not in clean.lower()
        assert "Default Machine Policy" in clean
        assert '"Default"' in clean
