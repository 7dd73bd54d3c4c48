"""Ways out of a container: each is refused, to root's and to a user's (docs/explanation/local-aws.md)."""

import json
import os
import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from local_aws import engine_choice, seccomp
from local_aws.exceptions import EngineUnavailable
from local_aws.paths import REPOSITORY
from local_aws.sysroot import Sysroot, find_sysroot
from tests.e2e.escapes import CALLS, WAYS
from tests.fresh.machine import mount, mounts_as_root

USER = 1000
RUN = "tests/e2e/escape_run.py"
PRIVATE = {"EPERM", "EACCES", "EROFS"}
ABSENT = {"ENOENT", "EACCES"}
# Way → the outcomes that are refusals.
REFUSALS = {
    "write core_pattern": PRIVATE,
    "mounts of the machine": {"none"},
    "write modprobe": PRIVATE | ABSENT,
    "write a network setting": PRIVATE | ABSENT,
    "write sysrq-trigger": PRIVATE | ABSENT,
    "write uevent_helper": ABSENT,
    "write a cgroup's release_agent": ABSENT,
    "write to the root": PRIVATE,
    "create below /dev": PRIVATE | ABSENT,
    "become another process's score": PRIVATE,
    "map a user of the host": PRIVATE,
    "another server of the host": {"ECONNREFUSED"},
    "a socket without a file": {"ECONNREFUSED"},
    "the internet": {"ENETUNREACH"},
    "metadata of a cloud": {"ENETUNREACH"},
    "read the memory of the machine": ABSENT,
    "read the kernel's memory": ABSENT,
    "read the kernel's log": ABSENT,
    "read keys": ABSENT,
    "become root": {"EINVAL", "EPERM"},
    "signal the host": {"ESRCH"},
    "more processes than Lambda's 1,024": {"EAGAIN"},
    "processes of the host": {"none"},
    "inherited files": {"none"},
    "capabilities": {"none"},
    "secrets of the first process": {"none"},
    "root of the first process": {"the container's own"},
    "call clone3": {"ENOSYS"},
}


@dataclass(frozen=True)
class Seen:
    """What the container saw of each way, its processes' users on the host, and who showed its secret to all."""

    outcomes: dict[str, str]
    users: dict[str, list[int]]
    shown: list[str]


@pytest.fixture(params=["root", "root of a container", "user"])
def seen(request: pytest.FixtureRequest) -> Seen:
    """What a container sees that root started, with all capabilities and as in Docker, or an ordinary user."""
    skip_without_containers()
    if os.geteuid() != 0:
        if request.param != "user":
            pytest.skip("only root can start this container: run the test as root")
        return try_escapes((sys.executable,), str(REPOSITORY))
    if request.param == "root":
        return try_escapes((sys.executable,), str(REPOSITORY))
    if not mounts_as_root() or shutil.which("setpriv") is None:
        pytest.skip("root cannot mount here, or setpriv (util-linux) is not installed")
    if request.param == "user":
        return try_escapes(as_user(), "/run/checkout")
    return try_escapes(("setpriv", "--bounding-set=-sys_admin", sys.executable), str(REPOSITORY))


def skip_without_containers() -> None:
    """Skip, with the reason, where the kernel allows no container or gives it no network."""
    try:
        promised = engine_choice.choose("bubblewrap").guarantees
    except EngineUnavailable as error:
        pytest.skip(f"this machine starts no container: {error}")
    if not promised.own_network:
        pytest.skip(promised.reason)


@cache
def try_escapes(python: tuple[str, ...], checkout: str) -> Seen:
    """Return what a container sees that this Python starts."""
    secret = secrets.token_hex(16)
    environment = {"PYTHONPATH": checkout, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [*python, f"{checkout}/{RUN}"],
        env={**os.environ, **environment},
        input=f"{secret}\n",
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Seen(**json.loads(done.stdout))


def as_user() -> tuple[str, ...]:
    """Return the sysroot's Python, run by an ordinary user to whom everything that it needs is shown below /run."""
    outside, inside = find_sysroot(), Sysroot(Path("/run/sysroot"))
    mounts = [*outside.command("bwrap"), "--dev-bind", "/", "/", "--tmpfs", "/run"]
    for source in ("local_aws", "nix", "tests"):
        mounts += mount("--ro-bind", REPOSITORY / source, f"/run/checkout/{source}")
    mounts += [*mount("--ro-bind", outside.root, "/run/sysroot"), "--perms", "1777", "--tmpfs", "/run/cache"]
    for name, value in {"LOCAL_AWS_ROOT": "/run/sysroot", "SCORE_PROCESSOR_CACHE": "/run/cache"}.items():
        mounts += ["--setenv", name, value]
    drop = [f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]
    return (*mounts, "--die-with-parent", "--", "setpriv", *drop, *inside.command("python3.13"))


def test_every_way_out_is_refused(seen: Seen) -> None:
    """Each of the known ways out of a container ends with the refusal that is listed for it."""
    assert len(seen.outcomes) == len(WAYS)
    escaped = {way: outcome for way, outcome in seen.outcomes.items() if outcome not in REFUSALS.get(way, {"EPERM"})}
    assert not escaped


def test_functions_own_nothing_on_the_host(seen: Seen) -> None:
    """For the host, no process of a container is root, or has a right that its starter has not."""
    assert seen.users
    assert not [pid for pid, users in seen.users.items() if 0 in users]


def test_variables_are_on_no_command_line(seen: Seen) -> None:
    """A function's variables hold its credentials, and everybody on a machine may read every command line."""
    assert not seen.shown


LIMITED = 'echo 0 > /proc/sys/user/max_$0_namespaces && exec "$@"'
CHOOSE = "from local_aws import engine_choice as c; e = c.choose(); print(e.name, e.guarantees)"


@pytest.mark.parametrize(
    ("kind", "engine", "kept", "reason"),
    [
        (
            "net",
            "bubblewrap",
            "filtered_calls=True, own_network=False",
            "this machine allows no network of their own (",
        ),
        ("user", "plain", "filtered_calls=False, own_network=False", "bubblewrap cannot start a container (bwrap: "),
    ],
)
def test_a_machine_without_namespaces_to_give_says_so(kind: str, engine: str, kept: str, reason: str) -> None:
    """Where the kernel gives containers no network, all other guarantees hold, and a message names the missing one."""
    skip_without_containers()
    prefix = ["unshare", "--user", "--map-root-user", "sh", "-c", LIMITED, kind]
    if shutil.which("unshare") is None or subprocess.run([*prefix, "true"], capture_output=True).returncode:
        pytest.skip("unshare (util-linux) is not installed, or the kernel denies it a user namespace")
    environment = {**os.environ, "LOCAL_AWS_ROOT": str(find_sysroot().root), "LOCAL_AWS_ENGINE": ""}
    command = [*prefix, sys.executable, "-c", CHOOSE]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"{engine} ")
    assert kept in done.stdout
    assert reason in done.stdout


def test_every_refused_call_is_tried() -> None:
    """The ways name system calls that the filter's tables name, and by the kernel's numbers."""
    assert set(CALLS) <= {name for names in seccomp.REFUSED.values() for name in names.split()} | set(seccomp.MISSING)
