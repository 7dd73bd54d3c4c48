"""The demo's report page."""

from dataclasses import replace
from pathlib import Path

from scripts.console.pages import write_page
from scripts.console.text import format_megabytes
from scripts.demo.report_page import Accuracy, Check, DeadLetter, Report, Row, Step, render

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
    """Item texts are escaped."""
    page = render(REPORT)
    assert "Fine &amp; &lt;b&gt;good&lt;/b&gt;" in page
    assert "<b>good</b>" not in page


def test_accuracy_counts_labelled_values_only() -> None:
    """A score's accuracy is the share of its labelled results that equal the label, case folded."""
    assert REPORT.accuracies == (Accuracy("Sentiment", 1, 2),)
    assert REPORT.accuracies[0].share == 0.5


def test_results_are_grouped_by_item_and_the_rest_is_folded() -> None:
    """An item is one line with a cell for each score; after ten, items wait for a choice; wrong ones are marked."""
    rows = [
        Row(
            f"item-{number}",
            f"text {number}",
            score,
            "fan-out",
            "COMPLETED",
            "Yes",
            None,
            "",
            "no" if number == 7 else "yes",
        )
        for number in range(1, 13)
        for score in ("Refund", "Problem")
        if (number, score) != (2, "Problem")
    ]
    report = replace(REPORT, rows=tuple(rows))
    page = render(report)
    assert [len(item.rows) for item in report.items] == [2] * 12
    assert page.count("text 3<") == 1
    assert page.count('class="later') == 2
    assert [item.item for item in report.items if not item.is_right] == ["item-7"]
    assert "wrong or without a value: 1</label>" in page
    assert page.count("no job") == 1


def test_ten_right_items_need_no_choice() -> None:
    """With few results, all of them right, nothing is folded."""
    assert "<fieldset" not in render(replace(REPORT, rows=REPORT.rows[:1]))
    assert "all 3</label>" in render(REPORT)


def test_a_broken_rule_is_said_on_the_page() -> None:
    """A failed check is shown as fail, with its counts."""
    page = render(REPORT)
    assert '<span class="bad">fail</span>' in page
    assert "1 has none" in page


def test_the_page_needs_nothing_but_itself() -> None:
    """The page has no external reference and no script."""
    page = render(REPORT)
    assert "://" not in page
    assert "<script" not in page
    assert "<link" not in page


def test_a_report_without_rows_is_still_a_page() -> None:
    """A report without rows can be rendered."""
    assert "none" in render(replace(REPORT, rows=(), dead_letters=(), layers=()))


def test_a_report_is_written_whole(tmp_path: Path) -> None:
    """Writing is atomic, and leaves no temporary file."""
    path = write_page(render(REPORT), tmp_path / "build" / "report.html")
    assert path.is_absolute()
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]


def test_a_page_is_reported_where_it_was_asked_for(tmp_path: Path) -> None:
    """The path of a written page is the link that was named, not the device or the file behind it."""
    (tmp_path / "output").symlink_to("/dev/null")
    (tmp_path / "latest.html").symlink_to("build.html")
    for name in ("output", "latest.html"):
        assert write_page(render(REPORT), tmp_path / name) == tmp_path / name
    assert (tmp_path / "build.html").is_file()


def test_sizes_are_said_in_the_unit_that_fits() -> None:
    """Small sizes are in kB, others in MB, both powers of ten."""
    assert [format_megabytes(1234), format_megabytes(150_000_000)] == ["1.2 kB", "150.0 MB"]
