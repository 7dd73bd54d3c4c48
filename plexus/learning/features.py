"""Texts → sparse numbers: TF-IDF over words and over characters, side by side."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from plexus.exceptions import InvalidData
from plexus.learning import files
from plexus.learning.words import TOKENS, negated, shown


@dataclass(frozen=True)
class Block:
    """One vectorizer: `analyzer` is word or char_wb, `ngrams` the shortest and longest, `minimum` texts with a term.

    With `negations` a word that is negated is another term than the word.
    """

    analyzer: str
    ngrams: tuple[int, int]
    minimum: int = 1
    maximum_features: int | None = None
    negations: bool = False


class Features:
    """Fitted blocks; `transform` gives a CSR matrix of shape (texts, terms), float32."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = tuple(blocks)
        self.vectorizers: list[Any] = []

    def fit_transform(self, texts: Sequence[str]) -> Any:
        """Learns the vocabularies. Raises InvalidData where a block finds no term to learn."""
        self.vectorizers = [_vectorizer(block) for block in self.blocks]
        try:
            return _joined([each.fit_transform(texts) for each in self.vectorizers])
        except ValueError as error:  # scikit-learn has no narrower one for an empty vocabulary
            raise InvalidData(f"these {len(texts)} texts have too few words in common to learn from") from error

    def transform(self, texts: Sequence[str]) -> Any:
        """The texts in the learnt vocabularies."""
        return _joined([each.transform(texts) for each in self.vectorizers])

    def weigh(self, strengths: Any) -> None:
        """From now on each term weighs so many times more, (terms,); a text's row keeps its length of 1 per block."""
        end = 0
        for vectorizer in self.vectorizers:
            start, end = end, end + len(vectorizer.idf_)
            vectorizer.idf_ = vectorizer.idf_ * strengths[start:end]

    @property
    def terms(self) -> list[str]:
        """A name for each column; character n-grams stand in ‹›."""
        names: list[str] = []
        for block, vectorizer in zip(self.blocks, self.vectorizers, strict=True):
            own = vectorizer.get_feature_names_out()
            names += [f"‹{term}›" for term in own] if block.analyzer == "char_wb" else map(shown, own)
        return names

    def save(self, folder: Path) -> dict[str, Any]:
        """Writes vocabularies and weights; gives what the model file says about them."""
        for index, vectorizer in enumerate(self.vectorizers):
            files.write_json(folder / f"terms-{index}.json", [str(term) for term in vectorizer.get_feature_names_out()])
            files.write_array(folder / f"idf-{index}.npy", vectorizer.idf_)
        return {"blocks": [asdict(block) for block in self.blocks]}

    @classmethod
    def load(cls, folder: Path, content: dict[str, Any]) -> Features:
        """The features that `save` wrote."""
        made = cls([Block(**{**each, "ngrams": tuple(each["ngrams"])}) for each in content["blocks"]])
        for index, block in enumerate(made.blocks):
            terms = files.read_json(folder / f"terms-{index}.json")
            vectorizer = _vectorizer(block, {term: place for place, term in enumerate(terms)})
            vectorizer.idf_ = files.read_array(folder / f"idf-{index}.npy")
            made.vectorizers.append(vectorizer)
        return made


def _vectorizer(block: Block, vocabulary: dict[str, int] | None = None) -> Any:
    import numpy
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(
        analyzer=block.analyzer,
        ngram_range=block.ngrams,
        min_df=block.minimum if vocabulary is None else 1,
        max_features=block.maximum_features if vocabulary is None else None,
        sublinear_tf=True,
        strip_accents=_spelling(block),
        token_pattern=TOKENS if block.analyzer == "word" else None,
        vocabulary=vocabulary,
        dtype=numpy.float32,
    )


def _spelling(block: Block) -> Callable[[str], str]:
    """How a text in lower case is spelt for the block's terms."""
    if block.analyzer != "word":
        return _composed
    return _negated if block.negations else _plain


def _negated(text: str) -> str:
    return negated(_plain(text))


def _composed(text: str) -> str:
    """Accents as parts of their letters, and one apostrophe, however the text spells them."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", text).replace("’", "'")


def _plain(text: str) -> str:
    """Letters without their accents."""
    if text.isascii():
        return text
    from sklearn.feature_extraction.text import strip_accents_unicode

    found: str = strip_accents_unicode(text).replace("’", "'")
    return found


def _joined(parts: list[Any]) -> Any:
    if len(parts) == 1:
        return parts[0]
    from scipy.sparse import hstack

    return hstack(parts, format="csr")
