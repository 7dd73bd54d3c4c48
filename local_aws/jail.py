"""Prepare what bubblewrap cannot: a host user who owns nothing, and a network of the container's own.

    python3.13 -I -S jail.py USER NETWORK PATH... -- COMMAND...

The sysroot's Python runs this file alone. The command runs as root of a new user namespace, so that bubblewrap can do
its work there even where only root may create user namespaces. That namespace maps to USER: the caller, or, if root is
the caller, a user and group who own nothing. PATHs are folders that this user must reach, although a folder above them
(root's home) may be closed to others.

NETWORK is empty, or `DESCRIPTOR,ADDRESS:PORT,...`: the network of the container is then its own, with nothing but a
loopback interface. A listening socket for each address goes to the caller through the descriptor, a UNIX socket.
"""

import _socket
import fcntl
import os
import resource
import stat
import sys

MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x20000, 0x10000000, 0x40000000
PROCESSES = 1024  # processes and threads of an environment, as on Lambda
COUNTED = (5, 14)  # Linux counts them for each user namespace since then; before, for each user of the host
SIOCSIFFLAGS, IFF_UP = 0x8914, 1


def main() -> None:
    """Replace this process by the command."""
    split = sys.argv.index("--")
    user, network, *paths = sys.argv[1:split]
    namespaces = CLONE_NEWUSER | (CLONE_NEWNET if network else 0)
    if int(user) == os.geteuid():
        become_root(namespaces)
    else:
        become_other(int(user), paths, namespaces)
    if network:
        descriptor, *addresses = network.split(",")
        listen(int(descriptor), addresses)
    if tuple(int(part) for part in os.uname().release.split(".")[:2]) >= COUNTED:
        resource.setrlimit(resource.RLIMIT_NPROC, (PROCESSES, PROCESSES))
    command = sys.argv[split + 1 :]
    os.execv(command[0], command)


def become_root(namespaces: int) -> None:
    """Enter namespaces as their root, who is this user for the host."""
    user, group = os.geteuid(), os.getegid()
    unshare(namespaces)
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def become_other(user: int, paths: list[str], namespaces: int) -> None:
    """Enter namespaces as their root, who is another user of the host. OSError if the kernel does not allow it."""
    import ctypes  # noqa: F401 (for `mount`: later this process may no longer reach Python's library)

    for output in (1, 2):
        if stat.S_ISFIFO(os.fstat(output).st_mode):
            os.fchown(output, user, user)  # so that the container may open /dev/stdout
    os.umask(0o022)
    os.setgroups([])
    mounts_first = may_mount()
    if mounts_first:
        open_up(open_hidden(paths))
    unshare_mapped(user, namespaces | (0 if mounts_first else CLONE_NEWNS))
    result = {} if mounts_first else open_hidden(paths)
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    open_up(result)


def listen(descriptor: int, addresses: list[str]) -> None:
    """Start the loopback interface, and hand over a listening socket for each address."""
    interface = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)
    fcntl.ioctl(interface.fileno(), SIOCSIFFLAGS, b"lo".ljust(16, b"\0") + bytes([IFF_UP, *[0] * 23]))
    listeners = []
    for address in addresses:
        host, _, port = address.rpartition(":")
        listeners.append(listener := _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM))
        listener.bind((host, int(port)))
        listener.listen(128)
    numbers = b"".join(listener.fileno().to_bytes(4, sys.byteorder) for listener in listeners)
    caller = _socket.socket(fileno=descriptor)
    caller.sendmsg([b"x"], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, numbers)] if numbers else [])
    for entry in (interface, caller, *listeners):
        entry.close()


def may_mount() -> bool:
    """Enter a mount namespace of our own. Return False where root may not, as in most containers.

    Mounts made afterwards are not seen by the host.
    """
    try:
        unshare(CLONE_NEWNS)
    except PermissionError:
        return False
    mount(None, "/", MS_REC | MS_PRIVATE)
    return True


def unshare_mapped(user: int, namespaces: int) -> None:
    """Enter namespaces, among them one of users whose map only a process outside may write.

    Raises PermissionError if the map cannot be written, as without root. The process outside is a child, which ends
    here.
    """
    ready, signal_ready = os.pipe()
    if (mapper := os.fork()) == 0:
        os.close(signal_ready)
        if not os.read(ready, 1):
            os._exit(1)  # the other process ended before it had namespaces
        for kind in ("uid", "gid"):
            with open(f"/proc/{os.getppid()}/{kind}_map", "w") as file:
                file.write(f"0 {user} 1\n")
        os._exit(0)
    unshare(namespaces)
    os.write(signal_ready, b"x")
    if os.waitpid(mapper, 0)[1]:
        raise PermissionError(f"cannot map a container's user to {user} of the host")
    os.close(ready)
    os.close(signal_ready)


def open_hidden(paths: list[str]) -> dict[str, int]:
    """Open those folders that only root can reach."""
    return {path: os.open(path, os.O_PATH) for path in paths if find_closed_parent(path)}


def find_closed_parent(path: str) -> str:
    """Return the highest folder above `path` that others may not pass, or nothing.

    `path` is absolute, and the root folder is not checked.
    """
    parts = path.split("/")
    for depth in range(2, len(parts)):
        above = "/".join(parts[:depth])
        if not os.stat(above).st_mode & stat.S_IXOTH:
            return above
    return ""


def open_up(folders: dict[str, int]) -> None:
    """Cover each closed folder above `folders` with an empty one, where nothing but them appears."""
    for above in sorted({find_closed_parent(path) for path in folders}):
        mount("tmpfs", above, 0, "tmpfs", "mode=755,size=1m")
    for path, descriptor in folders.items():
        os.makedirs(path, exist_ok=True)
        mount(f"/proc/self/fd/{descriptor}", path, MS_BIND | MS_REC)
        os.close(descriptor)


def unshare(flags: int) -> None:
    """Enter new namespaces. Raise OSError if the kernel does not allow it."""
    try:
        os.unshare(flags)  # type: ignore[attr-defined]  # since Python 3.12; the sysroot's is 3.13
    except OSError as error:
        raise OSError(error.errno, f"cannot create namespaces ({flags:#x}): {error.strerror}") from None


def mount(source: str | None, target: str, flags: int, kind: str = "", options: str = "") -> None:
    """Call mount(2). Raise OSError if it fails."""
    import ctypes  # only root needs it, and it takes a third of the time of all the rest

    libc = ctypes.CDLL(None, use_errno=True)
    words = [word.encode() if word else None for word in (source, target, kind)]
    if libc.mount(*words, ctypes.c_ulong(flags), options.encode()):
        raise OSError(ctypes.get_errno(), f"mount: {os.strerror(ctypes.get_errno())}", target)


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"jail: {error}")
