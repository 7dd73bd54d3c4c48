"""The image's configuration: how Lambda starts it, and which layers it is made of."""

from collections.abc import Mapping, Sequence
from typing import Any

from oci.layer import LayerRecord
from oci.places import BUNDLE, PYTHON, TASK

CREATED = "1970-01-01T00:00:01Z"
MEDIA_TYPE = "application/vnd.oci.image.config.v1+json"
TASK_ROOT = "/" + TASK
TITLE = "score-processor"
REVISION = "org.opencontainers.image.revision"

ENVIRONMENT = {
    "LAMBDA_TASK_ROOT": TASK_ROOT,
    "LANG": "C.UTF-8",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "PYTHONDONTWRITEBYTECODE": "1",
    "SSL_CERT_FILE": "/" + BUNDLE,
}
# Absolute and no symbolic link: Lambda refuses both.
ENTRYPOINT = ("/" + PYTHON, "-m", "awslambdaric")
COMMAND = ("handler.app.lambda_handler",)


def labels(revision: str, version: str | None, locks: str | None) -> dict[str, str]:
    """What the image says about its own making, as labels."""
    named = {
        REVISION: revision,
        "org.opencontainers.image.title": TITLE,
        "org.opencontainers.image.version": version,
        "score-processor.locks": locks,
    }
    return {key: value for key, value in named.items() if value is not None}


def environment(image_labels: Mapping[str, str]) -> dict[str, str]:
    """What every process of the image finds. The function cannot read labels: by this it answers which commit it is."""
    revision = image_labels.get(REVISION)
    return ENVIRONMENT | ({"PLEXUS_REVISION": revision} if revision else {})


def config(layers: Sequence[LayerRecord], image_labels: Mapping[str, str]) -> dict[str, Any]:
    """The config document; one history entry per layer, which Lambda wants."""
    return {
        "architecture": "amd64",
        "config": {
            "Cmd": list(COMMAND),
            "Entrypoint": list(ENTRYPOINT),
            "Env": [f"{name}={value}" for name, value in sorted(environment(image_labels).items())],
            "Labels": dict(image_labels),
            "WorkingDir": TASK_ROOT,
        },
        "created": CREATED,
        "history": [{"created": CREATED, "created_by": f"layer {layer.name}"} for layer in layers],
        "os": "linux",
        "rootfs": {"diff_ids": [layer.diff_id for layer in layers], "type": "layers"},
    }
