"""The commands of docs/tutorial.md with what they printed; `python -m tests.tutorial` prints them anew into the page.

A block ```console holds commands, each after `$ `, and under it what it printed; a block ```yaml whose first line is
`# build/NAME` is saved as that file. A line … stands for lines left out.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "tutorial.md"
_BLOCK = re.compile(r"^```(?P<kind>\w+)\n(?P<body>.*?)^```$", re.M | re.S)
_TIME = re.compile(r"(a text takes).*|\d{4}-\d\d-\d\dT[\d:.]+Z|\b[0-9a-f]{12}\b")
LEFT_OUT = "…"


@dataclass(frozen=True)
class Step:
    """A file to save (`name`, `text`), or a command (`name`) with the lines that it printed (`text`)."""

    kind: str
    name: str
    text: str

    @property
    def on_stage(self) -> bool:
        """Whether it needs the local AWS."""
        return self.kind == "command" and self.name.startswith("make ")


def steps(page: str) -> list[Step]:
    """Return the page's steps in order."""
    found: list[Step] = []
    for block in _BLOCK.finditer(page):
        body = block["body"]
        if block["kind"] == "yaml" and body.startswith("# build/"):
            found.append(Step("file", body.partition("\n")[0].removeprefix("# "), body))
        elif block["kind"] == "console":
            for part in re.split(r"^\$ ", body, flags=re.M)[1:]:
                command, _, printed = part.partition("\n")
                found.append(Step("command", command, printed))
    return found


def same(told: str, printed: str) -> bool:
    """Whether a page tells what was printed: the same lines but for times, where … leaves some out."""
    parts = [part.strip("\n") for part in re.split(rf"^{LEFT_OUT}$", masked(told), flags=re.M)]
    pattern = r"(?:.*\n)*?".join(re.escape(part) + (r"\n" if part else "") for part in parts)
    return re.fullmatch(pattern + r"\n?", masked(printed).strip("\n") + "\n") is not None


def masked(text: str) -> str:
    """The text without what differs from run to run, and without spaces at the ends of lines."""
    return "\n".join(line.rstrip() for line in _TIME.sub(lambda found: (found[1] or "") + "…t", text).splitlines())


def environment() -> dict[str, str]:
    """Where a command of the page runs: `python` is this one, and `plexus` is found from any folder."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {
        **os.environ,
        "PATH": path,
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "120",
        "NO_COLOR": "1",
        "PYTHONUNBUFFERED": "1",
    }


def prepared(folder: Path) -> Path:
    """A folder that looks like the project to the page's commands, with a build folder of its own."""
    (folder / "build").mkdir(parents=True, exist_ok=True)
    (folder / "examples").symlink_to(ROOT / "examples")
    return folder


def perform(step: Step, folder: Path) -> str:
    """Save the file, or run the command there, and return what it printed on both streams."""
    if step.kind == "file":
        (folder / step.name).write_text(step.text, encoding="utf-8")
        return step.text
    done = subprocess.run(
        ["bash", "-c", step.name],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    return done.stdout


def python_of(command: str) -> list[str]:
    """The words after `python -m` of a make command, as make itself expands it."""
    words = ["make", "--no-print-directory", "-n", *shlex.split(command)[1:]]
    shown = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    line = next(line for line in shown.splitlines() if " -m scripts." in line)
    return shlex.split(line.partition(" -m ")[2])


def main() -> None:
    """Run the page's steps that need no local AWS, and put what they print now where the page says otherwise."""
    import tempfile

    page, position = PAGE.read_text(encoding="utf-8"), 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = prepared(Path(temporary))
        for step in steps(page):
            printed = "" if step.on_stage else perform(step, folder)
            if step.kind == "command" and not step.on_stage:
                position = page.index(f"$ {step.name}\n{step.text}", position) + len(f"$ {step.name}\n")
                if not same(step.text, printed):
                    page = page[:position] + printed + page[position + len(step.text) :]
                    print(f"renewed: {step.name}")
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
