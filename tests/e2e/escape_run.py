"""Run `escapes.py` in a container of this project, and print what it and its starter saw. The standard library only."""

import json
import os
import socket
import sys
from pathlib import Path

from local_aws import engine_choice, processes
from local_aws.engine import Container
from local_aws.sysroot import find_sysroot

ESCAPES = Path(__file__).with_name("escapes.py")


def main() -> None:
    """Start the container, read what it prints, look at its processes, and end it."""
    secret = sys.stdin.readline().strip()
    server, abstract = socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_UNIX)
    abstract.bind(f"\0{os.getpid()}-escape")
    abstract.listen()
    container = Container(
        f"of-{os.getpid()}-escape",
        (find_sysroot().root,),
        ("/usr/bin/python3.13", "-I", "-S", "-c", ESCAPES.read_text()),
        environment={"SECRET": secret, "PORT": str(server.getsockname()[1]), "ABSTRACT": f"{os.getpid()}-escape"},
        memory_mb=20_000,  # the watcher counts what 1,024 processes share once for each
    )
    ours, theirs = os.pipe()
    running = engine_choice.choose("bubblewrap").start(container, theirs)  # never without a container
    os.close(theirs)
    try:
        with os.fdopen(ours) as output:
            text = output.readline()
        if not text.startswith("{"):
            raise SystemExit(f"the container printed {text!r}")
        users = {pid: user_of(pid) for pid in processes.walk_children(running.process.pid)}
    finally:
        names = [str(path) for path in Path("/proc").glob("[0-9]*/cmdline") if secret.encode() in content(path)]
        running.kill()
    print(json.dumps({"outcomes": json.loads(text), "users": users, "shown": names}))


def user_of(pid: int) -> list[int]:
    """Return the host's real and effective user of a process."""
    line = Path(f"/proc/{pid}/status").read_text().partition("Uid:")[2]
    return [int(word) for word in line.split()[:2]]


def content(path: Path) -> bytes:
    """Return a command line, empty if its process has ended."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


if __name__ == "__main__":
    main()
