"""LangChain's messages as text and as replies, whatever the provider."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from langchain_core.messages import AIMessage, BaseMessage

from plexus.graph.reply import Reply, normalize_reason
from plexus.usage import Usage

#: Where each provider's client puts the reason: OpenAI and Gemini, Anthropic, Bedrock, Ollama.
_REASON_KEYS = ("finish_reason", "stop_reason", "stopReason", "done_reason")
#: The types of content blocks with reasoning: Anthropic's, LangChain's and Bedrock's.
REASONING_BLOCKS = ("thinking", "reasoning", "reasoning_content")
_HOUR_KEY = "ephemeral_1h_input_tokens"
#: The providers' words for calls at the standard rates, and for those at the rates of a batch.
_STANDARD_TIERS = ("", "default", "standard", "standard_only", "auto", "on_demand")
_TIERS = {"flex": "batch"}
_TEXT_BLOCKS = (None, "text", "output_text")


def to_pairs(messages: Sequence[BaseMessage]) -> list[tuple[str, str]]:
    """Convert messages to (role, content) pairs: system, human and ai."""
    return [(message.type, join_text(message)) for message in messages]


def join_text(message: BaseMessage) -> str:
    """Return the message's text; blocks of text, which some providers send, are joined, and other blocks left out."""
    if isinstance(message.content, str):
        return message.content
    return "".join(
        block if isinstance(block, str) else str(block.get("text") or "")
        for block in message.content
        if isinstance(block, str) or block.get("type") in _TEXT_BLOCKS
    )


def to_reply(message: AIMessage) -> Reply:
    """Return a provider's message as a Reply."""
    content = [] if isinstance(message.content, str) else message.content
    blocks = [block for block in content if isinstance(block, dict)]
    refusals = [str(block.get("refusal") or "") for block in blocks if block.get("type") == "refusal"]
    thoughts = [*_find_thoughts(blocks), str(message.additional_kwargs.get("reasoning_content") or "")]
    return Reply(
        join_text(message),
        _count_usage(message),
        _find_reason(message.response_metadata),
        str(message.additional_kwargs.get("refusal") or "".join(refusals)),
        "\n".join(filter(None, thoughts)),
        _find_tier(message.response_metadata),
        tuple(_find_log_probabilities(message.response_metadata)),
    )


def to_message(reply: Reply) -> AIMessage:
    """Return the message of which `to_reply` makes this reply; log probabilities are not kept."""
    usage = reply.usage
    return AIMessage(
        content=reply.content,
        usage_metadata=None
        if usage.unmetered
        else {
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "total_tokens": usage.input_tokens + usage.output_tokens,
            "input_token_details": {
                "cache_read": usage.cached_tokens,
                "cache_creation": usage.written_tokens - usage.hour_tokens,
                **({_HOUR_KEY: usage.hour_tokens} if usage.hour_tokens else {}),
            },
            "output_token_details": {"reasoning": usage.reasoning_tokens},
        },
        response_metadata={"finish_reason": reply.stop_reason, "service_tier": reply.service_tier},
        additional_kwargs={"refusal": reply.refusal, "reasoning_content": reply.thoughts},
    )


def read_cut(error: Exception) -> AIMessage | None:
    """Return the reply in an error of OpenAI's client, which raises if a structured reply was cut or Azure filters one.

    A filtered reply was paid for, but the error does not say how many tokens it has.
    """
    completion = getattr(error, "completion", None)
    choices = getattr(completion, "choices", None)
    if not choices:
        is_filtered = getattr(error, "status_code", None) is None and "content filter" in str(error)
        return AIMessage("", response_metadata={"finish_reason": "content_filter"}) if is_filtered else None
    usage = getattr(completion, "usage", None)
    sent, received = getattr(usage, "prompt_tokens", 0), getattr(usage, "completion_tokens", 0)
    cached = getattr(getattr(usage, "prompt_tokens_details", None), "cached_tokens", None)
    reasoning = getattr(getattr(usage, "completion_tokens_details", None), "reasoning_tokens", None)
    return AIMessage(
        content=choices[0].message.content or "",
        response_metadata={"finish_reason": choices[0].finish_reason},
        usage_metadata={
            "input_tokens": sent,
            "output_tokens": received,
            "total_tokens": sent + received,
            "input_token_details": {"cache_read": cached or 0},
            "output_token_details": {"reasoning": reasoning or 0},
        },
    )


def _find_reason(metadata: Mapping[str, object]) -> str:
    reason = next((metadata[key] for key in _REASON_KEYS if metadata.get(key)), None)
    if reason is None:
        # OpenAI's Responses API reports a status, and the reason only if the reply is incomplete.
        details = metadata.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, Mapping) else metadata.get("status")
    return normalize_reason(reason)


def _find_thoughts(blocks: Sequence[Mapping[str, object]]) -> Iterator[str]:
    """Yield the texts of the blocks of reasoning; OpenAI's Responses API has a list of summaries in them."""
    for block in blocks:
        if block.get("type") not in REASONING_BLOCKS:
            continue
        inner = block.get("thinking") or block.get("reasoning") or block.get("reasoning_content")
        parts = block.get("summary") if inner is None else [inner]
        for part in parts if isinstance(parts, list) else []:
            yield str(part.get("text") or "") if isinstance(part, Mapping) else str(part)


def _find_log_probabilities(metadata: Mapping[str, object]) -> Iterator[tuple[str, float]]:
    logprobs = metadata.get("logprobs")
    listed = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    for entry in listed or []:
        yield str(entry["token"]), float(entry["logprob"])


def _find_tier(metadata: Mapping[str, object]) -> str:
    """Return the tier of service: OpenAI's, Anthropic's, which is part of the usage, or Bedrock's."""
    usage = metadata.get("usage")
    tier = metadata.get("service_tier") or metadata.get("serviceTier")
    if not tier and isinstance(usage, Mapping):
        tier = usage.get("service_tier")
    if isinstance(tier, Mapping):
        tier = tier.get("type")
    word = str(tier or "").casefold()
    return "" if word in _STANDARD_TIERS else _TIERS.get(word, word)


def _count_usage(message: AIMessage) -> Usage:
    counted = message.usage_metadata
    # Every request has tokens: some gateways and clients report 0 for what they do not know.
    if counted is None or not counted.get("input_tokens"):
        return Usage(1, unmetered=1)
    sent = _sum_details(counted.get("input_token_details"))
    received = _sum_details(counted.get("output_token_details"))
    return Usage(
        1,
        counted.get("input_tokens", 0),
        counted.get("output_tokens", 0),
        sent.get("cache_read", 0),
        received.get("reasoning", 0),
        0,
        sum(sent.get(name, 0) for name in ("cache_creation", "ephemeral_5m_input_tokens", _HOUR_KEY)),
        sent.get(_HOUR_KEY, 0),
    )


def _sum_details(details: Mapping[str, object] | None) -> dict[str, int]:
    """Return the tokens by kind; OpenAI's client writes the tier of service before the key, as in `flex_cache_read`."""
    tokens: dict[str, int] = {}
    for name, count in (details or {}).items():
        if isinstance(count, int):
            kind = name.removeprefix("flex_").removeprefix("priority_")
            tokens[kind] = tokens.get(kind, 0) + count
    return tokens
