"""The program in docs/reference/local-aws.md."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/reference/local-aws.md"


def test_the_program_of_the_page_runs(layout: Path) -> None:
    """Copied from the page into a file it starts the built image, which answers that it is ready."""
    del layout  # the program names it as people do: build/image
    (program,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "ready" in done.stdout
