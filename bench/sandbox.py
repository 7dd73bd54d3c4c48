"""Measure what the sandbox adds to a cold start: bubblewrap's namespaces alone, and everything that isolates an image.

.venv/bin/python bench/sandbox.py [PAIRS]
"""

import os
import resource
import statistics
import subprocess
import sys
import time

from local_aws import engine_choice
from local_aws.bubblewrap import Bubblewrap, list_root_layers
from local_aws.engine import Container, Launch
from local_aws.network import create_forwarding_service
from local_aws.sysroot import find_sysroot

PAIRS = 40


def main() -> None:
    """Print the medians of both, their difference and their ratio."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS
    engine, root = engine_choice.choose("bubblewrap"), find_sysroot()
    assert isinstance(engine, Bubblewrap)
    program = ("/usr/bin/python3.13", "-I", "-S", "-c", "pass")
    services = (create_forwarding_service("127.0.0.1", 9001), create_forwarding_service("127.0.0.1", 4566))
    container = Container(f"of-{os.getpid()}-bench", (root.root,), program, {"NAME": "value"}, services=services)
    bare, whole = [], []
    for _ in range(pairs + 1):
        bare.append(times(Launch(alone(container), {})))
        whole.append(times(engine.prepare(container)))
    print(f"{pairs} pairs as {'root' if os.geteuid() == 0 else 'a user'}, start to exit of a Python, medians:")
    before, now = (statistics.median(run[0] for run in runs[1:]) * 1000 for runs in (bare, whole))
    print(f"namespaces {before:.1f} ms, sandbox {now:.1f} ms: +{now - before:.1f} ms, {now / before:.2f} times")
    before, now = (statistics.median(run[1] for run in runs[1:]) * 1000 for runs in (bare, whole))
    print(f"processor, without what runs inside: +{now - before:.1f} ms")


def alone(container: Container) -> list[str]:
    """Return bubblewrap's command line with private namespaces and mounts, and nothing else."""
    words = [*find_sysroot().command("bwrap"), "--unshare-user", "--unshare-pid", "--unshare-ipc", "--uid", "993"]
    words += ["--gid", "990", "--die-with-parent", "--new-session", "--clearenv"]
    words += [word for layer in list_root_layers(list(container.layers)) for word in ("--overlay-src", str(layer))]
    words += ["--ro-overlay", "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]  # noqa: S108 (its own)
    return [*words, "--", *container.command]


def times(launch: Launch) -> tuple[float, float]:
    """Run a container to its end; return its seconds by the clock, and its processor seconds."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    with subprocess.Popen(launch.command, pass_fds=launch.descriptors(), env={}, cwd="/") as process:
        launch.hand_over()
        status = process.wait()
    took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert status == 0
    if launch.entrance:
        launch.entrance.close()
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
