"""The results that the stage's tables hold.

python -m scripts.results
"""

from __future__ import annotations

from typing import Any

from . import _scenario
from ._command import Shell, verb

COLUMNS = ("createdAt", "scoringJobId", "scoreId", "value", "confidence", "explanation")


def _render(found: list[dict[str, Any]], shell: Shell) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in COLUMNS:
        table.add_column(name, overflow="ellipsis", no_wrap=True)
    for record in found:
        table.add_row(*(str(record.get(name, "")) for name in COLUMNS))
    shell.console.print(table)
    shell.console.print(f"{len(found)} results", markup=False)


@verb(render=_render)
def main(shell: Shell) -> list[dict[str, Any]]:
    """Show the ScoreResults, the newest last."""
    return sorted(_scenario.scan(shell.aws, "ScoreResult"), key=lambda record: str(record.get("createdAt", "")))


if __name__ == "__main__":
    main()
