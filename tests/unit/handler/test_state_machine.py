"""Random interleavings of three workers, against tables and queues in memory."""

import json
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from handler.app import Clients, Runtime
from handler.clock import Clock
from handler.records import derive_result_id
from handler.sweep import OLDEST_UNDER_WAY
from tests.memory.wire import Refused, Wire, no_fault
from tests.memory.world import World, end_threads

WORKERS = range(3)
LATE_S = 1801.0  # past every lease and visibility
calls = st.integers(1, 10)
phases = st.sampled_from(["before", "after"])
workers = st.sampled_from(WORKERS)
offsets = st.sampled_from([-15.0, 0.0, 15.0])  # seconds that a clock is wrong by
under_way = st.integers(2, 8)  # from the claim to the commit, with the dead letter of a foreign job between them


class Crash(BaseException):
    """The end of a process."""


def _refuse() -> None:
    raise Refused("ThrottlingException")


class Paused:
    """A worker that is suspended in the middle of a call."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.stands, self.go, self.is_suspended = threading.Event(), threading.Event(), False
        self.thread = threading.Thread(target=self._run, args=(act,), daemon=True)

    def _run(self, act: Callable[[], object]) -> None:
        try:
            act()
        finally:
            self.stands.set()

    def start(self) -> bool:
        """Run until it is suspended or ends; returns whether it is suspended."""
        self.thread.start()
        assert self.stands.wait(120), "the worker neither stood nor ended"
        return self.is_suspended  # and not whether the thread lives: one that has ended does so for a moment

    def wait(self) -> None:
        """Suspend the calling worker until `resume`."""
        self.is_suspended = True
        self.stands.set()
        assert self.go.wait(300), "the worker was never resumed"

    def resume(self) -> None:
        """Let it run to its end."""
        self.go.set()
        self.thread.join(120)
        assert not self.thread.is_alive()


class Jobs(RuleBasedStateMachine):
    """Jobs are sent, delivered, delivered again and interrupted everywhere; in the end each has exactly one effect."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(Path(self.folder.name))
        self.world.dynamodb.is_stale = True
        self.wires = [Wire(1 + worker) for worker in WORKERS]
        self.clients = [self._clients(wire) for wire in self.wires]
        for worker, wire in enumerate(self.wires):
            wire.watch = partial(self._watch, worker)
        self.runtimes: dict[int, Runtime] = {}
        self.jobs: list[str] = []
        self.foreign: dict[str, dict[str, Any]] = {}  # jobs of another account, whose records must stay as they are
        self.leases: dict[str, tuple[str, float]] = {}  # job → its owner's token, and when others may take it over
        self.late: list[str] = []
        self.paused: dict[int, Paused] = {}
        self.offsets = dict.fromkeys(WORKERS, 0.0)

    def _clients(self, wire: Wire) -> Clients:
        queues = wire.client("sqs", self.world.sqs, 1)
        dynamodb = wire.client("dynamodb", self.world.dynamodb, 1)
        return Clients(dynamodb=dynamodb, sqs=queues, long_poll=queues, s3=wire.s3(self.world.objects))

    def _work(self, worker: int, most: int = 3) -> None:
        """Run one invocation of a new execution environment with that worker's own clients."""
        self.world._clients = self.clients[worker]
        clock = Clock(wall=lambda: self.world.time + self.offsets[worker])
        self.runtimes[worker] = runtime = self.world.runtime(clock=clock)
        runtime.worker.linger = 120.0  # the number of calls does not depend on the speed of threads
        self.world.batch(runtime, most)

    def _let_pass(self, worker: int) -> None:
        """Let a worker's calls pass."""
        self.wires[worker].fault = no_fault

    def _watch(self, worker: int, operation: str, request: dict[str, Any]) -> None:
        """Track who has leased which job; record claims of leased jobs, and writes without a lease."""
        if operation not in ("UpdateItem", "TransactWriteItems"):
            return
        updates = [item["Update"] for item in request.get("TransactItems", []) if "Update" in item] or [request]
        for update in updates:
            if update["UpdateExpression"] == "ADD unfinishedClaims :less":
                continue  # a worker that lost its lease withdraws its claim, and nothing else
            job, token = update["Key"]["id"]["S"], update["ExpressionAttributeValues"][":token"]["S"]
            owner, until = self.leases.get(job, (token, 0.0))
            if "ADD attempts" in update["UpdateExpression"]:
                if owner != token and self.world.time < until:
                    self.late.append(f"{job} was claimed while another held it")
                until = float(update["ExpressionAttributeValues"][":until"]["N"])
                self.leases[job] = (token, until - self.offsets[worker])  # in true time: the claim may have stood still
            else:
                if owner != token:
                    self.late.append(f"{job} was written by one who no longer held it")
                self.leases.pop(job, None)

    def _at(self, worker: int, number: int, phase: str, act: Callable[[], None]) -> None:
        """Call `act` once, at that call of that worker."""
        counts = Counter[str]()
        lock = threading.Lock()

        def fault(operation: str, at: str, request: dict[str, Any]) -> None:
            with lock:
                counts[at] += 1
                now = at == phase and counts[at] == number
            if now:
                act()

        self.wires[worker].fault = fault

    @rule()
    def send(self) -> None:
        """Create a job and send its message."""
        if len(self.jobs) < 6:
            self.jobs.append(self.world.job(len(self.jobs) + 1))
            self.world.send_jobs(self.jobs[-1])

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def send_again(self, data: st.DataObject) -> None:
        """Send a second message for a job, whatever its status."""
        self.world.send_jobs(data.draw(st.sampled_from(self.jobs)))

    @initialize(
        status=st.sampled_from(["PENDING", "IN_PROGRESS", "FAILED"]), owner=st.sampled_from(["account-2", None])
    )
    def send_foreign(self, status: str, owner: str | None) -> None:
        """Send a message for a job of another account, or of none; a lease on it has expired."""
        job = self.world.job(100, accountId=owner, status=status, leaseUntil=0)
        self.foreign[job] = self.world.dynamodb.fields("ScoringJob", job)
        self.world.send_jobs(job)

    @rule(worker=workers, most=st.integers(1, 10))
    def deliver(self, worker: int, most: int) -> None:
        """Run an invocation without faults."""
        if worker not in self.paused:
            self._work(worker, most)

    @rule(worker=workers, number=calls, phase=phases)
    def crash(self, worker: int, number: int, phase: str) -> None:
        """Run an invocation whose process ends at some call, before or after the call takes effect."""
        if worker in self.paused:
            return

        ended = threading.Event()
        self._at(worker, number, phase, lambda: self._end(worker, ended))
        try:
            self._work(worker)
        except Crash:
            assert ended.is_set()
        finally:
            if ended.is_set():
                end_threads(self.runtimes[worker])
            self._let_pass(worker)

    def _end(self, worker: int, ended: threading.Event) -> None:
        """End the worker's process: none of its threads makes another call."""

        def dead(operation: str, at: str, request: dict[str, Any]) -> None:
            raise Crash

        ended.set()
        self.wires[worker].fault = dead
        raise Crash

    @rule(worker=workers, number=calls, phase=phases)
    def throttle(self, worker: int, number: int, phase: str) -> None:
        """Run an invocation in which one call fails, with or without effect."""
        if worker in self.paused:
            return

        self._at(worker, number, phase, _refuse)
        try:
            self._work(worker)
        finally:
            self._let_pass(worker)

    @rule(worker=workers, refused=st.sets(st.integers(0, 5), min_size=1), unprocessed=st.integers(0, 5))
    def answer_in_part(self, worker: int, refused: set[int], unprocessed: int) -> None:
        """Run an invocation whose batches are done in part: messages are refused, and keys left unprocessed."""
        if worker in self.paused:
            return
        self.world.sqs.refused, self.world.dynamodb.unprocessed = refused, unprocessed
        try:
            self._work(worker, 10)
        finally:
            self.world.sqs.refused, self.world.dynamodb.unprocessed = set(), 0

    @rule(worker=workers, number=calls, phase=phases)
    def pause(self, worker: int, number: int, phase: str) -> None:
        """Run an invocation that is suspended at some call, while others continue."""
        if worker in self.paused:
            return
        paused = Paused(lambda: self._work(worker))
        self._at(worker, number, phase, paused.wait)
        if paused.start():
            self.paused[worker] = paused
        else:
            self._let_pass(worker)

    @precondition(lambda self: self.paused)
    @rule(data=st.data())
    def resume(self, data: st.DataObject) -> None:
        """A worker that stood still goes on, perhaps long after its lease."""
        worker = data.draw(st.sampled_from(sorted(self.paused)))
        self.paused.pop(worker).resume()
        self._let_pass(worker)

    @precondition(lambda self: len(self.paused) < 2)
    @rule(first=under_way, second=under_way, phase=phases, throttled=st.booleans())
    def overtake(self, first: int, second: int, phase: str, throttled: bool) -> None:
        """Suspend a worker past its lease, let another one take over and suspend it too, then resume the first."""
        late, early = [worker for worker in WORKERS if worker not in self.paused][:2]
        self.send()
        self.pause(late, first, phase)
        if late not in self.paused:
            return
        self.world.skip(LATE_S)
        self.pause(early, second, phase)
        if throttled:
            self._at(late, 1, "before", _refuse)
        self.paused.pop(late).resume()
        self._let_pass(late)

    @rule(worker=workers, seconds=offsets)
    def clock_steps(self, worker: int, seconds: float) -> None:
        """Change a worker's clock: it is wrong by up to 15 s, so two clocks differ by up to 30 s."""
        if worker not in self.paused:
            self.offsets[worker] = seconds

    @precondition(lambda self: len(self.paused) < 2)
    @rule(number=under_way, phase=phases, behind=offsets, ahead=offsets, seconds=st.sampled_from([40.0, 70.0, 95.0]))
    def hurry(self, number: int, phase: str, behind: float, ahead: float, seconds: float) -> None:
        """Suspend a worker until about the end of its lease, and deliver its jobs to one with another clock."""
        slow, fast = [worker for worker in WORKERS if worker not in self.paused][:2]
        self.offsets[slow], self.offsets[fast] = behind, ahead
        self.send()
        self.pause(slow, number, phase)
        self.world.skip(seconds)
        if self.jobs:
            self.world.send_jobs(*self.jobs)
        self._work(fast, 10)

    @rule(seconds=st.sampled_from([1.0, 40.0, 95.0, LATE_S]))
    def time_passes(self, seconds: float) -> None:
        """Advance time, so that leases and visibility timeouts may expire."""
        self.world.skip(seconds)

    @rule()
    def redrive(self) -> None:
        """Redrive all dead letters of the account's jobs, as `make dlq REDRIVE=1` does."""
        for message in list(self.world.dead_letters.messages):
            job = json.loads(message.body)["scoring_job_id"]
            if job in self.foreign:
                continue
            self.world.dead_letters.messages.remove(message)
            fields = self.world.dynamodb.fields("ScoringJob", job)
            if fields["status"] == "FAILED":
                kept = {name: fields[name] for name in fields.keys() - {"errorMessage", "unfinishedClaims"}}
                self.world.dynamodb.put("ScoringJob", **{**kept, "status": "PENDING"})
            self.world.send(message.body)

    @invariant()
    def nothing_is_wrong_yet(self) -> None:
        """No job is leased twice, no late owner writes, and every response and COMPLETED job has its result."""
        assert self.late == []
        assert {job: self.world.dynamodb.fields("ScoringJob", job) for job in self.foreign} == self.foreign
        results = self.world.dynamodb.ids("ScoreResult")
        assert results <= {derive_result_id(job) for job in self.jobs}
        assert set(self.world.sent_results()) <= results
        for job in self.jobs:
            if self.world.status(job) == "COMPLETED":
                assert derive_result_id(job) in results

    def teardown(self) -> None:
        """Resume all workers, advance time and deliver the rest: then every job has exactly one effect."""
        try:
            for worker, paused in self.paused.items():
                paused.resume()
                self._let_pass(worker)
            for _ in range(60):
                self.world.skip(LATE_S)
                self.redrive()
                if not self.world.sqs.bodies("requests"):
                    break
                self._work(0, 10)
            self.world.skip(OLDEST_UNDER_WAY + 1)
            self.world._clients = self.clients[0]
            self.world.invoke(self.world.runtime(), {"source": "sweep"})
            assert self.world.sqs.bodies("requests") == []
            assert {json.loads(body)["scoring_job_id"] for body in self.world.sqs.bodies("dead")} == set(self.foreign)
            assert [job for job in self.jobs if self.world.status(job) != "COMPLETED"] == []
            assert self.world.dynamodb.ids("ScoreResult") == {derive_result_id(job) for job in self.jobs}
            assert set(self.world.sent_results()) == {derive_result_id(job) for job in self.jobs}
            assert self.world.dynamodb.ids("Outbox") == set()
            assert self.late == []
        finally:
            self.folder.cleanup()


Jobs.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestJobs = Jobs.TestCase
