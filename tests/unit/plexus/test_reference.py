"""docs/reference/scorecards.md: its tables match the models."""

import importlib
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from plexus import schema
from plexus.configuration.graph import Classifier, NumericClassifier
from plexus.graph.replies import read_number, read_text
from plexus.graph.reply import Reply

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/reference/scorecards.md").read_text()
EDITOR = (ROOT / "docs/how-to/editor.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
EXAMPLES = sorted((ROOT / "examples/scorecards").glob("*.yaml"))
VALIDATOR: Any = importlib.import_module("jsonschema").Draft202012Validator(schema.create_schema())


def models_with_keys() -> set[str]:
    """Return the models that have more keys than `class`."""
    return {name for name, model in schema.create_model_schemas().items() if set(model["properties"]) - {"class"}}


def test_the_tables_are_those_of_the_models() -> None:
    """The page's tables match the models; `plexus schema --fill` renews them."""
    assert schema.fill_tables(PAGE) == PAGE


def test_every_model_is_in_the_page() -> None:
    """Every model has a table in the page."""
    assert models_with_keys() == schema.find_tables(PAGE)


def test_every_key_has_a_meaning() -> None:
    """Every key has a description, which editors show."""
    silent = [
        f"{name}.{key}"
        for name, model in schema.create_model_schemas().items()
        for key, found in model["properties"].items()
        if key != "class" and not found.get("description")
    ]
    assert silent == []


def test_every_class_has_an_example() -> None:
    """Every class of score, node and processor has an example in the page."""
    classes = {
        each
        for model in schema.create_model_schemas().values()
        for found in [model["properties"].get("class", {})]
        for each in found.get("enum", [found.get("const")])
        if each and each != "MultiClassClassifier"
    }
    output = set(re.findall(r"class: (\w+)", "\n".join(BLOCKS)))
    assert classes - output == set()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_valid_by_the_schema(example: Path) -> None:
    """The JSON Schema accepts what the library loads."""
    from ruamel.yaml import YAML

    document = json.loads(json.dumps(YAML(typ="safe", pure=True).load(example.read_text())))
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []


@pytest.mark.parametrize(
    "change",
    [
        {"scores": []},
        {"key": "Not A Key"},
        {"scores": [{"name": "A", "class": "KeywordClasifier"}]},
        {"scores": [{"name": "A", "class": "KeywordClassifier", "keyword": ["x"]}]},
        {"scores": [{"name": "A", "class": "CompositeScore"}]},
    ],
)
def test_a_broken_card_is_invalid_by_the_schema_too(change: dict[str, object]) -> None:
    """The JSON Schema rejects what the library rejects."""
    whole = {"name": "C", "key": "c", "scores": [{"name": "A", "class": "KeywordClassifier", "keywords": ["x"]}]}
    assert VALIDATOR.is_valid(whole)
    assert not VALIDATOR.is_valid({**whole, **change})


ASKS = {"name": "n", "user_message": "?"}
CLASSES = ["Yes", "N/A", "Didn't ask", "5", "A", "Compliant", "Billing"]


@pytest.mark.parametrize(
    ("example", "reply", "label"),
    [
        ("`NA` is `N/A`", "NA", "N/A"),
        ("`Didnt ask` is `Didn't ask`", "Didnt ask", "Didn't ask"),
        ("`>5` is not `5`", ">5", None),
        ("`A+` is not `A`", "A+", None),
        ("`non-compliant` is not `Compliant`", "non-compliant", None),
        ("`She did not pay, so Yes`", "She did not pay, so Yes", "Yes"),
        ("`A Yes overstates it`", "A Yes overstates it", None),
        ("`Runner-up: Billing`", "Runner-up: Billing", None),
        ("`Leaning Yes, but I can't be\n  sure`", "Leaning Yes, but I can't be sure", None),
        ("`Expected format: {…}`", 'Expected format: {"answer": "Yes"}', None),
        ("`Actually, Yes fits better.`", '{"answer": "N/A"}\nActually, Yes fits better.', None),
    ],
)
def test_the_page_states_how_classes_are_read(example: str, reply: str, label: str | None) -> None:
    """The examples of the rules are in the page, and are read as it says."""
    assert example in PAGE
    node = Classifier.model_validate({**ASKS, "class": "Classifier", "valid_classes": CLASSES})
    result = read_text(Reply(reply), node)
    assert (None if result is None else result.label) == label


@pytest.mark.parametrize(
    ("example", "reply", "number"),
    [
        ("`4 stars out of 5` is 4", "4 stars out of 5", "4"),
        ("`7 because of 3 faults` is 7", "7 because of 3 faults", "7"),
        ("`-1` and `minus 1` are negative", "minus 1", "-1"),
        ("`1.5k` is 1500", "1.5k", "1500"),
        ("`1,200` is 1200", "1,200", "1200"),
        ("`3,5`, `4½` and `3 and a half` are not read", "3,5", None),
        ("`four` is 4 (zero to twenty)", "four", "4"),
        ("`four (5)` is two numbers", "four (5)", None),
    ],
)
def test_the_page_states_how_numbers_are_read(example: str, reply: str, number: str | None) -> None:
    """The examples of the rule are in the page, and are read as it says."""
    assert re.sub(r"\s+", " ", example) in re.sub(r"\s+", " ", PAGE)
    node = NumericClassifier.model_validate({**ASKS, "class": "NumericClassifier"})
    assert read_number(Reply(reply), node) == (None if number is None else Decimal(number))


def test_the_page_of_files_states_how_cells_are_read() -> None:
    """What `awkward_files.py` tests is in the page: formats, dialects, encodings, types and missing cells."""
    page = (ROOT / "docs/how-to/files.md").read_text()
    stated = ("`sep=;`", "Windows-1252", "`--encoding NAME`", "`007`", "`1.0`, `NA` and `None` stay so", "`<(…)`")
    assert [
        words for words in (*stated, "Blank lines", "Short rows", "bytes decide, not the suffix") if words not in page
    ] == []


@pytest.mark.parametrize("command", re.findall(r"(?m)^    (plexus .*)$", EDITOR))
def test_the_page_for_editors_works(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command of the page succeeds on a correct card."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scorecards").mkdir()
    (tmp_path / "scorecards/reviews.yaml").write_text((ROOT / "examples/scorecards/returns.yaml").read_text())
    command = command.replace("*.yaml", "reviews.yaml")
    words, _, file = command.partition(" > " if " > " in command else " < ")
    text = (tmp_path / file).read_text() if " < " in command else None
    _, verb, *arguments = words.split()
    module = importlib.import_module(f"plexus.commands.{verb}")
    result = CliRunner().invoke(module.command, arguments, input=text)
    assert result.exit_code == 0, result.output
    if verb == "schema":
        assert json.loads(result.stdout) == schema.create_schema()
