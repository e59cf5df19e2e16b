"""The catalogue of signatures against texts in the shapes that real logs have (tentacle-facts 3.4, tentacle-seen)."""

from __future__ import annotations

import re

import pytest

from pytest_tentacle.logs.signatures import BY_ID, LOOKED_AT, SIGNATURES, Classifier, Level, classify, codes
from pytest_tentacle.sections.identify.problems import LOGS
from pytest_tentacle.sections.messages.problems import MESSAGES
from support.fleets.eras import ROWS

TP = "4B8E0F5A1C2D3E4F5A6B7C8D9E0F1A2B3C4D5E6F"
OTHER = "0123456789ABCDEF0123456789ABCDEF01234567"
AT = "   at Halibut.Transport.SecureClient.ExecuteTransaction(ExchangeAction protocolHandler)\n   at System.Threading.Tasks.Task.Run()"
L = "listen://[::]:10933/             91  "
S = "https://octo-1.lab:10943/        12  "
T = "https://web-01.lab:10933/        34  "
PEER = "[::ffff:10.0.0.5]:42320"
UNHANDLED = f"{L}Unhandled error when handling request from client: {PEER}\n"
SOCKET = f"{L}Socket IO exception: {PEER}\n"
INIT = f"{T}Connection initialization failed while connecting to https://web-01.lab:10933/\n"
TRANSACTION = f"{S}Unexpected exception executing transaction.\n"
WRAP = "An error occurred when sending a request to 'https://web-01.lab:10933/', before the request could begin: "
AFTER = "An error occurred when sending a request to 'https://web-01.lab:10933/', after the request began: "
UNEXPECTED = (
    "The server at https://octo-1.lab:10943/ presented an unexpected security certificate. We expected the server to "
    f"present a certificate with the thumbprint '{TP}'. Instead, it presented a certificate with a thumbprint of "
    f"'{OTHER}' and subject '%s'. This usually happens when the client has been configured to expect the server to have "
    "the wrong certificate."
)
SSPI = "System.Security.Authentication.AuthenticationException: A call to SSPI failed, see inner exception."
PROXY = "Halibut.Transport.Proxy.Exceptions.ProxyException: "
PROXY_407 = f"{TRANSACTION}{PROXY}Proxy destination ::ffff:127.0.0.1 on port 19031 responded with a "
FRAME = "System.Security.Authentication.AuthenticationException: Cannot determine the frame size or a corrupted frame was received."
LOST = f"{S}The connection to the host at https://octo-1.lab:10943/ timed out. There may be problems with the network. The connection will be retried."
CNF = "AuthenticationException: Authentication failed, see inner exception.\n ---> Interop+Crypto+OpenSslCryptographicException: error:07000072:configuration file routines:"

SAMPLES: tuple[tuple[str, str], ...] = (
    ("connecting-forbidden", f"{TRANSACTION}System.Net.Sockets.SocketException (13): Permission denied"),
    ("altered-data", f"{TRANSACTION}error:0A000119:SSL routines::decryption failed or bad record mac"),
    ("openssl-configuration", f"{TRANSACTION}{CNF}MODULE_RUN:unknown module name"),
    ("openssl-configuration", f"{L}Client failed authentication: {PEER}\n{CNF}:no such file"),
    ("proxy-authentication", PROXY_407 + "407 code - Proxy Authentication Required\n" + AT),
    ("proxy-forbids", PROXY_407 + "403 code - Forbidden"),
    (
        "proxy-bad-gateway",
        PROXY_407
        + "502 code - Bad Gateway.  If you are connecting to a Microsoft ISA destination please refer to knowledge based article Q283284 for more information.  Server response: Bad Gateway",
    ),
    ("proxy-answer", PROXY_407 + "503 code - Service Unavailable"),
    (
        "proxy-name-unknown",
        f"{TRANSACTION}{PROXY}Connection to proxy host no-such-proxy.invalid on port 8080 failed: Name or service not known",
    ),
    (
        "proxy-unreachable",
        f"{TRANSACTION}{PROXY}Connection to proxy host 127.0.0.1 on port 19000 failed: Connection refused",
    ),
    (
        "not-a-proxy",
        f"{TRANSACTION}{PROXY}No HTTP response received from proxy destination.  Server response: SSH-2.0-OpenSSH_9.2.",
    ),
    (
        "not-a-proxy",
        f"{TRANSACTION}{PROXY}An invalid response code was received from proxy destination.  Server response: HTTP/1.1 abc xyz.",
    ),
    (
        "not-a-proxy",
        f"{TRANSACTION}System.ArgumentOutOfRangeException: length ('-10') must be a non-negative value. (Parameter 'length')",
    ),
    ("proxy-host-form", "The proxy's hostname cannot contain a protocol prefix (eg http://)"),
    ("web-proxy-settings", "Unable to configure the proxy server: Invalid URI: The hostname could not be parsed."),
    ("foreign-certificate", UNEXPECTED % "CN=Corporate TLS Inspection, O=Example"),
    ("unexpected-certificate", UNEXPECTED % "CN=Octopus Server"),
    (
        "unexpected-certificate",
        f"{S}Halibut client exception: {UNEXPECTED % 'CN=Octopus Tentacle'}. Retrying in 5.0 seconds",
    ),
    (
        "client-not-trusted",
        f"{L}A client at {PEER} connected, and attempted a message exchange, but it presented a client certificate with the thumbprint '{TP}' which is not in the list of thumbprints that we trust",
    ),
    (
        "client-not-trusted-2x",
        f"Rejecting connection: the client at 10.0.0.5:42320 provided a certificate with thumbprint {TP} while the server trusts {OTHER}",
    ),
    (
        "client-without-certificate",
        f"{L}A client at {PEER} connected, and attempted a message exchange, but did not present a client certificate",
    ),
    (
        "connection-limit",
        f"{L}A polling client at {PEER} has exceeded the maximum number of active connections (1) for subscription poll://sq-abc/. New connections will be rejected",
    ),
    (
        "duplicate-registration",
        "This Tentacle is registered multiple times with the server - we will not display the results",
    ),
    ("duplicate-registration", "The Tentacle matches more than one machine on the server."),
    (
        "request-not-collected",
        "An error occurred when sending a request to 'poll://x/', before the request could begin: A request was sent to a polling endpoint, but the polling endpoint did not collect the request within the allowed time (00:02:00), so the request timed out.",
    ),
    (
        "request-not-answered",
        "A request was sent to a polling endpoint, the polling endpoint collected it but the request was cancelled before the polling endpoint responded.",
    ),
    ("no-response", "No response was received from the endpoint within the allowed time."),
    (
        "reset-distrust-hint",
        f"{T}The remote host at https://web-01.lab:10933/ reset the connection. This may mean that the expected listening service does not trust the thumbprint {TP} or was shut down.\nSystem.Net.Sockets.SocketException (104): Connection reset by peer",
    ),
    (
        "aborted-before-established",
        f"{S}Halibut client exception: The server https://octo-1.lab:10943/ aborted the connection before it was fully established. This usually means that the server rejected the certificate that we provided. We provided a certificate with a thumbprint of '{TP}'.. Retrying in 5.0 seconds",
    ),
    (
        "port-in-use",
        "A required communications port is already in use.\nSystem.Net.Sockets.SocketException (0x80004005): Only one usage of each socket address (protocol/network address/port) is normally permitted",
    ),
    (
        "http-port-in-use",
        "The HTTP server failed to start because the port is in use. The port may be in use by another application.",
    ),
    (
        "address-in-use",
        "Address already in use\nSystem.Net.Sockets.SocketException (98): Address already in use\n" + AT,
    ),
    (
        "address-not-local",
        "Cannot assign requested address\nSystem.Net.Sockets.SocketException (99): Cannot assign requested address",
    ),
    (
        "address-not-local",
        "System.Net.Sockets.SocketException: Die angeforderte Adresse ist in diesem Kontext ungültig",
    ),
    (
        "port-forbidden",
        "System.Net.Sockets.SocketException (10013): An attempt was made to access a socket in a way forbidden by its access permissions",
    ),
    (
        "accepting-fails",
        f"{L}Accepting a connection has failed 20 times in a row, this may mean that the listener is unhealthy. See https://g.octopushq.com/TentacleTroubleshooting",
    ),
    ("accepting-fails", f"{L}Error accepting TCP client: listen://[::]:10933/"),
    (
        "private-key-not-loaded",
        "The X509 certificate CN=Octopus Tentacle was loaded but the private key was not loaded. Access is denied: the current user does not appear to be able to access the private key file, or it does not exist.",
    ),
    ("key-asks-somebody", "Provider could not perform the action since the context was acquired as silent."),
    ("key-isolation", "System.Security.Cryptography.CryptographicException: The RPC server is unavailable."),
    (
        "no-room-to-accept",
        f"{L}Error accepting TCP client\nSystem.Net.Sockets.SocketException (24): Too many open files",
    ),
    (
        "no-room-to-connect",
        f"{S}Unexpected exception executing transaction.\nSystem.Net.Sockets.SocketException (10048): Only one usage of each socket address (protocol/network address/port) is normally permitted 10.0.0.5:10943",
    ),
    ("keyset-missing", "System.Security.Cryptography.CryptographicException: Keyset does not exist"),
    (
        "key-not-usable",
        f"{L}Unhandled error when handling request from client: [::ffff:10.0.0.5]:50123\nSystem.Security.Authentication.AuthenticationException: Authentication failed, see inner exception.\n ---> System.ComponentModel.Win32Exception (0x8009030D): The credentials supplied to the package were not recognized",
    ),
    ("no-private-key", "The X509 certificate does not have a private key, and so it cannot be used for listening."),
    ("certificate-not-loaded", "Unable to load X509 Certificate file."),
    ("profile-not-loaded", "Crypto functions require the Windows User Profile to be loaded."),
    (
        "x509stores-owner",
        "The owner of the x509stores is not the current user, please change ownership or run with sudo",
    ),
    (
        "certificate-not-readable",
        "Unable to parse configuration key 'Tentacle.Certificate' as a 'String'.\nAggregate Exception\nPadding is invalid and cannot be removed.",
    ),
    (
        "wrong-machine-key",
        "System.Security.Cryptography.CryptographicException: Key not valid for use in specified state",
    ),
    ("wrong-machine-key", "Machine key file at `/etc/octopus/machinekey` is corrupt"),
    (
        "part-of-program",
        "System.DllNotFoundException: Unable to load shared library 'libSystem.Native' or one of its parts.",
    ),
    ("fips-certificate", "error:23076072:PKCS12 routines:PKCS12_parse:parse error"),
    (
        "configuration-missing",
        "The configuration file for instance Second could not be located at the specified location /etc/octopus/Second/t.config. The file might have been manually removed without properly removing the instance",
    ),
    (
        "configuration-damaged",
        "Unable to parse configuration key 'Octopus.Home' as a 'String'. Value was ''.\nThere is an error in XML document (0, 0).\nRoot element is missing.",
    ),
    (
        "instance-unknown",
        "Instance Nope of Tentacle has not been configured on this machine. Available instances: Second, Tentacle.",
    ),
    ("trusts-nobody", "The agent is not configured to trust any Octopus Servers."),
    (
        "polling-entry-incomplete",
        f"Configured to connect to server {TP}, but its configuration is incomplete; skipping.",
    ),
    (
        "disk-full",
        "The drive containing the directory 'C:\\Octopus' on machine 'WEB-01' does not have enough free disk space available for this operation to proceed. The disk only has 12 MB available; please free up at least 550 MB.",
    ),
    ("disk-full", "System.IO.IOException: No space left on device : '/home/Octopus/Work'"),
    ("access-denied", "System.UnauthorizedAccessException: Access to the path 'C:\\Octopus\\Work' is denied."),
    ("not-elevated", "Tentacle is not running with elevated permissions"),
    ("command-not-elevated", "Requires elevated privileges. Please run command as sudo."),
    (
        "registration-not-reached",
        "Checking that server communications are open failed with message Connection refused [::ffff:127.0.0.1]:10943 (127.0.0.1:10943). Retrying (1/5) in 00:00:00.7500000.",
    ),
    ("not-an-octopus-server", "https://octo-1.lab:10943/ does not appear to be an Octopus Server"),
    (
        "own-server-not-recognised",
        "The service listening on https://octo-1.lab:10943/ does not appear to be an Octopus server. The response was: ",
    ),
    ("server-not-yet-trusted", f"The Octopus Server with the thumbprint '{TP}' is not yet trusted by this Tentacle."),
    ("watchdog-cannot-start", "Service OctopusDeploy Tentacle doesn't have Running status after 30sec"),
    (
        "service-timeout",
        "A timeout was reached (30000 milliseconds) while waiting for the OctopusDeploy Tentacle service to connect.",
    ),
    (
        "visitor-left-before-tls",
        UNHANDLED + "System.IO.IOException: Received an unexpected EOF or 0 bytes from the transport stream.\n" + AT,
    ),
    ("client-left", UNHANDLED + "System.IO.EndOfStreamException: Attempted to read past the end of the stream."),
    (
        "visitor-sent-one-character",
        UNHANDLED
        + "System.ArgumentOutOfRangeException: Index and length must refer to a location within the string. (Parameter 'length')",
    ),
    ("closed-by-stop", UNHANDLED + "System.Threading.Tasks.TaskCanceledException: A task was canceled."),
    (
        "leak-note",
        "Failed to release TcpClient 10.0.0.5. This may result in a memory leak. Object reference not set to an instance of an object.",
    ),
    (
        "half-identity",
        f"{L}Remote failed to identify itself.\nSystem.OperationCanceledException: The ReadAsync operation was cancelled.",
    ),
    (
        "visitor-reset",
        SOCKET + "System.IO.IOException: Unable to read data from the transport connection: Connection reset by peer.",
    ),
    ("visitor-went-away", SOCKET + "System.Net.Sockets.SocketException (32): Broken pipe"),
    ("visitor-said-nothing", SOCKET + "System.Net.Sockets.SocketException (110): Connection timed out"),
    (
        "script-pod",
        "The Script Pod 'octopus-script-abc' could not be found. This is most likely due to the Script Pod being deleted.",
    ),
    (
        "http-instead-of-halibut",
        INIT
        + "Halibut.Transport.Protocol.ConnectionInitializationFailedException: Unable to process remote identity; unknown identity type: 'HTTP/1.0'",
    ),
    (
        "http-instead-of-halibut",
        "Halibut.Transport.Protocol.ConnectionInitializationFailedException: Unable to process remote identity; unknown identity 'HTTP/1.0'",
    ),
    ("http-with-headers", INIT + "Unable to receive the remote identity; the following line was not empty."),
    ("identity-empty", INIT + "Unable to receive the remote identity; the identity line was empty."),
    ("subscription-missing", f"{L}Remote failed to identify itself.\nThe remote did not supply a subscription ID."),
    ("roles-swapped", INIT + "Expected the remote endpoint to identity as a server. Instead, it identified as: Client"),
    (
        "roles-swapped",
        f"{L}Remote with identify  identified itself with an unknown identity type Server\nUnexpected remote identity: Server",
    ),
    ("control-word", AFTER + "Expected PROCEED, got: HELLO"),
    ("stray-byte", INIT + "Unexpected byte after '\r' in control message: 0x58"),
    (
        "not-halibut-bytes",
        UNHANDLED
        + "System.IO.InvalidDataException: The archive entry was compressed using an unsupported compression method.",
    ),
    ("message-cut", f"{T}Data stream size mismatch detected during send."),
    ("web-socket-unsupported", "Websockets is only supported on Windows Server 2012 and later"),
    (
        "web-socket-unreachable",
        "System.Net.WebSockets.WebSocketException (0x80004005): Unable to connect to the remote server",
    ),
    (
        "web-socket-gateway",
        (
            "System.Net.WebSockets.WebSocketException (0x80004005): Unable to connect to the remote server ---> "
            "System.Net.WebException: The remote server returned an error: (502) Bad Gateway."
        ),
    ),
    (
        "web-socket-gateway",
        (
            "System.Net.WebSockets.WebSocketException (0x80004005): The server returned status code '503' when status code '101' "
            "was expected."
        ),
    ),
    (
        "prefix-taken",
        "Microsoft.AspNetCore.Server.HttpSys.HttpSysException (183): The prefix 'https://+:443/' is already registered.",
    ),
    (
        "prefix-taken",
        (
            'System.Net.HttpListenerException (0x80004005): Fehler beim Abhören des Präfixes "http://+:80/", da es mit einer '
            "vorhandenen Registrierung auf dem Computer in Konflikt steht."
        ),
    ),
    ("web-socket-plain-request", "Rejected connection from 10.0.0.9:51000 as it is not Web Socket request"),
    ("answer-dump", f"{T}Response:"),
    ("answer-dump", f"{T}Remote failed to identify itself."),
    (
        "key-too-small",
        f"{L}Client failed authentication: {PEER}\nInterop+OpenSsl+SslException: Using SSL certificate failed with OpenSSL error - ee key too small.",
    ),
    (
        "no-common-cipher",
        f"{L}Client failed authentication: {PEER}\nSSL Handshake failed with OpenSSL error - SSL_ERROR_SSL.\nerror:0A0000C1:SSL routines::no shared cipher",
    ),
    (
        "no-common-protocol",
        f"{S}Authentication failed while setting up connection to https://octo-1.lab:10943/\nAuthentication failed, see inner exception.\nSSL Handshake failed with OpenSSL error - SSL_ERROR_SSL.\nerror:0A00042E:SSL routines::tlsv1 alert protocol version",
    ),
    (
        "no-common-protocol",
        f"{L}Client failed authentication: {PEER}\nerror:0A000102:SSL routines::unsupported protocol",
    ),
    (
        "handshake-alert",
        f"{S}Authentication failed while setting up connection to https://octo-1.lab:10943/\nerror:0A000410:SSL routines::sslv3 alert handshake failure",
    ),
    (
        "no-common-algorithm",
        f"{SSPI} ---> System.ComponentModel.Win32Exception: The client and server cannot communicate, because they do not possess a common algorithm",
    ),
    (
        "sspi-failed",
        f"{SSPI} ---> System.ComponentModel.Win32Exception: One or more of the parameters passed to the function was invalid",
    ),
    ("visitor-without-tls", f"{L}Client failed authentication: {PEER}\n{FRAME}"),
    ("not-tls", f"{S}Halibut client exception: {AFTER}{FRAME}. Retrying in 5.0 seconds"),
    ("not-tls", "System.IO.IOException: The handshake failed due to an unexpected packet format."),
    (
        "refused",
        f"{T}The remote host at https://web-01.lab:10933/ refused the connection. This may mean that the expected listening service is not running.",
    ),
    (
        "name-unknown",
        f"{T}Socket communication error while connecting to https://web-01.lab:10933/\nSystem.Net.Sockets.SocketException (00000001, 11): Name or service not known",
    ),
    ("name-unknown", f"{WRAP}No such host is known"),
    (
        "name-unknown",
        f"{TRANSACTION}System.Net.Sockets.SocketException (11): Resource temporarily unavailable",
    ),
    ("unreachable", f"{WRAP}No route to host"),
    (
        "connect-timeout",
        f"{T}The client was unable to establish the initial connection within the timeout 00:01:00. Retrying in 1.0 seconds.",
    ),
    ("connect-timeout", f"{WRAP}The client was unable to establish the initial connection within 00:01:00"),
    ("connection-lost", LOST + "\nSystem.Net.Sockets.SocketException (110): Connection timed out"),
    ("read-timed-out", f"{WRAP}Unable to read data from the transport connection: Connection timed out."),
    (
        "no-response-from-host",
        f"{WRAP}A connection attempt failed because the connected party did not properly respond after a period of time, or established connection failed because connected host has failed to respond",
    ),
    (
        "reset",
        "System.IO.IOException: Unable to read data from the transport connection: An existing connection was forcibly closed by the remote host.",
    ),
    (
        "closed-before-tls",
        f"{TRANSACTION}System.IO.IOException: Received an unexpected EOF or 0 bytes from the transport stream.",
    ),
    (
        "end-of-stream",
        f"{TRANSACTION}System.IO.EndOfStreamException: Attempted to read past the end of the stream.\n{AT}",
    ),
    (
        "end-of-stream",
        f"{S}Halibut client exception: {AFTER}Attempted to read past the end of the stream.. Retrying in 5.0 seconds",
    ),
    ("silent-peer", f"{TRANSACTION}System.OperationCanceledException: The ReadAsync operation was cancelled."),
    ("tls-failed-listening", f"{L}Client failed authentication: {PEER}\nsome new text"),
    ("tls-failed", f"{S}Authentication failed while setting up connection to https://octo-1.lab:10943/\nsome new text"),
    ("polling-loop", f"{S}Halibut client exception: Something nobody has seen. Retrying in 12.3 seconds"),
    (
        "polling-loop",
        "Exception in the polling loop. Retrying in 5.0 seconds. This may be cause by a network error and usually rectifies itself.",
    ),
    ("request-failed", f"{AFTER}Something nobody has seen"),
    ("initialization-failed", INIT + "Something nobody has seen"),
    ("transaction-failed", TRANSACTION + "Something nobody has seen"),
    ("unhandled-visitor", UNHANDLED + "Something nobody has seen"),
)


class TestEachSignature:
    @pytest.mark.parametrize(("slug", "text"), SAMPLES, ids=[f"{slug}-{n}" for n, (slug, _) in enumerate(SAMPLES)])
    def test_is_the_first_that_fits_its_text(self, slug: str, text: str) -> None:
        """Whatever else stands in the record, the innermost text decides."""
        found = classify(text)

        assert found is not None
        assert found[0].id == slug

    def test_has_a_text_in_these_tests(self) -> None:
        """Here, or in the table of eras."""
        assert {slug for slug, _ in SAMPLES} | {row.meaning for row in ROWS} == set(BY_ID)

    def test_is_one_of_sixty_or_more_with_a_name_of_its_own(self) -> None:
        assert len(SIGNATURES) == len(BY_ID) >= 60
        assert all(re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", signature.id) for signature in SIGNATURES)

    @pytest.mark.parametrize("signature", SIGNATURES, ids=lambda signature: signature.id)
    def test_says_what_it_means_and_what_to_do(self, signature) -> None:
        assert signature.meaning.endswith(".")
        assert signature.advice.endswith(".")
        assert all(key == key.lower() for key in signature.keys)

    def test_leads_to_a_problem_of_the_catalogue_or_to_none(self) -> None:
        """Some are worked out: a start without end, a client never let in, a call that failed, a name with quotes."""
        assert codes() | {"TT130", "TT132", "TT136", "TT141", "TT144", "TT145", "TT146", "TT151", "TT152"} == {
            kind.code for kind in (*LOGS, *MESSAGES)
        }


class TestFacts:
    """What a signature names can be used to tell whom it concerns."""

    @pytest.mark.parametrize(
        ("slug", "name", "value"),
        [
            ("unexpected-certificate", "expected", TP),
            ("unexpected-certificate", "actual", OTHER),
            ("foreign-certificate", "subject", "CN=Corporate TLS Inspection, O=Example"),
            ("client-not-trusted", "thumbprint", TP),
            ("client-not-trusted", "peer", PEER),
            ("connection-limit", "subscription", "poll://sq-abc"),
            ("request-not-collected", "seconds", "00:02:00"),
            ("proxy-authentication", "status", "407"),
            ("refused", "url", "https://web-01.lab:10933/"),
            ("visitor-left-before-tls", "peer", PEER),
            ("no-common-cipher", "peer", PEER),
            ("http-instead-of-halibut", "word", "HTTP/1.0"),
            ("reset-distrust-hint", "thumbprint", TP),
            ("access-denied", "path", "C:\\Octopus\\Work"),
            ("connect-timeout", "seconds", "00:01:00"),
        ],
    )
    def test_are_named(self, slug: str, name: str, value: str) -> None:
        text = next(text for known, text in SAMPLES if known == slug)
        found = classify(text)

        assert found is not None
        assert found[1][name] == value


class TestWhatIsNotASignature:
    @pytest.mark.parametrize(
        "text",
        [
            f"{L}Accepted TCP client: {PEER}",
            f"{L}Client at {PEER} authenticated as {TP}",
            "Agent listening on: [::]:10933",
            "Connection refusal is discussed in the manual",
            "",
        ],
    )
    def test_is_not_classified(self, text: str) -> None:
        assert classify(text, Level.INFO) is None

    def test_a_lower_level_than_the_signature_has_is_something_else(self) -> None:
        """A server's log at the level of information tells of all sorts of things."""
        assert classify("Connection refused", Level.INFO) is None
        assert classify("Connection refused", Level.WARN) is not None


class TestClassifier:
    def test_gives_the_same_for_a_record_as_for_the_whole(self) -> None:
        classifier = Classifier("\n".join(text for _, text in SAMPLES))
        for slug, text in SAMPLES:
            found = classifier.match(text, Level.ERROR)
            assert found is not None
            assert found[0].id == slug

    def test_looks_only_at_the_beginning_of_an_endless_record(self) -> None:
        """Else a hostile record would take for ever."""
        assert classify("x" * LOOKED_AT + "Connection refused") is None

    def test_is_quick_on_a_record_that_repeats_a_heading(self) -> None:
        text = f"Socket IO exception: {PEER} " * 400
        for _ in range(20):
            found = classify(text)
            assert found is not None
            assert found[0].id == "unhandled-visitor"
