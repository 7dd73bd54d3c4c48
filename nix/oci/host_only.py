"""The files of the project's own folders that stay out of the image: the library's commands, and their own modules.

They need packages that the image does not have (click, for one), and neither the handler nor a scorecard imports them.
tests/unit/test_host_only.py follows the imports: a module is in the image if and only if it is reached.
"""

# Paths as git lists them; a folder ends in a slash.
HOST_ONLY = (
    "plexus/__main__.py",
    "plexus/commands/",
    "plexus/comparison/",
    "plexus/dataset/",
    "plexus/evaluation/",
    "plexus/playground/",
    "plexus/duplicates.py",
    "plexus/pages.py",
    # `lint`, `models`, `schema`
    "plexus/lint/",
    "plexus/model_sources.py",
    "plexus/model_limits.toml",
    "plexus/models.py",
    "plexus/schema.py",
    # `train`, `test`: models are trained on a host, and reach a function as artifacts
    "plexus/tables/",
    "plexus/learning/objectives.py",
    "plexus/learning/train_explainable.py",
    "plexus/learning/train_svm.py",
    "plexus/learning/training.py",
    "plexus/learning/training_process.py",
    "plexus/card_files.py",
    "plexus/importing/",
    "plexus/publishing.py",
    "plexus/yaml_edit.py",
    # `run` over a file of texts
    "plexus/running/",
)


def is_host_only(path: str) -> bool:
    """Return whether a path, as git lists it, stays out of the image."""
    return path.startswith(HOST_ONLY)
