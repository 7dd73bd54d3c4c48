"""docs/errors.md against the worker's own table."""

import re
from pathlib import Path

from handler import fate

PAGE = Path(__file__).resolve().parents[3] / "docs/errors.md"


def table() -> str:
    """The fate table as the page has it."""
    rows = ["| cause | errors | job | message | fan-out answers |", "|---|---|---|---|---:|"]
    for row in fate.TABLE:
        errors = ", ".join(f"`{error.__name__}`" for error in row.errors)
        rows.append(f"| {row.cause} | {errors} | {row.job.value} | {row.message.value} | {row.status} |")
    return "\n".join(rows)


def test_the_page_holds_the_fate_table() -> None:
    """Every row of the code's table stands in the page, in its order, and no other; put `table()` there to renew it."""
    assert table() in PAGE.read_text(encoding="utf-8")


def test_every_fate_is_explained() -> None:
    """Each word for a job's or a message's fate has its line below the table."""
    said = PAGE.read_text(encoding="utf-8")
    words = [*fate.JobFate, *fate.MessageFate]
    assert [word.value for word in words if f"**{word.value}**" not in said] == []


def test_the_tests_that_the_worker_page_names_exist() -> None:
    """Each test that docs/worker.md names as holding a defect is there."""
    root = PAGE.parents[1]
    named = set(re.findall(r"`(test_\w+)`", (root / "docs/worker.md").read_text(encoding="utf-8")))
    defined = {
        name for path in (root / "tests").rglob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text())
    }
    assert len(named) > 20
    assert named - defined == set()
