"""The command `score-processor`; `python -m scripts` is the same."""

from __future__ import annotations

from .command.root import root


def main() -> None:
    """Run the verb that the command line names, and end the process with its exit code."""
    root.main(prog_name="score-processor")


if __name__ == "__main__":
    main()
