"""docs/errors.md against the worker's own table."""

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
