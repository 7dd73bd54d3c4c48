"""`plexus compare` of two scorecards: the parameters of their requests beside the prompts."""

from pathlib import Path

import pytest

from tests.unit.plexus.test_compare_cards import by_score, edit_new, folder, run_compare

__all__ = ["folder"]
NODE = "        maximum_retry_count: 0\n"
SCORE = "    cassette: replies.json\n    graph:\n"
ANSWERING = ("--prompts-only", "--score", "Refund")


@pytest.mark.parametrize("place", [NODE, SCORE])
@pytest.mark.parametrize(
    ("written", "parameter", "sides"),
    [
        (("temperature: 0", "temperature: 1.7"), "temperature", (0.0, 1.7)),
        (("temperature: 0", ""), "temperature", (0.0, None)),
        (("", "top_p: 0.5"), "top_p", (None, 0.5)),
        (("max_tokens: 5", "max_completion_tokens: 6"), "max_tokens", (5, 6)),
        (("reasoning_effort: low", "reasoning_effort: high"), "reasoning_effort", ("low", "high")),
        (("seed: 1", "seed: 2"), "seed", (1, 2)),
        (("verbosity: low", ""), "verbosity", ("low", None)),
        (("base_url: a", "base_url: b"), "base_url", ("a", "b")),
        (("model_region: a", "model_region: b"), "model_region", ("a", "b")),
    ],
)
def test_a_parameter_that_differs_is_a_difference(
    written: tuple[str, str], parameter: str, sides: tuple[object, object], place: str, folder: Path
) -> None:
    """Two cards of equal prompts are not the same if a node's request has another parameter, wherever it is written."""
    for name, line in zip(("old.yaml", "new.yaml"), written, strict=True):
        path, indent = folder / name, place[: len(place) - len(place.lstrip())]
        path.write_text(path.read_text().replace(place, f"{indent}{line}\n{place}" if line else place, 1))
    result = run_compare(folder, *ANSWERING, "--json")
    assert result.return_value == 1
    assert "Refund: got different parameters of requests, expected the same: node ask" in result.stderr
    old, new = sides
    refund = by_score(result)["Refund"]
    assert refund["parameters"] == [{"node": "ask", "parameter": parameter, "old": old, "new": new}]
    assert refund["rows"] == refund["same"]
    assert run_compare(folder, *ANSWERING, "--least", "0").return_value == 0


def test_another_model_is_a_difference_that_is_printed(folder: Path) -> None:
    """Provider and name are listed with both sides; values are compared as before."""
    edit_new(folder, "        maximum_retry_count: 0\n", "        maximum_retry_count: 0\n        temperature: 1\n")
    edit_new(
        folder,
        "model_name: m\n    cassette: replies.json\n    graph:\n      - name",
        "model_name: n\n    graph:\n      - name",
    )
    assert run_compare(folder, *ANSWERING).stdout.endswith(
        "\n"
        "parameters of  node  parameter    OLD       NEW\n"
        "Refund         ask   model_name   m         n\n"
        "Refund         ask   temperature  not sent  1.0\n"
    )


def test_spellings_of_one_request_are_the_same(folder: Path) -> None:
    """A provider has several names, and a limit of tokens two."""
    for name, keys in (("old", "ChatOpenAI, max_tokens: 5"), ("new", "openai, max_completion_tokens: 5")):
        path = folder / f"{name}.yaml"
        path.write_text(
            path.read_text().replace(
                "name: ask\n", "name: ask\n        model_provider: " + keys.replace(", ", "\n        ") + "\n"
            )
        )
    assert run_compare(folder, *ANSWERING).return_value == 0


def test_the_model_of_an_explanation_is_compared(folder: Path) -> None:
    """A node's second request has parameters of its own."""
    for name, temperature in (("old", 0), ("new", 1)):
        path = folder / f"{name}.yaml"
        more = f"        explanation_message: Why?\n        explanation_model: {{temperature: {temperature}}}\n"
        path.write_text(path.read_text().replace(NODE, NODE + more, 1))
    assert by_score(run_compare(folder, *ANSWERING, "--json"))["Refund"]["parameters"] == [
        {"node": "ask, explanation", "parameter": "temperature", "old": 0.0, "new": 1.0}
    ]
