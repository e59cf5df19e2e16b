"""Starts a worker of pytest-xdist as a fork: `worker.py ADDRESS -u -c CODE` stands instead of `python -u -c CODE`.

It hands its folder, environment and open files to the process at the socket (`forked.py`), and ends as the fork did.
It imports next to nothing, and nothing of ours.
"""

import _socket
import array
import marshal
import os
import signal
import sys


def main() -> None:
    """Ends the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the fork
    address, *arguments = sys.argv[1:]
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    connection.connect(address)
    asked = marshal.dumps((arguments, os.getcwd(), dict(os.environ)))  # noqa: PTH109  pathlib costs more than all the rest
    files = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))]
    connection.sendmsg([len(asked).to_bytes(4, "little")], files)
    connection.sendall(asked)
    for descriptor in (0, 1, 2):
        os.close(descriptor)
    answer = connection.recv(4)
    os._exit(answer[0] if answer else 70)


main()
