"""Signatures of an Octopus Server that does not come through its start: its license, its database, its web server."""

from __future__ import annotations

from .model import Level, Phase, Signature
from .of_host import host_signature

SERVER_START: tuple[Signature, ...] = (
    host_signature(
        "license",
        r"installed licen[sc]e is not compatible with this version|"
        r"would not be compliant with your licen[sc]e|Octopus (?:Server )?subscription expired|"
        r"your licen[sc]e (?:has expired|will no longer be compliant|is not valid for this version)|"
        r"recogni[sz]e this licen[sc]e kind|license (?:key )?signature could not be verified|"
        r"upgrading your licen[sc]e will no longer be compliant",
        (
            "license is not compatible with this version",
            "licence is not compatible with this version",
            "would not be compliant with your licen",
            "subscription expired",
            "this license kind",
            "signature could not be verified",
            "your license ",
            "your licence ",
        ),
        "Octopus Server does not start with the license that it has: it has expired, or is not for this version.",
        "Give it a license that covers this version (Octopus.Server license), then start it.",
        code="TT155",
        level=Level.ERROR,
        writer="server",
    ),
    host_signature(
        "database-key",
        r"Encrypted stream is not correctly salted|encrypted stream's salt was different than the expected salt",
        ("encrypted stream is not correctly salted", "encrypted stream's salt was different"),
        "The embedded database of Octopus 2 cannot be read with the master key that this server has.",
        "Give the server the master key with which the database was written.",
        code="TT143",
        level=Level.ERROR,
        writer="server",
    ),
    host_signature(
        "database-upgrade",
        r"Failed upgrading database schema|error during the schema upgrade|Failed to upgrade the database '|"
        r"Unexpected upgrade history detected|"
        r"pre-conditions to safely upgrade your database ha(?:s|ve) failed|"
        r"Database upgrade (?:was )?(?:unsuccessful|failed)",
        (
            "failed upgrading database schema",
            "error during the schema upgrade",
            "failed to upgrade the database '",
            "unexpected upgrade history detected",
            "pre-conditions to safely upgrade your database",
            "database upgrade ",
        ),
        "Octopus Server could not bring its database to the version of the program, and ended.",
        "Read which script or condition failed; go back to the version before, or to a release that mends it.",
        code="TT156",
        level=Level.ERROR,
        writer="server",
    ),
    host_signature(
        "portal-web-server",
        r"(?:exception was thrown while|error occurred).{1,600}?\b(?:KestrelServerImpl|GenericWebHostService|"
        r"HttpSysListener|MessagePump)\b|Unable to configure HTTPS endpoint|"
        r"HttpSys\.HttpApi' threw an exception|Unable to load shared library 'httpapi\.dll'",
        (
            "kestrelserverimpl",
            "genericwebhostservice",
            "httpsyslistener",
            "messagepump",
            "unable to configure https endpoint",
            "httpsys.httpapi' threw",
            "unable to load shared library 'httpapi.dll'",
        ),
        "The web server of the portal cannot be set up, and Octopus Server ends with it.",
        "See which web server (http.sys or Kestrel) and which bindings are set.",
        code="TT157",
        phase=Phase.START,
        level=Level.ERROR,
        writer="server",
    ),
)
"""Issues#602, #7266, #7427, #8790 (license); #177 (database of Octopus 2); #4509, #4742, #5059, #7790 (its upgrade);
#7074, #8249 (web server)."""
