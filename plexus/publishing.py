"""From a scorecard beside its data to one that stands alone: models trained, cassettes packed, digests filled in."""

from __future__ import annotations

import importlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from plexus import data, yaml_edit
from plexus.artifacts import Artifacts
from plexus.exceptions import InvalidData
from plexus.learning import progress
from plexus.scorecard import Score, Scorecard, load

Watch = Callable[[str, int, int], None]
TRAINERS = {"SVMClassifier": "plexus.learning.train_svm", "ExplainableClassifier": "plexus.learning.train_explainable"}


@dataclass(frozen=True)
class Source:
    """Labelled texts that replace those a score names itself."""

    file: Path
    text: str
    label: str


@dataclass(frozen=True)
class Made:
    """One artifact that was made: for which score, from what, and how a trained model did (None for a cassette)."""

    score: str
    key: str
    digest: str
    report: Any | None = None


@dataclass(frozen=True)
class Published:
    """`text` is the scorecard's YAML with every digest filled in; comments and layout stay."""

    text: str
    made: tuple[Made, ...]


def publish(
    scorecard: Scorecard,
    store: Artifacts,
    *,
    names: Sequence[str] = (),
    source: Source | None = None,
    watch: Watch = lambda *_: None,
) -> Published:
    """Trains every trained score and packs every cassette that is a file (or only the named scores).

    `watch` is told a score's name, how many steps of its training are done, and of how many.
    Raises InvalidData when a score has no labelled texts, or its texts cannot be trained on.
    """
    chosen = [scorecard.find(name) for name in names] or [each for each in scorecard.scores if _needs(each)]
    text, made = scorecard.document.text, []
    for score in chosen:
        trained = score.configuration.class_name in TRAINERS
        one = _train(scorecard, score, store, source, watch) if trained else _pack(scorecard, score, store)
        made.append(one)
        text = yaml_edit.with_value(text, score.index, one.key, one.digest)
    load(text, name=scorecard.document.name)
    return Published(text, tuple(made))


def _needs(score: Score) -> bool:
    configuration = score.configuration
    if configuration.class_name in TRAINERS:
        return configuration.artifact is None or configuration.data is not None
    cassette = getattr(configuration, "cassette", None)
    return cassette is not None and not cassette.startswith("sha256:")


def _train(scorecard: Scorecard, score: Score, store: Artifacts, source: Source | None, watch: Watch) -> Made:
    source = source or _own_source(scorecard, score)
    texts, labels = data.labelled(source.file, source.text, source.label)
    processed = [_processed(scorecard, score, text) for text in texts]
    trainer = importlib.import_module(TRAINERS[score.configuration.class_name])
    with progress.watched(partial(watch, score.name)):
        model, report = trainer.train(processed, labels)
    with tempfile.TemporaryDirectory(prefix="plexus-train-") as folder:
        model.save(Path(folder))
        return Made(score.name, "artifact", store.put(Path(folder)), report)


def _processed(scorecard: Scorecard, score: Score, text: str) -> str:
    """As the score will see it: trained on other texts than it scores, a model would be worth little."""
    from plexus.values import Item

    return scorecard.process(score)(Item(text)).text or ""


def _own_source(scorecard: Scorecard, score: Score) -> Source:
    own = score.configuration.data
    if own is None or own.file is None:
        raise InvalidData(f"the score {score.name!r} names no labelled texts: give --data, or `data: {{file: …}}`")
    return Source((scorecard.folder or Path()) / own.file, own.text, own.label)


def _pack(scorecard: Scorecard, score: Score, store: Artifacts) -> Made:
    from plexus.graph.cassette import FILE_NAME, Cassette

    named = getattr(score.configuration, "cassette", None)
    if named is None or named.startswith("sha256:"):
        raise InvalidData(f"the score {score.name!r} has nothing to train and no cassette file to pack")
    path = (scorecard.folder or Path()) / named
    Cassette.read(path)
    with tempfile.TemporaryDirectory(prefix="plexus-pack-") as folder:
        shutil.copyfile(path, Path(folder) / FILE_NAME)
        return Made(score.name, "cassette", store.put(Path(folder)))
