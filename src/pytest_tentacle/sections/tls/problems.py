"""TT90x: what the TLS libraries of both ends may speak (guide, "Schannel and TLS Configuration Mismatches")."""

from __future__ import annotations

from pytest_tentacle.guide.commands import HANDSHAKE, RESTART_WINDOWS, SUITES_WINDOWS
from pytest_tentacle.guide.consequences import (
    ENDED,
    HANDSHAKE_IN_LOGS,
    NO_HANDSHAKE,
    POLICIES_EXCLUDE,
    UNANSWERED,
)
from pytest_tentacle.guide.problem import Confidence, ProblemKind

_STEP = "schannel-and-tls"
_PROTOCOLS = "HKLM:\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols"
_SHOW_PROTOCOLS = f"$ Get-ChildItem -Recurse '{_PROTOCOLS}'"
_SHOW_MINIMUM = "$ grep -n MinProtocol /etc/ssl/openssl.cnf /etc/pki/tls/openssl.cnf"
_SHOW_OPENSSL = "$ openssl ciphers -s -v"
_RESTART = "A change needs a reboot."
_BOTH_ENDS = "Compare what the two ends enable; the evidence names both. On Windows a change needs a reboot:"

TLS: tuple[ProblemKind, ...] = (
    ProblemKind(
        "TT901",
        "Neither TLS 1.2 nor TLS 1.3 is available",
        _STEP,
        "Octopus needs at least TLS 1.2. The registry disables it for the side of TLS that the machine's links need "
        "(a listener takes the server side, the connecting end the client side), and the system has no TLS 1.3 there "
        "either.",
        (
            f"Enable TLS 1.2 for that side. {_RESTART}",
            _SHOW_PROTOCOLS,
            f'$ Set-ItemProperty "{_PROTOCOLS}\\TLS 1.2\\<key_side>" -Name Enabled -Value 1 -Type DWord',
            f'$ Set-ItemProperty "{_PROTOCOLS}\\TLS 1.2\\<key_side>" -Name DisabledByDefault -Value 0 -Type DWord',
        ),
        (
            "Lower MinProtocol, or bring OpenSSL up to date, then restart the service:",
            _SHOW_MINIMUM,
            "$ openssl version",
        ),
    ),
    ProblemKind(
        "TT902",
        "The two ends have no TLS version in common",
        _STEP,
        "What one end may speak, the other may not: usually TLS 1.2 is disabled at an end that has TLS 1.3, while the "
        "other end is too old for TLS 1.3.",
        (_BOTH_ENDS, _SHOW_PROTOCOLS),
        (_BOTH_ENDS, _SHOW_MINIMUM),
    ),
    ProblemKind(
        "TT903",
        "MinProtocol is higher than what the other end offers",
        _STEP,
        "OpenSSL's system-wide configuration asks for a version of TLS that the other end does not have. Windows "
        "before "
        "Server 2022 has no TLS 1.3.",
        ("Lower MinProtocol to TLSv1.2 at the end that runs Linux, or see what this end may speak:", _SHOW_PROTOCOLS),
        ("Set MinProtocol = TLSv1.2 in the system's openssl.cnf (or its crypto policy), then restart:", _SHOW_MINIMUM),
    ),
    ProblemKind(
        "TT904",
        "None of the cipher suites that Octopus needs is enabled",
        _STEP,
        "Octopus needs one of TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 and "
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, or a suite of TLS 1.3. The machine's list has been cut down "
        "too far.",
        (
            f"Enable them, by group policy if that has the list, or on Windows Server 2012 R2. {_RESTART}",
            *SUITES_WINDOWS,
            "Windows Server 2016 and later:",
            "$ Enable-TlsCipherSuite -Name TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        ),
        ("Give CipherString in the system's openssl.cnf these suites back, then restart the service:", _SHOW_OPENSSL),
        sentence="{who} {has} cipher suites enabled, but none of those that Octopus needs.",
        consequences=HANDSHAKE_IN_LOGS | NO_HANDSHAKE | POLICIES_EXCLUDE | {"TT505", "TT508"},
        rank=15,
    ),
    ProblemKind(
        "TT905",
        "The two ends have no cipher suite in common",
        _STEP,
        "Each end has suites that Octopus can use, but the other end has none of them.",
        (_BOTH_ENDS, *SUITES_WINDOWS),
        (_BOTH_ENDS, _SHOW_OPENSSL),
    ),
    ProblemKind(
        "TT906",
        "The .NET Framework is too old for this Tentacle",
        _STEP,
        "Tentacles from 6.3 on need .NET Framework 4.8, unless they bring their own .NET. The installed one is "
        "older, and "
        "the service ends as soon as it is started.",
        (
            "Install .NET Framework 4.8, restart the machine, then start the service; what is installed now:",
            "$ Get-ItemProperty 'HKLM:\\SOFTWARE\\Microsoft\\NET Framework Setup\\NDP\\v4\\Full' -Name Release",
            RESTART_WINDOWS,
        ),
        (
            "This concerns Windows only: on Linux a Tentacle brings its own .NET. See why the service does not start:",
            '$ systemctl status "<service>"',
        ),
        sentence="The .NET Framework of {who} is older than 4.8, which this version of the Tentacle needs to start.",
        consequences=ENDED | UNANSWERED | {"TT813"},
        rank=10,
    ),
    ProblemKind(
        "TT907",
        "The two ends have no elliptic curve in common",
        _STEP,
        "All cipher suites that the two ends share agree on a key over an elliptic curve, and the lists of curves that "
        "each end allows (on Windows by group policy or Enable-TlsEccCurve, on Linux by Groups or a crypto policy) "
        "have none in common. It looks like a missing cipher suite.",
        (
            _BOTH_ENDS,
            "$ Get-TlsEccCurve",
            "$ Enable-TlsEccCurve -Name NistP256",
        ),
        (
            "Allow prime256v1 and secp384r1 again in openssl.cnf (Groups) or the crypto policy, then restart:",
            "$ grep -n -E 'Groups|Curves' /etc/ssl/openssl.cnf /etc/pki/tls/openssl.cnf",
            "$ update-crypto-policies --show",
        ),
        sentence=("{who} and {its} peer have cipher suites in common, but no elliptic curve that these could use."),
        consequences=frozenset(
            {"TT106", "TT112", "TT113", "TT131", "TT132", "TT505", "TT508", "TT524", "TT525", "TT526"}
        ),
        rank=20,
    ),
    ProblemKind(
        "TT908",
        "Neither TLS 1.2 nor TLS 1.3 gets through",
        _STEP,
        "Each version of TLS was tried by itself on the link (--probe-tls), and none that Octopus "
        "needs completed a handshake. Where an older one did, the end that answers, or an appliance on the path, "
        "knows nothing newer. "
        "Where none did, what answers takes only versions that the trying machine has given up, shares no cipher suite "
        "with it, or has a certificate that its own system refuses to use, such as one with a short key: that looks "
        "the same.",
        (
            f"Look for an appliance between the two ends. {_BOTH_ENDS}",
            _SHOW_PROTOCOLS,
            *SUITES_WINDOWS,
        ),
        (
            f"Look for an appliance between the two ends. {_BOTH_ENDS}",
            _SHOW_MINIMUM,
            '$ openssl s_client -tls1_2 -connect "<host>:<port>" </dev/null',
            '$ openssl s_client -tls1_3 -connect "<host>:<port>" </dev/null',
        ),
    ),
    ProblemKind(
        "TT909",
        "Each handshake waits for Windows' list of trusted roots",
        _STEP,
        "Windows builds the chain of every certificate, although Octopus checks only the thumbprint, and looks for "
        "its lists of trusted and of forbidden roots at Windows Update. Where the network drops packets to the "
        "Internet, "
        "that waits for 15 s in each handshake: health checks and deployments are slow, and a program with a shorter "
        "time-out gives up on the other end. If the connection is refused instead of dropped, nothing waits.",
        (
            (
                "On a machine that is meant to be isolated, switch Automatic Root Certificates Update off by group "
                "policy (Computer Configuration, Administrative Templates, System, Internet Communication Management, "
                "Internet Communication settings); you then distribute roots yourself. Otherwise let "
                "it reach ctldl.windowsupdate.com on port 80, or have the firewall refuse that instead of dropping "
                "it. See what is set, and whether it can be reached:"
            ),
            "$ Get-ItemProperty HKLM:\\SOFTWARE\\Policies\\Microsoft\\SystemCertificates\\AuthRoot",
            "$ Test-NetConnection ctldl.windowsupdate.com -Port 80",
        ),
        ("Only Windows fetches lists of roots; see how long a handshake takes from here:", HANDSHAKE),
        sentence=(
            "On {who} each TLS handshake waits for {waited} s: Windows tries to fetch its lists of trusted roots from "
            "the Internet, which it cannot reach. Neither end of a link is at fault."
        ),
        consequences=frozenset({"TT109", "TT116", "TT536", "TT644", "TT811"}),
        echoes=frozenset({"TT109", "TT116"}),
        rank=30,
        confidence=Confidence.LIKELY,
    ),
)
