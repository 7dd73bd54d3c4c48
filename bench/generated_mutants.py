"""A random sample of generated faults in the worker; the tests that run a changed function should find each of them.

python bench/generated_mutants.py --mutmut FOLDER [--sample N] [--seed N] [--jobs N]

FOLDER holds mutmut (`pip install --target FOLDER mutmut==3.8.1`), which the project does not use otherwise. It changes
the functions of `handler/`, except `app` and `__main__`. First the tests run once, and record which functions each one
calls. Then a process of its own runs those tests with each mutant of the sample until one fails. The state machine and
its mutants are left out; the tests of tracing, which open sockets, are not. Prints what each surviving mutant changes.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from bench import mutation
from bench.mutation import LEFT_OUT, ROOT, TESTS, Mutant, Verdict, judge

TRACING = "tests/integration/handler/test_tracing.py"
OPTIONS = ("-x", "-q", "-p", "no:cacheprovider")
NOT_CHANGED = ("__init__", "__main__", "app")
Function = tuple[str, int]  # a module of the worker, and the first line of a function
SAMPLER = """
import json, random, sys
from pathlib import Path
from libcst import FunctionDef
from mutmut.mutation.file_mutation import create_mutations
seed, size, *paths = sys.argv[1:]
mutants = []
for path in paths:
    module, mutations, *_ = create_mutations(path, Path(path).read_text())
    mutants += [(path, module, each) for each in mutations
                if isinstance(each.contained_by_top_level_function, FunctionDef)]
chosen = random.Random(int(seed)).sample(mutants, min(int(size), len(mutants)))
print(json.dumps({"count": len(mutants), "sample": [
    (Path(path).stem, module.deep_replace(each.original_node, each.mutated_node).code) for path, module, each in chosen
]}))
"""


@dataclass(frozen=True)
class Generated(Mutant):
    """A module with one generated change in a function; `old` is the source of today, `new` that of the mutant."""

    def source(self) -> str:
        """Return the changed source."""
        return self.new

    def changed_line(self) -> int:
        """Return the first line that differs."""
        pairs = zip_longest(self.old.splitlines(), self.new.splitlines())
        return next(number for number, (old, new) in enumerate(pairs, 1) if old != new)

    def describe(self) -> str:
        """Return the lines that differ."""
        lines = list(difflib.unified_diff(self.old.splitlines(), self.new.splitlines(), lineterm="", n=0))[2:]
        return "\n".join([f"  handler/{self.module}.py", *(f"    {line}" for line in lines)])

    def calls(self) -> set[Function]:
        """Return the function that is changed, and those defined in it."""
        functions = [node for node in ast.walk(ast.parse(self.old)) if isinstance(node, ast.FunctionDef)]
        around = [node for node in functions if _first_line(node) <= self.changed_line() <= (node.end_lineno or 0)]
        outer = min(around, key=_first_line)
        return {(self.module, _first_line(node)) for node in ast.walk(outer) if isinstance(node, ast.FunctionDef)}


def _first_line(function: ast.FunctionDef) -> int:
    return min([function.lineno, *(each.lineno for each in function.decorator_list)])


def generate(mutmut: str, size: int, seed: int) -> tuple[int, list[Generated]]:
    """Return how many mutants mutmut makes of the worker, and a sample of them."""
    paths = sorted(path for path in (ROOT / "handler").glob("*.py") if path.stem not in NOT_CHANGED)
    command = [sys.executable, "-c", SAMPLER, str(seed), str(size), *map(str, paths)]
    environment = os.environ | {"PYTHONPATH": mutmut}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "src").mkdir()  # mutmut looks for sources, and refuses to start without any
        # In a process of its own, since the folder of mutmut has other versions of pytest and the like.
        done = subprocess.run(command, env=environment, cwd=folder, check=True, stdout=subprocess.PIPE, text=True)
    content = json.loads(done.stdout)
    sources = {path.stem: path.read_text(encoding="utf-8") for path in paths}
    mutants = [
        Generated(f"mutant {number}", module, sources[module], changed)
        for number, (module, changed) in enumerate(content["sample"], 1)
    ]
    return content["count"], mutants


class Recorder:
    """A pytest plugin: records the functions of the worker that each test calls, in any thread."""

    def __init__(self) -> None:
        self.tests: dict[Function, set[str]] = defaultdict(set)
        self._test = ""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Record the calls of a test, its fixtures included."""
        self._test = item.nodeid
        threading.setprofile(self._record)
        sys.setprofile(self._record)
        try:
            return (yield)
        finally:
            sys.setprofile(None)

    def _record(self, frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and (module := frame.f_globals.get("__name__", "")).startswith("handler."):
            self.tests[module.removeprefix("handler."), frame.f_code.co_firstlineno].add(self._test)


class Selection:
    """A pytest plugin: of the collected tests, runs those with these ids."""

    def __init__(self, ids: Collection[str]):
        self._ids = ids

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Drop all others."""
        items[:] = [item for item in items if item.nodeid in self._ids]


def _record_calls(answer: Any) -> None:
    recorder = Recorder()
    left_out = [f"--ignore={TESTS}/test_{name}.py" for name in LEFT_OUT]
    code = pytest.main([*OPTIONS, *left_out, TESTS, TRACING], [recorder])
    answer.send((int(code), dict(recorder.tests)))


def record_calls() -> dict[Function, set[str]]:
    """Run all tests in a process of its own; returns those that call each function. SystemExit if one fails."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_record_calls, args=(sender,))
    process.start()
    code, tests = receiver.recv()
    process.join()
    if code:
        raise SystemExit("the tests fail without any mutant; next: make test ENV=unit")
    return dict(tests)


def _run_selected(ids: Collection[str], mutant: Mutant) -> int:
    """Run these tests with the mutant in this process; returns pytest's exit code, 0 if there are none."""
    sys.meta_path.insert(0, mutation.Finder(mutant))
    files = {name.partition("::")[0] for name in ids}
    own_first = sorted(files, key=lambda path: (f"test_{mutant.module}.py" not in path, path))
    code = pytest.main([*OPTIONS, *own_first], [Selection(ids)]) if files else 0
    return 0 if code == pytest.ExitCode.NO_TESTS_COLLECTED else int(code)


def judge_sample(mutants: list[Generated], tests: Mapping[Function, set[str]], jobs: int) -> Iterator[Verdict]:
    """Yield the verdicts, in order."""

    def judge_one(mutant: Generated) -> Verdict:
        ids = set[str]().union(*(tests.get(function, set()) for function in mutant.calls()))
        run: Callable[[Mutant], int] = partial(_run_selected, ids)
        return judge(mutant, run)

    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(judge_one, mutants)


def main() -> None:
    """Run the sample; print each verdict, and what the surviving mutants change."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutmut", required=True, metavar="FOLDER", help="where mutmut lies")
    parser.add_argument("--sample", type=int, default=60, help="mutants to run (default: 60)")
    parser.add_argument("--seed", type=int, default=1, help="of the sample (default: 1)")
    parser.add_argument("--jobs", type=int, default=1, help="mutants at the same time (default: 1)")
    options = parser.parse_args()
    count, mutants = generate(options.mutmut, options.sample, options.seed)
    tests = record_calls()
    survivors = 0
    for verdict in judge_sample(mutants, tests, options.jobs):
        mutant = verdict.mutant
        print(f"{verdict.ending:14}{verdict.seconds:6.1f} s  {mutant.module}: {mutant.name}", flush=True)
        if verdict.ending == "survived" and isinstance(mutant, Generated):
            survivors += 1
            print(mutant.describe(), flush=True)
    print(f"{len(mutants) - survivors} of {len(mutants)} mutants are killed, a sample of {count}")


if __name__ == "__main__":
    main()
