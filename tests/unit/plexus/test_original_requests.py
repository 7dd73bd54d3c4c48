"""What a translated score sends to its models, wherever the original's scorecard names them; and what is left out."""

from itertools import product
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import plexus
from plexus import importing
from plexus.configuration.graph import LangGraphScore
from plexus.graph.node_outputs import as_model_node
from plexus.graph.providers import Settings
from plexus.importing import ImportedCard

NODE: dict[str, Any] = {
    "name": "ask",
    "class": "Classifier",
    "valid_classes": ["Yes", "No"],
    "user_message": "{{text}}?",
}
KEEPS = {"value": "classification", "explanation": "explanation"}


def load(folder: Path, score: dict[str, Any], *nodes: dict[str, Any]) -> ImportedCard:
    """Import a score in the original's form with these keys, whose nodes are classifiers with these keys."""
    graph = [{**NODE, "name": f"ask{place}", **node} for place, node in enumerate(nodes)]
    YAML().dump({"name": "S", **score, "graph": graph, "output": KEEPS}, folder / "s.yaml")
    return importing.import_card(folder / "s.yaml")


def list_requests(card: ImportedCard) -> list[tuple[str, dict[str, object]]]:
    """Return model and parameters of each node of the written scorecard, and of each node's explanation model."""
    assert card.text is not None, card.remarks
    score = plexus.load(card.text).scores[0].configuration
    assert isinstance(score, LangGraphScore)
    listed = [model for node in score.graph if (model := as_model_node(node)) is not None]
    listed += [explainer for node in listed if (explainer := node.create_explainer()) is not None]
    settings = [Settings.of(node, score) for node in listed]
    return [(each.model_id, each.parameters) for each in settings]


def list_regions(card: ImportedCard) -> list[str | None]:
    """Return the region in which each node of the written scorecard asks its model."""
    assert card.text is not None, card.remarks
    score = plexus.load(card.text).scores[0].configuration
    assert isinstance(score, LangGraphScore)
    models = [model for node in score.graph if (model := as_model_node(node)) is not None]
    return [Settings.of(model, score).region for model in models]


def list_messages(card: ImportedCard) -> list[tuple[str, str]]:
    """Return place and message of every remark."""
    return [(remark.place, remark.message) for remark in card.remarks]


MODELS = [
    ({"model_provider": "ChatOpenAI", "model_name": "gpt-4o"}, "openai:gpt-4o", {"temperature": 0.0, "top_p": 0.03}),
    ({"model_provider": "ChatOpenAI", "model_name": "gpt-5-mini"}, "openai:gpt-5-mini", {"reasoning_effort": "low"}),
    ({"model_provider": "ChatOpenAI", "model_name": "o3-mini"}, "openai:o3-mini", {"reasoning_effort": "low"}),
    ({"model_provider": "AzureChatOpenAI", "model_name": "calls"}, "azure_openai:calls", {"temperature": 0.0}),
    ({"model_name": "calls"}, "azure_openai:calls", {"temperature": 0.0}),
    ({"model_provider": "BedrockChat", "model_name": "a.b"}, "bedrock_converse:a.b", {"temperature": 0.0}),
]
#: Where each key of a model is: at the score, at the node, or at both, where the score's is another one.
PLACES = ("score", "node", "both")


@pytest.mark.parametrize(("model", "expected"), [(keys, (name, sent)) for keys, name, sent in MODELS])
@pytest.mark.parametrize("place", [*product(PLACES, PLACES)], ids="-".join)
def test_the_originals_parameters_are_sent_wherever_the_model_is_named(
    place: tuple[str, str], model: dict[str, str], expected: tuple[str, dict[str, object]], tmp_path: Path
) -> None:
    """Provider and name may each be the score's, the node's, or the node's over the score's: the request is one."""
    others = {"model_provider": "anthropic", "model_name": "claude-3-haiku"}
    score: dict[str, Any] = {}
    node: dict[str, Any] = {}
    for key, where in zip(("model_provider", "model_name"), place, strict=True):
        if where != "score" and key in model:
            node[key] = model[key]
        if where != "node" and key in model:
            score[key] = model[key] if where == "score" else others[key]
    assert list_requests(load(tmp_path, score, node)) == [expected]


@pytest.mark.parametrize("place", ["score", "node"])
@pytest.mark.parametrize(("model", "expected"), [(keys, (name, sent)) for keys, name, sent in MODELS])
def test_written_parameters_are_sent_if_the_model_accepts_them(
    place: str, model: dict[str, str], expected: tuple[str, dict[str, object]], tmp_path: Path
) -> None:
    """A written value replaces the one that the original sends unasked, and what a model refuses is not sent."""
    written: dict[str, Any] = {"temperature": 0.4, "top_p": 0.5, "reasoning_effort": "high"}
    score, node = (written, model) if place == "score" else ({}, {**model, **written})
    (request,) = list_requests(load(tmp_path, score, node))
    name, sent = expected
    kept = {key: value for key, value in written.items() if key in sent}
    assert (request[0], {key: request[1][key] for key in sent}) == (name, kept)
    assert ("reasoning_effort" in request[1]) is ("reasoning_effort" in sent)
    assert ("temperature" in request[1]) is ("temperature" in sent)


def test_an_anchor_names_the_model_of_every_node(tmp_path: Path) -> None:
    """A key that begins with `x-` may define an anchor; nodes that merge it have its model and its parameters."""
    (tmp_path / "s.yaml").write_text(
        "name: S\nx-model: &model {model_provider: ChatOpenAI, model_name: gpt-4o, base_model_name: gpt-4o}\n"
        "graph:\n"
        "  - {<<: *model, name: a, class: Generator, user_message: '{{text}}'}\n"
        "  - {<<: *model, name: b, class: LogicalClassifier, "
        "code: \"def score(p, i):\\n    return Score.Result(value='x')\"}\n"
        "output: {value: classification}\n"
    )
    card = importing.import_card(tmp_path / "s.yaml")
    assert list_requests(card) == [("openai:gpt-4o", {"temperature": 0.0, "top_p": 0.03})]
    assert ("x-model", "the original does not read 'x-model' here") in list_messages(card)
    assert ("graph[1].model_name", "the original does not read 'model_name' here") in list_messages(card)


def test_what_is_added_to_a_node_is_remarked_at_the_node(tmp_path: Path) -> None:
    """The report says of a node's own model what it says of the score's."""
    of_score = load(tmp_path, {"model_name": "calls"}, {}).remarks
    of_node = load(tmp_path, {}, {"model_name": "calls"}).remarks
    assert [(each.kind, each.message) for each in of_score] == [(each.kind, each.message) for each in of_node]
    assert {each.place for each in of_node} == {"graph[0].model_name"}


def test_a_refused_temperature_has_the_reason_of_its_model(tmp_path: Path) -> None:
    """The original withholds it of GPT-5 only; other models refuse it."""
    for name, message in (
        ("gpt-5", "the original does not send it to this model"),
        ("o3-mini", "the model refuses it"),
    ):
        card = load(tmp_path, {"model_provider": "ChatOpenAI", "model_name": name, "temperature": 0}, {})
        assert any(each.place == "temperature" and each.message.startswith(message) for each in card.remarks)


@pytest.mark.parametrize(
    ("key", "place", "kind"),
    [
        ("x-note", "node", "dropped"),
        ("minimum", "node", "dropped"),
        ("zzz", "node", "changed"),
        ("zzz", "score", "changed"),
        ("keywords", "score", "dropped"),
        ("temprature", "node", "error"),
    ],
)
def test_a_key_that_no_class_has_is_left_out_with_a_remark(key: str, place: str, kind: str, tmp_path: Path) -> None:
    """The original ignores such keys. One that looks like a misspelling is an error, since its author meant another."""
    score, node = ({key: 1}, {}) if place == "score" else ({}, {key: 1})
    card = load(tmp_path, {"model_name": "calls", **score}, node)
    assert kind in {each.kind for each in card.remarks if each.place.endswith(key)}
    assert (card.verdict == "needs a hand") is (kind == "error")


def test_a_condition_on_another_field_is_remarked(tmp_path: Path) -> None:
    """Here a condition compares the field that `state` names; the original compares the class whatever is written."""
    node = {"output": {"lead": "classification"}}
    for state, count in (("lead", 1), ("classification", 0)):
        edge = {"state": state, "value": "No", "node": "END", "output": {"value": "No"}}
        card = load(tmp_path, {"model_name": "calls"}, {**node, "conditions": [edge]}, {})
        remarks = [each for each in card.remarks if "compared" in each.message]
        assert [(each.kind, each.place) for each in remarks] == [("changed", "graph[0].conditions[0].state")] * count


@pytest.mark.parametrize("name", ["ask", "Ask it"])
def test_two_nodes_of_one_name_are_named_as_in_the_file(name: str, tmp_path: Path) -> None:
    """The error has the name that both nodes have, and the other problems of both are reported too."""
    card = load(tmp_path, {"model_name": "calls"}, {"name": name}, {"name": name, "valid_classes": []})
    errors = [(each.place, each.message) for each in card.remarks if each.kind == "error"]
    assert errors[0] == ("graph[1].name", f"two nodes have the name {name!r}. next: rename one of them")
    assert any("valid_classes" in place for place, _ in errors)
    assert not any("_2'" in message for _, message in errors)


def test_a_threshold_of_a_quotation_counts_no_sentences(tmp_path: Path) -> None:
    """`fuzzy_match_threshold` is the similarity of the quotation in a node that looks for one, of classes elsewhere."""
    for kind, start in (("ContextExtractor", "a quotation is aligned"), ("Classifier", "a class is matched")):
        node = {"class": kind, "fuzzy_match_threshold": 80}
        card = load(tmp_path, {"model_name": "calls"}, node)
        messages = [message for place, message in list_messages(card) if place.endswith("fuzzy_match_threshold")]
        assert [message[: len(start)] for message in messages] == [start]


@pytest.mark.parametrize(
    ("message", "is_remarked"),
    [
        ("{{ metadata.campaign }}", True),
        ("{% for s in metadata.schools %}{{ s }}{% endfor %}", True),
        ("{{ metadata.campaign | default('') }}", False),
        ("{% if metadata.campaign %}x{% endif %}", False),
    ],
)
def test_metadata_that_may_be_absent_is_remarked(message: str, is_remarked: bool, tmp_path: Path) -> None:
    """An absent field is empty in the original's prompts, and fails the score here."""
    card = load(tmp_path, {"model_name": "calls"}, {"user_message": f"{{{{text}}}} {message}"})
    remarks = [each.kind for each in card.remarks if "an item without `metadata." in each.message]
    assert remarks == ["changed"] * is_remarked


RETURNS = """\
name: S
graph:
  - name: first
    class: LogicalClassifier
    code: "{first}"
    conditions: [{{value: NA, node: END, output: {{value: classification, explanation: explanation}}}}]
  - name: last
    class: LogicalClassifier
    code: "def score(p, i):\\n    {last}return Score.Result(value='B', explanation='because')"
output: {{value: classification, explanation: explanation}}
"""


@pytest.mark.parametrize("end", ["", "\\n    return", "\\n    return None", "\\n    return None if True else None"])
def test_code_that_returns_none_continues_with_the_next_node(end: str, tmp_path: Path) -> None:
    """No condition is met then; the remark says what the class is until a node sets one."""
    first = f"def score(p, i):\\n    if 'x' in i.text: return Score.Result(value='NA'){end}"
    (tmp_path / "s.yaml").write_text(RETURNS.format(first=first, last=""))
    card = importing.import_card(tmp_path / "s.yaml")
    assert card.text is not None, card.remarks
    assert [each.kind for each in card.remarks if "returns None" in each.message] == ["changed"]
    loaded = plexus.load(card.text)
    results = [plexus.score(loaded, "S", plexus.Item(text)) for text in ("x", "y")]
    assert [(each.value, each.explanation or "") for each in results] == [("NA", ""), ("B", "because")]


def test_code_that_returns_none_keeps_the_class_of_the_node_before(tmp_path: Path) -> None:
    """The class and the explanation stay those of the latest node that set them."""
    first = "def score(p, i):\\n    return Score.Result(value='A', explanation='so')"
    (tmp_path / "s.yaml").write_text(RETURNS.format(first=first, last="if 'x' in i.text: "))
    card = importing.import_card(tmp_path / "s.yaml")
    assert card.text is not None, card.remarks
    loaded = plexus.load(card.text)
    results = [plexus.score(loaded, "S", plexus.Item(text)) for text in ("x", "y")]
    assert [(each.value, each.explanation) for each in results] == [("B", "because"), ("A", "so")]


@pytest.mark.parametrize("place", ["score", "node"])
@pytest.mark.parametrize(
    ("model", "region"),
    [
        ({"model_provider": "BedrockChat", "model_name": "a.b"}, "us-east-1"),
        ({"model_provider": "BedrockChat", "model_name": "openai.gpt-oss-20b"}, "us-west-2"),
        ({"model_provider": "BedrockChat", "model_name": "a.b", "model_region": "eu-west-1"}, "eu-west-1"),
        ({"model_provider": "ChatOpenAI", "model_name": "gpt-4o", "model_region": "eu-west-1"}, None),
        ({"model_name": "calls"}, None),
    ],
)
def test_the_region_is_the_one_that_the_original_asks(
    place: str, model: dict[str, str], region: str | None, tmp_path: Path
) -> None:
    """Bedrock has a region of its own unless one is written; other providers have none, and their clients refuse it."""
    card = load(tmp_path, *((model, {}) if place == "score" else ({}, model)))
    assert list_regions(card) == [region]


def test_a_nodes_model_has_its_own_region(tmp_path: Path) -> None:
    """What the score's model is asked in unasked is not that of a node's other model; what is written is."""
    score, node = {"model_provider": "BedrockChat", "model_name": "a.b"}, {"model_name": "openai.gpt-oss-20b"}
    assert list_regions(load(tmp_path, score, node, {})) == ["us-west-2", "us-east-1"]
    assert list_regions(load(tmp_path, {**score, "model_region": "eu-west-1"}, node)) == ["eu-west-1"]
