"""Walk away from a release: interrupt deploy, canary, rollback and config at moments of their calls, by every signal.

python -m bench.walk_away [VERB…] [--moments 20] [--signals SIGINT,SIGKILL] [--record FILE] [--seconds 280]

Starts a local AWS of its own, runs each verb once to record its AWS calls, and then once for each moment and signal,
which arrives while a call is in flight or its answer is. After each: one version serves everyone, a deploy or a
rollback succeeds at once, and the ledger is true. Takes 3 to 6 s for each; with --record the next run continues.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from dataclasses import asdict
from itertools import product
from pathlib import Path

from bench.measure import say
from tests.e2e import walk_away
from tests.e2e.staged import Staged, start_staged
from tests.e2e.walk_away import Cell, Moment

Plan = dict[str, list[Moment]]


def load(record: Path | None) -> tuple[Plan, list[Cell]]:
    """Return the moments of each verb and the cells that an earlier run has recorded."""
    plan: Plan = {}
    cells = []
    for line in record.read_text().splitlines() if record and record.exists() else ():
        entry = json.loads(line)
        if "moments" in entry:
            plan[entry["verb"]] = [Moment(**one) for one in entry["moments"]]
        else:
            known = entry | {"moment": Moment(**entry["moment"]), "number": signal.Signals(entry["number"])}
            cells.append(Cell(**known))
    return plan, cells


def append(record: Path | None, entry: dict[str, object]) -> None:
    """Append an entry to the record."""
    if record:
        with record.open("a") as file:
            file.write(json.dumps(entry) + "\n")


def find_moments(stage: Staged, verbs: list[str], count: int, plan: Plan, record: Path | None) -> None:
    """Add the moments of the verbs that are not in the plan."""
    for verb in verbs:
        if verb not in plan:
            plan[verb] = walk_away.find_moments(stage, verb, count)
            append(record, {"verb": verb, "moments": [asdict(one) for one in plan[verb]]})
        say(f"{verb}: {len(plan[verb])} moments up to call {plan[verb][-1].number}")


def measure(options: argparse.Namespace, signals: list[signal.Signals]) -> list[Cell]:
    """Return every cell of the matrix, or those that fit into the time."""
    plan, cells = load(options.record)
    end = time.monotonic() + options.seconds
    with tempfile.TemporaryDirectory() as folder, start_staged("walk-away", Path(folder)) as stage:
        walk_away.prepare(stage, "rollback")  # a run that continues has no deploys of `find_moments` to return to
        find_moments(stage, options.verbs, options.moments, plan, options.record)
        known = {(one.verb, one.moment, one.number) for one in cells}
        # All verbs and signals at one moment after another, from all over their calls: an early end leaves a sample.
        order = sorted(range(options.moments), key=lambda index: index * 7 % options.moments)
        for index, verb, number in product(order, options.verbs, signals):
            if index >= len(plan[verb]) or (verb, plan[verb][index], number) in known or time.monotonic() > end:
                continue
            cell = walk_away.interrupt(stage, verb, plan[verb][index], number, options.stopped)
            cells.append(cell)
            append(options.record, asdict(cell))
            if cell.problems:
                say(str(cell))
    return cells


def row(verb: str, number: signal.Signals, cells: list[Cell]) -> str:
    """Format the cells of a verb and a signal as a row of Markdown."""
    whole = sum(not one.problems for one in cells)
    calls = len({one.operation for one in cells if one.operation})
    return f"| {verb} | {number.name} | {len(cells)} | {calls} | {whole} | {sum(one.is_split for one in cells)} |"


def main() -> int:
    """Run the matrix and print its rows; return 1 if a cell broke a rule."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verbs", nargs="*", default=list(walk_away.VERBS), help="the verbs (default: all)")
    parser.add_argument("--moments", type=int, default=20, help="moments of each verb (default: 20)")
    names = ",".join(one.name for one in walk_away.SIGNALS)
    parser.add_argument("--signals", default=names, help=f"comma-separated (default: {names})")
    parser.add_argument("--stopped", type=float, default=0, help="seconds for which SIGSTOP lasts")
    parser.add_argument("--record", type=Path, help="append each result to this file, and skip those that it has")
    parser.add_argument("--seconds", type=float, default=7200, help="begin no interruption after this time")
    options = parser.parse_args()
    signals = [signal.Signals[name] for name in options.signals.split(",")]
    began = time.monotonic()
    cells = measure(options, signals)
    print("| verb | signal | moments | operations | whole | calls shared until the next command |")
    print("|---|---|---:|---:|---:|---:|")
    for verb, number in product(options.verbs, signals):
        print(row(verb, number, [one for one in cells if (one.verb, one.number) == (verb, number)]))
    print(f"{len(cells)} interruptions; this run took {time.monotonic() - began:.0f} s")
    return 1 if any(one.problems for one in cells) else 0


if __name__ == "__main__":
    sys.exit(main())
