"""Interrupt a verb at a moment of its own AWS calls, and report what callers, the next command and the history see."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import botocore.session

from local_aws import control
from local_aws.instance import Instance
from local_aws.status import ask
from scripts.aws import lambda_function, ledger, lock
from scripts.release import deployment, versions
from tests.e2e.conftest import ROOT, run, wait_for
from tests.e2e.faults_by_hand import environment
from tests.e2e.staged import Staged

FAULTS = "/_local_aws/faults"
HOLD_S = 90.0  # a call is held until its rule is removed; this only bounds a test that fails
POLITE = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SIGNALS = (*POLITE, signal.SIGKILL, signal.SIGSTOP)
VERBS = ("deploy", "canary", "rollback", "config")
ARRIVE_S = 0.2  # for a request that was in flight when its sender ended to take effect
MOST_CALLS = 1_000_000  # more calls than any verb makes


@dataclass(frozen=True)
class Moment:
    """A moment of a verb: `before` or `after` its call of this number, counted from 0, takes effect."""

    when: str
    number: int


@dataclass
class Cell:
    """One interruption: the operation that was held, empty if the verb ended earlier, and the rules that it broke."""

    verb: str
    moment: Moment
    number: signal.Signals
    operation: str = ""
    problems: list[str] = field(default_factory=list)
    is_split: bool = False

    def expect(self, holds: bool, problem: str) -> None:
        """Add a problem unless a rule holds."""
        if not holds:
            self.problems.append(problem)

    def __str__(self) -> str:
        moment = f"{self.moment.when} call {self.moment.number} ({self.operation or 'ended earlier'})"
        return f"{self.verb}, {self.number.name} {moment}: {'; '.join(self.problems) or 'ok'}"


def words(stage: Staged, verb: str) -> tuple[str, ...]:
    """Return the command line of a verb, which moves the alias away from the first image or its settings."""
    second = ("deploy", "--digest", stage.image("second"))
    return {
        "deploy": second,
        "canary": (*second, "--canary", "50", "--watch", "2"),
        "rollback": ("rollback",),
        "config": ("configure", "--set", f"MARK={time.time_ns()}"),
    }[verb]


def prepare(stage: Staged, verb: str) -> None:
    """Let the first image serve, and before it the second one, which a rollback returns to."""
    for name in ("second", "first") if verb == "rollback" else ("first",):
        deployment.deploy(stage.aws, stage.image(name), commit="1" * 40)


def start(stage: Staged, *command: str) -> subprocess.Popen[str]:
    """Start a verb of `score-processor`, which notices each signal although `nohup` or a shell's `&` ignores some."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in POLITE}
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        [sys.executable, "-m", "scripts", *command],
        cwd=ROOT,
        env=environment(stage),
        stdout=pipe,
        stderr=pipe,
        text=True,
    )
    for number, handler in before.items():
        signal.signal(number, handler)
    return process


@contextmanager
def callers(stage: Staged, instance: Instance) -> Iterator[None]:
    """Call the alias while the block runs, with an access key that the rules of `interrupt` do not match."""
    session = botocore.session.Session()
    session.set_credentials("caller", "caller")
    client: Any = session.create_client("lambda", region_name=stage.aws.stage.region, endpoint_url=instance.endpoint)
    end = threading.Event()

    def call() -> None:
        while not end.wait(0.05):
            client.invoke(FunctionName=stage.function, Qualifier=stage.aws.stage.function.alias)

    thread = threading.Thread(target=call)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def traffic(stage: Staged, instance: Instance, verb: str) -> Any:
    """Return the calls that a canary needs to be conclusive, and nothing for other verbs."""
    return callers(stage, instance) if verb == "canary" else nullcontext()


def rule(moment: Moment) -> dict[str, Any]:
    """Return the rule that holds the call of a moment."""
    number = {"skip": moment.number, "hold": HOLD_S, "caller": "test"}
    return {"operation": "*.*", "when": moment.when, **number}


def find_moments(stage: Staged, verb: str, count: int) -> list[Moment]:
    """Run a verb to its end, and return `count` moments, or as many as it has, spread evenly over its calls."""
    instance = running(stage)
    prepare(stage, verb)
    command = words(stage, verb)
    ask(instance, FAULTS, [rule(Moment(when, MOST_CALLS)) for when in ("before", "after")])
    with traffic(stage, instance, verb):
        process = start(stage, *command)
        output, errors = process.communicate(timeout=600)
    assert process.returncode == 0, output + errors
    calls = min(MOST_CALLS - one["skip"] for one in ask(instance, FAULTS))
    ask(instance, FAULTS, [])
    every = list(chain.from_iterable((Moment("before", at), Moment("after", at)) for at in range(calls)))
    return [every[at * len(every) // count] for at in range(count)] if count < len(every) else every


def running(stage: Staged) -> Instance:
    """Return the stage's instance."""
    result = control.find(stage.name)
    assert result is not None
    return result


def interrupt(stage: Staged, verb: str, moment: Moment, number: signal.Signals, stopped_s: float = 0) -> Cell:
    """Run a verb, signal it while a call of it is held, and return which rules were broken then and afterwards.

    A stopped verb runs again after `stopped_s` seconds and after another person's command.
    """
    instance, cell = running(stage), Cell(verb, moment, number)
    prepare(stage, verb)
    command = words(stage, verb)
    ask(instance, FAULTS, [rule(moment)])
    process = None
    try:
        with traffic(stage, instance, verb):
            process = start(stage, *command)
            wait_for(lambda: "hit" in ask(instance, FAULTS)[0] or process.poll() is not None, verb)
            cell.operation = str(ask(instance, FAULTS)[0].get("hit", ""))
            process.send_signal(number)
            time.sleep(ARRIVE_S / 4)  # for its handler to run before the answer arrives
            ask(instance, FAULTS, [])
            if number == signal.SIGSTOP:
                time.sleep(stopped_s or ARRIVE_S)
            else:
                _end(process, cell)
        if number == signal.SIGSTOP:
            _check_stopped(stage, process, cell)
        else:
            time.sleep(ARRIVE_S)
            _check_ended(stage, cell)
            _continue(stage, cell)
    finally:
        ask(instance, FAULTS, [])
        if process:
            process.kill()
    return cell


def _end(process: subprocess.Popen[str], cell: Cell) -> None:
    output, errors = process.communicate(timeout=600)
    expected = (0, 130) if cell.number in POLITE else (0, -signal.SIGKILL)
    cell.expect(process.returncode in expected, f"exit code {process.returncode}: {output[-300:]}{errors[-600:]}")
    cell.expect("Traceback" not in errors, errors[-600:])


def _check_ended(stage: Staged, cell: Cell) -> None:
    """One version serves; a signal that can be handled leaves neither lock, nor share, nor a gap in the ledger."""
    live = versions.read_live(stage.aws)
    cell.is_split = live.is_split
    cell.expect(stage.answer() in ("first", "second"), "callers get another version")
    if cell.number in POLITE:
        cell.expect(not live.is_split, "the calls are still shared")
        _check_whole(stage, cell, "after the signal")
    else:
        cell.expect(cell.verb == "canary" or not live.is_split, "the calls are shared")


def _check_whole(stage: Staged, cell: Cell, when: str) -> None:
    live, last = versions.read_live(stage.aws), ledger.read_last(stage.aws)
    cell.expect(not live.is_split, f"{when}: the calls are shared")
    cell.expect(lock.read(stage.aws)[0] is None, f"{when}: the lock is left")
    cell.expect(lambda_function.read(stage.aws).digest == live.digest, f"{when}: $LATEST has another image")
    recorded = (last.version, last.digest) if last else ()
    cell.expect(recorded == (live.version, live.digest), f"{when}: the ledger ends with another version")


def _continue(stage: Staged, cell: Cell) -> None:
    """A deploy, or for every other moment a rollback, succeeds at once, and the ledger names what it replaced."""
    before, goes_back = versions.read_live(stage.aws), cell.moment.number % 2 == 1
    command = ("rollback",) if goes_back else ("deploy", "--digest", stage.image("third"))
    done = run(stage.name, *command)
    cell.expect(done.returncode == 0, f"{command[0]} failed: {done.stderr[-600:]}")
    cell.expect(goes_back or stage.answer() == "third", f"{command[0]} has no effect")
    _check_whole(stage, cell, f"after the {command[0]}")
    last = ledger.read_last(stage.aws)
    if last and last.version != before.version:
        got = last.previous_version
        cell.expect(got == before.version, f"history: version {got} was replaced, expected {before.version}")
        known = [one.version for one in ledger.read_entries(stage.aws, 5) or ()]
        cell.expect(before.version in known, f"history: version {before.version} served and has no entry")


def _check_stopped(stage: Staged, process: subprocess.Popen[str], cell: Cell) -> None:
    """What another person deploys, while a verb is stopped, stays, unless that verb begins only when it runs again."""
    for command in (("unlock", "--yes"), ("deploy", "--digest", stage.image("third"))):
        done = run(stage.name, *command)
        cell.expect(done.returncode == 0, f"{command[0]} failed: {done.stderr[-600:]}")
    theirs = versions.read_live(stage.aws).version
    process.send_signal(signal.SIGCONT)
    output, errors = process.communicate(timeout=600)
    ended = process.returncode in (0, 1)
    cell.expect(ended and "Traceback" not in errors, f"exit code {process.returncode}: {output[-300:]}{errors[-600:]}")
    last = ledger.read_last(stage.aws)
    began_later = last is not None and (last.previous_version, process.returncode) == (theirs, 0)
    stays = stage.answer() == "third" or began_later
    cell.expect(stays, f"the stopped verb moved the alias: {output[-300:]}{errors[-600:]}")
    _check_whole(stage, cell, "after the stop")
