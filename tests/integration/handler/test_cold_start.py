"""The imports of a new execution environment, and the objects that it freezes."""

import os
import subprocess
import sys
from pathlib import Path

from handler.settings import REQUIRED

ROOT = Path(__file__).resolve().parents[3]
HEAVY = (
    "langchain",
    "langgraph",
    "sklearn",
    "xgboost",
    "pandas",
    "numpy",
    "matplotlib",
    "pydantic",
    "jinja2",
    "ruamel",
)


def test_importing_the_handler_imports_no_heavy_library() -> None:
    """A cold start imports boto3 and this project only; score classes import their libraries on first use."""
    program = f"import sys, handler.app; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_collection_visits_what_the_start_imported() -> None:
    """After the start, a full collection, which stops the invocation, visits few objects: all modules are frozen."""
    program = (
        "import gc; from handler import app; app.create_runtime()\n"
        "print(len(gc.get_objects()) * 20 < gc.get_freeze_count(), len(gc.get_objects()), gc.get_freeze_count())"
    )
    required = dict.fromkeys((*REQUIRED, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "x")
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, **required},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.stdout.startswith("True"), done.stdout + done.stderr
