"""The errors of this package."""


class StageError(Exception):
    """Root of the errors: the stage does not exist, or its file is invalid. The message says what to change."""


class UnknownStage(StageError):
    """Raised if `stages/` has no file of that name."""


class InvalidStage(StageError):
    """Raised if a stage file asks for something that AWS or this application cannot do; lists every problem."""

    def __init__(self, path: str, problems: list[str]) -> None:
        self.path = path
        self.problems = tuple(problems)
        lines = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"{path}: {len(problems)} problem{'s' if len(problems) > 1 else ''}:\n{lines}")
