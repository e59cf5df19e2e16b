"""A box in the router that accepts a link's connections, or a proxy's, and treats them badly: how, is its third argument.

    says <hex>                  hears the first packet, says this, and hangs up
    relays <host> <port>        answers CONNECT as a proxy, and leads all of them to one place
    some <host> <port> <bytes>  passes on, but of the answers no more than so many bytes
    drags <host> <port> <s>     passes everything on, and takes so many seconds before it does
    halves <host> <port>        passes every second connection on, and closes the others
    short <host> <port> <bytes> passes on what begins with a packet of at most so many bytes, and resets the others

Arguments: the address, the port, the mood, and what it needs.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
import threading
import time
from itertools import count


def main() -> None:
    """Until it is ended."""
    address, port, mood, *words = sys.argv[1:]
    listener = socket.create_server((address, int(port)))
    for number in count():
        came = listener.accept()[0]
        threading.Thread(target=_treat, args=(came, mood, words, number), daemon=True).start()


def _treat(came: socket.socket, mood: str, words: list[str], number: int) -> None:
    with came, contextlib.suppress(OSError):
        if mood == "halves" and number % 2:
            return
        first = came.recv(65536)
        if mood == "says":
            came.sendall(bytes.fromhex(words[0]))
            return
        if mood == "drags":
            time.sleep(float(words[2]))
        if mood == "short" and len(first) > int(words[2]):
            came.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        with socket.create_connection((words[0], int(words[1])), 5) as there:
            there.settimeout(None)
            if mood == "relays":
                came.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                there.sendall(first)
            threading.Thread(target=_pass, args=(came, there, 1 << 40), daemon=True).start()
            _pass(there, came, int(words[2]) if mood == "some" else 1 << 40)


def _pass(source: socket.socket, sink: socket.socket, most: int) -> None:
    """Bytes from one to the other; those beyond `most` are lost."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            if most > 0:
                sink.sendall(data[:most])
            most -= len(data)
        sink.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    main()
