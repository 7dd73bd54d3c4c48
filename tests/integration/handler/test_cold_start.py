import subprocess
import sys

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
