"""How long the checks take, beside the tools that read the same bytes: one run, best of three, ratios.

python bench/checks.py      (after make build; skopeo and umoci from Debian, left out where absent)
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LAYOUT = ROOT / "build" / "image"
TIMES = 3

Work = Callable[[Path], object]


def best(work: Work) -> float:
    """Return the seconds of the shortest of three runs, each in an empty folder of its own."""
    took = []
    for _ in range(TIMES):
        with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
            began = time.monotonic()
            work(Path(folder))
            took.append(time.monotonic() - began)
    return min(took)


def command(*words: str | Path) -> None:
    """Run a command to its end; raise SystemExit with its output if it fails."""
    done = subprocess.run([str(word) for word in words], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, words))}: {done.stderr or done.stdout}")


def module(name: str, *words: str | Path) -> None:
    """Run a verb of score-processor."""
    command(sys.executable, "-m", "scripts", name, *words)


def first_answer(_: Path) -> None:
    """Start `make run`, wait for the answer to a first event, and stop it."""
    import httpx

    line = [sys.executable, "-m", "scripts", "run", "--port", "0", "--json"]
    with subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
        assert running.stdout is not None
        text = ""
        while not text.rstrip().endswith("}"):
            text += running.stdout.readline()
        httpx.post(json.loads(text)["url"], json={"source": "smoke"}, timeout=60, trust_env=False).raise_for_status()
        running.terminate()


def peers() -> dict[str, Work]:
    """Return the work of other installed tools on the same bytes, by description."""
    works: dict[str, Work] = {}
    if shutil.which("skopeo"):
        works["skopeo copy to a folder (reads and hashes every blob)"] = lambda folder: command(
            "skopeo", "copy", "-q", "--preserve-digests", f"oci:{LAYOUT}", f"dir:{folder / 'copy'}"
        )
    if shutil.which("umoci"):
        works["umoci unpack (reads every entry, writes it)"] = lambda folder: command(
            "umoci", "unpack", "--rootless", "--image", f"{LAYOUT}:latest", folder / "bundle"
        )
    return works


def ours() -> dict[str, Work]:
    """Return this project's commands, by description; the linter comes first."""
    from scripts.images.image_lint import require_lint_passed

    return {
        "lint, every blob to its end": lambda _: module("lint_image"),
        "lint before a push, layers known from their build": lambda _: require_lint_passed(LAYOUT),
        "make run, from the start to the first answer": first_answer,
        "make shell, Python -c pass": lambda _: module("shell", "--", "/usr/bin/python3.11", "-c", "pass"),
        "make cache": lambda _: command(sys.executable, "-m", "nix.cache_command", "show"),
    }


def main() -> None:
    """Print a row for each command, with the ratio of the linter's time to its time."""
    command(sys.executable, "-m", "nix.build")
    rows = {name: best(work) for name, work in {**ours(), **peers()}.items()}
    lint = next(iter(rows.values()))
    print("| what | seconds | lint takes, of it |\n|---|---|---|")
    for name, took in rows.items():
        print(f"| {name} | {took:.2f} | {lint / took:.2f} |")


if __name__ == "__main__":
    main()
