"""The choice of the engine: by starting a one-line container, not by looking for a program."""

import os
import subprocess

from local_aws import cgroups
from local_aws.bubblewrap import Bubblewrap
from local_aws.engine import Container, Engine
from local_aws.exceptions import EngineUnavailable
from local_aws.plain import Plain
from local_aws.tools import Tools, tools

NAMES = ("bubblewrap", "plain")


def choose(wanted: str | None = None) -> Engine:
    """The engine of this machine, or the `wanted` one (default: LOCAL_AWS_ENGINE); EngineUnavailable if it fails."""
    wanted = wanted or os.environ.get("LOCAL_AWS_ENGINE") or None
    if wanted not in (None, *NAMES):
        raise EngineUnavailable(f"LOCAL_AWS_ENGINE={wanted}: expected one of {', '.join(NAMES)}")
    if wanted == "plain":
        return Plain()
    found = tools()
    problem = bubblewrap_problem(found)
    if problem is None:
        return Bubblewrap(found, cgroups.find())
    if wanted == "bubblewrap":
        raise EngineUnavailable(f"bubblewrap does not work here: {problem}; unset LOCAL_AWS_ENGINE to run without it")
    return Plain()


def bubblewrap_problem(found: Tools) -> str | None:
    """Why a container cannot be started here; None when one was."""
    probe = Container("probe", (found.root,), ("/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "--version"), {})
    command = Bubblewrap(found, None).command(probe)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return None
    return (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
