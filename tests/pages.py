"""Run the commands of documentation pages; `python -m tests.pages [PAGE…]` writes what they print into the pages.

A block ```console holds commands, each after `$ `, followed by its output. A block ```yaml or ```python whose first
line is `# build/NAME` is saved as that file; any other ```python block is run, and the ```text block after it is its
output. A line … stands for omitted lines.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TUTORIALS = ROOT / "docs" / "tutorials"
PAGE = TUTORIALS / "tutorial.md"
# The pages whose commands need no local AWS.
OFFLINE = (
    "tutorial",
    "raw-file",
    "quickstart-library",
    "quickstart-scorecard",
    "quickstart-lint-image",
    "lint-an-image",
    "compare-results",
)
_BLOCK = re.compile(r"^```(?P<kind>\w+)\n(?P<body>.*?)^```$", re.M | re.S)
_TIME = re.compile(r"(time per text).*|\d{4}-\d\d-\d\dT[\d:.]+Z|\b[0-9a-f]{12}\b")
LEFT_OUT = "…"


@dataclass(frozen=True)
class Step:
    """A file to save (`name`, `text`), or a command or a program (`name`) with its output (`text`)."""

    kind: str
    name: str
    text: str

    @property
    def on_stage(self) -> bool:
        """Whether it needs the local AWS."""
        return self.kind == "command" and self.name.startswith("make ")


def path_of(name: str) -> Path:
    """Return the file of a page: a tutorial, or a how-to guide."""
    tutorial = TUTORIALS / f"{name}.md"
    return tutorial if tutorial.exists() else ROOT / "docs" / "how-to" / f"{name}.md"


def steps(page: str) -> list[Step]:
    """Return the page's steps in order."""
    results: list[Step] = []
    for block in _BLOCK.finditer(page):
        body = block["body"]
        if block["kind"] in ("yaml", "python") and body.startswith("# build/"):
            results.append(Step("file", body.partition("\n")[0].removeprefix("# "), body))
        elif block["kind"] == "python":
            results.append(
                Step("program", body, page[block.end() :].lstrip().removeprefix("```text\n").partition("```")[0])
            )
        elif block["kind"] == "console":
            for part in re.split(r"^\$ ", body, flags=re.M)[1:]:
                command, _, printed = part.partition("\n")
                results.append(Step("command", command, printed))
    return results


def same(output: str, printed: str) -> bool:
    """Return whether a page shows what was printed: the same lines except for times, where … omits some."""
    parts = [part.strip("\n") for part in re.split(rf"^{LEFT_OUT}$", mask(output), flags=re.M)]
    pattern = r"(?:.*\n)*?".join(re.escape(part) + (r"\n" if part else "") for part in parts)
    return re.fullmatch(pattern + r"\n?", mask(printed).strip("\n") + "\n") is not None


def mask(text: str) -> str:
    """Return the text without what differs from run to run, and without spaces at the ends of lines."""
    return "\n".join(line.rstrip() for line in _TIME.sub(lambda found: (found[1] or "") + "…t", text).splitlines())


def environment() -> dict[str, str]:
    """Return where a command of the page runs: `python` is this one, and `plexus` is found from any folder."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {
        **os.environ,
        "PATH": path,
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "120",
        "NO_COLOR": "1",
        "PYTHONUNBUFFERED": "1",
    }


def prepare_folder(folder: Path, page: str = "tutorial") -> Path:
    """Return a folder that looks like the project to the page's commands, with a build folder of its own."""
    (folder / "build").mkdir(parents=True, exist_ok=True)
    (folder / "examples").symlink_to(ROOT / "examples")
    if page == "quickstart-lint-image":  # stands for what `docker save` writes
        tutorial = steps((TUTORIALS / "lint-an-image.md").read_text(encoding="utf-8"))
        for step in tutorial[:2]:
            perform(step, folder)
    return folder


def perform(step: Step, folder: Path) -> str:
    """Save the file, or run the command there, and return what it printed on both streams."""
    if step.kind == "file":
        (folder / step.name).write_text(step.text, encoding="utf-8")
        return step.text
    words = ["bash", "-c", step.name] if step.kind == "command" else [sys.executable, "-c", step.name]
    done = subprocess.run(
        words,
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1200,
    )
    return done.stdout


def python_of(command: str) -> list[str]:
    """Return the words after `score-processor` of a make command, as make itself expands it."""
    words = ["make", "--no-print-directory", "-n", *shlex.split(command)[1:]]
    output = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    line = next(line for line in output.splitlines() if " -m scripts " in line)
    return shlex.split(line.partition(" -m scripts ")[2])


def renew(path: Path) -> None:
    """Run the steps of a page that need no local AWS, and replace outputs that no longer match."""
    page, position = path.read_text(encoding="utf-8"), 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = prepare_folder(Path(temporary), path.stem)
        for step in steps(page):
            if step.kind != "command" or step.on_stage:
                perform(step, folder) if step.kind == "file" else None
                continue
            printed = perform(step, folder)
            position = page.index(f"$ {step.name}\n{step.text}", position) + len(f"$ {step.name}\n")
            if not same(step.text, printed):
                page = page[:position] + printed + page[position + len(step.text) :]
                print(f"renewed: {path.name}: {step.name}")
    path.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:] or OFFLINE:
        renew(path_of(name))
