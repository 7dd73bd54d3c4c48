"""How tables look where the terminal is narrow."""

import io

import pytest
from rich.console import Console

from scripts._grid import grid

ROWS = [("2026-11-25 22:45:01", "Mentions Refund", "Found “refund” [twice] in it.")]


def lines(width: int, *, cut: bool = True) -> list[str]:
    """The table as a terminal of this width shows it."""
    console = Console(file=io.StringIO(), width=width)
    console.print(grid(("when", "score", "explanation"), ROWS, cut=cut))
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("width", "shown"), [(80, "Found “refund” [twice] in it."), (50, "Found “refu…"), (44, "Found…")]
)
def test_only_the_last_column_gives_way(width: int, shown: str) -> None:
    """Times and names stay whole at any width, what looks like markup is text, and what is cut says so."""
    assert lines(width)[1] == f"2026-11-25 22:45:01  Mentions Refund  {shown}"


def test_the_last_column_can_be_folded() -> None:
    """Then all of it is there."""
    told = " ".join(line.split("  ")[-1].strip() for line in lines(60, cut=False)[1:])
    assert told == "Found “refund” [twice] in it."
