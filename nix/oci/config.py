"""The image's config: how Lambda starts it, and its layers."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .digest import encoded, sha256
from .layer import LayerRecord
from .paths import BUNDLE, PYTHON, TASK

CREATED = "1970-01-01T00:00:01Z"
TASK_ROOT = "/" + TASK
TITLE = "score-processor"
REVISION = "org.opencontainers.image.revision"
UNCOMMITTED = "uncommitted-"

ENVIRONMENT = {
    "LAMBDA_TASK_ROOT": TASK_ROOT,
    "LANG": "C.UTF-8",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "PYTHONDONTWRITEBYTECODE": "1",  # every module has its bytecode, in a file system that is read-only
    "SSL_CERT_FILE": "/" + BUNDLE,
}
# An absolute path without symbolic links, as Lambda requires.
ENTRYPOINT = ("/" + PYTHON, "-m", "awslambdaric")
COMMAND = ("handler.app.lambda_handler",)


def encode(value: object) -> bytes:
    """Encode canonical JSON (keys sorted, no spaces, UTF-8): equal values give equal bytes, whatever their order."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def create_labels(revision: str | None, version: str | None, locks: str | None) -> dict[str, str]:
    """Return the labels that name the image's source; None values are omitted.

    `revision` is a commit, `version` the project's, and `locks` the digest of all lock files.
    """
    named = {
        REVISION: revision,
        "org.opencontainers.image.title": TITLE,
        "org.opencontainers.image.version": version,
        "score-processor.locks": locks,
    }
    return {key: value for key, value in named.items() if value is not None}


def with_revision(layers: Sequence[LayerRecord], image_labels: Mapping[str, str]) -> dict[str, str]:
    """Return the labels with a revision for an image without a commit: `uncommitted-` and 16 digits of its hash.

    Every builder gives the same content the same name, with or without git.
    """
    content = sha256(encode(create_config(layers, image_labels)))
    return {REVISION: UNCOMMITTED + encoded(content)[:16]} | dict(image_labels)


def create_environment(image_labels: Mapping[str, str]) -> dict[str, str]:
    """Return the image's variables. PLEXUS_REVISION repeats the label, because a function cannot read labels."""
    revision = image_labels.get(REVISION)
    return ENVIRONMENT | ({"PLEXUS_REVISION": revision} if revision else {})


def create_config(layers: Sequence[LayerRecord], image_labels: Mapping[str, str]) -> dict[str, Any]:
    """Return the config document of an image with these layers, lowest first.

    All but the layers and the labels is constant, the time of creation included: equal inputs give one digest on every
    machine and day. Lambda requires one history entry per layer.
    """
    return {
        "architecture": "amd64",
        "config": {
            "Cmd": list(COMMAND),
            "Entrypoint": list(ENTRYPOINT),
            "Env": [f"{name}={value}" for name, value in sorted(create_environment(image_labels).items())],
            "Labels": dict(image_labels),
            "WorkingDir": TASK_ROOT,
        },
        "created": CREATED,
        "history": [{"created": CREATED, "created_by": f"layer {layer.name}"} for layer in layers],
        "os": "linux",
        "rootfs": {"diff_ids": [layer.diff_id for layer in layers], "type": "layers"},
    }
