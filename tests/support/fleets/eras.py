"""What Tentacle and Halibut mean, in the words, levels and layouts of each of their versions (tentacle-history 2, 4, 5).

A row is one wording: its meaning, the versions of Tentacle that write it, the level at which they do, the lines. What
a server's log or a visitor's record says stands there as well. A row's record is read from a log in each layout of its
time.
"""

from __future__ import annotations

from dataclasses import dataclass

A = "33FE43EA811E4D11CF171D80715F7778C0F73832"
B = "FE0C8A987654321D3B1A20C9FE5E1076AB7CA110"
P = "https://octo-1.lab:10943/        12  "
T = "https://web-01.lab:10933/        34  "
OLD = "listen://0.0.0.0:10933/           4  "
NEW = "listen://[::]:10933/             91  "
V4, V6 = "10.0.0.5:42320", "[::ffff:10.0.0.5]:42320"
UNEXPECTED = (
    "The server presented an unexpected security certificate. We expected the server to present a certificate with the "
    f"thumbprint '{A}'. Instead, it presented a certificate with a thumbprint of '{B}'."
)
NAMED = (
    "The server at https://octo-1.lab:10943/ presented an unexpected security certificate. We expected the server to "
    f"present a certificate with the thumbprint '{A}'. Instead, it presented a certificate with a thumbprint of '{B}' "
    "and subject 'CN=Octopus Portal'. This usually happens when the client has been configured to expect the server "
    "to have the wrong certificate."
)
REFUSED = "No connection could be made because the target machine actively refused it 10.0.0.1:10943"
FORCIBLY = "An existing connection was forcibly closed by the remote host"
DID_NOT_RESPOND = (
    "A connection attempt failed because the connected party did not properly respond after a period of time, or "
    "established connection failed because connected host has failed to respond"
)
PACKET = "System.IO.IOException: The handshake failed due to an unexpected packet format."
RESET_3 = (
    "The remote host at https://web-01.lab:10933/ reset the connection, this may mean that the expected listening "
    f"service does not trust the thumbprint {A} or was shut down."
)
ABORTED = (
    "aborted the connection before it was fully established. This usually means that the server rejected the "
    f"certificate that we provided. We provided a certificate with a thumbprint of '{A}'."
)
UNCOLLECTED = (
    "A request was sent to a polling endpoint, but the polling endpoint did not collect the request within the allowed "
    "time (00:02:00), so the request timed out."
)
SENDING = "An error occurred when sending a request to 'https://web-01.lab:10933/', "


@dataclass(frozen=True)
class Row:
    """One wording of one meaning."""

    meaning: str
    versions: str
    level: str
    text: str
    layouts: tuple[str, ...]


PLAIN, THREAD, PID, BARS = "2.x", "3.0 to 3.15.2", "3.15.3 and later", "containers, 8.1.936 and later"


def _row(meaning: str, versions: str, level: str, text: str, *layouts: str) -> Row:
    return Row(meaning, versions, level, text, layouts)


ROWS = (
    # Another certificate than the expected one.
    _row("unexpected-certificate", "3.0-3.7", "INFO", f"{P}{UNEXPECTED}", THREAD),
    _row(
        "unexpected-certificate",
        "3.0-3.7, as heading and exception",
        "INFO",
        f"{P}{UNEXPECTED}\nSystem.Security.Authentication.AuthenticationException: {UNEXPECTED}",
        THREAD,
    ),
    _row("unexpected-certificate", "3.8-4.0.2", "INFO", f"{P}Authentication failed while setting up connection to https://octo-1.lab:10943/\nHalibut.Transport.UnexpectedCertificateException: {NAMED}", THREAD, PID),
    _row("unexpected-certificate", "4.0.3-", "ERROR", f"{P}Authentication failed while setting up connection to https://octo-1.lab:10943/\nHalibut.Transport.UnexpectedCertificateException: {NAMED}", PID, BARS),
    _row("unexpected-certificate", "5.0.16-", "ERROR", f"{P}Halibut client exception: {NAMED}. Retrying in 5,0 seconds", PID),
    _row("unexpected-certificate-1x", "1.x", "ERROR", f"The certificate thumbprint given by the remote server is not what we expected. The remote server identified as: {B} while we expected: {A}", PLAIN),
    _row("unexpected-certificate-2x", "2.0", "ERROR", "We aborted the connection because the remote host was not authenticated. This happens whtn the remote host presents a different certificate to the one we expected.", PLAIN),
    # Refused.
    _row("refused", "3.0-3.10", "INFO", f"{P}{REFUSED}\nSystem.Net.Sockets.SocketException (0x80004005): {REFUSED}", THREAD),
    _row("refused", "3.12-4.0.2", "INFO", f"{P}The remote host at https://octo-1.lab:10943/ refused the connection, this may mean that the expected listening service is not running.", THREAD, PID),
    _row("refused", "4.0.3-5.0.14", "ERROR", f"{P}The remote host at https://octo-1.lab:10943/ refused the connection, this may mean that the expected listening service is not running.", PID),
    _row("refused", "5.0.15-", "ERROR", f"{P}The remote host at https://octo-1.lab:10943/ refused the connection. This may mean that the expected listening service is not running.", PID, BARS),
    # Reset.
    _row("reset-shut-down", "3.12", "INFO", f"{T}The remote host at https://web-01.lab:10933/ reset the connection, this may mean that the expected listening service was shut down.", THREAD),
    _row("reset-distrust-hint", "3.13-4.0.2", "INFO", f"{T}{RESET_3}", THREAD, PID),
    _row("reset-distrust-hint", "4.0.3-5.0.14", "ERROR", f"{T}{RESET_3}\nSystem.Net.Sockets.SocketException (10054): {FORCIBLY}", PID),
    _row("reset-distrust-hint", "5.0.15-", "ERROR", T + RESET_3.replace(", this", ". This"), PID),
    _row("reset", "3.0-3.10", "INFO", f"{P}{FORCIBLY}\nSystem.Net.Sockets.SocketException (0x80004005): {FORCIBLY}", THREAD),
    _row("aborted-before-established", "3.0-4.0.2", "INFO", f"{P}Unexpected exception executing transaction.\nHalibut.HalibutClientException: An error occurred when sending a request to 'https://octo-1.lab:10943/', after the request began: {FORCIBLY}. The server {ABORTED}", THREAD, PID),
    _row("aborted-before-established", "4.0.3-", "ERROR", f"{P}The server https://octo-1.lab:10943/ {ABORTED}. Retrying in 7.3 seconds", PID),
    # Timed out, never connected.
    _row("connection-lost", "3.12-4.0.2", "INFO", f"{P}The connection to the host at https://octo-1.lab:10943/ timed out, there may be problems with the network, connection will be retried.", THREAD, PID),
    _row("connection-lost", "5.0.15-", "ERROR", f"{P}The connection to the host at https://octo-1.lab:10943/ timed out. There may be problems with the network. The connection will be retried.", PID),
    _row("connect-timeout", "3.0-5.0.12", "INFO", f"{P}Unexpected exception executing transaction.\nHalibut.HalibutClientException: The client was unable to establish the initial connection within 00:01:00", THREAD, PID),
    _row("connect-timeout", "5.0.13-", "ERROR", f"{P}Unexpected exception executing transaction.\nHalibut.HalibutClientException: The client was unable to establish the initial connection within the timeout 00:01:00.", PID),
    _row("connect-timeout", "5.0.5-, server", "ERROR", f"{T}The client was unable to establish the initial connection within the timeout 00:01:00. Retrying in 1.0 seconds.", PID),
    # What has no name.
    _row("initialization-failed", "3.8-5.0.14", "INFO", f"{P}Socket communication error with connection to  https://octo-1.lab:10943/\nSystem.Exception: strange", THREAD, PID),
    _row("initialization-failed", "3.8-5.0.14", "INFO", f"{P}Connection initialization failed while connecting to  https://octo-1.lab:10943/\nSystem.Exception: strange", THREAD, PID),
    _row("initialization-failed", "5.0.15-", "ERROR", f"{P}Socket communication error while connecting to https://octo-1.lab:10943/\nSystem.Exception: strange", PID),
    _row("transaction-failed", "3.8-4.0.2", "INFO", f"{P}Unexpected exception executing transaction.\nSystem.Exception: strange", THREAD, PID),
    _row("polling-loop", "3.15.8-4.0.2", "INFO", f"{P}Exception in the polling loop, sleeping for 5 seconds. This may be cause by a network error and usually rectifies itself. Disregard this message unless you are having communication problems.\nSystem.Exception: strange", THREAD, PID),
    _row("polling-loop", "4.0.3-5.0.15", "ERROR", f"{P}Something strange. Retrying in 7.3 seconds", PID),
    _row("polling-loop", "5.0.16-", "ERROR", f"{P}Exception in the polling loop. Retrying in 5.0 seconds\nSystem.Exception: strange", PID),
    _row("request-failed", "3.0-", "INFO", f"{T}{SENDING}before the request could begin: strange", THREAD, PID),
    # Retries say nothing by themselves.
    _row("retry", "3.0-5.0.14", "INFO", f"{T}Retry attempt 1", THREAD, PID),
    _row("retry", "4.0.3-5.0.14", "ERROR", f"{T}Retry attempt 2", PID),
    _row("retry", "5.0.13-", "INFO", f"{T}Retrying connection to https://web-01.lab:10933/ - attempt #1.", PID),
    # The listener's words.
    _row("client-not-trusted", "3.0-8.1.1321", "INFO", f"{OLD}A client at {V4} connected, and attempted a message exchange, but it presented a client certificate with the thumbprint '{B}' which is not in the list of thumbprints that we trust", THREAD, PID),
    _row("client-not-trusted", "8.1.1322-", "DEBUG", f"{NEW}A client at {V6} connected, and attempted a message exchange, but it presented a client certificate with the thumbprint '{B}' which is not in the list of thumbprints that we trust", PID),
    _row("client-not-trusted-1x", "1.x", "ERROR", f"The certificate thumbprint provided by the remote client is not in our list of trusted certificates. We can't accept requests from that client. The client identified itself with the thumbprint: {B}", PLAIN),
    _row("client-not-trusted-2x", "2.1, server", "ERROR", f"Rejecting connection: the client at {V4} provided a certificate with thumbprint {B}, while the server trusts {A} and 00 for polling endpoints.", PLAIN),
    _row("client-without-certificate", "3.0-8.1.1321", "INFO", f"{OLD}A client at {V4} connected, and attempted a message exchange, but did not present a client certificate", THREAD, PID),
    _row("not-trusted-there-2x", "2.x", "ERROR", "The request failed: Unauthorized\n<html><head><title>Unauthorized</title></head><body>You are not authorized to access this resource.</body></html>", PLAIN),
    _row("aborted-2x", "2.x", "ERROR", "The remote host aborted the connection. This can happen when the remote server does not trust the certificate that we provided.", PLAIN),
    _row("subscriber-unknown-2x", "2.x", "ERROR", "The request failed: BadRequest\nUnrecognised subscriber space", PLAIN),
    _row("subscriber-unknown-2x", "2.x", "ERROR", "A message arrived on a communication link (subscription) that is no longer valid. Reset connectivity in the portal.", PLAIN),
    _row("discovery-not-tls-2x", "2.x, server", "ERROR", f"Failed to discover SQUID for WEB-01\n{PACKET}", PLAIN),
    # Visitors at the listener.
    _row("visitor-without-tls", "2.x", "ERROR", f"Unhandled error when processing request from client\n{PACKET}\n   at Pipefish.Transport.SecureTcp.Server.SecureTcpServer.ExecuteRequest(TcpClient client)", PLAIN),
    _row("visitor-without-tls", "3.0-4.0.2", "INFO", f"{OLD}Unhandled error when handling request from client: {V4}\n{PACKET}", THREAD, PID),
    _row("visitor-without-tls", "4.0.3-", "ERROR", f"{NEW}Unhandled error when handling request from client: {V6}\n{PACKET}", PID),
    _row("visitor-without-tls", "3.0-8.1.1321", "INFO", f"{NEW}Client failed authentication: {V6}\nSystem.Security.Authentication.AuthenticationException: Cannot determine the frame size or a corrupted frame was received.", PID),
    _row("visitor-left-before-tls", "3.0-4.0.2", "INFO", f"{OLD}Unhandled error when handling request from client: {V4}\nSystem.IO.IOException: Authentication failed because the remote party has closed the transport stream.", THREAD, PID),
    _row("visitor-left-before-tls", "2.x", "ERROR", "Unhandled error when processing request from client\nSystem.IO.IOException: Authentication failed because the remote party has closed the transport stream.", PLAIN),
    _row("visitor-reset", "3.0-3.22", "INFO", f"{OLD}Unhandled error when handling request from client: {V4}\nSystem.IO.IOException: Unable to read data from the transport connection: {FORCIBLY}.", THREAD, PID),
    _row("visitor-reset", "2.x", "ERROR", f"Unhandled error when processing request from client\nSystem.IO.IOException: Unable to read data from the transport connection: {FORCIBLY}.", PLAIN),
    _row("visitor-reset", "3.23-", "INFO", f"{NEW}Socket IO exception: {V6}\nSystem.Net.Sockets.SocketException (10054): {FORCIBLY}", PID),
    _row("visitor-reset", "3.23-", "INFO", f"{NEW}Socket exception: {V6}\nSystem.Net.Sockets.SocketException (10054): {FORCIBLY}", PID),
    _row("visitor-said-nothing", "3.0-3.11, every ten minutes of idleness", "INFO", f"{OLD}Unhandled error when handling request from client: {V4}\nSystem.IO.IOException: Unable to read data from the transport connection: {DID_NOT_RESPOND}.", THREAD, PID),
    _row("idle-connection", "3.12-5.0.6", "INFO", f"{NEW}No messages received from client for timeout period. Connection closed and will be re-opened when required.", THREAD, PID),
    _row("idle-connection", "4.0.3-5.0.6", "ERROR", f"{NEW}No messages received from client for timeout period. Connection closed and will be re-opened when required.", PID),
    _row("client-left", "3.0-, a trusted one", "INFO", f"{OLD}Unhandled error when handling request from client: {V4}\nSystem.NullReferenceException: Object reference not set to an instance of an object.\n   at Halibut.Transport.Protocol.MessageExchangeStream.ReadBsonMessage()", THREAD, PID),
    _row("client-left", "7.0-", "ERROR", f"{NEW}Unhandled error when handling request from client: {V6}\nSystem.IO.EndOfStreamException: Attempted to read past the end of the stream.", PID),
    _row("closed-by-stop", "3.23-", "INFO", f"{NEW}Socket IO exception: {V6}\nSystem.IO.IOException: Unable to read data from the transport connection.\nSystem.ObjectDisposedException: Cannot access a disposed object.", PID),
    _row("leak-note", "5.0.3-", "ERROR", f"{NEW}Failed to close TcpClient to {V6}. This may result in a memory leak. Object reference not set", PID),
    _row("accepting-fails", "3.0-7.0.375", "INFO", f"{OLD}Error accepting TCP client\nSystem.Exception: strange", THREAD, PID),
    _row("sspi-failed", "3.0-", "INFO", f"{OLD}Client failed authentication: {V4}\nSystem.Security.Authentication.AuthenticationException: A call to SSPI failed, see inner exception. ---> System.ComponentModel.Win32Exception: strange", THREAD, PID),
    _row("sspi-failed", "3.0-", "INFO", f"{P}Authentication failed while setting up connection to https://octo-1.lab:10943/\nSystem.Security.Authentication.AuthenticationException: A call to SSPI failed, see inner exception.", THREAD, PID),
    # Identity and messages.
    _row("identity-empty", "3.0-", "INFO", f"{P}Unexpected exception executing transaction.\nHalibut.Transport.Protocol.ProtocolException: Unable to receive the remote identity; the identity line was empty.", THREAD, PID),
    _row("http-instead-of-halibut", "3.0-", "INFO", f"{P}Unable to process remote identity; unknown identity type: 'HTTP/1.0'", THREAD, PID),
    _row("broken-envelope", "3.0-5.0.14", "INFO", f"{T}{SENDING}after the request began: Object reference not set to an instance of an object.", THREAD, PID),
    _row("broken-envelope", "4.0.3-5.0.14", "ERROR", f"{P}Unexpected exception executing transaction.\nSystem.NullReferenceException: Object reference not set to an instance of an object.\n   at Halibut.Transport.Protocol.MessageExchangeStream.ReadBsonMessage[T]()", PID),
    _row("message-cut", "5.0.15-", "ERROR", f"{P}Unexpected exception executing transaction.\nHalibut.Transport.Protocol.ProtocolException: messageEnvelope is null", PID),
    # Address families.
    _row("address-family", "3.0-3.1.6: IPv4 only", "INFO", f"{P}An address incompatible with the requested protocol was used\nSystem.Net.Sockets.SocketException (0x80004005): An address incompatible with the requested protocol was used", THREAD),
    _row("address-family", "3.1.7-5.0.4: IPv6 switched off", "INFO", f"{P}Unexpected exception executing transaction.\nSystem.Net.Sockets.SocketException (97): Address family not supported by protocol", PID),
    _row("address-family", "the same, Windows", "ERROR", f"{P}Unexpected exception executing transaction.\nSystem.Net.Sockets.SocketException (10047): An address incompatible with the requested protocol was used", PID),
    # Requests at the server.
    _row("request-not-collected", "3.0-, server", "INFO", f"poll://abc/        12  {UNCOLLECTED}", THREAD, PID),
    _row("request-not-answered", "3.10-, server", "INFO", "poll://abc/        12  A request was sent to a polling endpoint, the polling endpoint collected it but did not respond in the allowed time (00:10:00), so the request timed out.", THREAD, PID),
    # Proxies.
    _row("proxy-unreachable", "3.4-3.7", "INFO", f"{P}Unexpected exception executing transaction.\nHalibut.Transport.Proxy.Exceptions.ProxyException: Connection to proxy host 10.0.0.9 on port 8080 failed.", THREAD),
    _row("proxy-unreachable", "3.8-", "INFO", f"{P}Unexpected exception executing transaction.\nHalibut.Transport.Proxy.Exceptions.ProxyException: Connection to proxy host 10.0.0.9 on port 8080 failed: {REFUSED}", THREAD, PID),
    # Starts.
    _row("prefix-taken", "server 2.x", "FATAL", "System.Net.HttpListenerException (0x80004005): Failed to listen on prefix 'http://+:10930/' because it conflicts with an existing registration on the machine.", PLAIN, THREAD),
    _row("prefix-port-taken", "server", "FATAL", "System.Net.HttpListenerException (32): The process cannot access the file because it is being used by another process", PID),
    _row("prefix-denied", "server", "FATAL", "System.Net.HttpListenerException (5): Access is denied", PID),
    _row("prefix-denied", "server", "FATAL", "System.Net.HttpListenerException (0x80004005): Access is denied", PLAIN, THREAD),
    _row("bind-failed", "server 2025.3", "FATAL", "System.IO.IOException: Failed to bind to address https://[::]:8443: address already in use.", PID),
    _row("logging-configuration", "3.15-", "FATAL", "System.Exception: Invalid logging configuration: missing target 'stdout'", THREAD, PID),
    _row("file-locked", "all", "FATAL", "System.IO.IOException: The process cannot access the file 'C:\\Octopus\\Tentacle.config' because it is being used by another process.", PLAIN, THREAD, PID),
    _row("database", "server", "FATAL", "System.Data.SqlClient.SqlException (0x80131904): A network-related or instance-specific error occurred while establishing a connection to SQL Server.", THREAD, PID),
    _row("database", "server", "ERROR", 'Cannot open database "Octopus" requested by the login. The login failed.', PID),
    _row("database", "server 2022.1-", "FATAL", "A connection was successfully established with the server, but then an error occurred during the login process. (provider: SSL Provider, error: 0 - The certificate chain was issued by an authority that is not trusted.)", PID),
    _row("database", "server 3.0", "ERROR", "The connection is broken and recovery is not possible.  The connection is marked by the server as unrecoverable.\n   at System.Data.SqlClient.SqlConnection.ValidateConnectionForExecute(String method, SqlCommand command)", THREAD),
    _row("database-pool", "server", "ERROR", "System.InvalidOperationException: Timeout expired.  The timeout period elapsed prior to obtaining a connection from the pool.", THREAD, PID),
    _row("prefix-port-taken", "server 2021-", "FATAL", "Microsoft.AspNetCore.Server.HttpSys.HttpSysException (32): The process cannot access the file because it is being used by another process.", PID),
    _row("prefix-denied", "server 2021-", "FATAL", "Microsoft.AspNetCore.Server.HttpSys.HttpSysException (5): Access is denied.", PID),
    _row("threads-exhausted", "server 2023.3-", "ERROR", "ThreadPool exhausted for approximately 4997ms current ThreadPool exhaustion events 1", PID),
    _row("license", "server 2.0", "ERROR", "The installed license is not compatible with this version; no database initialization will be performed as this may prevent successful downgrade to a licensed version.", PLAIN),
    _row("license", "server 2020.1-", "FATAL", "One of the pre-conditions to safely upgrade your database has failed, and the upgrade cannot continue.\n- FAIL: Your Octopus Server would not be compliant with your license if we allowed the upgrade to continue.", PID),
    _row("database-key", "server 2.0", "ERROR", "System.IO.IOException: Encrypted stream is not correctly salted with the document key.", PLAIN),
    _row("database-upgrade", "server 2018-", "FATAL", "Unhandled AppDomain exception occurred: Failed upgrading database schema - the entire upgrade has been rolled back to its last known good state.", PID),
    _row("database-upgrade", "server -2018.4", "FATAL", "Failed to upgrade the database 'OctopusDeploy' on SQL Server at '(local)' to the expected schema running as 'OctopusDeploy': The reason should be logged above.\nAll changes have been rolled back", PID),
    _row("database-upgrade", "server 2018.9-", "FATAL", "We encountered an error during the schema upgrade. The schema upgrade was stopped and rolled back.", PID),
    _row("database-upgrade", "server 2021.3-", "FATAL", "Unexpected upgrade history detected. You probably need to upgrade to a later version of Octopus Server. Extra upgrade script(s) found: Script0321DeleteQueuedCleanupTasks", PID),
    _row("license", "server 2023.4-", "FATAL", "We don't recognise this license kind at all! It is our fault and we want to fix the problem.", PID),
    _row("portal-web-server", "server 2021.2-", "FATAL", "An exception was thrown while activating Microsoft.AspNetCore.Hosting.GenericWebHostService -> Microsoft.AspNetCore.Server.Kestrel.Core.KestrelServerImpl.", PID),
    _row("powershell-not-started", "9.1-", "WARN", "PowerShell startup detection: PowerShell did not start within 5 minutes for task ServerTasks-1", PID),
    _row("pkcs12-iterations", "before 6.4.41", "FATAL", "System.Security.Cryptography.CryptographicException: PKCS12 (PFX) without a supplied password has exceeded maximum allowed iterations.", PID),
    _row("no-certificate", "3.x-6.0.642", "FATAL", "No certificate has been generated for this Tentacle. Please run the new-certificate command before starting.", THREAD, PID),
    _row("no-home", "3.14-", "FATAL", "No home directory has been configured for this Tentacle. Please run the configure command before starting.", THREAD, PID),
    _row("trusts-nobody", "3.0-3.23.1", "INFO", "The agent is not configured to trust any Octopus servers.", THREAD, PID),
    _row("trusts-nobody", "3.23.2-", "INFO", "The agent is not configured to trust any Octopus Servers.", PID),
)  # fmt: skip

HARMLESS = frozenset(
    {
        "visitor-without-tls",
        "visitor-left-before-tls",
        "visitor-reset",
        "visitor-said-nothing",
        "idle-connection",
        "client-left",
        "closed-by-stop",
        "leak-note",
        "retry",
    }
)
"""Meanings that are nobody's failure: they lead to no problem."""

LISTENERS = frozenset({"client-not-trusted", "client-without-certificate"}) | HARMLESS - {"retry", "leak-note"}
"""Words of a listener: never a client's failure."""

FRAMES = {
    PLAIN: "2013-12-30 16:01:58.0895  {level}  {text}\n",
    THREAD: "2015-07-13 15:28:35.0201      6  {level}  {text}\n",
    PID: "2019-02-01 15:28:35.0201   2136      6 {level:>5}  {text}\n",
    BARS: "2024-02-01 15:28:35.0201 | {level} | {text}\n",
}
