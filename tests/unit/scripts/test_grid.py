"""Tables on a narrow terminal."""

import io

import pytest
from rich.console import Console

from scripts.console.tables import create_grid

ROWS = [("2026-11-25 22:45:01", "Mentions Refund", "Found “refund” [twice] in it.")]


def lines(width: int, *, cut: bool = True) -> list[str]:
    """Return the table's lines on a terminal of this width."""
    console = Console(file=io.StringIO(), width=width)
    console.print(create_grid(("when", "score", "explanation"), ROWS, cut=cut))
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("width", "shown"), [(80, "Found “refund” [twice] in it."), (50, "Found “refu…"), (44, "Found…")]
)
def test_only_the_last_column_gives_way(width: int, shown: str) -> None:
    """Every column but the last keeps its width, markup is printed as text, and a truncated cell ends with …."""
    assert lines(width)[1] == f"2026-11-25 22:45:01  Mentions Refund  {shown}"


def test_the_last_column_can_be_folded() -> None:
    """With `cut=False` the last column is folded and complete."""
    output = " ".join(line.split("  ")[-1].strip() for line in lines(60, cut=False)[1:])
    assert output == "Found “refund” [twice] in it."
