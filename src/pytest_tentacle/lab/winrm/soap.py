"""WS-Management envelopes as the lab's server reads and writes them (MS-WSMV, the parts that a remote shell needs)."""

from __future__ import annotations

import base64
import re
import uuid
from dataclasses import dataclass
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

from defusedxml import ElementTree

_NAMES = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "x": "http://schemas.xmlsoap.org/ws/2004/09/transfer",
    "rsp": "http://schemas.microsoft.com/wbem/wsman/1/windows/shell",
}
_FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
_DECLARED = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in _NAMES.items())
_SHELL_URI = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd"
_STATE = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState"


class Fault(Exception):  # noqa: N818  WS-Management's own word
    """A WSMan fault to answer with."""

    def __init__(self, code: int, reason: str, *, subcode: str = "w:InternalError") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.subcode = subcode


def operation_timeout() -> Fault:
    """What a Receive gets while the command runs and prints nothing."""
    text = "The WS-Management service cannot complete the operation within the time specified in OperationTimeout."
    return Fault(2150858793, text, subcode="w:TimedOut")


def shell_gone() -> Fault:
    """What a request with an unknown shell gets."""
    text = "The request for the Windows Remote Shell with ShellId failed because the shell was not found on the server."
    return Fault(2150858843, text, subcode="w:InvalidSelectors")


def pipe_closed() -> Fault:
    """What a Send to a command that has ended gets."""
    return Fault(2147942632, "The pipe is being closed.")


def envelope_too_big() -> Fault:
    """What a request over the server's MaxEnvelopeSizekb gets."""
    return Fault(2150858824, "The SOAP packet exceeded the maximum envelope size.", subcode="w:EncodingLimit")


@dataclass(frozen=True)
class Request:
    """What a request asks for.

    Attributes:
        action: the last part of its action: Create, Command, Send, Receive, Signal, Delete.
        message_id: to be repeated in the response.
        shell_id: which shell; None in a Create.
        timeout: seconds that the server may take (OperationTimeout).
        max_envelope: bytes that the response may have.
        body: the first element of the SOAP body, if there is one.
    """

    action: str
    message_id: str
    shell_id: str | None
    timeout: float
    max_envelope: int
    body: Element | None

    def text(self, name: str) -> str:
        """The text of the first such element of the shell's namespace in the body."""
        found = None if self.body is None else self.body.find(f".//rsp:{name}", _NAMES)
        return "" if found is None else found.text or ""

    def all_text(self, name: str) -> list[str]:
        """The texts of all such elements."""
        return [] if self.body is None else [found.text or "" for found in self.body.findall(f".//rsp:{name}", _NAMES)]

    def command_id(self) -> str:
        """The command that the body names in an attribute; "" where it names none."""
        if self.body is None:
            return ""
        return next((node.attrib["CommandId"] for node in self.body.iter() if "CommandId" in node.attrib), "")

    def input(self) -> tuple[bytes, bool]:
        """The stdin bytes of a Send, and whether they are the last."""
        streams = [] if self.body is None else self.body.findall("rsp:Stream", _NAMES)
        data = b"".join(base64.b64decode(stream.text or "") for stream in streams)
        return data, any(stream.attrib.get("End", "").lower() in ("true", "1") for stream in streams)


def parse(envelope: bytes) -> Request:
    """Read a request. Raises ValueError, or ElementTree's ParseError, where it is none."""
    root = ElementTree.fromstring(envelope)

    def head(path: str, default: str = "") -> str:
        return root.findtext(f"s:Header/{path}", default, _NAMES).strip()

    bodies = root.find("s:Body", _NAMES)
    if not head("a:Action"):
        raise ValueError("an envelope without an action")
    return Request(
        action=head("a:Action").rsplit("/", 1)[-1],
        message_id=head("a:MessageID"),
        shell_id=head("w:SelectorSet/w:Selector[@Name='ShellId']") or None,
        timeout=_seconds(head("w:OperationTimeout", "PT20S")),
        max_envelope=int(head("w:MaxEnvelopeSize", "153600")),
        body=None if bodies is None or not len(bodies) else bodies[0],
    )


def _seconds(duration: str) -> float:
    found = re.fullmatch(r"PT(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?", duration)
    return 20.0 if found is None else 60.0 * float(found[1] or 0) + float(found[2] or 0)


def respond(request: Request, body: str) -> bytes:
    """A response to that request around a body."""
    action = request.action if request.action in ("Create", "Delete") else f"shell/{request.action}"
    return _envelope(action + "Response", request.message_id, body)


def _envelope(action: str, relates_to: str, body: str) -> bytes:
    return (
        f'<s:Envelope xml:lang="en-US" {_DECLARED}><s:Header><a:Action>{escape(action)}</a:Action>'
        f"<a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID>"
        "<a:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:To>"
        f"<a:RelatesTo>{escape(relates_to)}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def fault_envelope(fault: Fault, relates_to: str, machine: str) -> bytes:
    """The response that carries a fault."""
    return _envelope(
        "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault",
        relates_to,
        "<s:Fault><s:Code><s:Value>s:Receiver</s:Value>"
        f"<s:Subcode><s:Value>{escape(fault.subcode)}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{escape(fault.reason)}</s:Text></s:Reason>'
        f'<s:Detail><f:WSManFault xmlns:f="{_FAULT}" Code="{fault.code}" Machine={quoteattr(machine)}>'
        f"<f:Message>{escape(fault.reason)}</f:Message></f:WSManFault></s:Detail></s:Fault>",
    )


def created(shell_id: str, user: str, client: str) -> str:
    """The body of a response to Create."""
    return (
        "<x:ResourceCreated><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address>"
        f"<a:ReferenceParameters><w:ResourceURI>{_SHELL_URI}</w:ResourceURI><w:SelectorSet>"
        f'<w:Selector Name="ShellId">{shell_id}</w:Selector></w:SelectorSet></a:ReferenceParameters>'
        "</x:ResourceCreated>"
        f"<rsp:Shell><rsp:ShellId>{shell_id}</rsp:ShellId><rsp:ResourceUri>{_SHELL_URI}</rsp:ResourceUri>"
        f"<rsp:Owner>{escape(user)}</rsp:Owner><rsp:ClientIP>{escape(client)}</rsp:ClientIP>"
        "<rsp:IdleTimeOut>PT7200.000S</rsp:IdleTimeOut><rsp:InputStreams>stdin</rsp:InputStreams>"
        "<rsp:OutputStreams>stdout stderr</rsp:OutputStreams></rsp:Shell>"
    )


def started(command_id: str) -> str:
    """The body of a response to Command."""
    return f"<rsp:CommandResponse><rsp:CommandId>{command_id}</rsp:CommandId></rsp:CommandResponse>"


def received(command_id: str, stdout: bytes, stderr: bytes, exit_code: int | None) -> str:
    """The body of a response to Receive; with an exit code the command is done."""
    parts = []
    for name, data in (("stdout", stdout), ("stderr", stderr)):
        start = f'<rsp:Stream Name="{name}" CommandId="{command_id}"'
        if data:
            parts.append(f"{start}>{base64.b64encode(data).decode('ascii')}</rsp:Stream>")
        if exit_code is not None:
            parts.append(f'{start} End="true"></rsp:Stream>')
    if exit_code is None:
        parts.append(f'<rsp:CommandState CommandId="{command_id}" State="{_STATE}/Running"/>')
    else:
        parts.append(
            f'<rsp:CommandState CommandId="{command_id}" State="{_STATE}/Done">'
            f"<rsp:ExitCode>{exit_code}</rsp:ExitCode></rsp:CommandState>"
        )
    return f"<rsp:ReceiveResponse>{''.join(parts)}</rsp:ReceiveResponse>"


EMPTY_BODIES = {"Send": "<rsp:SendResponse/>", "Signal": "<rsp:SignalResponse/>", "Delete": ""}
"""The bodies of the responses that say nothing but that it was done."""
