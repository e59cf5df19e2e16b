"""Signatures of the machine itself: its ports (tentacle-facts 3.4, 12 and 13)."""

from __future__ import annotations

from .model import CONNECTS, Signature
from .of_host import host_signature
from .texts import FORBIDDEN, IN_USE, NOT_LOCAL

PORTS: tuple[Signature, ...] = (
    host_signature(
        "prefix-taken",
        r"(?:Failed to listen on prefix|HttpListenerException[^\n]{0,200}?|HttpSysException[^\n]{0,60}?The prefix) ?"
        r"['\"\u2018\u201c\u201e\u00ab]\s?"
        r"(?P<url>https?://[^'\"\u2019\u201c\u201d\u00bb\s]{1,200})",
        ("failed to listen on prefix", "httplistenerexception", "httpsysexception"),
        "Another program has registered the same prefix at http.sys, Windows' own web server.",
        "Find it (netsh http show servicestate), then end it or take another prefix.",
        code="TT138",
    ),
    host_signature(
        "prefix-denied",
        r"Http(?:Listener|Sys)Exception[^\n]{0,60}?(?:\(5\)|: Access is denied|: Zugriff verweigert)",
        ("httplistenerexception", "httpsysexception"),
        "The service's account may not listen on the prefix that it is to have at http.sys.",
        "Reserve the prefix for the account (netsh http add urlacl), or let the service run as LocalSystem.",
        code="TT139",
    ),
    host_signature(
        "prefix-port-taken",
        r"Http(?:Listener|Sys)Exception[^\n]{0,60}?(?:\((?:32|183)\)|The process cannot access the file|"
        r"Cannot create a file when that file already exists)",
        ("httplistenerexception", "httpsysexception"),
        "Another program holds the port, or the prefix, that http.sys is to open for the service.",
        "Find it (netstat -anob, netsh http show servicestate), then end it or take another port.",
        code="TT138",
    ),
    host_signature(
        "bind-failed",
        r"Failed to bind to address (?P<url>https?://\S+?[:/](?P<port>\d{1,5})): address already in use|"
        r"SocketException \((?:10013|10048|13|98)\).{0,3000}?AspNetCore\.Server\.Kestrel",
        ("failed to bind to address", "aspnetcore.server.kestrel"),
        "Another program holds one of the service's further ports.",
        "Find who holds the port, then end it or take another port.",
        code="TT138",
    ),
    host_signature(
        "port-in-use",
        r"A required communications port is already in use\.",
        ("a required communications port is already in use",),
        "Another process, instance or left-over child process holds the port; Tentacle 8.0.0 to 8.1.61 also says so "
        "for "
        "a minute or two after a restart.",
        "Find who holds the port; end it, or take another port; upgrade a Tentacle from 8.0.0 to 8.1.61.",
        code="TT111",
    ),
    host_signature(
        "http-port-in-use",
        r"The HTTP server failed to start because the port is in use\.",
        ("http server failed to start because the port",),
        "Another program holds the portal's port or prefix.",
        "Find who holds the port, or take another.",
        code="TT111",
    ),
    host_signature(
        "address-in-use",
        IN_USE.pattern,
        IN_USE.keys,
        "Another process, instance or left-over child process holds the port.",
        "Find who holds the port; end it, or take another port.",
        code="TT111",
    ),
    host_signature(
        "address-not-local",
        rf"\A(?!.{{0,400}}?{CONNECTS}).*?{NOT_LOCAL.pattern}",
        NOT_LOCAL.keys,
        "It is to listen on an address that the machine does not have.",
        "Correct Tentacle.Services.ListenIP, or give the machine that address.",
        code="TT134",
    ),
    host_signature(
        "port-forbidden",
        FORBIDDEN.pattern,
        FORBIDDEN.keys,
        "The system does not let it use the port: it lies in a reserved range, or another program holds it "
        "exclusively.",
        "Look at the excluded port ranges (netsh int ipv4 show excludedportrange tcp), or take another port.",
        code="TT134",
    ),
    host_signature(
        "accepting-fails",
        r"Accepting a connection has failed (?P<count>\d+) times in a row|Error accepting TCP client",
        ("accepting a connection has failed", "error accepting tcp client"),
        "The listening socket is in trouble: handles or memory run out, or a security product interferes.",
        "Restart the service; look at its handles, and at what antivirus software does to it.",
        code="TT128",
    ),
)
