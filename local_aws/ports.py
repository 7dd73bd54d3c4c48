"""Loopback ports: find free ones, and name the owners of others."""

import contextlib
import random
import socket
from pathlib import Path

HOST = "127.0.0.1"
HIGHEST = 65535
NOBODY = "nobody"
# Below the kernel's ephemeral ports, and outside LocalStack's own range 4510–4559.
RANGE = range(18000, 32000)


def is_free(port: int) -> bool:
    """Return whether a server could bind this port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def is_served(port: int) -> bool:
    """Return whether a server accepts connections on this port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def free_port(*taken: int) -> int:
    """Return a free port that is not in `taken`."""
    choice = random.SystemRandom()
    while True:
        port = choice.choice(RANGE)
        if port not in taken and is_free(port):
            return port


def find_owner(port: int) -> str:
    """Return who listens on a port: `pid 123 (python3)`, or `another user's process` if this user may not know.

    Returns NOBODY if nothing listens, which means that this user may not bind the port.
    """
    inodes = _listening(port)
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            for link in (process / "fd").iterdir():
                with contextlib.suppress(OSError):
                    if str(link.readlink()) in inodes:
                        return f"pid {process.name} ({(process / 'comm').read_text().strip()})"
    return "another user's process" if inodes else NOBODY


def _listening(port: int) -> set[str]:
    inodes = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in Path("/proc/net", table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                    inodes.add(f"socket:[{fields[9]}]")
    return inodes
