"""TT10x to TT13x: what the logs say of a link and of the start (guide, "Identify the Problem")."""

from __future__ import annotations

from pytest_tentacle.guide.commands import (
    AGAIN,
    NEW_CERTIFICATE,
    NEW_CERTIFICATE_WORDS,
    OWN_IDENTITY,
    SUITES_WINDOWS,
    TRUST_CALLER,
    tentacle,
    when,
)
from pytest_tentacle.guide.consequences import ACROSS, UNCONNECTED
from pytest_tentacle.guide.problem import Confidence

from .kind import (
    CONNECT_LINUX,
    CONNECT_WINDOWS,
    HOLDER_LINUX,
    HOLDER_WINDOWS,
    PROXY,
    READ_LINUX,
    READ_WINDOWS,
    RESOLVE_LINUX,
    RESOLVE_WINDOWS,
    RESTART_LINUX,
    RESTART_WINDOWS,
    SHOW,
    TENTACLE,
    TENTACLE_LINUX,
    kind,
)

_ONLY_WITHOUT = "Only if the other end is reached without a proxy, switch it off:"

TRUST_KINDS = (
    kind(
        "TT101",
        "The other end presents an unexpected certificate",
        "The connecting end expects a certificate with one thumbprint and gets another: it was renewed or "
        "reinstalled, the address leads to another machine, or the thumbprint was entered wrongly. Case counts.",
        "Compare the two thumbprints with the one that the other end shows, and enter the right one:",
        windows=(f"{TENTACLE} {SHOW}",),
        linux=(f"{TENTACLE_LINUX} {SHOW}",),
    ),
    kind(
        "TT102",
        "The other end's certificate is not an Octopus certificate",
        "The certificate has a subject that no Tentacle or Octopus Server creates: TLS is inspected or "
        "offloaded on the path, or another program answers.",
        "Exempt the address and port from TLS inspection and offloading; see what answers there:",
        windows=(CONNECT_WINDOWS,),
        linux=(CONNECT_LINUX,),
        sentence=(
            "According to the log, {subject} answers where {who} or {its} peer should: TLS is inspected on the path."
        ),
        consequences=UNCONNECTED | {"TT101"},
        echoes=ACROSS,
        fold_by=("subject",),
        rank=60,
        confidence=Confidence.LIKELY,
    ),
    kind(
        "TT103",
        "A client is rejected because its certificate is not trusted",
        "The listening end logged that it does not trust the thumbprint of the connecting end. For a listening "
        "Tentacle "
        "that is "
        "the Octopus Server; for a polling one it is the Tentacle, whose machine may be disabled or deleted.",
        "If the thumbprint is the right one, the listening end must trust it:",
        windows=TRUST_CALLER[0],
        linux=TRUST_CALLER[1],
    ),
    kind(
        "TT104",
        "A client presents no certificate",
        "It speaks Halibut without having presented a certificate: SSL offloading on the path, or a certificate so "
        "weak that its own system does not offer it.",
        "Remove what decrypts TLS between the two. If nothing does, the connecting end needs a certificate that its "
        "system "
        "offers: where the Tentacle listens, that is the server, whose certificate this step shows.",
        windows=when("polling", NEW_CERTIFICATE_WORDS, *NEW_CERTIFICATE[0]),
        linux=when("polling", NEW_CERTIFICATE_WORDS, *NEW_CERTIFICATE[1]),
        sentence=(
            "According to the log, a client speaks to {who} as Octopus does, but presents no certificate: SSL "
            "offloading on the path, or a certificate so weak that it is not offered."
        ),
        consequences=UNCONNECTED | {"TT132"},
        echoes=ACROSS | {"TT105"},
        rank=60,
        confidence=Confidence.LIKELY,
    ),
    kind(
        "TT105",
        "The other end closes the connection after the TLS handshake",
        "That is all that a client sees when its certificate is not trusted. A connection limit, or a service "
        "that is stopping, looks the same.",
        "Check that the other end trusts this thumbprint (a Tentacle: configure --trust; the server: the machine's "
        "thumbprint, and that the machine is enabled), then look for limits:",
        windows=TRUST_CALLER[0],
        linux=TRUST_CALLER[1],
    ),
    kind(
        "TT132",
        "The server keeps connecting but is never accepted",
        "The Tentacle accepts the server's connections and authenticates none of them. At the usual level of logging "
        "that is the only sign of a server whose thumbprint is not trusted, or of incompatible TLS.",
        "Compare the trusted thumbprint with the server's (Configuration, Thumbprints). Where it is another one:",
        windows=TRUST_CALLER[0],
        linux=TRUST_CALLER[1],
    ),
    kind(
        "TT117",
        "Several machines share one identity",
        "More connections poll with one subscription than are allowed, or one thumbprint is registered several times: "
        "usually copies of one machine. Requests go to whichever asks first.",
        "Find the copies: machines of one image, or one machine that the portal has twice. If the portal has one "
        "machine twice, delete the one that nothing is deployed to.",
        windows=OWN_IDENTITY[0],
        linux=OWN_IDENTITY[1],
    ),
)

NETWORK_KINDS = (
    kind(
        "TT106",
        "The connection is reset",
        "The other end, or something in between, closes the connection: a firewall, a proxy, an incompatible TLS "
        "handshake, or a process that was ended. Halibut's own hint about trust does not apply here.",
        "Check the other end's log for the same second, then what lies between:",
        windows=(CONNECT_WINDOWS, READ_WINDOWS),
        linux=(CONNECT_LINUX, READ_LINUX),
        sentence=(
            "According to the log of {vantage}, connections with {far_end} are reset; the probes did not show that."
        ),
        consequences=UNCONNECTED,
        echoes=ACROSS,
        fold_by=("link",),
        rank=60,
        confidence=Confidence.POSSIBLE,
    ),
    kind(
        "TT107",
        "The other end refused the connection",
        "Nothing listens at that address and port, or a firewall rejects the connection.",
        "Start the service there, and compare address and port; from the machine that connects:",
        windows=(CONNECT_WINDOWS,),
        linux=(CONNECT_LINUX,),
        sentence=(
            "According to the log of {vantage}, connections to {far_end} are refused; the probes did not show that."
        ),
        consequences=UNCONNECTED,
        echoes=ACROSS,
        fold_by=("link",),
        rank=60,
        confidence=Confidence.POSSIBLE,
    ),
    kind(
        "TT108",
        "Nothing answers at the address",
        "The attempts to connect time out: a firewall drops them, the address is wrong, or there is no route.",
        "From the machine that connects, trace the path; then check firewalls and security groups:",
        windows=(CONNECT_WINDOWS,),
        linux=(CONNECT_LINUX,),
        sentence=(
            "According to the log of {vantage}, connections to {far_end} are not answered; the probes did not show "
            "that."
        ),
        consequences=UNCONNECTED,
        echoes=ACROSS,
        fold_by=("link",),
        rank=60,
        confidence=Confidence.POSSIBLE,
    ),
    kind(
        "TT109",
        "The connection goes silent",
        "It was established, and then no answer came: a network or NAT that drops idle connections, a program that "
        "hangs, or "
        "a proxy that says nothing.",
        "Look at idle time-outs between the two, and at what really answers there:",
        windows=(CONNECT_WINDOWS,),
        linux=(CONNECT_LINUX,),
        sentence=(
            "According to the log of {vantage}, connections with {far_end} are established and go quiet: a "
            "firewall or NAT drops idle connections, or a program hangs."
        ),
        consequences=UNCONNECTED,
        echoes=ACROSS,
        fold_by=("link",),
        rank=60,
        confidence=Confidence.POSSIBLE,
    ),
    kind(
        "TT110",
        "The name of the other end does not resolve",
        "The machine that connects gets no address for the name.",
        "On the machine that connects, see what the name resolves to, and correct its record:",
        windows=(RESOLVE_WINDOWS,),
        linux=(RESOLVE_LINUX,),
        sentence=(
            "According to the log of {vantage}, the name in {far_end} does not resolve; the probes did not show that."
        ),
        consequences=UNCONNECTED,
        echoes=ACROSS,
        fold_by=("link",),
        rank=60,
        confidence=Confidence.POSSIBLE,
    ),
    kind(
        "TT112",
        "The other end closes the connection before TLS is established",
        "The connection is accepted and closed at once: a load balancer with no back end, a proxy, or a "
        "service that is stopping.",
        "See what really listens there:",
        windows=(CONNECT_WINDOWS, HOLDER_WINDOWS),
        linux=(CONNECT_LINUX, HOLDER_LINUX),
        sentence="According to the log of {vantage}, connections to {far_end} are accepted and closed at once.",
        consequences=UNCONNECTED,
        echoes=ACROSS,
        fold_by=("link",),
        rank=60,
        confidence=Confidence.POSSIBLE,
    ),
    kind(
        "TT133",
        "There is no route to the other end",
        "The system says that the host or its network cannot be reached: no route, or a router or "
        "firewall that rejects the connection.",
        "Check address and routes on the machine that connects:",
        windows=('$ Find-NetRoute -RemoteIPAddress "<address>"', "$ route print"),
        linux=('$ ip route get "<address>"', "$ ip route"),
        sentence="According to the log of {vantage}, there is no route to {far_end}; the probes did not show that.",
        consequences=UNCONNECTED,
        echoes=ACROSS,
        fold_by=("link",),
        rank=60,
        confidence=Confidence.POSSIBLE,
    ),
    kind(
        "TT158",
        "The machine's own system forbids the connection",
        "The system of the machine that connects did not let the connection out: an outbound firewall rule, SELinux, "
        "or a security product, which may also have contained (isolated) the machine.",
        "On the machine that connects, look for an outbound rule. If there is none, ask those who manage its security "
        "product, who alone can lift a containment:",
        windows=("$ Get-NetFirewallRule -Direction Outbound -Action Block -Enabled True",),
        linux=("$ sudo nft list ruleset", "$ sudo ausearch -m avc -ts recent"),
        sentence=(
            "According to the log of {vantage}, its own system forbids the connection to {far_end}: an outbound "
            "firewall rule, SELinux, or a security product, which may have contained (isolated) the machine."
        ),
        consequences=UNCONNECTED,
        echoes=ACROSS,
        fold_by=("vantage",),
        place="vantage",
        rank=60,
        confidence=Confidence.LIKELY,
    ),
    kind(
        "TT135",
        "The program cannot use this address family (IPv4 or IPv6)",
        "An address of the other end is of a family, IPv4 or IPv6, that the program or the machine cannot use. Until "
        "Tentacle 3.1.7 it connects by IPv4 only; from there to 5.0.5 it does not connect at all where IPv6 is "
        "switched off.",
        "Upgrade the Tentacle to 5.0.5 or later; until then give the name an address of the other family:",
        windows=(RESOLVE_WINDOWS,),
        linux=(RESOLVE_LINUX,),
    ),
    kind(
        "TT113",
        "The TLS handshake fails",
        "The two ends find no common version of TLS, cipher suite or signature algorithm; or one of the certificates "
        "is "
        "too weak for the other's system.",
        "Compare what both ends allow (see the step Schannel and TLS). The step on thumbprints would show a "
        "certificate with SHA-1 or a short key:",
        windows=SUITES_WINDOWS,
        linux=('$ openssl s_client -connect "<host>:<port>" -tls1_2 </dev/null',),
        sentence=(
            "According to the log of {vantage}, the TLS handshake fails, though the probes succeed: the programs "
            "offer other versions or suites than the probes, or a peer with other settings connects."
        ),
        consequences=UNCONNECTED,
        echoes=ACROSS | {"TT112"},
        fold_by=("link",),
        rank=60,
        confidence=Confidence.POSSIBLE,
    ),
    kind(
        "TT114",
        "A certificate is too weak for the system's TLS library",
        "A key or a hash is below what the system allows, so that every handshake fails. The other end's error "
        "mentions protocol versions, which is misleading.",
        "See how long the key is and what the system wants. A Tentacle makes keys of 2048 bits: where the system's "
        "policy or security level wants longer ones (update-crypto-policies: FUTURE; SECLEVEL=3), a new certificate is "
        "refused like the old one, and that policy has to allow 2048 bits. Where the key is shorter than that, or the "
        "hash is SHA-1, give that end a new certificate, then register it again, or trust it:",
        windows=(NEW_CERTIFICATE_WORDS, *NEW_CERTIFICATE[0]),
        linux=("$ update-crypto-policies --show", NEW_CERTIFICATE_WORDS, *NEW_CERTIFICATE[1]),
        sentence="According to the log of {vantage}, its TLS library refuses a certificate for its key or hash.",
        consequences=UNCONNECTED | {"TT113", "TT112"},
        echoes=ACROSS,
        fold_by=("link",),
        rank=45,
        confidence=Confidence.LIKELY,
    ),
    kind(
        "TT121",
        "The program that answers is not Octopus",
        "What answers at the address and port does not speak TLS, or is not an Octopus Server.",
        "Correct address and port; see what listens there:",
        windows=(CONNECT_WINDOWS,),
        linux=(CONNECT_LINUX,),
        sentence="According to the log of {vantage}, what answers connections to {far_end} is not an Octopus program.",
        consequences=UNCONNECTED,
        echoes=ACROSS,
        fold_by=("link",),
        rank=60,
        confidence=Confidence.LIKELY,
    ),
    kind(
        "TT118",
        "The proxy cannot be used",
        "The connection goes through a proxy that cannot be resolved or reached, or that is not a proxy.",
        "Ask the proxy's operator why it does not answer, or correct its host (a bare name, without http://) and port "
        "in the settings, both in one call: `polling-proxy --proxyEnable True --proxyHost ... --proxyPort ...`. The "
        "service reads its settings when it starts: restart it then.",
        windows=(
            *when(
                "proxied",
                _ONLY_WITHOUT,
                f'{TENTACLE} "<command>" --instance "<instance>" --proxyEnable False',
            ),
            RESTART_WINDOWS,
        ),
        linux=(
            *when(
                "proxied",
                _ONLY_WITHOUT,
                f'{TENTACLE_LINUX} "<command>" --instance "<instance>" --proxyEnable False',
            ),
            RESTART_LINUX,
        ),
    ),
    kind(
        "TT119",
        "The proxy refuses the connection",
        "The proxy answers the request for a tunnel (CONNECT) with an error: it asks for credentials, forbids the "
        "port, or "
        "cannot "
        "reach the destination itself.",
        "Allow CONNECT to the Octopus port on the proxy, or give user and password; its own log says which:",
        windows=(
            f"{TENTACLE} {PROXY}",
            RESTART_WINDOWS,
        ),
        linux=(
            f"{TENTACLE_LINUX} {PROXY}",
            RESTART_LINUX,
        ),
    ),
    kind(
        "TT120",
        "Polling by web socket fails",
        "The web socket of the server cannot be reached, or this build or system cannot use one.",
        "Check that the server listens for web sockets there; or poll on the polling port, or on 443 without web "
        "sockets:",
        windows=(CONNECT_WINDOWS,),
        linux=(CONNECT_LINUX,),
    ),
)

_MORE_CONNECTIONS = tentacle(
    'set-polling-connection-count --instance "<instance>" --pollingConnectionCount "<connections>"', AGAIN
)
TALK_KINDS = (
    kind(
        "TT115",
        "A polling Tentacle does not fetch its requests",
        "The server had work, and the Tentacle did not fetch it in time: the Tentacle is not connected, or its only "
        "connection is "
        "busy.",
        "Check that the Tentacle runs, reaches the server and is trusted; if it is connected, raise its connections "
        "above what it has now (to each server, five unless told otherwise; where its service's environment has "
        "TentaclePollingConnectionCount, that wins and is to be raised):",
        windows=_MORE_CONNECTIONS[0],
        linux=_MORE_CONNECTIONS[1],
    ),
    kind(
        "TT116",
        "A request is fetched but never answered",
        "Something took the request and did not answer in time: a hung script, a slow machine, or a copy of the "
        "Tentacle that took it.",
        "On the Tentacle look for hanging scripts, and in the fleet for a second machine with its identity:",
        windows=("$ Get-Process powershell, pwsh, Calamari* -ErrorAction Ignore",),
        linux=("$ ps -ef",),
        sentence=(
            "Requests reach {who}, or a copy of it, and are not answered in time: a hung script, or a machine that is"
            " too slow."
        ),
        rank=60,
        confidence=Confidence.LIKELY,
    ),
    kind(
        "TT131",
        "Communication fails for an unrecognised reason",
        "The log has failures of the link whose text is not recognised.",
        "Read the whole record, and the other end's log for the same second:",
        sentence=(
            "Communication of {who} with {far_end} fails, and the log of {vantage} gives an unrecognised reason (it "
            "says: {words})"
        ),
        consequences=UNCONNECTED | {"TT115"},
        rank=60,
        confidence=Confidence.POSSIBLE,
    ),
)
