"""The unit tests of the worker find every fault of bench/mutants.toml."""

import re
import subprocess
import sys
from collections import Counter

from bench import mutation


def test_each_mutant_fits_the_source() -> None:
    """Each mutant has a name of its own, changes one place of today's source, and is Python."""
    mutants = mutation.read_mutants()
    assert [name for name, times in Counter(mutant.name for mutant in mutants).items() if times > 1] == []
    for mutant in mutants:
        compile(mutant.source(), str(mutant.path), "exec")


def test_a_sample_of_the_mutants_is_killed() -> None:
    """For every eighth mutant, a unit test fails; `python -m bench.mutation` tries all of them."""
    # A process of its own: this one has imported the worker already, and would run the tests without the faults.
    command = [sys.executable, "-m", "bench.mutation", "--jobs", "2", "--every", "8"]
    done = subprocess.run(command, cwd=mutation.ROOT, capture_output=True, text=True, timeout=3000)
    assert re.search(r"^([1-9]\d*) of \1 mutants are killed\n\Z", done.stdout, re.M), done.stdout
