"""Cases that lie beside the checkout on some machines; tests of them are skipped elsewhere."""

from pathlib import Path

import pytest


def shared_case(name: str, kind: str = "cases") -> Path:
    """Return a file of the folder `shared/cases` beside the checkout or above it; skip the test if there is none."""
    for folder in Path(__file__).resolve().parents:
        if (path := folder / "shared" / kind / name).is_file():
            return path
    pytest.skip(f"shared/{kind}/{name} is not in the repository, and not beside it")
