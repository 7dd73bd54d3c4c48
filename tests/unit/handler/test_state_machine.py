"""Random interleavings of everything that can happen to jobs, on three workers, against tables and queues in memory."""

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
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from handler.app import Clients
from handler.clock import Clock
from handler.records import result_id
from handler.sweep import OLDEST_UNDER_WAY
from tests.memory.wire import Refused, Wire
from tests.memory.world import World

WORKERS = range(3)
LATE_S = 1801.0  # past every lease and visibility
calls = st.integers(1, 10)
phases = st.sampled_from(["before", "after"])
workers = st.sampled_from(WORKERS)
offsets = st.sampled_from([-15.0, 0.0, 15.0])  # seconds that a clock is wrong by
under_way = st.integers(2, 6)  # from the claim to the commit


class Crash(BaseException):
    """The end of a process."""


def _end() -> None:
    raise Crash


def _refuse() -> None:
    raise Refused("ThrottlingException")


class Paused:
    """A worker that stands still in the middle of a call, like one whose machine is suspended."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.stands, self.go = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._run, args=(act,), daemon=True)

    def _run(self, act: Callable[[], object]) -> None:
        try:
            act()
        finally:
            self.stands.set()

    def start(self) -> bool:
        """Run until it stands or ends; whether it stands."""
        self.thread.start()
        assert self.stands.wait(20), "the worker neither stood nor ended"
        return self.thread.is_alive()

    def wait(self) -> None:
        """Called within: stand until `resume`."""
        self.stands.set()
        assert self.go.wait(60), "nobody went on"

    def resume(self) -> None:
        """Let it run to its end."""
        self.go.set()
        self.thread.join(20)
        assert not self.thread.is_alive()


class Jobs(RuleBasedStateMachine):
    """Jobs are made, delivered, delivered again, interrupted everywhere; at the end everything settles."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(Path(self.folder.name))
        self.wires = [Wire(1 + worker) for worker in WORKERS]
        self.clients = [self._clients(wire) for wire in self.wires]
        for worker in WORKERS:
            self._undisturbed(worker)
        self.jobs: list[str] = []
        self.leases: dict[str, tuple[str, float]] = {}  # job → its owner's token, and when others may take it over
        self.late: list[str] = []
        self.paused: dict[int, Paused] = {}
        self.offsets = dict.fromkeys(WORKERS, 0.0)

    def _clients(self, wire: Wire) -> Clients:
        queues = wire.client("sqs", self.world.sqs, 1)
        dynamodb = wire.client("dynamodb", self.world.dynamodb, 1)
        return Clients(dynamodb=dynamodb, sqs=queues, long_poll=queues, s3=wire.s3(self.world.objects))

    def _work(self, worker: int, most: int = 3) -> None:
        """One invocation of a new execution environment on that worker's own connections."""
        self.world._clients = self.clients[worker]
        clock = Clock(wall=lambda: self.world.time + self.offsets[worker])
        self.world.batch(self.world.runtime(clock=clock), most)

    def _undisturbed(self, worker: int) -> None:
        """Only watch a worker's calls."""
        self.wires[worker].fault = partial(self._watch, worker)

    def _watch(self, worker: int, operation: str, at: str, request: dict[str, Any]) -> None:
        """Keep who holds which job; note who claims what another holds, and who writes without holding it."""
        if at != "after" or operation not in ("UpdateItem", "TransactWriteItems"):
            return
        updates = [item["Update"] for item in request.get("TransactItems", []) if "Update" in item] or [request]
        for update in updates:
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
        """Do something at that call of that worker, once."""
        seen = Counter[str]()
        lock = threading.Lock()

        def fault(operation: str, at: str, request: dict[str, Any]) -> None:
            self._watch(worker, operation, at, request)
            with lock:
                seen[at] += 1
                now = at == phase and seen[at] == number
            if now:
                act()

        self.wires[worker].fault = fault

    @rule()
    def send(self) -> None:
        """A new job and its message."""
        if len(self.jobs) < 6:
            self.jobs.append(self.world.job(len(self.jobs) + 1))
            self.world.send_jobs(self.jobs[-1])

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def send_again(self, data: st.DataObject) -> None:
        """A second delivery of a job, whatever became of it."""
        self.world.send_jobs(data.draw(st.sampled_from(self.jobs)))

    @rule(worker=workers, most=st.integers(1, 10))
    def deliver(self, worker: int, most: int) -> None:
        """An invocation that nothing disturbs."""
        if worker not in self.paused:
            self._work(worker, most)

    @rule(worker=workers, number=calls, phase=phases)
    def crash(self, worker: int, number: int, phase: str) -> None:
        """An invocation whose process ends at some call, before or after the call took effect."""
        if worker in self.paused:
            return

        self._at(worker, number, phase, _end)
        try:
            self._work(worker)
        except Crash:
            pass
        finally:
            self._undisturbed(worker)

    @rule(worker=workers, number=calls, phase=phases)
    def throttle(self, worker: int, number: int, phase: str) -> None:
        """An invocation one of whose calls fails, with or without effect."""
        if worker in self.paused:
            return

        self._at(worker, number, phase, _refuse)
        try:
            self._work(worker)
        finally:
            self._undisturbed(worker)

    @rule(worker=workers, number=calls, phase=phases)
    def pause(self, worker: int, number: int, phase: str) -> None:
        """An invocation that stands still at some call; others go on meanwhile."""
        if worker in self.paused:
            return
        paused = Paused(lambda: self._work(worker))
        self._at(worker, number, phase, paused.wait)
        if paused.start():
            self.paused[worker] = paused
        else:
            self._undisturbed(worker)

    @precondition(lambda self: self.paused)
    @rule(data=st.data())
    def resume(self, data: st.DataObject) -> None:
        """A worker that stood still goes on, perhaps long after its lease."""
        worker = data.draw(st.sampled_from(sorted(self.paused)))
        self.paused.pop(worker).resume()
        self._undisturbed(worker)

    @precondition(lambda self: len(self.paused) < 2)
    @rule(first=under_way, second=under_way, phase=phases, throttled=st.booleans())
    def overtake(self, first: int, second: int, phase: str, throttled: bool) -> None:
        """A worker stands still past its lease, another takes over and stands too; then the first goes on."""
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
        self._undisturbed(late)

    @rule(worker=workers, seconds=offsets)
    def clock_steps(self, worker: int, seconds: float) -> None:
        """Clocks are wrong by a quarter of a minute each way, and change: 30 s between two of them."""
        if worker not in self.paused:
            self.offsets[worker] = seconds

    @precondition(lambda self: len(self.paused) < 2)
    @rule(number=under_way, phase=phases, behind=offsets, ahead=offsets, seconds=st.sampled_from([40.0, 70.0, 95.0]))
    def hurry(self, number: int, phase: str, behind: float, ahead: float, seconds: float) -> None:
        """A worker stands still within its lease or just after it; its jobs are delivered to one with another clock."""
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
        """Leases and visibility may end."""
        self.world.skip(seconds)

    @rule()
    def redrive(self) -> None:
        """Dead letters go back to work, as `make dlq REDRIVE=1` does it."""
        for message in list(self.world.dead_letters.messages):
            self.world.dead_letters.messages.remove(message)
            job = json.loads(message.body)["scoring_job_id"]
            fields = self.world.dynamodb.fields("ScoringJob", job)
            if fields["status"] == "FAILED":
                fields.pop("errorMessage", None)
                self.world.dynamodb.put("ScoringJob", **{**fields, "status": "PENDING"})
            self.world.send(message.body)

    @invariant()
    def nothing_is_wrong_yet(self) -> None:
        """No job is held by two, no late owner writes; a response never names no result, nor COMPLETED lacks one."""
        assert self.late == []
        results = self.world.dynamodb.ids("ScoreResult")
        assert results <= {result_id(job) for job in self.jobs}
        assert set(self.world.sent_results()) <= results
        for job in self.jobs:
            if self.world.status(job) == "COMPLETED":
                assert result_id(job) in results

    def teardown(self) -> None:
        """Everybody goes on, time passes, what is left is delivered: then every job has its one effect."""
        try:
            for worker, paused in self.paused.items():
                paused.resume()
                self._undisturbed(worker)
            for _ in range(60):
                self.world.skip(LATE_S)
                self.redrive()
                if not self.world.sqs.bodies("requests"):
                    break
                self._work(0, 10)
            self.world.skip(OLDEST_UNDER_WAY + 1)
            self.world._clients = self.clients[0]
            self.world.invoke(self.world.runtime(), {"source": "sweep"})
            assert self.world.sqs.bodies("requests") == self.world.sqs.bodies("dead") == []
            assert [job for job in self.jobs if self.world.status(job) != "COMPLETED"] == []
            assert self.world.dynamodb.ids("ScoreResult") == {result_id(job) for job in self.jobs}
            assert set(self.world.sent_results()) == {result_id(job) for job in self.jobs}
            assert self.world.dynamodb.ids("Outbox") == set()
            assert self.late == []
        finally:
            self.folder.cleanup()


Jobs.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestJobs = Jobs.TestCase
