"""System calls that a container is refused, as a filter that the kernel applies (seccomp).

`program` compiles the tables below with the sysroot's libseccomp: the sysroot's Python runs this file alone, which then
writes the filter to standard output.
"""

import ctypes
import errno
import functools
import subprocess
import sys
from collections.abc import Iterator

# Why → the calls. All fail with EPERM, whatever their arguments.
REFUSED = {
    "new namespaces give a process capabilities, and with them the kernel code that only root reaches": (
        "unshare setns"
    ),
    "mounts could uncover what the container's own mounts hide, or make its root writable": (
        "mount umount2 pivot_root chroot fsopen fsconfig fsmount fspick move_mount open_tree mount_setattr "
        "swapon swapoff quotactl quotactl_fd"
    ),
    "other processes' memory and files are theirs; Lambda refuses debuggers, too": (
        "ptrace process_vm_readv process_vm_writev process_madvise kcmp pidfd_getfd move_pages migrate_pages"
    ),
    "code for the kernel": (
        "init_module finit_module delete_module create_module kexec_load kexec_file_load bpf perf_event_open"
    ),
    "large parts of the kernel with a history of faults, which no function on Lambda can use": (
        "io_uring_setup io_uring_enter io_uring_register userfaultfd fanotify_init"
    ),
    "keyrings are the kernel's, not the container's": "add_key request_key keyctl",
    "a file's handle opens it without a path, outside of every mount": "open_by_handle_at name_to_handle_at",
    "clock, name, log and power of the machine": (
        "settimeofday clock_settime clock_adjtime adjtimex sethostname setdomainname syslog reboot acct vhangup"
    ),
    "hardware, and calls that only old programs knew": (
        "ioperm iopl modify_ldt personality uselib ustat sysfs _sysctl nfsservctl lookup_dcookie"
    ),
}
# glibc falls back to clone, whose flags a filter can see, if clone3 does not exist.
MISSING = ("clone3",)
# CLONE_NEW…: time, mount, cgroup, UTS, IPC, user, PID and network namespaces.
NAMESPACES = (0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)
# TIOCSTI and TIOCLINUX type into the terminal that `shell` shares with its caller.
TYPING = (0x5412, 0x541C)
# Of the address families: UNIX, IPv4, IPv6 and NETLINK. AF_VSOCK, for one, would reach the machine's hypervisor.
FAMILIES = (1, 2, 10, 16)

ALLOW, REFUSE = 0x7FFF0000, 0x00050000
NOT_EQUAL, EQUAL, GREATER, MASKED = 1, 4, 6, 7
BAD_ARCHITECTURE = 2  # attribute: the action for calls of i386 and x32
INT = 0xFFFFFFFF  # the kernel ignores the upper half of an int, so a comparison must, too


class Condition(ctypes.Structure):
    """libseccomp's struct scmp_arg_cmp: `operator` compares argument number `argument` with `first` (and `second`)."""

    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    )


@functools.cache
def load_filter(python: tuple[str, ...]) -> bytes:
    """Return the compiled filter. `python` starts the sysroot's Python. Raise OSError if it cannot be compiled."""
    done = subprocess.run([*python, __file__], capture_output=True, check=False, timeout=60)
    if done.returncode:
        raise OSError(errno.ENOSYS, f"no filter of system calls: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def list_conditions() -> Iterator[tuple[str, tuple[tuple[int, int, int, int], ...]]]:
    """Yield each call that is refused only if all conditions on its arguments hold."""
    for flag in NAMESPACES:
        yield "clone", ((0, MASKED, flag, flag),)
    for command in TYPING:
        yield "ioctl", ((1, MASKED, INT, command),)
    for family in range(max(FAMILIES)):
        if family not in FAMILIES:
            yield "socket", ((0, EQUAL, family, 0),)
    yield "socket", ((0, GREATER, max(FAMILIES), 0),)
    yield "socket", ((0, EQUAL, 16, 0), (2, NOT_EQUAL, 0, 0))  # of NETLINK only the list of interfaces: getaddrinfo


def compile_filter(descriptor: int) -> None:
    """Write the compiled filter to a file descriptor. Raise OSError if libseccomp does not know a call."""
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ALLOW))

    def add(action: int, name: str, *tests: tuple[int, int, int, int]) -> None:
        number = library.seccomp_syscall_resolve_name(name.encode())
        array = (Condition * len(tests))(*(Condition(*each) for each in tests))
        if number == -1 or (problem := library.seccomp_rule_add_array(context, action, number, len(tests), array)):
            raise OSError(errno.EINVAL if number == -1 else -problem, f"libseccomp refuses the rule for {name}")

    library.seccomp_attr_set(context, BAD_ARCHITECTURE, REFUSE | errno.EPERM)
    for names in REFUSED.values():
        for name in names.split():
            add(REFUSE | errno.EPERM, name)
    for name in MISSING:
        add(REFUSE | errno.ENOSYS, name)
    for name, tests in list_conditions():
        add(REFUSE | errno.EPERM, name, *tests)
    if problem := library.seccomp_export_bpf(context, descriptor):
        raise OSError(-problem, "libseccomp cannot export the filter")


if __name__ == "__main__":
    compile_filter(sys.stdout.fileno())
