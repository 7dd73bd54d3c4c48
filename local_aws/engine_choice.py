"""Choose the engine by starting a trivial container, rather than by looking for a program."""

import contextlib
import os
import subprocess
from pathlib import Path

from local_aws import cgroups
from local_aws.bubblewrap import Bubblewrap
from local_aws.engine import Container, Engine
from local_aws.exceptions import EngineUnavailable
from local_aws.plain import Plain
from local_aws.sysroot import Sysroot, find_sysroot

NAMES = ("bubblewrap", "plain")
PROBE_LIMIT_S = 120  # a probe takes a fraction of a second, but a busy machine must not lose its isolation


def choose(wanted: str | None = None) -> Engine:
    """Return the `wanted` engine (default: LOCAL_AWS_ENGINE), or the best one that works on this machine.

    Raises EngineUnavailable if the requested engine does not work.
    """
    wanted = wanted or os.environ.get("LOCAL_AWS_ENGINE") or None
    if wanted not in (None, *NAMES):
        raise EngineUnavailable(f"LOCAL_AWS_ENGINE: got {wanted}, expected one of {', '.join(NAMES)}")
    if wanted == "plain":
        return Plain("LOCAL_AWS_ENGINE is plain")
    sysroot = find_sysroot()
    problem = find_bubblewrap_problem(sysroot)
    if problem is None:
        return Bubblewrap(sysroot, cgroups.find())
    network_problem, problem = problem, find_bubblewrap_problem(sysroot, problem)
    if problem is None:
        return Bubblewrap(sysroot, cgroups.find(), f"this machine allows no network of their own ({network_problem})")
    if wanted == "bubblewrap":
        raise EngineUnavailable(
            f"bubblewrap does not work here: {problem}. next: unset LOCAL_AWS_ENGINE to run without isolation"
        )
    return Plain(f"bubblewrap cannot start a container ({problem}); to isolate functions: {choose_remedy()}")


# A setting of the kernel that denies user namespaces → the value that does so, and the value that allows them.
DENIALS = {
    "kernel.apparmor_restrict_unprivileged_userns": ("1", "0"),  # Ubuntu since 23.10
    "kernel.unprivileged_userns_clone": ("0", "1"),  # Debian before 11
    "user.max_user_namespaces": ("0", "15000"),
}


def choose_remedy(sysctls: Path = Path("/proc/sys")) -> str:
    """Return what would let an ordinary user of this machine create user namespaces."""
    for name, (denied, allowed) in DENIALS.items():
        with contextlib.suppress(OSError):
            if (sysctls / name.replace(".", "/")).read_text().strip() == denied:
                return f"sudo sysctl {name}={allowed}"
    return "allow user namespaces and mounts (in a container: --security-opt seccomp=unconfined)"


def find_bubblewrap_problem(sysroot: Sysroot, network_problem: str = "") -> str | None:
    """Return why bubblewrap cannot start a container here, or None if it can.

    With `network_problem` the container shares the machine's network.
    """
    probe = Container("probe", (sysroot.root,), ("/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "--version"), {})
    try:
        start = Bubblewrap(sysroot, None, network_problem).prepare(probe)
        with contextlib.closing(start):
            done = subprocess.run(
                start.command,
                capture_output=True,
                text=True,
                timeout=PROBE_LIMIT_S,
                check=False,
                pass_fds=start.descriptors(),
            )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return None
    return (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
