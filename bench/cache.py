"""Alter one file of a warm cache at one moment of a build, a thousand times; no build may end with another digest.

python -m bench.cache [--rounds 1000] [--first 0]      (after make build; about a second and a half for each round)

After each round the next build has to mend the cache. Prints what happened by kind of entry and by alteration, and
every round that broke the rule; the exit status is then 1. The rounds: tests/image/altered_cache.py.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from nix.reproducible import Variant, copy_source
from tests.image.altered_cache import Bench


def main() -> int:
    """Run the rounds; return 1 if a build ended with another digest, else 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="seed of the first round")
    options = parser.parse_args()
    ended, mended, wrong, began = Counter[tuple[str, str]](), Counter[str](), 0, time.monotonic()
    with tempfile.TemporaryDirectory(prefix="score-processor-") as work:
        copy_source(Path(work) / "clone", Variant("clone", ""))
        bench = Bench.make(Path(work) / "clone", Path(work) / "bench")
        for number, entry in enumerate(bench.rounds(range(options.first, options.first + options.rounds)), 1):
            ended[entry.path.partition("/")[0], entry.during] += 1
            ended[entry.action, entry.during] += 1
            mended["with a line about the cache" if entry.messages else "without one"] += 1
            if not entry.is_right:
                wrong += 1
                print(f"WRONG {entry}", flush=True)
            if number % 20 == 0:
                print(f"{number} rounds, {time.monotonic() - began:.0f} s, {wrong} wrong", file=sys.stderr, flush=True)
    for (what, how), count in sorted(ended.items()):
        print(f"{what:12} {how:14} {count:5}")
    print(f"{options.rounds} rounds: {wrong} wrong; {', '.join(f'{n} {how}' for how, n in sorted(mended.items()))}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
