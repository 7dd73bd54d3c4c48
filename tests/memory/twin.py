"""The same calls to the model and to the local AWS: what each answered, in a form that can be compared."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

View = Callable[[dict[str, Any], dict[str, Any]], object]
"""What has to be equal of the answer to a request."""


class Long(str):
    """A text whose picture is short."""

    def __repr__(self) -> str:
        return f"{self[0]!r} * {len(self)}"


class Recorded:
    """A client that keeps what each of its calls was answered."""

    def __init__(self, client: Any, view: View) -> None:
        self._client, self._view = client, view
        self.answers: list[tuple[str, object]] = []

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        call = getattr(self._client, operation)

        def recorded(**request: Any) -> dict[str, Any]:
            try:
                answer: dict[str, Any] = call(**request)
            except ClientError as error:
                self.answers.append((operation, self._view(request, refusal(error))))
                raise
            self.answers.append((operation, self._view(request, answer)))
            return answer

        return recorded

    def take(self) -> list[tuple[str, object]]:
        """The answers since the last take."""
        taken, self.answers = self.answers, []
        return taken


def refusal(error: ClientError) -> dict[str, Any]:
    """An error's code, and what it tells beside its message."""
    response = error.response
    told: dict[str, Any] = {"Code": response["Error"]["Code"]}
    if "Item" in response:
        told["Item"] = response["Item"]
    if "CancellationReasons" in response:
        reasons = response["CancellationReasons"]
        told["CancellationReasons"] = [{key: each[key] for key in each if key != "Message"} for each in reasons]
    return told
