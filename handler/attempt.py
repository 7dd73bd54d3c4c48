"""One message on its way through the steps of a round."""

from dataclasses import dataclass

from handler.failures import Failure
from handler.invocation import Invocation
from handler.logs import Log
from handler.message import Message, ScoringResponse
from handler.outcome import JobStats, MessageOutcome
from handler.records import Job
from handler.scoring import ScoredJob
from plexus.exceptions import PlexusError
from plexus.values import sum_spent


@dataclass
class Attempt:
    """The state of a message and its job; only one thread at a time changes it.

    `may_be_claimed` is set before the claim is sent: from then on the job may be leased by `token`, even if no response
    arrives. `claimed` is set once the claim is known to have succeeded, and `started` when scoring begins, at `began`
    on the monotonic clock. `outcome` is set last.
    """

    message: Message
    token: str
    scoring_job_id: str | None = None
    job: Job | None = None
    claimed: bool = False
    may_be_claimed: bool = False
    started: bool = False
    began: float = 0.0
    text: str = ""
    response: ScoringResponse | None = None
    error: BaseException | None = None
    detail: str = "processed"
    scored: ScoredJob | None = None
    stats: JobStats | None = None
    outcome: MessageOutcome | None = None

    @property
    def is_open(self) -> bool:
        """Whether the job is leased by this attempt and still has to be scored."""
        return self.claimed and self.error is None and self.response is None

    @property
    def is_suspect(self) -> bool:
        """Whether an earlier claim of the open job recorded no outcome, so that the job may end its process."""
        return self.is_open and self.job is not None and self.job.unfinished_claims > 1

    def create_failure(self, error: BaseException) -> Failure:
        """Return the failure by which the error policy is applied.

        The failure has a token only if the claim may have reached DynamoDB, and a job only if the lease is ours: the
        policy writes nothing of a job that another worker may hold.
        """
        return Failure(
            self.message,
            error,
            self.scoring_job_id,
            self.token if self.may_be_claimed else None,
            self.job if self.claimed else None,
            self.text,
            self.started,
        )

    def log(self, invocation: Invocation) -> Log:
        """Return the invocation's log with the ids of the message and its job."""
        return invocation.log.bind(
            message_id=self.message.message_id,
            scoring_job_id=self.scoring_job_id,
            sender_trace_id=self.message.sender_trace_id,
        )


def measure_job(ending: ScoredJob | PlexusError | None, seconds: float) -> JobStats:
    """Return what a job used in `seconds`: `ending` is its result, its error, or None for a result that was adopted.

    An adopted result used no model; a job that failed may have used one.
    """
    if ending is None:
        return JobStats(seconds)
    usage, cost = sum_spent(ending.result if isinstance(ending, ScoredJob) else ending)
    return JobStats(
        seconds,
        usage.calls,
        usage.input_tokens,
        usage.output_tokens,
        float(cost or 0),
        bool(usage.calls) and cost is None,
        usage.cached_tokens,
        ending.names if isinstance(ending, ScoredJob) else None,
    )
