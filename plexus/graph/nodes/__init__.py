"""How each class of node works: a factory takes the node's configuration and gives a function of the state."""

from __future__ import annotations

import importlib
from typing import Any

from plexus.graph.state import Work

FACTORIES = {
    "Classifier": "classify:classifier",
    "MultiClassClassifier": "classify:classifier",
    "YesOrNoClassifier": "classify:classifier",
    "NumericClassifier": "numeric:numeric",
    "Extractor": "extract:extractor",
    "Generator": "generate:generator",
    "LogicalClassifier": "logical:classifier",
    "LogicalNode": "logical:setter",
    "FuzzyMatchClassifier": "fuzzy:classifier",
    "FuzzyMatchExtractor": "fuzzy:extractor",
    "BeforeAfterSlicer": "slices:slicer",
    "ContextExtractor": "slices:around",
}


def work(node: Any, make_asker: Any) -> Work:
    """The node's work; `make_asker` is called for nodes that ask a model only."""
    module, name = FACTORIES[node.class_name].split(":")
    factory = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    made: Work = factory(node, make_asker(node)) if hasattr(node, "user_message") else factory(node)
    return made
