"""Digests of what two models compute of texts, unrounded; `python -m tests.integration.plexus.scores FOLDER`."""

import hashlib
import sys
from pathlib import Path
from typing import Any

from plexus.learning.explainable import ExplainableModel
from plexus.learning.svm import SVMModel
from tests.integration.plexus import digests


def digest(array: Any) -> str:
    """Return the digest of an array's bytes."""
    return hashlib.sha256(array.tobytes()).hexdigest()


def main(folder: Path) -> None:
    """Print the digests of features, distances and log-odds."""
    texts, _ = digests.data()
    texts += ["very " * repeats + "good, not bad" for repeats in (1, 2, 3, 50, 2000)]
    svm, boosted = SVMModel.load(folder / digests.CLASSES[0]), ExplainableModel.load(folder / digests.CLASSES[1])
    print(digest(svm.features.transform(texts).data), digest(svm.compute_distances(texts)))
    matrix = boosted.features.transform(texts)
    print(digest(matrix.data), digest(boosted.booster.predict(matrix)[1]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
