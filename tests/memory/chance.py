"""Weighted random choices."""

from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


def choose_weighted(*choices: tuple[int, st.SearchStrategy[T]]) -> st.SearchStrategy[T]:
    """Return one of the strategies, each with its weight."""

    def itself(chosen: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
        return chosen

    return st.sampled_from([strategy for times, strategy in choices for _ in range(times)]).flatmap(itself)
