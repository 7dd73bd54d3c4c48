"""Changes of a stack's resources that a plain stack update would not revert, since its template is the same."""

from __future__ import annotations

from collections.abc import Iterator

from ..aws.clients import Aws
from ..aws.stacks import Change
from . import alarm_drift, bucket_drift, function_drift, queue_drift, table_drift
from .difference import Difference

REVERT = "Revert"


def find_changes(aws: Aws, noun: str) -> list[Change]:
    """Return the properties of a stack's resources that were changed by hand; `noun` is the stack's kind.

    Resources that do not exist are not among them: `stack_state.find_deleted` finds those.
    """
    looks = {
        "queues": queue_drift.compare_queues,
        "function": _function,
        "tables": _tables,
        "repositories": queue_drift.compare_repository,
    }
    return [Change(REVERT, str(one), "") for one in looks.get(noun, _nothing)(aws) if not one.is_absence]


def _function(aws: Aws) -> Iterator[Difference]:
    yield from function_drift.compare_role_with_template(aws)
    yield from function_drift.compare_event_source(aws)
    yield from function_drift.log_group(aws)
    yield from alarm_drift.compare_alarms(aws)
    yield from alarm_drift.compare_topics(aws)


def _tables(aws: Aws) -> Iterator[Difference]:
    """Yield changes of tables and of the bucket. Another key would need another table."""
    yield from (one for one in table_drift.compare_tables(aws) if one.setting != table_drift.KEY)
    yield from bucket_drift.compare_bucket(aws)


def _nothing(_: Aws) -> Iterator[Difference]:
    yield from ()
