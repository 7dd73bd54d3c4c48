"""The worker starts with the environment variables of the original."""

import json
import subprocess
import sys
from pathlib import Path

from handler.settings import REQUIRED

ROOT = Path(__file__).resolve().parents[3]


def test_the_worker_notes_the_variables_of_the_original(tmp_path: Path) -> None:
    """A new environment logs what is read under another name and what has no effect, without any value."""
    required = dict.fromkeys((*REQUIRED, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "x")
    theirs = {"AZURE_API_KEY": "a-secret", "PLEXUS_API_URL": "https://api", "LANGGRAPH_TIMEOUT": "300"}
    done = subprocess.run(
        [sys.executable, "-m", "handler"],
        input='{"source": "smoke"}',
        cwd=ROOT,
        env={**required, **theirs, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    first, second, *answer = done.stdout.splitlines()
    assert json.loads(first)["names"] == {"AZURE_API_KEY": "AZURE_OPENAI_API_KEY"}
    assert json.loads(second)["names"] == ["PLEXUS_API_URL", "LANGGRAPH_TIMEOUT"]
    assert json.loads("".join(answer))["statusCode"] == 200
    assert "a-secret" not in done.stdout + done.stderr
