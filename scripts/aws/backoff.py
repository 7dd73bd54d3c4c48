"""Exponential backoff between attempts, and between polls of a resource that changes slowly."""

from __future__ import annotations

from collections.abc import Iterator


def generate_pauses(first_s: float, longest_s: float, *, factor: float = 2.0) -> Iterator[float]:
    """Yield the seconds to wait, endlessly: `first_s`, then `factor` times the last pause, at most `longest_s`."""
    pause_s = first_s
    while True:
        yield pause_s
        pause_s = min(longest_s, pause_s * factor)
