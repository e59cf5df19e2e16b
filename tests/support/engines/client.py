"""A PowerShell as far as its caller can tell: hands what it was called with to the broker, and ends as the engine did.

It imports next to nothing, since it starts hundreds of times. What `main` is given is written beneath by `Kept`.
"""

import _signal
import _socket
import array
import binascii
import marshal
import os
import stat
import sys

OF_A_HANDLE = ("OpenStandardInput", "InputEncoding")
"""What asks for stdin as a handle: a kept engine has a reader in its place."""


def is_plain(arguments: list[str], names: tuple[str, ...], of_process: dict[str, str]) -> bool:
    """Whether it is a command, and nothing that is a process's own."""
    words = [word.lower() for word in arguments[:-1]]
    command = arguments[-1] if arguments else ""
    if words[-1:] == ["-encodedcommand"]:
        command = binascii.a2b_base64(command).decode("utf-16-le", "replace")
    kind = os.fstat(0).st_mode
    return (
        words[-1:] in (["-command"], ["-encodedcommand"])
        and set(words[:-1]) <= {"-noprofile", "-noninteractive", "-nologo"}
        and not any(word in command for word in OF_A_HANDLE)
        and {name: value for name, value in os.environ.items() if name.startswith(names)} == of_process
        and (stat.S_ISFIFO(kind) or stat.S_ISCHR(kind) or stat.S_ISREG(kind))
    )


def main(engine: str, address: str, names: tuple[str, ...], of_process: dict[str, str]) -> None:
    """Ends the process.

    Args:
        engine: the program to become, where the command is no plain one or no broker is there.
        address: the broker's socket.
        names: how the variables begin that an engine reads once, as it starts.
        of_process: what these are in the broker's engines.
    """
    arguments = sys.argv[1:]
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    if not is_plain(arguments, names, of_process) or connection.connect_ex(address):
        os.execv(engine, [engine, *arguments])
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    asked = marshal.dumps((os.getcwd(), arguments, dict(os.environ)))  # noqa: PTH109  pathlib costs more than all the rest
    files = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))]
    connection.sendmsg([len(asked).to_bytes(4, "little")], files)
    connection.sendall(asked)
    for descriptor in (0, 1, 2):
        os.close(descriptor)
    answer = connection.recv(1)
    os._exit(answer[0] if answer else 70)
