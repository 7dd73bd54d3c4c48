"""What can be wrong with a stage, under one root."""


class StageError(Exception):
    """When there is no such stage, or its file cannot be used; the message says what to change."""


class UnknownStage(StageError):
    """When no file of `stages/` has the name that was asked for."""


class InvalidStage(StageError):
    """When a stage file asks for what AWS or this application cannot do; lists every problem at once."""

    def __init__(self, path: str, problems: list[str]) -> None:
        self.path = path
        self.problems = tuple(problems)
        lines = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"{path} has {len(problems)} problem{'s' if len(problems) > 1 else ''}:\n{lines}")
