"""What can go wrong in `infrastructure`, under one root."""


class InfrastructureError(Exception):
    """When the stage's infrastructure cannot be described; the message says what to change."""


class UnknownStage(InfrastructureError):
    """When no file of `stages/` has the name that was asked for."""


class InvalidSettings(InfrastructureError):
    """When a stage file asks for what AWS or this application cannot do; lists every problem at once."""

    def __init__(self, path: str, problems: list[str]) -> None:
        self.path = path
        self.problems = tuple(problems)
        lines = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"{path} has {len(problems)} problem{'s' if len(problems) > 1 else ''}:\n{lines}")
