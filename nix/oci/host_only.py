"""What of this project's own folders stays out of the image: the scoring library's commands, and what only they use.

They need packages that the image does not hold (click, matplotlib), and nothing that the handler or a scorecard reaches
imports them. A module goes into the image exactly when it is reached: tests/unit/test_host_only.py reads the imports.
"""

# Paths as git lists them; a folder ends in a slash.
HOST_ONLY = (
    "plexus/__main__.py",
    "plexus/commands/",
    "plexus/evaluation/",
    # `lint`, `schema`
    "plexus/checks/files.py",
    "plexus/checks/rules.py",
    "plexus/lint.py",
    "plexus/reference.py",
    # `train`, `test`: models are trained on a host, and reach a function as artifacts
    "plexus/data.py",
    "plexus/learning/progress.py",
    "plexus/learning/train_explainable.py",
    "plexus/learning/train_svm.py",
    "plexus/learning/training.py",
    "plexus/publishing.py",
    "plexus/yaml_edit.py",
    # `run` over a file of texts
    "plexus/running/",
)


def is_host_only(path: str) -> bool:
    """Whether a path as git lists it stays out of the image."""
    return path.startswith(HOST_ONLY)
