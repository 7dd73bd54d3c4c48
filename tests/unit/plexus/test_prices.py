"""Prices of language models: a dated table, which a caller can replace."""

from decimal import Decimal

import pytest

import plexus
from plexus import prices
from plexus.prices import Price
from plexus.usage import Usage


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        (Usage(1, 1_000_000, 500_000), "0.45"),
        (Usage(1, 1_000_000, 0, 400_000), "0.12"),
        (Usage(1, 0, 500_000, 0, 500_000), "0.30"),
    ],
)
def test_a_cost_is_exact(usage: Usage, cost: str) -> None:
    """Costs are exact decimals; cached tokens have a rate of their own, and reasoning tokens that of the output."""
    price = prices.find_price("openai:gpt-4o-mini-2024-07-18")
    assert price is not None
    assert price.of(usage) == Decimal(cost)


def test_batches_long_prompts_and_reasoning_have_rates_of_their_own() -> None:
    """A batch costs its own rates, a call above the limit those of long prompts, reasoning its own."""
    row = {"input": 2, "output": 8, "cached": 1, "reasoning": 4, "batch_input": 1, "batch_output": 4}
    price = Price.of_rates({**row, "long_above": 200_000, "long_input": 4, "long_output": 16})
    assert price.of(Usage(1, 100_000, 100_000)) == 1
    assert price.of(Usage(1, 100_000, 100_000), "batch") == Decimal("0.5")
    assert price.of(Usage(1, 100_000, 100_000, 0, 50_000)) == Decimal("0.8")
    assert price.of(Usage(1, 250_000, 0)) == 1


def test_tokens_written_to_the_cache_have_rates_of_their_own() -> None:
    """Anthropic bills 1.25 times the rate for five minutes and twice the rate for an hour; a batch halves both."""
    price = prices.find_price("anthropic:claude-haiku-4-5")
    assert price is not None
    written = Usage(1, 1_000_000, 0, written_tokens=1_000_000)
    kept = Usage(1, 1_000_000, 0, written_tokens=1_000_000, hour_tokens=1_000_000)
    assert (price.of(written), price.of(kept)) == (Decimal("1.25"), Decimal(2))
    assert (price.of(written, "batch"), price.of(kept, "batch")) == (Decimal("0.625"), Decimal(1))


def test_unknown_rates_give_no_cost() -> None:
    """A tier without rates costs None, not the standard rates; a free model is free in every tier."""
    assert Price(Decimal(1), Decimal(2)).of(Usage(1, 1), "priority") is None
    row = {"input": 1, "output": 2, "batch_input": 1, "batch_output": 1, "long_above": 10}
    assert Price.of_rates({**row, "long_input": 2, "long_output": 4}).of(Usage(1, 11), "batch") is None
    assert Price(Decimal(0), Decimal(0)).of(Usage(1, 1), "priority") == 0


def test_writing_to_the_cache_is_never_cheaper_than_reading_from_it() -> None:
    """Every rate of writing in the table is at least that of reading, and an hour's at least that of minutes."""
    for name, price in prices.read_table()[1].items():
        for tier in filter(None, (price, price.batch, price.priority, price.long)):
            cached, written = tier.cached or tier.input, tier.written or tier.input
            assert tier.is_free or cached <= written <= (tier.written_hour or written), name


@pytest.mark.parametrize(
    ("model", "rates"),
    [
        ("openai:gpt-4o", ("2.5", "10")),
        ("openai:gpt-4o-2024-08-06", ("2.5", "10")),
        ("openai:gpt-4o-2024-11-20", ("2.5", "10")),
        ("openai:gpt-4o-2024-05-13", ("5", "15")),
        ("openai:gpt-4o-mini", ("0.15", "0.6")),
        ("openai:gpt-4o-audio-preview", None),
        ("openai:gpt-4o-realtime-preview", None),
        ("openai:gpt-4o-realtime-preview-2024-12-17", None),
        ("openai:gpt-4o-2", None),
        ("openai:gpt-4o-20241399", None),
        ("openai:gpt-5", ("1.25", "10")),
        ("openai:gpt-5-mini-2025-08-07", ("0.25", "2")),
        ("openai:o1", ("15", "60")),
        ("openai:o3-mini-2025-01-31", ("1.1", "4.4")),
        ("anthropic:claude-haiku-4-5-20251001", ("1", "5")),
        ("anthropic:claude-haiku-4-5", ("1", "5")),
        ("anthropic:claude-haiku-4-5@20251001", ("1", "5")),
        ("azure_openai:gpt-4o", ("2.5", "10")),
        ("bedrock_converse:anthropic.claude-haiku-4-5-20251001-v1:0", ("1", "5")),
        ("bedrock_converse:us.anthropic.claude-haiku-4-5-20251001-v1:0", ("1.1", "5.5")),
        ("bedrock_converse:eu.anthropic.claude-haiku-4-5-20251001-v1:0", ("1.1", "5.5")),
        ("bedrock_converse:us.amazon.nova-lite-v1:0", ("0.06", "0.24")),
        ("replay:anything", ("0", "0")),
        ("ollama:llama3.2", ("0", "0")),
        ("ollama:gpt-oss:120b-cloud", None),
        ("mistralai:anything", None),
    ],
)
def test_a_price_is_of_exactly_one_model(model: str, rates: tuple[str, str] | None) -> None:
    """Exact names and names with a date have a price; other beginnings of names have none."""
    price = prices.find_price(model)
    assert (None if price is None else (price.input, price.output)) == (
        None if rates is None else tuple(map(Decimal, rates))
    )


def test_cached_tokens_are_never_dearer() -> None:
    """Every row of the table has rates above zero or none at all, and cached tokens cost no more than new ones."""
    for name, price in prices.read_table()[1].items():
        assert price.is_free or (price.input > 0 and price.output > 0), name
        assert price.cached is None or price.cached <= price.input, name


def test_an_unknown_model_has_no_price() -> None:
    """The cost of an unknown model is None, not zero."""
    assert prices.find_price("openai:gpt-99") is None


def test_a_caller_can_bring_prices() -> None:
    """The context's table replaces the library's."""
    own = {"openai:gpt-99": Price(Decimal(1), Decimal(2))}
    assert prices.find_price("openai:gpt-99", plexus.Context(prices=own).prices) == Price(Decimal(1), Decimal(2))
    assert prices.find_price("openai:gpt-4o", own) is None
