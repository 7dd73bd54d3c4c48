"""The corpus of broken images: each entry breaks exactly one rule."""

from collections.abc import Callable

from tests.unit.oci.drafts import Draft

Spoil = Callable[[Draft], object]
CORPUS: list[tuple[str, str, Spoil]] = []


def broken(rule: str) -> Callable[[Spoil], Spoil]:
    """Register a way to break `rule`; the function's name says which."""

    def register(spoil: Spoil) -> Spoil:
        CORPUS.append((rule, spoil.__name__, spoil))
        return spoil

    return register
