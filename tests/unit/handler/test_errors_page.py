"""docs/reference/errors.md against the error policy."""

from pathlib import Path

from handler import error_policy

PAGE = Path(__file__).resolve().parents[3] / "docs/reference/errors.md"


def table() -> str:
    """Return the policies as a Markdown table."""
    rows = ["| cause | errors | job | message | fan-out status |", "|---|---|---|---|---:|"]
    for row in error_policy.POLICIES:
        errors = ", ".join(f"`{error.__name__}`" for error in row.errors)
        rows.append(f"| {row.cause} | {errors} | {row.job.value} | {row.message.value} | {row.status} |")
    return "\n".join(rows)


def test_the_page_has_the_table_of_policies() -> None:
    """The page has every policy, in order, and no other row; to update the page, paste `table()`."""
    assert table() in PAGE.read_text(encoding="utf-8")


def test_every_effect_is_explained() -> None:
    """The page explains each effect on a job or a message below the table."""
    text = PAGE.read_text(encoding="utf-8")
    words = [*error_policy.JobEffect, *error_policy.MessageEffect]
    assert [word.value for word in words if f"**{word.value}**" not in text] == []
