"""Random interleavings of everything that can happen to jobs, on three workers, against tables and queues in memory."""

import json
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from handler.app import Clients
from handler.records import result_id
from handler.sweep import OLDEST_UNDER_WAY
from tests.memory.wire import Refused, Wire
from tests.memory.world import World

WORKERS = range(3)
LATE_S = 1801.0  # past every lease and visibility
calls = st.integers(1, 10)
phases = st.sampled_from(["before", "after"])
workers = st.sampled_from(WORKERS)


class Crash(BaseException):
    """The end of a process."""


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

    def _clients(self, wire: Wire) -> Clients:
        queues = wire.client("sqs", self.world.sqs, 1)
        dynamodb = wire.client("dynamodb", self.world.dynamodb, 1)
        return Clients(dynamodb=dynamodb, sqs=queues, long_poll=queues, s3=wire.s3(self.world.objects))

    def _work(self, worker: int, most: int = 3) -> None:
        """One invocation of a new execution environment on that worker's own connections."""
        self.world._clients = self.clients[worker]
        self.world.batch(self.world.runtime(), most)

    def _undisturbed(self, worker: int) -> None:
        """Only watch a worker's calls."""
        self.wires[worker].fault = self._watch

    def _watch(self, operation: str, at: str, request: dict[str, Any]) -> None:
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
                free = self.world.time + self.world.settings.lease + self.world.settings.clock_skew
                self.leases[job] = (token, free)
            else:
                if owner != token:
                    self.late.append(f"{job} was written by one who no longer held it")
                self.leases.pop(job, None)

    def _at(self, worker: int, number: int, phase: str, act: Callable[[], None]) -> None:
        """Do something at that call of that worker, once."""
        seen = Counter[str]()
        lock = threading.Lock()

        def fault(operation: str, at: str, request: dict[str, Any]) -> None:
            self._watch(operation, at, request)
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

        def end() -> None:
            raise Crash

        self._at(worker, number, phase, end)
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

        def refuse() -> None:
            raise Refused("ThrottlingException")

        self._at(worker, number, phase, refuse)
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
