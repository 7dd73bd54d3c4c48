"""Prices of language models: a small dated table, which a caller can replace."""

from datetime import date, timedelta
from decimal import Decimal

import plexus
from plexus.graph import prices
from plexus.graph.prices import Price
from plexus.values import Usage


def test_the_table_was_looked_up_within_eighteen_months() -> None:
    """An old price is worse than none: look the providers' lists up again and renew `as_of` in prices.toml."""
    as_of, _ = prices.read()
    assert date.today() - as_of < timedelta(days=548)


def test_a_cost_is_exact() -> None:
    """Prices are decimal: a million tokens in and half a million out of gpt-4o-mini cost 45 cents."""
    price = prices.find("openai:gpt-4o-mini-2024-07-18")
    assert price == Price(Decimal("0.15"), Decimal("0.60"))
    assert price.of(Usage(1, 1_000_000, 500_000)) == Decimal("0.45")


def test_the_longest_name_counts() -> None:
    """gpt-4o-mini is not priced as gpt-4o."""
    assert prices.find("openai:gpt-4o") != prices.find("openai:gpt-4o-mini")


def test_an_unknown_model_has_no_price() -> None:
    """Its cost is unknown, not zero."""
    assert prices.find("openai:gpt-99") is None


def test_a_caller_can_bring_prices() -> None:
    """The context's table replaces the project's."""
    own = {"openai:gpt-99": Price(Decimal(1), Decimal(2))}
    assert prices.find("openai:gpt-99", plexus.Context(prices=own).prices) == Price(Decimal(1), Decimal(2))
    assert prices.find("openai:gpt-4o", own) is None
