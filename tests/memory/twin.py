"""Records the answers of the model and of the local AWS in a comparable form."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

View = Callable[[dict[str, Any], dict[str, Any]], object]
"""The part of an answer that must be equal."""


class Long(str):
    """A long text with a short representation."""

    def __repr__(self) -> str:
        return f"{self[0]!r} * {len(self)}"


class Recorded:
    """A client that records the answer to each of its calls."""

    def __init__(self, client: Any, view: View) -> None:
        self._client, self._view = client, view
        self.answers: list[tuple[str, object]] = []

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        call = getattr(self._client, operation)

        def record(**request: Any) -> dict[str, Any]:
            try:
                answer: dict[str, Any] = call(**request)
            except ClientError as error:
                self.answers.append((operation, self._view(request, refusal(error))))
                raise
            self.answers.append((operation, self._view(request, answer)))
            return answer

        return record

    def take(self) -> list[tuple[str, object]]:
        """Return the answers since the last call of `take`."""
        taken, self.answers = self.answers, []
        return taken


def refusal(error: ClientError) -> dict[str, Any]:
    """Return an error's code and its members other than the message."""
    response: dict[str, Any] = {**error.response}
    comparable: dict[str, Any] = {"Code": response["Error"]["Code"]}
    if "Item" in response:
        comparable["Item"] = response["Item"]
    if "CancellationReasons" in response:
        reasons = response["CancellationReasons"]
        comparable["CancellationReasons"] = [{key: each[key] for key in each if key != "Message"} for each in reasons]
    return comparable
