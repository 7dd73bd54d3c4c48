"""`plexus compare`: two files of results for the same items, in the shapes in which programs write them."""

import csv
import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import pytest
from boto3.dynamodb.types import TypeSerializer
from click.testing import CliRunner, Result

from plexus.commands import compare, run
from plexus.exceptions import InvalidData

CARD = "name: Returns\nkey: returns\nscores: [{name: Refund, class: KeywordClassifier, keywords: [refund, money]}]\n"
TEXTS = {"c-1": "a refund, please", "c-2": "all fine", "c-3": "my money back", "c-4": "thanks"}
VALUES = {"c-1": "Yes", "c-2": "No", "c-3": "Yes", "c-4": "No"}


def record(item: str, value: str, **fields: Any) -> dict[str, Any]:
    """Return a ScoreResult as the original's worker writes it; AWSJSON fields are text."""
    number = item.removeprefix("c-")
    return {
        "id": f"result-{number}",
        "itemId": f"item-{number}",
        "scoreId": "score-7",
        "score": {"id": "score-7", "name": "Refund"},
        "value": value,
        "explanation": "because",
        "type": "prediction",
        "status": "COMPLETED",
        "code": "200",
        "metadata": json.dumps({"source": "Worker", "external_id": item}),
        "cost": json.dumps({"total_cost": "0.25"}),
        "updatedAt": f"2026-03-01T00:00:0{number}.000Z",
        **fields,
    }


def records(**changed: str) -> list[dict[str, Any]]:
    """Return the original's results of all items, with other values for some: `c_2="Yes"`."""
    return [record(item, changed.get(item.replace("-", "_"), value)) for item, value in VALUES.items()]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A card's results for four items, as `plexus run` writes them as CSV and as JSON lines."""
    (tmp_path / "card.yaml").write_text(CARD)
    (tmp_path / "texts.csv").write_text("call,text\n" + "".join(f'{item},"{text}"\n' for item, text in TEXTS.items()))
    for name in ("new.csv", "new.jsonl"):
        words = ["--data", str(tmp_path / "texts.csv"), "--id", "call", "--output", str(tmp_path / name)]
        CliRunner().invoke(run.command, [str(tmp_path / "card.yaml"), *words], standalone_mode=False)
    return tmp_path


def write_old(folder: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write old.jsonl."""
    (folder / "old.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def run_compare(folder: Path, *options: str, old: str = "old.jsonl", new: str = "new.csv") -> Result:
    """Compare two files of the folder; OLD's items are named by their external ids."""
    words = [str(folder / old), str(folder / new), "--old-id", "metadata.external_id", *options]
    return CliRunner().invoke(compare.command, words, standalone_mode=False)


def figures(result: Result) -> dict[str, Any]:
    """Return the figures of the only score."""
    (only,) = json.loads(result.stdout)["scores"]
    return dict(only)


@pytest.mark.parametrize("new", ["new.csv", "new.jsonl"])
def test_results_with_the_same_values_agree(files: Path, new: str) -> None:
    """The original's records and the output of `plexus run` agree item by item, in either of its forms: exit 0."""
    write_old(files, records())
    result = run_compare(files, "--json", new=new)
    assert result.return_value == 0
    assert figures(result)["same"] == figures(result)["compared"] == len(VALUES)
    assert json.loads(result.stdout)["differences"] == []


def test_a_difference_is_listed_and_fails(files: Path) -> None:
    """One other value of four: exit 1, the item with both values, the change counted, the share with its interval."""
    write_old(files, records(c_2="Yes"))
    result = run_compare(files)
    assert result.return_value == 1
    assert "Refund  c-2   value       Yes  No" in result.stdout
    assert "  Yes → No: 1 item" in result.stdout
    assert "0.750  0.301 to 0.954" in result.stdout
    assert "got 0.7500 the same, expected at least 1.0000" in result.stderr
    assert run_compare(files, "--least", "0.75").return_value == 0


def test_spelling_is_a_difference_of_its_own(files: Path) -> None:
    """`yes` is not `Yes` for a program that reads the value; `--fold` says that it is."""
    write_old(files, records(c_1="yes "))
    result = run_compare(files, "--json")
    assert result.return_value == 1
    assert figures(result)["kinds"] == {
        "spelling": 1,
        "value": 0,
        "no value": 0,
        "only in OLD": 0,
        "only in NEW": 0,
    }
    assert run_compare(files, "--fold").return_value == 0


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"value": "ERROR"}, "the value is 'ERROR'"),
        ({"value": ""}, "the value is ''"),
        ({"code": "500"}, "the code is 500"),
        ({"status": "error"}, "the status is error"),
    ],
)
def test_a_failure_never_agrees_with_a_value(files: Path, fields: dict[str, str], why: str) -> None:
    """The original's record of a failed score counts as without a value, although it has one."""
    write_old(files, [*records()[1:], record("c-1", "Yes") | fields])
    result = run_compare(files, "--json")
    assert figures(result)["kinds"]["no value"] == 1
    (difference,) = json.loads(result.stdout)["differences"]
    assert (difference["old"], difference["old error"], difference["new"]) == (None, why, "Yes")


def test_items_of_one_file_only_fail_unless_they_are_expected(files: Path) -> None:
    """An item that was not scored is no agreement: exit 1, or 0 with `--common`."""
    write_old(files, records()[:3])
    result = run_compare(files)
    assert result.return_value == 1
    assert "Refund: 1 item in one file only. next: --common, if that is expected" in result.stderr
    assert "Refund  c-4   only in NEW       No" in result.stdout
    assert run_compare(files, "--common").return_value == 0


def test_items_that_failed_in_both_are_counted_apart(files: Path) -> None:
    """A failure agrees with nothing: such items are in no share, and listed; exit 1, or 0 with `--common`."""
    write_old(files, [*records()[1:], record("c-1", "ERROR")])
    options = ("--new-id", "metadata.external_id")
    result = run_compare(files, *options, "--json", new="old.jsonl")
    assert result.return_value == 1
    assert (figures(result)["compared"], figures(result)["same"], figures(result)["failed_in_both"]) == (3, 3, 1)
    (difference,) = json.loads(result.stdout)["differences"]
    assert (difference["item"], difference["kind"]) == ("c-1", "failed in both")
    assert "Refund: 1 item failed in both. next: --common, if that is expected" in result.stderr
    assert run_compare(files, *options, "--common", new="old.jsonl").return_value == 0


def test_failures_alone_are_no_agreement(files: Path) -> None:
    """With every item failed in both nothing was compared: exit 1, whatever else is allowed."""
    write_old(files, [record(item, "ERROR") for item in VALUES])
    options = ("--new-id", "metadata.external_id", "--common", "--least", "0")
    result = run_compare(files, *options, new="old.jsonl")
    assert result.return_value == 1
    assert "Refund: no other item is in both: 4 items failed in both" in result.stderr


def test_nothing_in_common_is_no_agreement(files: Path) -> None:
    """Ids of two kinds pair no item: exit 1 with the options that name the columns, whatever else is allowed."""
    write_old(files, records())
    result = run_compare(files, "--old-id", "itemId", "--common", "--least", "0")
    assert result.return_value == 1
    assert "no item is in both files. next: --old-id and --new-id" in result.stderr


def test_the_latest_of_several_results_counts(files: Path) -> None:
    """The original may store several results of a job; which is the latest is decided by their times, not by order."""
    late = record("c-2", "No", updatedAt="2026-03-02T00:00:00Z")
    write_old(files, [*records()[:1], late, record("c-2", "Yes"), *records()[2:]])
    result = run_compare(files)
    assert result.return_value == 0
    assert "left out 1 earlier result of items that have several; 1 differed from the one before" in result.stderr


def test_several_results_without_times_are_refused(files: Path) -> None:
    """Two different values for one item, and no time of either, are an error that names row, item and score."""
    rows = [{"item": "c-1", "score": "Refund", "value": value} for value in ("Yes", "No")]
    write_old(files, rows)
    with pytest.raises(InvalidData, match=r"row 2: the item 'c-1' has several results of 'Refund'"):
        raise run_compare(files, "--old-id", "item").exception or AssertionError


def test_results_of_evaluations_are_left_out(files: Path) -> None:
    """The table of results also has those of evaluations, with or without a type: they are counted, not compared."""
    other = [record("c-1", "No", type="evaluation"), record("c-2", "Yes", type=None, evaluationId="e")]
    write_old(files, [*records(), *other])
    result = run_compare(files)
    assert result.return_value == 0
    assert "left out 2 results of evaluations" in result.stderr


def test_an_export_of_dynamodb_is_read(files: Path) -> None:
    """An export to S3 has gzipped lines with `Item` and typed values, and a scan one list of typed `Items`."""
    serialize = TypeSerializer().serialize
    typed = [{name: serialize(value) for name, value in row.items()} for row in records(c_3="No")]
    with gzip.open(files / "export.json.gz", "wt") as file:
        file.writelines(json.dumps({"Item": row}) + "\n" for row in typed)
    (files / "scan.json").write_text(json.dumps({"Items": typed, "Count": 4, "ScannedCount": 4}))
    for name in ("export.json.gz", "scan.json"):
        assert figures(run_compare(files, "--json", old=name))["changes"] == [{"old": "No", "new": "Yes", "items": 1}]


@pytest.mark.parametrize("value", [{"N": "many"}, {"B": "A"}])
def test_a_damaged_export_is_refused_with_its_row(files: Path, value: dict[str, str]) -> None:
    """A value that DynamoDB would not have written is an error that names the row, not a traceback."""
    (files / "export.jsonl").write_text(json.dumps({"Item": {"itemId": {"S": "c-1"}, "value": value}}) + "\n")
    with pytest.raises(InvalidData, match=r"row 1: not DynamoDB's JSON"):
        raise run_compare(files, old="export.jsonl").exception or AssertionError


def test_an_answer_of_graphql_is_read(files: Path) -> None:
    """The items of a query are results; a last page with a nextToken is noted, and an answer with errors refused."""
    answer = {"data": {"listScoreResultByScoreId": {"items": records(), "nextToken": "more"}}}
    (files / "page.json").write_text(json.dumps(answer))
    result = run_compare(files, old="page.json")
    assert result.return_value == 0
    assert "the last page of the query has a nextToken: more results exist" in result.stderr
    last: dict[str, Any] = {"data": {"listScoreResultByScoreId": {"items": [], "nextToken": None}}}
    (files / "pages.jsonl").write_text(f"{json.dumps(answer)}\n{json.dumps(last)}\n")
    assert "nextToken" not in run_compare(files, old="pages.jsonl").stderr
    (files / "page.json").write_text(json.dumps(answer | {"errors": [{"message": "denied", "path": None}]}))
    assert "the GraphQL answer has errors" in str(run_compare(files, old="page.json").exception)


def test_scores_with_two_names_are_paired_by_hand(files: Path) -> None:
    """A renamed score in a file of two needs `--pair`; the scores left out are printed."""
    others = [record(item, "No", score=None, scoreId="score-8") for item in VALUES]
    write_old(files, [row | {"score": None} for row in records()] + others)
    assert "next: --pair OLD_NAME NEW_NAME" in str(run_compare(files).exception)
    result = run_compare(files, "--pair", "score-7", "Refund")
    assert result.return_value == 0
    assert "comparing 'score-7' with 'Refund'\nnot compared, of OLD: 'score-8'\n" in result.stderr
    assert "got no score 'score-9'" in str(run_compare(files, "--pair", "score-9", "Refund").exception)


def test_a_score_that_does_not_apply_agrees_with_no_result(files: Path) -> None:
    """The original stores nothing for a score whose dependency was not met; here that is an error NotApplicable."""
    rows = list(csv.DictReader((files / "new.csv").open()))
    rows[3] |= {"Refund": "", "Refund error": "NotApplicable: a condition is not met"}
    with (files / "new.csv").open("w") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    write_old(files, records()[:3])
    assert run_compare(files).return_value == 0
    write_old(files, records())
    assert run_compare(files).return_value == 1


def test_every_difference_is_written_to_a_table(files: Path) -> None:
    """`--output` has all of them with values, errors and explanations; a file that is read is never replaced."""
    write_old(files, records(c_1="No", c_2="Yes", c_3="=1+1"))
    result = run_compare(files, "--limit", "1", "--output", str(files / "differences.csv"))
    assert "and 2 more; next: --output FILE.csv" in result.stdout
    rows = list(csv.DictReader((files / "differences.csv").open()))
    assert [(row["item"], row["old"], row["new"]) for row in rows] == [
        ("c-1", "No", "Yes"),
        ("c-2", "Yes", "No"),
        ("c-3", "'=1+1", "Yes"),
    ]
    assert rows[0]["old explanation"] == "because"
    assert "would be replaced" in str(run_compare(files, "--output", str(files / "old.jsonl")).exception)


def test_costs_of_both_sides_are_summed(files: Path) -> None:
    """The original's cost is an object with total_cost; what is unknown is counted, and never zero."""
    write_old(files, [*records()[:3], record("c-4", "No", cost=None)])
    result = run_compare(files)
    assert "Refund, cost of 4 items: OLD 0.75 USD, 1 of unknown cost; NEW unknown" in result.stdout


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"text": "x", "label": "y"}, "row 1: got the columns text, label; expected the output of `plexus run`"),
        ({"score": "Refund", "value": "Yes"}, "row 1: got no item's id in metadata.external_id"),
        ({"itemId": "c-1", "scoreId": "", "value": "Yes"}, "row 1: got no item's id in metadata.external_id"),
    ],
)
def test_other_tables_are_refused_with_what_was_expected(files: Path, row: dict[str, str], problem: str) -> None:
    """A row of another shape names its columns and what was expected; a wrong option is misuse."""
    write_old(files, [row])
    error = run_compare(files).exception
    assert isinstance(error, InvalidData)
    assert problem in str(error)
    with pytest.raises(click.UsageError):
        raise run_compare(files, "--least", "2").exception or AssertionError


def test_the_reasons_of_failures_are_printed_whole_and_counted(files: Path) -> None:
    """The table of differences cuts a reason off; above it, each has its side and its items."""
    write_old(files, [*records()[2:], *(record(item, "ERROR") for item in ("c-1", "c-2"))])
    result = run_compare(files)
    assert "Refund, failures\n  OLD: the value is 'ERROR': 2 items\n" in result.stdout
