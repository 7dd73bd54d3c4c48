"""Replies of models: cut replies are failures, and the answer is read alone, without reasoning and markup."""

from pathlib import Path

import pytest
from langchain_core.messages import AIMessage

import plexus
from plexus.configuration.graph import Classifier
from plexus.graph.cassette import Question, Recorder
from plexus.graph.messages import to_message, to_reply
from plexus.graph.replies import read_class, read_text
from plexus.graph.reply import Reply
from plexus.usage import Usage


def classifier(*classes: str, **keys: object) -> Classifier:
    """Return a classifier with these classes."""
    needed = {"name": "n", "class": "Classifier", "user_message": "?", "valid_classes": list(classes)}
    return Classifier.model_validate({**needed, **keys})


@pytest.mark.parametrize(
    ("metadata", "problem"),
    [
        ({"finish_reason": "length"}, "cut"),
        ({"finish_reason": "content_filter"}, "filtered"),
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "cut"),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, "filtered"),
        ({"status": "incomplete", "incomplete_details": None}, "cut"),
        ({"stop_reason": "max_tokens"}, "cut"),
        ({"stop_reason": "model_context_window_exceeded"}, "cut"),
        ({"stop_reason": "refusal"}, "refused"),
        ({"stop_reason": "pause_turn"}, "paused"),
        ({"stopReason": "max_tokens"}, "cut"),
        ({"stopReason": "guardrail_intervened"}, "filtered"),
        ({"stopReason": "content_filtered"}, "filtered"),
        ({"stopReason": "malformed_model_output"}, "incomplete"),
        ({"done_reason": "length"}, "cut"),
        ({"done_reason": "load"}, "incomplete"),
        ({"finish_reason": "MAX_TOKENS"}, "cut"),
        ({"finish_reason": "FinishReason.SAFETY"}, "filtered"),
        ({"finish_reason": "RECITATION"}, "filtered"),
        ({"finish_reason": "model_length"}, "cut"),
        ({"finish_reason": "ERROR_TOXIC"}, "filtered"),
        ({"finish_reason": "a word of next year"}, "incomplete"),
    ],
)
def test_every_provider_s_word_for_an_incomplete_reply_is_a_problem(metadata: dict[str, object], problem: str) -> None:
    """A reply with any stop reason but a complete one is a failure that names the reason, also after recording."""
    reply = to_reply(AIMessage("Yes, but", response_metadata=metadata))
    result = reply.find_problem()
    assert result is not None
    assert problem in result
    assert to_reply(to_message(reply)).find_problem() == result


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"finish_reason": "stop"},
        {"finish_reason": "STOP"},
        {"finish_reason": "tool_calls"},
        {"status": "completed", "incomplete_details": None},
        {"stop_reason": "end_turn"},
        {"stop_reason": "stop_sequence"},
        {"stop_reason": "tool_use"},
        {"stopReason": "end_turn"},
        {"done_reason": "stop"},
        {"finish_reason": "COMPLETE"},
        {"finish_reason": None},
    ],
)
def test_a_complete_reply_is_not_a_problem(metadata: dict[str, object]) -> None:
    """A reply that ended by itself is used; so is one whose provider names no reason."""
    assert to_reply(AIMessage("Yes", response_metadata=metadata)).find_problem(500) is None


@pytest.mark.parametrize(
    "reply",
    [
        Reply("", Usage(1, 9, 500, 0, 500), "length"),
        Reply("", Usage(1, 9, 500), "stop", thoughts="First of all"),
        Reply("<think>Yes would be", Usage(1, 9, 500), "max_tokens"),
    ],
)
def test_reasoning_that_used_all_tokens_is_named(reply: Reply) -> None:
    """A reply of reasoning only, as long as the limit, is a failure that says so and what to raise."""
    assert reply.find_problem(500) == "reasoning used all 500 output tokens. next: raise `max_tokens`"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<think>Yes would be too simple.</think>\nNo", "No"),
        ("<THINKING>Yes?\n\nYes!</THINKING> No", "No"),
        ("Yes would be too simple.\n</think>\n\nNo", "No"),
        ("<think>a <think>b</think> c</think> No", "No"),
        ("<think>a</think> <reasoning depth='2'>Yes</reasoning>No", "No"),
        ("[THINK]Yes[/THINK]No", "No"),
        ("◁think▷Yes◁/think▷No", "No"),
        ("<|START_THINKING|>Yes<|END_THINKING|>No", "No"),
        ("<|channel|>analysis<|message|>Yes?<|end|><|start|>assistant<|channel|>final<|message|>No", "No"),
        ("<seed:think>Yes</seed:think>No", "No"),
        ("<|begin_of_thought|>Yes<|end_of_thought|><|begin_of_solution|>No<|end_of_solution|>", "No"),
        ("<unused94>thought\nYes<unused95>No", "No"),
        ("<think>Yes, and then", ""),
        ("```\nNo\n```", "No"),
        ("```json\nNo\n```\n", "No"),
        ("~~~\nNo\n~~~", "No"),
        ("<think>Yes</think>\n```text\nNo\n```", "No"),
        ("I think No", "I think No"),
        ("Use ``` for code", "Use ``` for code"),
        ("No</s>", "No"),
        ("No<|im_end|>\n", "No"),
        ("No<|eot_id|><|end_of_text|>", "No"),
        ("No<end_of_turn>", "No"),
        ("No<｜end▁of▁sentence｜>", "No"),
        ("[/INST] No </s>", "No"),
        ("<start_of_turn>model\nNo<eos>", "No"),
        ("<|im_start|>assistant\nNo", "No"),
        ("```\nNo\n```<|im_end|>", "No"),
        ("No<|im_end|> Yes", "No<|im_end|> Yes"),
        ("No, <s>Yes</s>", "No, <s>Yes</s>"),
    ],
)
def test_the_text_of_a_reply_is_the_answer_alone(content: str, text: str) -> None:
    """Reasoning, a fence and a chat template's tokens are no part of it; unfinished reasoning has no answer."""
    assert Reply(content).text == text


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "thinking", "thinking": "Perhaps Yes."}, {"type": "text", "text": "No"}],
        [{"type": "reasoning_content", "reasoning_content": {"text": "Perhaps Yes."}}, {"type": "text", "text": "No"}],
        [{"type": "reasoning", "summary": [{"text": "Perhaps Yes."}]}, {"type": "output_text", "text": "No"}],
        [{"type": "reasoning", "reasoning": "Perhaps Yes."}, "No"],
    ],
)
def test_blocks_of_reasoning_are_not_the_answer(content: list[str | dict[str, object]]) -> None:
    """The reasoning that a provider sends apart is kept apart."""
    reply = to_reply(AIMessage(content))
    assert (reply.text, reply.reasoning) == ("No", "Perhaps Yes.")


GENERATOR = """
name: C
key: c
scores:
  - name: S
    class: LangGraphScore
    model_provider: replay
    model_name: m
    cassette: FILE
    graph:
      - {name: n, class: Generator, user_message: "Sum up. {{ text }}", temperature: 0, max_tokens: 500}
    output: {value: n.value}
"""


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("<think>Yes, they were late.</think>\nThe parcel came late.", "The parcel came late."),
        ("They were late.\n</think>\n\nThe parcel came late.", "The parcel came late."),
        ("```\nThe parcel came late.\n```", "The parcel came late."),
        ("The parcel came late.<|im_end|>", "The parcel came late."),
    ],
)
def test_a_generated_text_is_the_answer_alone(content: str, value: str, tmp_path: Path) -> None:
    """The value of a Generator has neither reasoning nor a fence nor tokens of a chat template."""
    question = Question("replay:m", {"temperature": 0.0, "max_tokens": 500}, [("human", "Sum up. text")])
    Recorder(tmp_path / "replies.json").add(question, Reply(content))
    card = plexus.load(GENERATOR.replace("FILE", str(tmp_path / "replies.json")))
    assert plexus.score(card, "S", plexus.Item("text")).value == value


def test_a_reply_carries_what_its_provider_reports() -> None:
    """Refusal, reasoning, tokens and log probabilities of a message are in its reply."""
    reply = to_reply(
        AIMessage(
            "",
            additional_kwargs={"refusal": "I cannot.", "reasoning_content": "Hm."},
            response_metadata={"logprobs": {"content": [{"token": "No", "logprob": -0.5}]}},
            usage_metadata={
                "input_tokens": 9,
                "output_tokens": 5,
                "total_tokens": 14,
                "input_token_details": {"cache_read": 4},
                "output_token_details": {"reasoning": 3},
            },
        )
    )
    assert (reply.refusal, reply.reasoning, reply.usage) == ("I cannot.", "Hm.", Usage(1, 9, 5, 4, 3))
    assert reply.log_probabilities == (("No", -0.5),)
    assert reply.find_problem() == "the model refused to answer"


@pytest.mark.parametrize(
    "content",
    [
        '{"classification": "No", "explanation": "Yes was possible."}',
        '```json\n{"classification": "No"}\n```',
        'Here is the JSON, Yes:\n{"explanation": "a {brace}", "classification": "No"}',
        'Sure!\n```json\n{"classification": "No"}\n```\nYes, that is all.',
        '<think>{"classification": "Yes"}</think>{"classification": "No"}',
        '{"Answer": "**No**", "reason": "Nobody said Yes."}',
        '{"label": "no"}',
        "**No**",
        "`No`",
        "<answer>No</answer>",
        "No.\n",
    ],
)
def test_a_class_is_read_from_the_answer_alone(content: str) -> None:
    """Markup, a preamble and the other members of a JSON object do not count."""
    result = read_text(Reply(content), classifier("Yes", "No"))
    assert result is not None
    assert result.label == "No"


def test_a_remark_behind_a_confidence_is_no_part_of_it() -> None:
    """The model may say in brackets how sure it is."""
    written = read_text(Reply("Yes\nConfidence: 0.9 (fairly sure)"), classifier("Yes", "No", confidence=True))
    assert written is not None
    assert (written.label, written.confidence) == ("Yes", 0.9)


@pytest.mark.parametrize(
    "content",
    [
        "{'answer': 'No', 'answer': 'Yes'}",
        "{'answer': open('x')}",
        "answer: No\nverdict: Yes",
        "answer: No\nreason: Wait, that is wrong.",
        "answer: No\nhint: Yes",
        "answer: No",
    ],
)
def test_only_an_answer_and_its_reasons_are_fields(content: str) -> None:
    """Two answers, other fields, and reasons that take the answer back are no structured reply."""
    assert Reply(content).structured is None


def test_two_different_objects_are_no_structured_answer() -> None:
    """Of several JSON objects none is chosen."""
    assert Reply('{"label": "No"} or {"label": "Yes"}').structured is None
    assert Reply('{"label": "No"} {"label": "No"}').structured == {"label": "No"}


@pytest.mark.parametrize(
    ("value", "confidence"),
    [
        (0.9, 0.9),
        ("0.9", 0.9),
        ("90%", 0.9),
        ("90 %", 0.9),
        (90, 0.9),
        ("90", 0.9),
        ("0,9", 0.9),
        (".9", 0.9),
        (".05", 0.05),
        ("90 percent", 0.9),
        (">0.9", None),
        ("≤ 0.9", None),
        ("0.9 or 0.8", None),
        (87.5, 0.875),
        (1, 1.0),
        (0, 0.0),
        ("100%", 1.0),
        ("1%", 0.01),
        (9, None),
        (1.5, None),
        (-0.1, None),
        (101, None),
        ("high", None),
        (True, None),
        (None, None),
    ],
)
def test_a_confidence_is_a_share_or_a_percentage(value: object, confidence: float | None) -> None:
    """Numbers, texts and percentages give a confidence from 0 to 1; what may be of another scale gives none."""
    result = read_class({"classification": "Yes", "confidence": value}, classifier("Yes", "No", confidence=True))
    assert (None if result is None else result.confidence) == confidence
    written = read_text(Reply(f"Yes\nConfidence: {value}"), classifier("Yes", "No", confidence=True))
    assert (None if written is None else written.confidence) == confidence
