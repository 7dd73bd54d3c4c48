"""Ways out of a container, tried from inside it, by a Python that runs this file alone. Prints outcomes as JSON.

An outcome is the name of the error that the kernel answered with, or what was reached.
"""

import ctypes
import errno
import json
import mmap
import os
import socket
import time
from collections.abc import Callable
from functools import partial
from typing import Any

LIBC = ctypes.CDLL(None, use_errno=True)
NEW_USER, NEW_NET, SIGCHLD = 0x10000000, 0x40000000, 17
MS_REMOUNT, MS_BIND = 32, 4096
TMP = "/" + "tmp"  # the container's own
# x86-64's numbers (arch/x86/entry/syscalls/syscall_64.tbl of the kernel).
CALLS = {
    "ptrace": 101, "syslog": 103, "personality": 135, "pivot_root": 155, "adjtimex": 159, "settimeofday": 164,
    "swapon": 167, "reboot": 169, "sethostname": 170, "iopl": 172, "ioperm": 173, "init_module": 175,
    "delete_module": 176, "kexec_load": 246, "add_key": 248, "request_key": 249, "keyctl": 250, "migrate_pages": 256,
    "perf_event_open": 298, "fanotify_init": 300, "name_to_handle_at": 303, "open_by_handle_at": 304, "setns": 308,
    "process_vm_readv": 310, "kcmp": 312, "finit_module": 313, "kexec_file_load": 320, "bpf": 321, "userfaultfd": 323,
    "io_uring_setup": 425, "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsmount": 432, "clone3": 435,
    "pidfd_getfd": 438, "mount_setattr": 442,
}  # fmt: skip


def call(number: int, *arguments: Any) -> str:
    """Make a system call; returns the outcome."""
    ctypes.set_errno(0)
    answer = LIBC.syscall(ctypes.c_long(number), *(ctypes.c_long(each) for each in (*arguments, 0, 0, 0, 0)[:6]))
    return errno.errorcode[ctypes.get_errno()] if answer == -1 else f"returned {answer}"


def check(answer: int, meaning: str) -> str:
    """Return the outcome of a function of the C library."""
    return errno.errorcode[ctypes.get_errno()] if answer == -1 else meaning


def attempt(function: Callable[..., object], *arguments: Any) -> str:
    """Call a function that raises OSError if it is refused."""
    return f"returned {function(*arguments)}"


def write(path: str, text: str = "1") -> str:
    """Write to a file that exists; returns the outcome."""
    with open(path, "r+b", buffering=0) as file:
        file.write(text.encode())
    return f"wrote {path}"


def read(path: str) -> str:
    """Read a byte of a file; returns the outcome."""
    with open(path, "rb") as file:
        return f"read {path}" if file.read(1) else "empty"


def remount(path: str) -> str:
    """Make a mount writable."""
    return check(LIBC.mount(None, path.encode(), None, ctypes.c_ulong(MS_REMOUNT | MS_BIND), None), "remounted")


def clone(flags: int) -> str:
    """Make a process in new namespaces."""
    answer = LIBC.syscall(ctypes.c_long(56), ctypes.c_long(flags | SIGCHLD), 0, 0, 0, 0)
    if answer == 0:
        os._exit(0)
    return check(answer, "cloned")


def int80() -> str:
    """Call umount2 by the number of i386, through that architecture's gate."""
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(bytes.fromhex("53 b8 34000000 31db 31c9 cd80 5b c3"))  # push rbx; eax=52; ebx=ecx=0; int 0x80
    run = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
    return errno.errorcode.get(-run(), "reached the kernel")


def typing(command: int) -> str:
    """Type into a terminal; with garbage in the upper half, which the kernel ignores."""
    return check(LIBC.syscall(ctypes.c_long(16), 0, ctypes.c_ulong(command), b"x"), "typed")


def device(kind: int, major: int, minor: int) -> str:
    """Make a device and open it."""
    path = f"{TMP}/device-{major}-{minor}"
    os.mknod(path, kind | 0o666, os.makedev(major, minor))
    return read(path)


def read_only(*paths: str) -> str:
    """Return the mounts that are writable of those that exist."""
    writable = [path for path in paths if os.path.exists(path) and not os.statvfs(path).f_flag & os.ST_RDONLY]
    return f"writable: {writable}" if writable else "none"


def connect(kind: int, address: Any) -> str:
    """Connect to a server of the host, or beyond."""
    with socket.socket(kind, socket.SOCK_STREAM) as client:
        client.settimeout(20)
        client.connect(address)
    return f"reached {address}"


def visible_processes() -> str:
    """Signal every process that can be seen but ours and our parent, the namespace's first."""
    others = [int(name) for name in os.listdir("/proc") if name.isdecimal() and int(name) not in (1, os.getpid())]
    return f"sees {others}" if others else "none"


def multiply(limit: int) -> str:
    """Start processes until that is refused."""
    children: list[int] = []
    try:
        while len(children) < limit:
            if (child := os.fork()) == 0:
                time.sleep(600)  # until it is killed
                os._exit(0)
            children.append(child)
    finally:
        for child in children:
            os.kill(child, 9)
            os.waitpid(child, 0)
    return f"started {limit} processes"


def list_inherited() -> str:
    """Return the files that are open, but for standard streams and the list itself."""
    open_files = []
    for name in os.listdir("/proc/self/fd"):
        try:
            open_files.append((name, os.readlink(f"/proc/self/fd/{name}")))
        except FileNotFoundError:
            continue  # the list's own
    left = [found for found in open_files if int(found[0]) > 2]
    return f"has {left}" if left else "none"


def capabilities() -> str:
    """Return the capabilities that this process has, could have, or passes on."""
    with open("/proc/self/status") as file:
        lines = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    held = {name: lines[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb") if int(lines[name], 16)}
    if lines["NoNewPrivs"] != "1":
        held["NoNewPrivs"] = lines["NoNewPrivs"]
    return f"has {held}" if held else "none"


def first_process() -> str:
    """Return the variables of the namespace's first process, which is bubblewrap's own."""
    with open("/proc/1/environ", "rb") as file:
        text = file.read().decode()
    with open("/proc/1/cmdline", "rb") as file:
        text += file.read().decode()
    return f"shows {text!r}" if os.environ["SECRET"] in text else "none"


def reach_root_of_first() -> str:
    """Leave through the root folder of another process."""
    return "the container's own" if os.listdir("/proc/1/root") == os.listdir("/") else "another root"


WAYS: dict[str, Callable[[], str]] = {
    "write core_pattern": lambda: write("/proc/sys/kernel/core_pattern", "|/bin/sh"),
    "mounts of the machine": lambda: read_only("/", "/dev", "/sys", "/proc/sys", "/proc/irq", "/proc/bus", "/proc/fs"),
    "write modprobe": lambda: write("/proc/sys/kernel/modprobe"),
    "write a network setting": lambda: write("/proc/sys/net/ipv4/ip_unprivileged_port_start"),
    "write sysrq-trigger": lambda: write("/proc/sysrq-trigger", "h"),
    "write uevent_helper": lambda: write("/sys/kernel/uevent_helper"),
    "write a cgroup's release_agent": lambda: write("/sys/fs/cgroup/release_agent"),
    "write to the root": lambda: write("/etc/hosts"),
    "create below /dev": lambda: attempt(os.open, "/dev/shm/file", os.O_CREAT | os.O_WRONLY),  # noqa: S108 (the container's)
    "become another process's score": lambda: write("/proc/1/oom_score_adj", "-1000"),
    "map a user of the host": lambda: write("/proc/self/uid_map", "0 0 1"),
    "remount the root": lambda: remount("/"),
    "remount /proc/sys": lambda: remount("/proc/sys"),
    "uncover /proc/sys": lambda: check(LIBC.umount2(b"/proc/sys", 2), "uncovered"),
    "change the root": lambda: attempt(os.chroot, TMP),
    "unshare users": lambda: check(LIBC.unshare(NEW_USER), "unshared"),
    "unshare the network": lambda: check(LIBC.unshare(NEW_NET), "unshared"),
    "clone users": lambda: clone(NEW_USER),
    "clone users and network": lambda: clone(NEW_USER | NEW_NET),
    "call by the gate of i386": int80,
    "call by a number of x32": lambda: call(0x40000000 | 165),
    "type by TIOCSTI": lambda: typing(0x5412),
    "type by TIOCSTI with an upper half": lambda: typing(0x100005412),
    "type by TIOCLINUX": lambda: typing(0x541C),
    "reach the hypervisor (AF_VSOCK)": lambda: attempt(socket.socket, 40, socket.SOCK_STREAM),
    "packets (AF_PACKET)": lambda: attempt(socket.socket, 17, socket.SOCK_RAW),
    "raw packets (ICMP)": lambda: attempt(socket.socket, socket.AF_INET, socket.SOCK_RAW, 1),
    "crypto of the kernel (AF_ALG)": lambda: attempt(socket.socket, 38, socket.SOCK_SEQPACKET),
    "firewall (NETLINK)": lambda: attempt(socket.socket, 16, socket.SOCK_RAW, 12),
    "another server of the host": lambda: connect(socket.AF_INET, ("127.0.0.1", int(os.environ["PORT"]))),
    "a socket without a file": lambda: connect(socket.AF_UNIX, "\0" + os.environ["ABSTRACT"]),
    "the internet": lambda: connect(socket.AF_INET, ("192.0.2.1", 443)),
    "metadata of a cloud": lambda: connect(socket.AF_INET, ("169.254.169.254", 80)),
    "read the memory of the machine": lambda: read("/dev/mem"),
    "read the kernel's memory": lambda: read("/proc/kcore"),
    "read the kernel's log": lambda: read("/dev/kmsg"),
    "read keys": lambda: read("/proc/keys"),
    "make a disk": lambda: device(0o060000, 254, 0),
    "make /dev/mem": lambda: device(0o020000, 1, 1),
    "become root": lambda: attempt(os.setuid, 0),
    "join a group": lambda: attempt(os.setgroups, [0]),
    "signal the host": lambda: attempt(os.kill, 2**22 - 2, 0),
    "more processes than Lambda's 1,024": lambda: multiply(1024),
    "processes of the host": visible_processes,
    "inherited files": list_inherited,
    "capabilities": capabilities,
    "secrets of the first process": first_process,
    "root of the first process": reach_root_of_first,
    **{f"call {name}": partial(call, number) for name, number in CALLS.items()},
}


def main() -> None:
    """Try every way."""
    outcomes = {}
    for name, way in WAYS.items():
        try:
            outcomes[name] = way()
        except OSError as error:
            outcomes[name] = errno.errorcode[error.errno or 0]
    print(json.dumps(outcomes), flush=True)
    time.sleep(600)  # while it is looked at from outside


if __name__ == "__main__":
    main()
