"""Why a ticket does not log on: each failure that people meet, told in one line."""

from __future__ import annotations

import getpass
import socket
import sys

from pytest_tentacle.transport import ReachStage, TransportError
from support.gss.by_ssh import TICKETS, as_localhost, logged_on, refusal, settings

ME = getpass.getuser()


class TestReasons:
    """Each failure that people meet, really met, and told in one line."""

    def test_of_the_tickets(self, domain, machine, tickets) -> None:
        """Who has none, an old one, one of an hour off, or nobody who gives one out."""
        told = {}
        for name, conf in {
            "none": "krb5.conf",
            domain.skewed("fresh"): "krb5.conf",
            "strangers": "krb5.conf",
            "fresh": "away.conf",
        }.items():
            tickets(name, conf)
            told[name, conf] = refusal(settings(machine))
        tickets("fresh", "realm.conf")
        told["fresh", "realm.conf"] = refusal(settings(machine))
        tickets(domain.expired())
        told["expired", "krb5.conf"] = refusal(settings(machine))
        words = {
            ("none", "krb5.conf"): "there is no ticket (No Kerberos credentials available",
            ("fresh-skewed", "krb5.conf"): "the clocks of this machine and of the domain are too far apart (Clock skew",
            ("strangers", "krb5.conf"): f"knows whose the ticket is, and refused user {ME}",
            ("fresh", "away.conf"): "no controller of the realm could be reached (Cannot contact any KDC",
            (
                "fresh",
                "realm.conf",
            ): "the ticket leads into another realm, to which there is no way (Server krbtgt/OTHER",
            ("expired", "krb5.conf"): "the ticket has expired (Ticket expired)",
        }
        assert {what: words[what] in error.summary for what, error in told.items()} == dict.fromkeys(words, True), told
        assert all(error.stage is ReachStage.AUTHENTICATE for error in told.values())
        assert all(f"localhost port {machine.port}" in error.summary for error in told.values())
        assert "kinit" in told["none", "krb5.conf"].advice
        assert ".k5login" in told["strangers", "krb5.conf"].advice

    def test_of_a_clock_that_the_machine_finds_wrong(self, domain, machine, tickets) -> None:
        """The ticket for it is there already, so that nobody but the machine looks at the clock."""
        domain.log_in("surveyor", "used")
        tickets("used")
        with logged_on(settings(machine)):
            pass
        tickets(domain.skewed("used"))
        assert "clocks of this machine and of the domain are too far apart" in refusal(settings(machine)).summary

    def test_of_a_name_that_the_domain_does_not_know(self, machine, tickets) -> None:
        """As of whoever names a machine by its address, or an alias."""
        error = refusal(settings(machine, host="127.0.0.1", host_keys="insecure"))
        assert "the domain knows no service of the machine's name (Server host/127.0.0.1@" in error.summary
        assert "full DNS name" in error.advice

    def test_of_a_user_that_is_not_there(self, machine, tickets) -> None:
        """sshd does not even look at the ticket."""
        error = refusal(settings(machine, user="nobody-of-that-name"))
        assert "refused user nobody-of-that-name before it looked at the ticket" in error.summary
        assert "Is there such a user" in error.advice

    def test_of_a_machine(self, in_domain, start_sshd, tickets, tmp_path) -> None:
        """One that takes no tickets, has no key to read one with, or wants something besides."""
        error = refusal(settings(as_localhost(start_sshd())))
        assert "takes no Kerberos tickets (it accepts publickey)" in error.summary
        assert "GSSAPIAuthentication yes" in error.advice
        error = refusal(
            settings(as_localhost(start_sshd(*TICKETS, **in_domain | {"KRB5_KTNAME": str(tmp_path / "none")})))
        )
        assert f"could not read the ticket for user {ME}" in error.summary
        assert "klist -k" in error.advice
        more = "AuthenticationMethods gssapi-with-mic,publickey"
        error = refusal(settings(as_localhost(start_sshd(*TICKETS, more, **in_domain))))
        assert "took the ticket, but wants a further proof" in error.summary

    def test_of_the_way(self, machine, tickets) -> None:
        """Names that nobody has, ports where nobody listens: as they are told without Kerberos."""
        error = refusal(settings(machine, host="no-such.invalid"))
        assert (error.stage, "cannot be resolved" in error.summary) == (ReachStage.RESOLVE, True)
        error = refusal(settings(machine, port=1))
        assert (error.stage, "Connection refused" in error.summary) == (ReachStage.CONNECT, True)
        assert "nothing listens on TCP 1" in error.advice

    def test_of_something_else_that_listens(self, misbehave) -> None:
        """What does not speak SSH, hangs up, is silent or never ends."""

        def error_of(behaviour, seconds=60.0) -> TransportError:
            return refusal(misbehave(behaviour).model_copy(update={"auth": "kerberos"}), seconds)

        error = error_of(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 1500))
        assert "does not speak SSH: it says HTTP/1.1 400 Bad Request" in error.summary
        error = error_of(lambda connection: connection.sendall(bytes(9000)))
        assert "does not speak SSH: invalid format" in error.summary
        error = error_of(socket.socket.close)
        assert "dropped it before SSH began" in error.summary
        error = error_of(lambda connection: connection.sendall(b"Not allowed at this time\r\n"))
        assert "dropped it before SSH began" in error.summary
        error = error_of(lambda connection: connection.sendall(b"SSH-2.0-x\r\n"))
        assert "the key exchange" in error.summary
        error = error_of(lambda connection: [connection.recv(10_000), connection.recv(1)], 1.5)
        assert (error.stage, "no SSH banner came within 1.5 s" in error.summary) == (ReachStage.TIME_OUT, True)
        error = error_of(
            lambda connection: [connection.sendall(b"SSH-2.0-x\r\n"), *iter(lambda: connection.recv(9999), b"")], 1.5
        )
        assert (error.stage, "key exchange was not finished" in error.summary) == (ReachStage.TIME_OUT, True)

    def test_of_this_machine(self, machine, tickets, tmp_path, monkeypatch) -> None:
        """It has no ssh, one without Kerberos, or is a Windows, whose ssh shares no connection."""
        monkeypatch.setenv("PATH", str(tmp_path))
        error = refusal(settings(machine))
        assert (error.stage, "there is no program ssh" in error.summary) == (ReachStage.START, True)
        (tmp_path / "ssh").write_text(
            '#!/bin/sh\necho "$2 line 9: Unsupported option \\"gssapiauthentication\\"" >"$4"\nexit 255\n'
        )
        (tmp_path / "ssh").chmod(0o755)
        error = refusal(settings(machine))
        assert (error.stage, "built without Kerberos" in error.summary) == (ReachStage.START, True)
        monkeypatch.setattr(sys, "platform", "win32")
        assert "not spoken from Windows" in refusal(settings(machine)).summary
