"""docs/scorecards.md: its tables are those of the models, its examples do what they say."""

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from plexus import reference
from plexus.commands.test import line, run
from plexus.lint import lint_file

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/scorecards.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
EXAMPLES = sorted((ROOT / "examples/scorecards").glob("*.yaml"))
VALIDATOR: Any = importlib.import_module("jsonschema").Draft202012Validator(reference.schema())


def models_with_keys() -> set[str]:
    """Models that have more keys than `class`."""
    return {name for name, model in reference.models().items() if set(model["properties"]) - {"class"}}


def test_the_tables_are_those_of_the_models() -> None:
    """A key, a default or a meaning that changes makes the page old: `plexus schema --fill` renews it."""
    assert reference.filled(PAGE) == PAGE


def test_every_model_is_in_the_page() -> None:
    """Whatever a scorecard may hold has its table."""
    assert models_with_keys() == reference.named(PAGE)


def test_every_key_has_a_meaning() -> None:
    """Editors show it beside the key."""
    silent = [
        f"{name}.{key}"
        for name, model in reference.models().items()
        for key, found in model["properties"].items()
        if key != "class" and not found.get("description")
    ]
    assert silent == []


def test_every_class_has_an_example() -> None:
    """Scores, nodes and processors alike."""
    classes = {
        each
        for model in reference.models().values()
        for found in [model["properties"].get("class", {})]
        for each in found.get("enum", [found.get("const")])
        if each and each != "MultiClassClassifier"
    }
    shown = set(re.findall(r"class: (\w+)", "\n".join(BLOCKS)))
    assert classes - shown == set()


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: re.findall(r"- name: (.+)", block)[-1])
def test_the_examples_of_the_page_do_what_they_say(block: str, tmp_path: Path) -> None:
    """Each is a whole scorecard, breaks no rule, and its tests pass."""
    card = tmp_path / "docs" / "card.yaml"
    card.parent.mkdir()
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    card.write_text(block)
    assert lint_file(card) == []
    verdicts = list(run(card, tmp_path / "store"))
    assert [line(one) for one in verdicts if not one.passed] == []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_valid_by_the_schema(example: Path) -> None:
    """What loads here is what an editor takes for valid."""
    from ruamel.yaml import YAML

    found = json.loads(json.dumps(YAML(typ="safe", pure=True).load(example.read_text())))
    assert [error.message for error in VALIDATOR.iter_errors(found)] == []


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
    """An editor marks what the library refuses."""
    whole = {"name": "C", "key": "c", "scores": [{"name": "A", "class": "KeywordClassifier", "keywords": ["x"]}]}
    assert VALIDATOR.is_valid(whole)
    assert not VALIDATOR.is_valid({**whole, **change})
