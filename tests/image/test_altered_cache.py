"""A cache that is altered while it is used."""

from pathlib import Path
from typing import Any

from tests.image.altered_cache import Bench

ROUNDS = 50


def test_an_altered_cache_never_gives_another_digest(image: dict[str, Any], clone: Path, tmp_path: Path) -> None:
    """No build ends with another digest, whichever file of a warm cache is altered at any moment of it.

    The build after it ends with the right digest, and errors are messages.
    """
    bench = Bench.make(clone, tmp_path / "bench")
    wrong = [str(one) for one in bench.rounds(range(ROUNDS)) if not one.is_right]
    assert not wrong, "\n".join(wrong)
