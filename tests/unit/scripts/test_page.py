"""The page that the demo leaves."""

from dataclasses import replace
from pathlib import Path

from scripts._page import Accuracy, Check, DeadLetter, Report, Row, Step, megabytes, render, write

REPORT = Report(
    digest="sha256:" + "a" * 64,
    revision="unknown",
    size=100_000_000,
    unpacked_size=400_000_000,
    layers=(("base", 60_000_000, 200_000_000), ("app", 40_000_000, 200_000_000)),
    engine="bubblewrap",
    steps=(Step("build", 2.0, "built"), Step("deploy", 1.5, "deployed")),
    rows=(
        Row("item-1", "Fine & <b>good</b>", "Sentiment", "event source", "COMPLETED", "Positive", 0.9, "", "positive"),
        Row("item-2", "Bad", "Sentiment", "fan-out", "COMPLETED", "Positive", 0.6, "", "negative"),
        Row("item-3", "Odd", "Topic", "fan-out", "FAILED"),
    ),
    responses=("one", "two"),
    dead_letters=(DeadLetter("not json", "the body is not JSON"),),
    checks=(Check("every job has one result", False, "1 has none"),),
    invocation={"duration": "12 ms"},
    log=("START", "END"),
)


def test_a_text_in_the_report_is_data_not_markup() -> None:
    """Texts are escaped, so that no item can write into the page."""
    page = render(REPORT)
    assert "Fine &amp; &lt;b&gt;good&lt;/b&gt;" in page
    assert "<b>good</b>" not in page


def test_accuracy_counts_labelled_values_only() -> None:
    """A score's accuracy is the share of its labelled results that equal the label, case folded."""
    assert REPORT.accuracies == (Accuracy("Sentiment", 1, 2),)
    assert REPORT.accuracies[0].share == 0.5


def test_a_broken_rule_is_said_on_the_page() -> None:
    """A check that does not hold is shown as broken, with what was found."""
    page = render(REPORT)
    assert '<span class="bad">broken</span>' in page
    assert "1 has none" in page


def test_the_page_needs_nothing_but_itself() -> None:
    """The page names no address and runs no script."""
    page = render(REPORT)
    assert "://" not in page
    assert "<script" not in page
    assert "<link" not in page


def test_a_report_without_rows_is_still_a_page() -> None:
    """A run that scored nothing can be shown too."""
    assert "none" in render(replace(REPORT, rows=(), dead_letters=(), layers=()))


def test_a_report_is_written_whole(tmp_path: Path) -> None:
    """After writing there is the page and nothing beside it."""
    path = write(REPORT, tmp_path / "build" / "report.html")
    assert path.is_absolute()
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]


def test_sizes_are_said_in_the_unit_that_fits() -> None:
    """Small sizes are kilobytes, others megabytes, both decimal."""
    assert [megabytes(1234), megabytes(150_000_000)] == ["1.2 kB", "150.0 MB"]
