"""The names of the tables and of the indexes that the worker queries: this project's, or those that Amplify created."""

from collections.abc import Mapping
from dataclasses import dataclass, field

ACCOUNT, ITEM, SCORECARD, SCORE, SCORE_VERSION = "Account", "Item", "Scorecard", "Score", "ScoreVersion"
SCORING_JOB, SCORE_RESULT, OUTBOX = "ScoringJob", "ScoreResult", "Outbox"
INDEXES = {ACCOUNT: "byKey", SCORE: "byScorecard"}


@dataclass(frozen=True)
class Tables:
    """The names of a stage's tables. `indexes` replaces names of INDEXES, by table.

    With a suffix the tables are Amplify's, `ScoringJob<suffix>` and so on. Amplify has no outbox: that table, like all
    of a stage without a suffix, is named `<prefix>Outbox`.
    """

    prefix: str = ""
    suffix: str = ""
    indexes: Mapping[str, str] = field(default_factory=dict)

    def name(self, table: str) -> str:
        """Return a table's full name."""
        return self.prefix + table if not self.suffix or table == OUTBOX else table + self.suffix

    def table(self, name: str) -> str:
        """Return the table of a full name, without prefix or suffix."""
        return name.removesuffix(self.suffix) if self.suffix else name[len(self.prefix) :]

    def index(self, table: str) -> str:
        """Return the name of the table's index."""
        return self.indexes.get(table) or INDEXES[table]
