"""Faults that are put into the worker on purpose; its unit tests must find each of them.

python bench/mutation.py [--jobs N] [--only NAME] [--every N]

Each mutant of mutants.toml changes one place of `handler/`. A process of its own imports the worker with it and runs
the unit tests until one fails. The state machine is left out, since it takes longest; its own mutants are in
tests/unit/handler/test_mutants.py. Exits with 1 if a mutant survives.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import resource
import signal
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

# Imported before the processes are forked, since that takes longer than most tests; never `handler`.
import boto3
import hypothesis
import pytest

import plexus

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / "bench/mutants.toml"
TESTS = "tests/unit/handler"
FIRST = ("endings", "worker", "fence", "failures", "killers", "ways_in", "message_attributes", "deadline", "fifo")
LEFT_OUT = ("state_machine", "mutants", "errors_page", "migration_page")
PROCESSOR_S, WALL_S = 300, 1500  # limits of one mutant's tests: a loop ends by the first, a wait by the second
WARM = (boto3, hypothesis, plexus)


@dataclass(frozen=True)
class Mutant:
    """In the module `handler.<module>`, the only occurrence of `old` becomes `new`."""

    name: str
    module: str
    old: str
    new: str

    @property
    def path(self) -> Path:
        """The module's file."""
        return ROOT / "handler" / f"{self.module}.py"

    def source(self) -> str:
        """Return the changed source; raises ValueError if `old` is not there exactly once."""
        text = self.path.read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.name}: {self.path.name} has {text.count(self.old)} times {self.old!r}, expected 1")
        return text.replace(self.old, self.new)


def read_mutants() -> list[Mutant]:
    """Return the mutants of bench/mutants.toml."""
    return [Mutant(**each) for each in tomllib.loads(LIST.read_text(encoding="utf-8"))["mutant"]]


class _Loader(SourceFileLoader):
    """Loads a module from a changed source, and never from its bytecode."""

    def __init__(self, name: str, mutant: Mutant) -> None:
        super().__init__(name, str(mutant.path))
        self._mutant = mutant

    def get_code(self, _fullname: str) -> CodeType:
        """Return the code of the changed source."""
        code: CodeType = compile(self._mutant.source(), str(self._mutant.path), "exec")
        return code


class Finder(MetaPathFinder):
    """Finds the module of a mutant before anything else does."""

    def __init__(self, mutant: Mutant) -> None:
        self._name, self._mutant = f"handler.{mutant.module}", mutant

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of the changed module, or None for any other."""
        if fullname != self._name:
            return None
        return importlib.util.spec_from_loader(fullname, _Loader(fullname, self._mutant))


@dataclass(frozen=True)
class Verdict:
    """How a mutant ended: `killed`, `killed (time)` or `survived`; `seconds` until then."""

    mutant: Mutant
    ending: str
    seconds: float


def _run_tests(mutant: Mutant) -> int:
    """Run the unit tests with the mutant in this process; returns pytest's exit code."""
    sys.meta_path.insert(0, Finder(mutant))
    first = [f"{TESTS}/test_{name}.py" for name in FIRST]
    omitted = [f"--ignore={TESTS}/test_{name}.py" for name in (*LEFT_OUT, *FIRST)]
    options = ["-x", "-q", "-p", "no:cacheprovider"]
    return int(pytest.main([*options, *first]) or pytest.main([*options, *omitted, TESTS]))


def judge(mutant: Mutant, run: Callable[[Mutant], int] = _run_tests) -> Verdict:
    """Run the tests in a process of their own, and return the verdict; `run` returns pytest's exit code."""
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        silent = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(silent, stream)
        resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_S, PROCESSOR_S + 1))
        code = 1
        try:
            code = run(mutant)
        finally:
            os._exit(code)
    endings = {0: "survived", -signal.SIGXCPU: "killed (time)"}
    while time.monotonic() < began + WALL_S:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            ending = endings.get(os.waitstatus_to_exitcode(status), "killed")
            return Verdict(mutant, ending, time.monotonic() - began)
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return Verdict(mutant, "killed (time)", time.monotonic() - began)


def judge_all(mutants: Sequence[Mutant], jobs: int) -> Iterator[Verdict]:
    """Yield the verdicts, in order. Raises ValueError for a mutant that does not fit the source."""
    for mutant in mutants:
        mutant.source()
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(judge, mutants)


def main() -> int:
    """Run the mutants, and print each verdict; return 1 if one survives, else 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1, help="mutants at the same time (default: 1)")
    parser.add_argument("--only", default="", help="those whose names contain this text")
    parser.add_argument("--every", type=int, default=1, help="a sample: every Nth of them (default: all)")
    options = parser.parse_args()
    mutants = [mutant for mutant in read_mutants() if options.only in mutant.name][:: options.every]
    verdicts = []
    for verdict in judge_all(mutants, options.jobs):
        verdicts.append(verdict)
        print(
            f"{verdict.ending:14}{verdict.seconds:6.1f} s  {verdict.mutant.module}: {verdict.mutant.name}", flush=True
        )
    killed = sum(verdict.ending != "survived" for verdict in verdicts)
    print(f"{killed} of {len(verdicts)} mutants are killed")
    return 0 if killed == len(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
