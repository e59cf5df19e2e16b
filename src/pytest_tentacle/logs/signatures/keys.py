"""Signatures of the machine itself: certificates and their keys (tentacle-facts 3.4, 32 to 36)."""

from __future__ import annotations

from .model import Signature
from .of_host import host_signature
from .texts import NO_KEYSET, UNUSABLE_KEY, WRONG_KEY_STATE

KEYS: tuple[Signature, ...] = (
    host_signature(
        "private-key-not-loaded",
        r"The X509 certificate (?P<subject>[^\r\n]*?) was loaded but the private key was not loaded",
        ("was loaded but the private key was not loaded",),
        "The service's account cannot read the private key of its certificate.",
        "Give the account the right to read the key's file (MachineKeys), or import the certificate again.",
        code="TT122",
    ),
    host_signature(
        "keyset-missing",
        NO_KEYSET.pattern,
        NO_KEYSET.keys,
        "Windows does not find the private key, or the account may not read it.",
        "Give the account the right to read the key's file (MachineKeys), or make a new certificate.",
        code="TT122",
    ),
    host_signature(
        "key-not-usable",
        UNUSABLE_KEY.pattern,
        UNUSABLE_KEY.keys,
        "Windows cannot use the private key of the Tentacle's own certificate: the account may not read it, or it is "
        "gone.",
        "Give the account the right to read the key's file (MachineKeys), then restart the service.",
        code="TT122",
    ),
    host_signature(
        "key-asks-somebody",
        r"action since the context was acquired as silent|CryptographicException[^\n]{0,80}?0x80090022",
        ("the context was acquired as silent", "cryptographicexception"),
        "A policy has Windows ask somebody at each use of a private key, which it cannot do in a service.",
        "Set the security option for strong key protection back, then restart the service.",
        code="TT122",
    ),
    host_signature(
        "no-private-key",
        r"does not have a private key, and so it cannot be used for listening",
        ("does not have a private key, and so",),
        "The certificate is there without its private key.",
        "Import it with its key, or make a new certificate (new-certificate).",
        code="TT122",
    ),
    host_signature(
        "certificate-not-loaded",
        r"Unable to load X509 Certificate",
        ("unable to load x509 certificate",),
        "The certificate cannot be loaded.",
        "Make a new certificate (new-certificate), and register again.",
        code="TT122",
    ),
    host_signature(
        "profile-not-loaded",
        r"Crypto functions require the Windows User Profile",
        ("require the windows user profile",),
        "A command ran without the profile of its user, as over WinRM.",
        "Run it in a session that loads the profile, such as a scheduled task.",
        code="TT122",
    ),
    host_signature(
        "x509stores-owner",
        r"The owner of (?:the x509stores|'(?P<path>[^'\r\n]{1,300}?/x509stores)[^'\r\n]{0,100}') is not the current "
        r"user"
        r"(?:[^\r\n]{0,120}? The owner of '(?P<word>[^'\r\n]{1,300}?/x509stores)[^'\r\n]{0,100}')?",
        ("the owner of the x509stores is not", "/x509stores"),
        "The store of certificates belongs to another user: the service's user was changed, or sudo was used.",
        "Give the folder ~/.dotnet/corefx/cryptography/x509stores to the service's user.",
        code="TT122",
    ),
    host_signature(
        "certificate-not-readable",
        r"Unable to parse configuration key 'Tentacle\.Certificate' as a 'String'",
        ("configuration key 'tentacle.certificate'",),
        "The certificate in the configuration cannot be decrypted: the file comes from another machine, or the "
        "machine's "
        "identity was changed.",
        "Make a new certificate (new-certificate), and register again; do not copy configuration files.",
        code="TT123",
    ),
    host_signature(
        "wrong-machine-key",
        rf"{WRONG_KEY_STATE.pattern}|Padding is invalid and cannot be removed|"
        r"Machine key file at .{0,300}? is corrupt|"
        r"machine-id contents .{0,200}? is either empty or not 256 bits",
        (
            *WRONG_KEY_STATE.keys,
            "padding is invalid and cannot be removed",
            "machine key file at",
            "machine-id contents",
        ),
        "What is encrypted in the configuration was encrypted on another machine, or by another machine-id.",
        "Create the instance anew on this machine; do not copy configuration files.",
        code="TT123",
    ),
    host_signature(
        "pkcs12-iterations",
        r"PKCS12 \(PFX\) without a supplied password has exceeded maximum allowed iterations",
        ("exceeded maximum allowed iterations",),
        "Updates of Windows and .NET of June 2023 refuse the form in which Tentacles before 6.4.41 keep their "
        "certificate.",
        "Upgrade the Tentacle to 6.4.41 or later. A new certificate does not help.",
        code="TT122",
    ),
    host_signature(
        "key-isolation",
        r"CryptographicException[^\n]{0,80}?(?:The RPC server is unavailable|Der RPC-Server ist nicht verf|"
        r"RPC サーバーを利用できません|0x800706BA)",
        ("cryptographicexception",),
        "Windows' service for keys (CNG Key Isolation) does not run: no private key can be used.",
        "Start the service KeyIso; its start mode is manual, and nothing may disable it.",
        code="TT149",
    ),
    host_signature(
        "part-of-program",
        r"Could not load (?:file or assembly|type) '|Die Datei oder Assembly .{0,200}? wurde nicht gefunden|"
        r"Method not found: '|"
        r"Unable to load (?:DLL|shared library) '|BadImageFormatException|0x800700E1",
        (
            "could not load",
            "datei oder assembly",
            "method not found",
            "unable to load",
            "badimageformat",
            "0x800700e1",
        ),
        "A part of the program cannot be loaded.",
        "Install the same version again, and let security programs leave its folder alone.",
        code="TT150",
    ),
    host_signature(
        "fips-certificate",
        r"PKCS12 routines:PKCS12_parse:parse error",
        ("pkcs12_parse",),
        "FIPS mode keeps the Tentacle from making its certificate.",
        "Import a certificate of your own (import-certificate), or turn FIPS mode off.",
        code="TT148",
    ),
)
