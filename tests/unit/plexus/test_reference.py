"""docs/reference/scorecards.md: its tables match the models."""

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from plexus import schema

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/reference/scorecards.md").read_text()
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
