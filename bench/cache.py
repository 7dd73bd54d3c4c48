"""Alter one file of a warm cache at one moment of a build, a thousand times; no build may end with another digest.

python -m bench.cache [--rounds 1000] [--first 0] [--log FILE]      (after make build; one to nine seconds for a round)

After each round the next build has to mend the cache. Prints what happened by kind of entry and by alteration, and
every round that broke the rule; the exit status is then 1. With a log, rounds of earlier runs are kept and counted, so
that a thousand can be run in parts. The rounds: tests/image/altered_cache.py.
"""

import argparse
import dataclasses
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from nix.reproducible import Variant, copy_source
from tests.image.altered_cache import Bench, Round


def main() -> int:
    """Run the rounds; return 1 if a build ended with another digest, else 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="seed of the first round")
    parser.add_argument("--log", type=Path, help="keep every round in this file, and skip those that it has")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.rounds)
    kept = read_log(options.log) if options.log else {}
    rounds = dict(kept)
    for entry in play([seed for seed in seeds if seed not in kept]):
        rounds[entry.seed] = entry
        if options.log:
            with options.log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(dataclasses.asdict(entry)) + "\n")
    return report([rounds[seed] for seed in sorted(rounds)])


def read_log(path: Path) -> dict[int, Round]:
    """Return the rounds in a log by their seed; none if there is no log yet."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {entry.seed: entry for entry in (Round(**json.loads(line)) for line in lines)}


def play(seeds: list[int]) -> Iterator[Round]:
    """Play these rounds on a copy of the cache, and print how far they are."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="score-processor-") as work:
        copy_source(Path(work) / "clone", Variant("clone", ""))
        bench = Bench.make(Path(work) / "clone", Path(work) / "bench")
        for number, entry in enumerate(bench.rounds(seeds), 1):
            yield entry
            if number % 20 == 0:
                print(f"{number} rounds, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def report(rounds: list[Round]) -> int:
    """Print the counts and the wrong rounds; return 1 if there is one, else 0."""
    ended, wrong = Counter[tuple[str, str]](), [entry for entry in rounds if not entry.is_right]
    for entry in rounds:
        ended[entry.path.partition("/")[0], entry.during] += 1
        ended[entry.action, entry.during] += 1
    for bad in wrong:
        print(f"WRONG {bad}")
    for (what, how), count in sorted(ended.items()):
        print(f"{what:12} {how:14} {count:5}")
    reported = sum(bool(entry.messages) for entry in rounds)
    print(f"{len(rounds)} rounds: {len(wrong)} wrong; {reported} with a line about the cache")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
