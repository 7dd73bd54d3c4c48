"""From a scorecard beside its data to one that stands alone: models trained, cassettes packed, digests filled in."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from plexus import yaml_edit
from plexus.artifacts import Artifacts
from plexus.configuration.scores import ExplainableClassifier, RecallAtPrecision, SVMClassifier
from plexus.exceptions import InvalidData
from plexus.learning.objectives import Objective
from plexus.learning.training import Report
from plexus.learning.training_process import TRAINERS, Train, train_in_process
from plexus.scorecard import Score, Scorecard, load
from plexus.tables import Layout, labels, open_table

#: Called with a score's name, the number of training steps that are done, and that of all.
OnStep = Callable[[str, int, int], None]


@dataclass(frozen=True)
class LabelledFile:
    """A file of labelled texts and its two columns, in place of the one that a score's `data` names."""

    file: Path
    text: str
    label: str
    layout: Layout = field(default_factory=dict)


@dataclass(frozen=True)
class PublishedArtifact:
    """An artifact of a score: the key that names it in the scorecard, and its digest.

    `report` is the training's; None for a cassette. `notes` list how the labelled file was read.
    """

    score: str
    key: str
    digest: str
    report: Report | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Published:
    """`text` is the scorecard's YAML with every digest filled in; comments and layout are kept."""

    text: str
    artifacts: tuple[PublishedArtifact, ...]


def publish(
    scorecard: Scorecard,
    store: Artifacts,
    *,
    names: Sequence[str] = (),
    source: LabelledFile | None = None,
    watch: OnStep = lambda *_: None,
    train: Train = train_in_process,
) -> Published:
    """Train the scores that are trained, pack the cassettes that are files, and put the artifacts into the store.

    `names` restricts both to these scores. Publishing the same texts again gives the same digests and stores nothing
    new. By default each model is trained in a process of its own, so that its digest does not depend on the processor.

    Raises InvalidData when a score has no labelled texts, or they cannot be trained on; UnknownScore; and PlexusError
    when the training process ends without a model. Artifacts stored before an error stay in the store.
    """
    scores = [scorecard.find(name) for name in names] or [each for each in scorecard.scores if _is_unpublished(each)]
    text, artifacts = scorecard.document.text, []
    for score in scores:
        if score.configuration.class_name in TRAINERS:
            file = source or _find_source(scorecard, score)
            texts, notes = _read_texts(scorecard, score, file)
            try:
                trained = _train(score, texts, store, train, partial(watch, score.name))
            except InvalidData as error:
                raise InvalidData(f"training {score.name!r}: {file.file.name}: {error}") from None
            artifact = replace(trained, notes=tuple(notes))
        else:
            artifact = _pack(scorecard, score, store)
        artifacts.append(artifact)
        text = yaml_edit.set_key(text, score.index, artifact.key, artifact.digest)
    load(text, name=scorecard.document.name)
    return Published(text, tuple(artifacts))


def _is_unpublished(score: Score) -> bool:
    """Return whether the score has texts to train on, or a cassette that is a file."""
    configuration = score.configuration
    if configuration.class_name in ("SVMClassifier", "ExplainableClassifier"):
        return configuration.artifact is None or configuration.data is not None
    if configuration.class_name == "LangGraphScore":
        return configuration.cassette is not None and not configuration.cassette.startswith("sha256:")
    return False


def _read_texts(scorecard: Scorecard, score: Score, source: LabelledFile) -> tuple[list[tuple[str, str]], list[str]]:
    """Return (text, label) pairs, and notes on how they were read.

    Texts are those after the score's processors: a model must learn from texts as it will see them.
    """
    with open_table(source.file, [source.text, source.label], **source.layout) as table:
        rows = labels.read_labelled(table, source.text, source.label)
        notes = [f"{table.name}: {table.notice}"] if table.notice else []
    score_data = score.configuration.data
    validation = score.configuration.validation
    declared = validation.value.valid_classes or [] if validation is not None and validation.value is not None else []
    # A label such as `unknown` that the score declares is a class, not a missing one.
    meant = {label: label for label in declared if labels.find_missing([label])}
    mapping = score_data.labels if score_data is not None else {}
    result = labels.normalize(rows, (), score.name, {**meant, **mapping}, for_training=True)
    process = scorecard.process(score)
    return [(process(each.item).text or "", each.label) for each in result.texts], [*notes, *result.notes]


def _train(
    score: Score,
    texts: Sequence[tuple[str, str]],
    store: Artifacts,
    train: Train,
    on_step: Callable[[int, int], None],
) -> PublishedArtifact:
    with tempfile.TemporaryDirectory(prefix="plexus-train-") as folder:
        report = train(
            score.configuration.class_name,
            [text for text, _ in texts],
            [label for _, label in texts],
            Path(folder),
            on_step,
            _create_objective(score),
        )
        return PublishedArtifact(score.name, "artifact", store.put(Path(folder)), report)


def _create_objective(score: Score) -> Objective:
    configuration = score.configuration
    assert isinstance(configuration, (SVMClassifier, ExplainableClassifier))
    optimise = configuration.optimise
    if isinstance(optimise, RecallAtPrecision):
        return Objective("recall_at_precision", optimise.of, optimise.recall_at_precision)
    return Objective(optimise)


def _find_source(scorecard: Scorecard, score: Score) -> LabelledFile:
    score_data = score.configuration.data
    if score_data is None or score_data.file is None:
        raise InvalidData(f"the score {score.name!r} names no labelled texts: give --data, or `data: {{file: …}}`")
    path = (scorecard.folder or Path()) / score_data.file
    return LabelledFile(path, score_data.text, score_data.label, score_data.layout)


def _pack(scorecard: Scorecard, score: Score, store: Artifacts) -> PublishedArtifact:
    from plexus.graph.cassette import FILE_NAME, Cassette

    named = getattr(score.configuration, "cassette", None)
    if named is None or named.startswith("sha256:"):
        raise InvalidData(f"the score {score.name!r} has nothing to train and no cassette file to pack")
    path = (scorecard.folder or Path()) / named
    Cassette.read(path)
    with tempfile.TemporaryDirectory(prefix="plexus-pack-") as folder:
        shutil.copyfile(path, Path(folder) / FILE_NAME)
        return PublishedArtifact(score.name, "cassette", store.put(Path(folder)))
