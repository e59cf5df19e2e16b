"""What only two ends can tell, item by item: the fault, the sentence, what it rests on, and the exact command."""

from __future__ import annotations

from typing import Any

import pytest

from support.fleets.failures import DROPPED, NO_DNS, REFUSED
from support.fleets.whole import make_linux
from support.rules import linux_rules


@pytest.fixture
def cause_of(faults: Any, world: Any, diagnosed: Any) -> Any:
    """The cause that a fault of this name gives, in words: `cause_of(name)`."""

    def find(name: str) -> Any:
        case = next(case for case in faults.CASES if case.change.__name__ == name)
        case.change(world)
        return next(cause for cause in diagnosed(world).causes if cause.code == case.code)

    return find


def seen(cause: Any) -> str:
    return "\n".join(f"{item.source}: {item.text}" for item in cause.evidence)


class TestWhereItIsKeptOut:
    """The Tentacle answers itself and not its server."""

    def test_host_firewall(self, cause_of: Any) -> None:
        """The server reaches its neighbour: the machine's own firewall."""
        cause = cause_of("own_firewall")
        assert cause.sentence.startswith("web-01 answers locally, and octo-1 reaches others in the same subnet")
        assert "in 198.51.100.0/24: 1 work, 1 fail" in seen(cause)

    def test_host_firewall_by_its_rules(self, cause_of: Any) -> None:
        """Its rules could be read: no doubt is left."""
        cause = cause_of("no_rule_on_a_tentacle")
        assert "no rule lets the port in" in cause.sentence
        assert cause.confidence == "certain"
        assert "$ New-NetFirewallRule -DisplayName 'Octopus 10933'" in "\n".join(cause.remedy_windows)

    def test_rules_without_the_step_on_rules(self, faults: Any, world: Any, judged: Any) -> None:
        """Only the links were judged (-k): the rules that were read tell all the same."""
        from pytest_tentacle.diagnosis import diagnose

        for fault, code in (("no_rule_on_a_tentacle", "TC5201"), ("no_rule_on_the_server", "TC5211")):
            next(case for case in faults.CASES if case.change.__name__ == fault).change(world)
            fleet, results = judged(world)
            across = [result for result in results if result.step == "welcome-page-across"]
            cause = next(cause for cause in diagnose(fleet, across).causes if cause.code == code)
            assert cause.confidence == "certain"
            assert "no rule lets port" in seen(cause)

    def test_security_group(self, cause_of: Any) -> None:
        """Its own rules let the port in: what stands before the machine."""
        cause = cause_of("security_group")
        assert "A security group (cloud) or a port filter in front of the machine blocks it" in cause.sentence
        assert "it lets port 10933 in" in seen(cause)

    def test_path(self, cause_of: Any) -> None:
        """The server reaches nobody in that subnet, and others elsewhere: the way."""
        cause = cause_of("closed_way")
        assert cause.sentence.startswith("octo-1 reaches no Tentacle in 198.51.100.0/24 on port 10933")
        assert "of all: 1 work, 2 fail" in seen(cause)

    def test_polling_tentacle_silently_unable(self, cause_of: Any) -> None:
        """The server is well and the way is open, and the process holds no connection."""
        cause = cause_of("silently_unable")
        assert "the Tentacle's process holds no connection" in cause.sentence
        assert "https://octo-1.example:10943 shows the server's page" in seen(cause)


class TestNames:
    """The name fails and the address works."""

    def test_dns_on_that_machine(self, cause_of: Any) -> None:
        """Another machine resolves the name: it is the DNS of that one."""
        cause = cause_of("dns_of_that_machine")
        assert cause.sentence.startswith("poll-01 cannot resolve octo-1.example")
        assert cause.places == ("poll-01",)
        assert "and by IP address the page is shown" in seen(cause)
        assert "1 of them resolve octo-1.example" in seen(cause)


class TestCertificates:
    """The page is shown, or TLS is spoken, with another certificate."""

    def test_inspector_by_name(self, cause_of: Any) -> None:
        """And on the machine itself its own certificate is presented."""
        cause = cause_of("inspected")
        assert "CN=Inspection CA" in cause.sentence
        assert "there its own certificate is presented" in seen(cause)

    def test_clone(self, cause_of: Any) -> None:
        """The same thumbprint on two machines."""
        cause = cause_of("clone")
        assert cause.sentence.startswith("web-01 and web-02 have one and the same certificate")
        assert "new-certificate --instance Tentacle" in "\n".join(cause.remedy_windows)


class TestTrust:
    """Page and thumbprint are right, and the server is not trusted."""

    def test_exact_command(self, cause_of: Any, world: Any) -> None:
        cause = cause_of("one_mistrusts")
        right = world.thumbprint("octopus")
        command = (
            "$ & 'C:\\Program Files\\Octopus Deploy\\Tentacle\\Tentacle.exe' configure --instance Tentacle --trust "
        )
        assert any(line.startswith(command) and right in line for line in cause.remedy_windows)

    def test_restart_where_the_settings_are_right(self, cause_of: Any, world: Any) -> None:
        """The file trusts the server, and the process, by its own words, still another one."""
        cause = cause_of("trusts_the_old_server")
        assert "was not restarted" in cause.sentence
        assert world.thumbprint("octopus of old") in seen(cause)
        assert cause.remedy_windows[-1] == "$ Restart-Service -Name 'OctopusDeploy Tentacle'"

    def test_restart_where_the_certificate_is_new(self, cause_of: Any) -> None:
        assert "still presents the old one" in cause_of("restart_needed_for_a_certificate").sentence


class TestServices:
    """What runs, and what does not stay."""

    def test_flapping_under_systemd(self, cause_of: Any) -> None:
        cause = cause_of("flaps_under_systemd")
        assert "57 restarts" in cause.sentence
        assert any(line.startswith("$ journalctl -u Tentacle.service") for line in cause.remedy_linux)

    def test_flapping_under_a_systemd_that_does_not_count(self, cause_of: Any) -> None:
        assert "(an unknown number of restarts)" in cause_of("flaps_under_a_systemd_that_does_not_count").sentence

    def test_port_held_by_a_zombie(self, cause_of: Any) -> None:
        cause = cause_of("zombie")
        assert "has ended (pid 4711)" in cause.sentence
        assert "$ Stop-Process -Id 4712" in cause.remedy_windows

    def test_dmz_without_crl(self, cause_of: Any) -> None:
        cause = cause_of("dmz_without_crl")
        assert "addresses that cannot be reached, as in a DMZ" in cause.sentence
        assert "no distribution point answers" in seen(cause)


class TestBetween:
    """What is in the way for some only, or for both."""

    def test_proxy_for_one_account_only(self, cause_of: Any) -> None:
        cause = cause_of("proxy_of_one_account")
        assert "CORP\\octopus" in cause.sentence
        assert "proxy.corp.example:3128" in cause.sentence
        assert "without a proxy, https://octo-1.example:10943 shows its page" in seen(cause)

    def test_no_common_cipher_with_both_offers(self, cause_of: Any) -> None:
        """What each end offers is told."""
        cause = cause_of("policies_exclude_each_other")
        assert "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" in seen(cause)
        assert "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" in seen(cause)

    def test_no_common_version_with_both_offers(self, cause_of: Any) -> None:
        cause = cause_of("tls_switched_off_for_all_but_itself")
        assert "TLS policy of octo-1, as client" in seen(cause)
        assert "TLS policy of web-01, as server: Schannel; TLS 1.2 is switched off" in seen(cause)


class TestTwoFaultsOfOneMachine:
    """Neither is taken for what follows from the other."""

    @pytest.fixture
    def found(self, world: Any, diagnosed: Any) -> Any:
        """The causes of web-01, which runs Linux with these rules, and of which octo-1 hears this."""

        def find(rules: Any, how: Any) -> dict[str, Any]:
            make_linux(world, "web-01")
            world.sections["web-01"]["firewall"] = rules
            world.both("web-01", how)
            return {cause.code: cause for cause in diagnosed(world).causes if "web-01" in cause.machines}

        return find

    @pytest.mark.parametrize(("how", "path"), [(DROPPED, True), (REFUSED, False)])
    def test_a_path_beside_a_stopped_service(self, world: Any, found: Any, how: Any, path: bool) -> None:
        """Nobody listens, which Linux would say: silence is the path's, and that is told in true words."""
        world.down("web-01")
        causes = found(linux_rules("tcp dport 10933 accept"), how)
        assert "TC2021" in causes
        assert ("TC5202" in causes) is path
        if path:
            assert "Nobody listens there now" in causes["TC5202"].sentence
            assert "the port answers" not in causes["TC5202"].sentence

    def test_a_rejection_that_is_not_heard(self, found: Any) -> None:
        """Its own rule says no, and not even that is heard: something else may be in the way as well."""
        causes = found(linux_rules("tcp dport 10933 reject with tcp reset"), DROPPED)
        assert causes.keys() == {"TC5411", "TC5202"}
        assert causes["TC5202"].confidence == "possible"
        assert "tcp dport 10933 reject with tcp reset" in causes["TC5202"].unsure

    @pytest.mark.parametrize(
        ("rules", "how", "found_too"),
        [
            (("tcp dport 10933 redirect to :1",), DROPPED, {"TC5202"}),
            (("tcp dport 10933 redirect to :1",), REFUSED, set()),
            (("tcp dport 10933 dnat ip to 192.0.2.77:1",), DROPPED, set()),
            (("tcp dport 10933 redirect to :1", "tcp dport 1 drop"), DROPPED, set()),
        ],
    )
    def test_a_port_of_its_own_that_is_not_heard(self, found: Any, rules: Any, how: Any, found_too: set[str]) -> None:
        """What leads to another port of the machine is answered from there, unless its rules keep that one out."""
        led, *more = rules
        chain = f"chain n {{\n type nat hook prerouting priority dstnat;\n {led}\n }}"
        causes = found(linux_rules(*more, more=chain), how)
        assert causes.keys() == {"TC5411"} | found_too
        for code in found_too:
            assert causes[code].confidence == "possible"
            assert (
                "leads the connection to another port, but not even that one's answer is heard" in causes[code].sentence
            )

    @pytest.mark.parametrize(("verdict", "how"), [("drop", DROPPED), ("reject with tcp reset", REFUSED)])
    def test_a_rule_that_explains_what_is_heard(self, found: Any, verdict: str, how: Any) -> None:
        assert found(linux_rules(f"tcp dport 10933 {verdict}"), how).keys() == {"TC5411"}

    @pytest.mark.parametrize(
        ("rule", "found_too"), [("tcp dport 10933 drop", True), ("tcp dport != { 22, 10955 } drop", False)]
    )
    def test_a_rule_for_the_port_of_before(self, world: Any, found: Any, rule: str, found_too: bool) -> None:
        """It listens on another port than its server uses: a rule for just the server's port does not follow from that."""
        world["web-01"].settings["Tentacle.Services.PortNumber"] = "10955"
        assert ("TC5411" in found(linux_rules(rule), DROPPED)) is found_too

    def test_a_hosts_file_beside_dns_that_is_down(self, world: Any, diagnosed: Any) -> None:
        """A name that leads to a wrong address is no proof that DNS answers; nor is it sure that DNS does not."""
        world.across("web-01", {"addresses": ("192.0.2.99",), **DROPPED}, {})
        world.across("web-02", NO_DNS, {})
        causes = {(cause.code, cause.confidence) for cause in diagnosed(world).causes}
        assert causes == {("TC5121", "likely"), ("TC5103", "possible")}
