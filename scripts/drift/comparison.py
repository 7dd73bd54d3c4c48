"""Compare the running stage with the ledger, the stage file and the templates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..aws import resources
from ..aws.clients import Aws
from ..console.errors import DONE, FOUND
from ..differences import alarm_drift, bucket_drift, function_drift, queue_drift, table_drift
from ..differences.difference import Difference


@dataclass(frozen=True)
class Drift:
    """All differences; `looked_at` names the compared resources."""

    differences: tuple[Difference, ...]
    looked_at: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """3 if anything differs."""
        return FOUND if self.differences else DONE


LOOKS = {
    "release": function_drift.release,
    "function": function_drift.compare_settings,
    "role": function_drift.compare_role,
    "event source": function_drift.compare_event_source,
    "consumers": function_drift.compare_consumers,
    "log group": function_drift.log_group,
    "alarms": alarm_drift.compare_alarms,
    "topics": alarm_drift.compare_topics,
    "queues": queue_drift.compare_queues,
    "tables": table_drift.compare_tables,
    "bucket": bucket_drift.compare_bucket,
    "repository": queue_drift.compare_repository,
}


def find_drift(aws: Aws) -> Drift:
    """Return all differences. Reads only."""
    differences = [difference for look in LOOKS.values() for difference in look(aws)]
    return Drift((*differences, *compare_stacks(aws)), (*LOOKS, "stacks"))


def compare_stacks(aws: Aws) -> Iterator[Difference]:
    """Yield the stacks whose template differs from the repository's, or that lost a resource.

    Includes resources that were deleted outside of CloudFormation.
    """
    if resources.is_outdated(aws.stage.name):
        yield Difference(
            f"stages/{aws.stage.name}.toml", "templates", "those of this file (make infra)", "those of an earlier one"
        )
    for outcome in resources.preview_deploy(aws):
        if outcome.action != "unchanged":
            changes = ", ".join(str(change) for change in outcome.changes) or "absent"
            yield Difference(f"stack {outcome.stack}", "template", "as in infrastructure/templates", changes)
