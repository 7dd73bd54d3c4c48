"""Python's collector in LocalStack's process: a full collection must not stop all calls for a second."""

import gc


def install() -> None:
    """Exempt what survives a full collection from all later ones."""
    gc.callbacks.append(_freeze)


def _freeze(phase: str, details: dict[str, int]) -> None:
    """Freeze all objects after a full collection.

    Services and records are a million objects soon. They die by their reference counts, and an instance lives for
    hours, so that cycles among them may stay.
    """
    if phase == "stop" and details["generation"] == 2:
        gc.freeze()
