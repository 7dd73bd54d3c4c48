"""Memory of one execution environment over many invocations, with tables and queues in memory.

python bench/worker_memory.py [--invocations N]

Each invocation has two jobs, one of which fails, and a poison message; scores run in child processes, as in the
function. Prints the resident memory of the worker and of its children after each tenth of the invocations. The tables
are emptied meanwhile, so that their own growth is not counted.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

MEGABYTE = 2**20
LIMIT_MB = 2048


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process, in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE


def children_of(pid: int) -> list[int]:
    """Return the processes below a process, at any depth."""
    below = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            if int(path.read_text(encoding="utf-8").rpartition(")")[2].split()[1]) == pid:
                below.append(int(path.parent.name))
    return below + [deeper for child in below for deeper in children_of(child)]


def main() -> int:
    """Run the invocations, and print the memory after each tenth; always returns 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--invocations", type=int, default=10_000)
    options = parser.parse_args()
    from plexus.isolation.children import Children, choose_limits
    from tests.memory.world import World

    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        engine = Children(None, choose_limits(LIMIT_MB))
        runtime = world.runtime(score=engine.score)
        print(f"{'invocations':>12}{'worker, MB':>12}{'children, MB':>14}")
        for number in range(1, options.invocations + 1):
            world.send_jobs(world.job(1), world.job(2, text=" "))
            world.send("poison")
            world.batch(runtime)
            for name in ("ScoringJob", "ScoreResult", "Item"):
                world.dynamodb.tables[name].clear()
            for queue in world.sqs.queues.values():
                queue.messages.clear()
            world.wire.made.clear()
            world.output.seek(0)
            world.output.truncate()
            if number % (options.invocations // 10) == 0 or number == 100:
                gc.collect()
                below = sum(map(resident_mb, [engine.nursery, *children_of(engine.nursery)]))
                print(f"{number:>12}{resident_mb(os.getpid()):>12.1f}{below:>14.1f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
