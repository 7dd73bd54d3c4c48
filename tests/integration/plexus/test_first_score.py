"""The imports of a new process's first score."""

import subprocess
import sys
from pathlib import Path

from plexus.learning.train_svm import train
from tests.unit.plexus.test_explainable import BAD, GOOD, train_model

FIRST_SCORE = """
import sys
from pathlib import Path
from plexus.learning.explainable import ExplainableModel
from plexus.learning.svm import SVMModel
folder = Path(sys.argv[1])
ExplainableModel.load(folder / "boosted").predict(["great, thanks"], 3)
SVMModel.load(folder / "svm").predict(["great, thanks"])
print(sorted({"sklearn", "xgboost", "joblib", "pandas"} & sys.modules.keys()))
"""


def test_a_first_score_imports_neither_library_of_the_training(tmp_path: Path) -> None:
    """A trained score needs NumPy and SciPy's sparse matrices only."""
    for name in ("boosted", "svm"):
        (tmp_path / name).mkdir()
    train_model().save(tmp_path / "boosted")
    texts = [*GOOD, *BAD]
    train(texts, ["Good"] * len(GOOD) + ["Bad"] * len(BAD))[0].save(tmp_path / "svm")
    words = [sys.executable, "-c", FIRST_SCORE, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr
