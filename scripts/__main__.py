"""The command `score-processor`; `python -m scripts` is the same."""

from __future__ import annotations

import gc


def main() -> None:
    """Run the verb that the command line names, and end the process with its exit code."""
    gc.set_threshold(100_000)  # what imports allocate lives until the end; collecting took an eighth of a push
    from .command.root import root

    root.main(prog_name="score-processor")


if __name__ == "__main__":
    main()
