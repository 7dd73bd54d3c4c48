"""Full collections in LocalStack's process."""

import subprocess
import sys

from local_aws.paths import REPOSITORY

PROGRAM = """
import gc
from local_aws.extension import collector
collector.install()
kept = [[] for _ in range(100_000)]
gc.collect()
print(len(gc.get_objects()) < 1000 < len(kept) < gc.get_freeze_count())
cycle = []
cycle.append(cycle)
del cycle
print(gc.collect())
"""


def test_what_survived_a_full_collection_is_not_visited_again() -> None:
    """All survivors are exempt from the next full collection, which still finds cycles among newer objects."""
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=300)
    assert done.stdout == "True\n1\n", done.stderr
