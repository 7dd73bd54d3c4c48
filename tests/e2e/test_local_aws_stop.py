"""Stopping an instance that is at work: nothing of it goes on, and nothing new begins."""

import contextlib
import json
import shutil
import threading
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from local_aws import cgroups, control, instance, processes
from local_aws.instance import Instance
from local_aws.processes import Process
from local_aws.status import ask
from tests.e2e.conftest import Function, made_in, make_client, wait_for

BATCHES = 40
AT_ONCE = 4


@pytest.fixture
def busy(layout: Path) -> Iterator[Instance]:
    """An instance whose function works on batches of one message, for longer than any test takes."""
    name = f"rule-{uuid.uuid4().hex[:8]}"
    try:
        running = control.start(name)
        occupy(running, made_in(running, layout))
        yield running
    finally:
        control.stop(name)
        shutil.rmtree(instance.locate_folder(name), ignore_errors=True)


def occupy(running: Instance, function: Function) -> None:
    """Give it messages, and wait until as many environments as may work at once."""
    sqs = make_client(running, "sqs")
    queue = sqs.create_queue(QueueName="work", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
    for number in range(BATCHES):
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps({"id": str(number), "sleep": 30}))
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    make_client(running, "lambda").create_event_source_mapping(
        FunctionName=function.name, EventSourceArn=arn, BatchSize=1, ScalingConfig={"MaximumConcurrency": AT_ONCE}
    )
    wait_for(lambda: all_at_work(running), "all environments")


def all_at_work(running: Instance, without: Sequence[int] = ()) -> bool:
    """Return whether there are as many environments as may be, none with one of these processes."""
    pids = [entry["pids"] for entry in ask(running, "/_local_aws/status")["environments"]]
    return len(pids) == AT_ONCE and not {pid for some in pids for pid in some} & set(without)


def test_stop_at_work_leaves_nothing_and_starts_nothing(busy: Instance) -> None:
    """With batches in flight and killed environments, stop ends every process and starts no environment more."""
    (killed, *_) = ask(busy, "/_local_aws/status")["environments"]
    ask(busy, "/_local_aws/environments/kill", {"id": killed["id"]})
    wait_for(lambda: all_at_work(busy, without=killed["pids"]), "another in its place")
    visited = set(processes.list_descendants(busy.pid))
    before = first_processes(busy)
    assert len(before) == AT_ONCE
    began: set[Process] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            began.update(first_processes(busy))

    watcher = threading.Thread(target=watch)
    watcher.start()
    stopped = control.stop(busy.name)
    over.set()
    watcher.join()
    assert stopped
    assert [process for process in visited | began if process.is_alive()] == []
    assert began <= before
    assert control.find_leftovers(busy.name) == {}
    hierarchy = cgroups.find()
    assert (hierarchy.list_groups(instance.derive_key(busy.name)) if hierarchy else []) == []


def first_processes(running: Instance) -> set[Process]:
    """Return the processes that LocalStack has started for environments, one each; it starts others of its own."""
    return {found for found in processes.list_descendants(running.pid) if is_first(found, running.pid)}


def is_first(process: Process, started_by: int) -> bool:
    """Return whether a process is the engine's own one around a function's runtime."""
    folder = Path("/proc", str(process.pid))
    with contextlib.suppress(OSError):  # gone
        parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        return parent == started_by and b"awslambdaric" in (folder / "cmdline").read_bytes()
    return False
