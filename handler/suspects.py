"""Finds the jobs that may end the worker's process, so that they are processed alone."""

from collections.abc import Sequence

from handler.message import Message, find_job_id
from handler.store import Store
from handler.threads import Threads


def find_suspects(
    store: Store, messages: Sequence[Message], calls: Threads
) -> tuple[list[Message], dict[Message, Exception]]:
    """Return the messages whose jobs have claims that recorded no outcome, those with the fewest first.

    Also returns the errors of jobs that could not be read: each fails alone.

    If such a job ends the process, then the claims of all jobs beside it record no outcome either. Reads the jobs
    concurrently, and only if a message was received before: on its first delivery, a job rarely has such claims.
    """
    if len(messages) < 2 or all(message.receive_count == 1 for message in messages):
        return [], {}
    counts: dict[Message, int] = {}
    unread: dict[Message, Exception] = {}

    def count(message: Message) -> None:
        job_id = find_job_id(message.body)
        try:
            job = store.read_job(job_id) if job_id else None
        except Exception as error:
            unread[message] = error
        else:
            counts[message] = job.unfinished_claims if job else 0

    calls.for_each(count, messages)
    return sorted(filter(counts.get, messages), key=lambda message: counts[message]), unread
