"""Messages between processes, over a pair of sockets: a length of eight bytes, then a pickled value.

Semaphores and queues of `multiprocessing` need /dev/shm, which Lambda does not have. Both ends run the same code.
"""

from __future__ import annotations

import pickle
import socket
import struct

_LENGTH = struct.Struct("!Q")


def send(connection: socket.socket, value: object) -> None:
    """Send a value. Raises OSError if the other process has ended."""
    content = pickle.dumps(value, protocol=5)
    connection.sendall(_LENGTH.pack(len(content)) + content)


def receive(connection: socket.socket) -> object:
    """Return the next value. Raises EOFError if the other process has ended."""
    (length,) = _LENGTH.unpack(_read(connection, _LENGTH.size))
    value: object = pickle.loads(_read(connection, length))  # noqa: S301  # from a fork of this process
    return value


def _read(connection: socket.socket, length: int) -> bytearray:
    content, at = bytearray(length), 0
    view = memoryview(content)
    while at < length:
        try:
            count = connection.recv_into(view[at:])
        except ConnectionResetError:
            count = 0
        if not count:
            raise EOFError
        at += count
    return content
