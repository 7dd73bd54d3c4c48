"""Random choices of which some come oftener."""

from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


def weighted(*choices: tuple[int, st.SearchStrategy[T]]) -> st.SearchStrategy[T]:
    """One of the strategies, each as often as its number says."""

    def itself(chosen: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
        return chosen

    return st.sampled_from([strategy for times, strategy in choices for _ in range(times)]).flatmap(itself)
