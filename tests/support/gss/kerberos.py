"""The part of pykerberos that a log-on over WinRM uses, by the system's own GSSAPI library.

pykerberos has to be compiled, which a test run cannot ask of everybody; what is tested is the real library, a real domain,
and all of pywinrm and ours above it. Failures are raised in pykerberos' own shape.
"""

from __future__ import annotations

import base64
import ctypes
from typing import Any

GSS_C_DELEG_FLAG, GSS_C_MUTUAL_FLAG, GSS_C_SEQUENCE_FLAG = 1, 2, 8
AUTH_GSS_CONTINUE, AUTH_GSS_COMPLETE = 0, 1

_LIBRARY = ctypes.CDLL("libgssapi_krb5.so.2")
_CONTINUE_NEEDED, _FAILED = 1, 0xFFFF0000
_ACCEPT = 2


class _Buffer(ctypes.Structure):
    _fields_ = (("length", ctypes.c_size_t), ("value", ctypes.c_void_p))


class _Oid(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint32), ("elements", ctypes.c_void_p))


_NAME_TYPE = ctypes.create_string_buffer(b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x04", 10)
"""GSS_C_NT_HOSTBASED_SERVICE."""
_HOST_SERVICE = _Oid(10, ctypes.cast(_NAME_TYPE, ctypes.c_void_p))


class GSSError(Exception):
    """Two pairs of a text and a number: the library's, and the mechanism's."""


class _Context:
    def __init__(self, service: str, flags: int = 0) -> None:
        self.handle, self.name, self.credential = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
        self.flags, self.reply, self.user = flags, b"", ""
        _call("gss_import_name", _ref(_given(service.encode())), _ref(_HOST_SERVICE), _ref(self.name))


def authGSSClientInit(service: str, gssflags: int = 0, principal: str | None = None) -> tuple[int, Any]:  # noqa: N802
    """A context for a service such as `HTTP@web-01.example`."""
    return AUTH_GSS_COMPLETE, _Context(service, gssflags)


def authGSSClientStep(context: _Context, challenge: str, channel_bindings: Any = None) -> int:  # noqa: N802
    """One step of the log-on."""
    output = _Buffer()
    state = _call(
        "gss_init_sec_context", None, _ref(context.handle), context.name, None, ctypes.c_uint32(context.flags),
        ctypes.c_uint32(0), None, _ref(_given(base64.b64decode(challenge))), None, _ref(output), None, None,
    )  # fmt: skip
    context.reply = _taken(output)
    return AUTH_GSS_CONTINUE if state & _CONTINUE_NEEDED else AUTH_GSS_COMPLETE


def authGSSClientResponse(context: _Context) -> str:  # noqa: N802
    """What to send."""
    return base64.b64encode(context.reply).decode("ascii")


def authGSSServerInit(service: str) -> tuple[int, Any]:  # noqa: N802
    """A context that takes log-ons by the keys of KRB5_KTNAME."""
    context = _Context(service)
    _call(
        "gss_acquire_cred", context.name, ctypes.c_uint32(0), None, ctypes.c_int(_ACCEPT), _ref(context.credential),
        None, None,
    )  # fmt: skip
    return AUTH_GSS_COMPLETE, context


def authGSSServerStep(context: _Context, challenge: str) -> int:  # noqa: N802
    """One step of the log-on."""
    output, client, shown = _Buffer(), ctypes.c_void_p(), _Buffer()
    state = _call(
        "gss_accept_sec_context", _ref(context.handle), context.credential, _ref(_given(base64.b64decode(challenge))),
        None, _ref(client), None, _ref(output), None, None, None,
    )  # fmt: skip
    context.reply = _taken(output)
    _call("gss_display_name", client, _ref(shown), None)
    context.user = _taken(shown).decode()
    return AUTH_GSS_CONTINUE if state & _CONTINUE_NEEDED else AUTH_GSS_COMPLETE


def authGSSServerUserName(context: _Context) -> str:  # noqa: N802
    """Who has logged on."""
    return context.user


authGSSServerResponse = authGSSClientResponse  # noqa: N816


def _ref(value: Any) -> Any:
    return ctypes.byref(value)


def _given(data: bytes) -> _Buffer:
    kept = ctypes.create_string_buffer(data, len(data))
    buffer = _Buffer(len(data), ctypes.cast(kept, ctypes.c_void_p))
    buffer.kept = kept
    return buffer


def _taken(buffer: _Buffer) -> bytes:
    return ctypes.string_at(buffer.value, buffer.length) if buffer.value else b""


def _call(function: str, *arguments: Any) -> int:
    minor = ctypes.c_uint32()
    state = int(getattr(_LIBRARY, function)(_ref(minor), *arguments)) & 0xFFFFFFFF
    if state & _FAILED:
        number = ctypes.c_int32(minor.value).value
        raise GSSError(("Unspecified GSS failure", state), (function, number))
    return state
