"""Texts → sparse TF-IDF features of words and of characters, side by side."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from plexus.exceptions import InvalidData
from plexus.learning import model_files
from plexus.learning.counting import Words, count_characters, count_words
from plexus.patterns import UNSPACED

_UNSPACED = "".join(f"{first}-{last}" for first, last in UNSPACED)
_LETTERS = rf"[^\W{_UNSPACED}]+"
_WORD = rf"{_LETTERS}(?:['’]{_LETTERS})?"
#: Words with inner apostrophes (`don't`), runs of ! and ?, and pictographs. Scripts without spaces have no visible word
#: boundaries: each character is a token, and pairs of them (n-grams) approximate words.
TOKENS = rf"{_WORD}|[{_UNSPACED}]|[!?]+|[\u2600-\u27bf\U0001f300-\U0001faff]"

_MARK = "not_"
_AUXILIARIES = "ai|are|ca|could|did|do|does|had|has|have|is|might|must|need|should|was|were|wo|would"
_NEGATION = (
    rf"\b(?:not|never|no|nor|neither|none|nothing|nobody|cannot|without|hardly|(?:{_AUXILIARIES})n'?t|n ?'t)(?![\w'])"
)
_NEXT = rf"\s+(?!{_NEGATION})[\w'-]+"
#: A negation and up to four words after it, up to a punctuation mark or another negation.
_NEGATED = re.compile(rf"({_NEGATION})((?:{_NEXT}){{1,4}})")
_WORDS = re.compile(_WORD)


@dataclass(frozen=True)
class Block:
    """One kind of term: `analyzer` is word or char_wb, `ngrams` the shortest and longest, `minimum` texts with a term.

    With `negations` a negated word is another term than the word.
    """

    analyzer: str
    ngrams: tuple[int, int]
    minimum: int = 1
    maximum_features: int | None = None
    negations: bool = False


@dataclass
class FittedBlock:
    """A block, its terms in the columns' order, and the weight of each, (terms,), float32."""

    block: Block
    terms: list[str]
    weights: Any

    @cached_property
    def _columns(self) -> dict[str, int]:
        return {term: column for column, term in enumerate(self.terms)}

    def count(self, texts: Sequence[str]) -> Any:
        """Count the terms in each text: CSR, (texts, terms), float32, the entries of each row by column.

        The counts are those of scikit-learn's CountVectorizer, whose import takes longer than most jobs.
        """
        import numpy
        from scipy.sparse import csr_matrix

        column_of, split = self._columns.get, create_splitter(self.block)
        columns, counts, bounds = list[int](), list[int](), [0]
        for text in texts:
            counted: dict[int | None, int] = Counter(map(column_of, split(text)))
            counted.pop(None, None)
            row = sorted(column for column in counted if column is not None)
            columns += row
            counts += map(counted.__getitem__, row)
            bounds.append(len(columns))
        places = numpy.asarray(columns, dtype=numpy.int32), numpy.asarray(bounds, dtype=numpy.int32)
        return csr_matrix((numpy.asarray(counts, dtype=numpy.float32), *places), shape=(len(texts), len(self.terms)))

    def weigh(self, counts: Any) -> Any:
        """Counts → TF-IDF, in place: (1 + log count) × the term's weight, each row of length 1."""
        counts.data = _dampen(counts.data) * self.weights[counts.indices]
        return normalize_rows(counts)


class Features:
    """Fitted blocks; `transform` gives a CSR matrix of shape (texts, terms), float32, the same on every processor.

    NumPy's float32 logarithm differs between processors in the last bit; the C library's in double precision, rounded
    to float32, does not.
    """

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = tuple(blocks)
        self.fitted: list[FittedBlock] = []

    def fit_transform(self, texts: Sequence[str]) -> Any:
        """Learn the vocabularies and return the texts in them. Raises InvalidData when a block finds no term."""
        counting = Counting(texts)
        return self.fit([counting.count(block) for block in self.blocks])

    def fit(self, counted: Sequence[CountedTexts]) -> Any:
        """Learn the vocabularies of texts that were counted, one value for each block, and return the texts in them."""
        import numpy

        parts, self.fitted = [], []
        for block, counts in zip(self.blocks, counted, strict=True):
            weights = counts.weights(slice(None))
            kept = numpy.flatnonzero(weights)
            terms = [counts.terms[place] for place in kept.tolist()]
            self.fitted.append(FittedBlock(block, terms, weights[kept]))
            parts.append(counts.weigh(weights)[:, kept])
        return stack(parts)

    def transform(self, texts: Sequence[str]) -> Any:
        """Return the texts in the learnt vocabularies."""
        return stack([block.weigh(block.count(texts)) for block in self.fitted])

    def weigh(self, strengths: Any) -> None:
        """Multiply the weight of each term, (terms,); a text's row keeps its length of 1 per block."""
        end = 0
        for block in self.fitted:
            start, end = end, end + len(block.weights)
            block.weights = block.weights * strengths[start:end]

    @property
    def terms(self) -> list[str]:
        """A name for each column; character n-grams are enclosed in ‹›."""
        names: list[str] = []
        for block, fitted in zip(self.blocks, self.fitted, strict=True):
            names += [f"‹{term}›" if block.analyzer == "char_wb" else format_term(term) for term in fitted.terms]
        return names

    def save(self, folder: Path) -> dict[str, Any]:
        """Write vocabularies and weights into a folder; return their description for the model file."""
        for index, fitted in enumerate(self.fitted):
            model_files.write_json(folder / f"terms-{index}.json", fitted.terms)
            model_files.write_array(folder / f"idf-{index}.npy", fitted.weights)
        return {"blocks": [asdict(block) for block in self.blocks]}

    @classmethod
    def load(cls, folder: Path, content: dict[str, Any]) -> Features:
        """Return the features that `save` wrote. Raises InvalidArtifact."""
        features = cls([Block(**{**block, "ngrams": tuple(block["ngrams"])}) for block in content["blocks"]])
        for index, block in enumerate(features.blocks):
            terms = model_files.read_json(folder / f"terms-{index}.json")
            features.fitted.append(FittedBlock(block, terms, model_files.read_array(folder / f"idf-{index}.npy")))
        return features


@dataclass(frozen=True)
class CountedTexts:
    """Texts counted in all of a block's terms: `dampened` is 1 + log of each count, CSR, (texts, terms), float32."""

    block: Block
    dampened: Any
    terms: list[str]

    def weights(self, rows: Any) -> Any:
        """Return each term's weight in the texts of `rows`, an index: (terms,), float32; 0 if none of them has it.

        The weight is the inverse document frequency: 1 + log((1 + texts) / (1 + texts with the term)).
        """
        import numpy

        part = self.dampened[rows]
        texts, terms = part.shape
        present = numpy.bincount(part.indices, minlength=terms)
        logarithms = [1 + math.log((1 + texts) / (1 + number)) for number in range(texts + 1)]
        weights = numpy.asarray(logarithms, dtype=numpy.float32)[present]
        weights[present < self.block.minimum] = 0
        limit = self.block.maximum_features
        if limit is not None and limit < terms:
            weights[numpy.argsort(-present, kind="stable")[limit:]] = 0
        return weights

    def weigh(self, weights: Any) -> Any:
        """Return the texts in these weights, (texts, terms), CSR, each row of length 1, without terms of weight 0."""
        result = self.dampened.copy()
        result.data *= weights[result.indices]
        if not weights.all():
            result.eliminate_zeros()
        return normalize_rows(result)


class Counting:
    """Texts that are cut into words once, however many blocks count them."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts, self._lower = texts, [text.lower() for text in texts]
        self._words: dict[bool, Words] = {}

    def count(self, block: Block) -> CountedTexts:
        """Count the block's terms. Raises InvalidData if there are none."""
        if block.analyzer == "word":
            if block.negations not in self._words:
                self._words[block.negations] = Words.matching(TOKENS, map(create_normalizer(block), self._lower))
            counts, terms = count_words(self._words[block.negations], block.ngrams[1])
        else:
            words = Words.between_spaces(map(create_normalizer(block), self._lower))
            counts, terms = count_characters(words, block.ngrams, block.minimum)
        if not terms:
            raise InvalidData(f"these {len(self.texts)} texts have too few words in common to learn from")
        counts.data = _dampen(counts.data)
        return CountedTexts(block, counts, terms)


def create_splitter(block: Block) -> Callable[[str], list[str]]:
    """Return the function that splits a text into the block's terms, in no particular order, with repetitions."""
    normalize, (shortest, longest) = create_normalizer(block), block.ngrams
    sizes = range(shortest, longest + 1)
    find = re.compile(TOKENS).findall

    def words(text: str) -> list[str]:
        tokens = find(normalize(text.lower()))
        terms = tokens[:] if shortest == 1 else []
        for size in range(max(2, shortest), longest + 1):
            terms += map(" ".join, zip(*(tokens[first:] for first in range(size)), strict=False))
        return terms

    def characters(text: str) -> list[str]:
        padded = [f" {word} " for word in normalize(text.lower()).split()]
        # A word that is no longer than an n-gram is one term, whatever the sizes.
        return [
            word[at : at + size]
            for word in padded
            for size in sizes
            if size == shortest or size <= len(word)
            for at in range(max(1, len(word) - size + 1))
        ]

    return words if block.analyzer == "word" else characters


def normalize_rows(matrix: Any) -> Any:
    """Scale each row of a CSR matrix to length 1, in place, and return the matrix; rows of zeros stay.

    Squares have the matrix's precision and are added in float64, in order, as scikit-learn's `normalize` does: the
    last bit of a score depends on it.
    """
    import numpy

    rows = numpy.repeat(numpy.arange(matrix.shape[0]), numpy.diff(matrix.indptr))
    lengths = numpy.sqrt(numpy.bincount(rows, matrix.data * matrix.data, matrix.shape[0]))
    lengths[lengths == 0] = 1
    matrix.data /= lengths[rows]
    return matrix


def _dampen(counts: Any) -> Any:
    """Return 1 + log of each count, float32."""
    import numpy

    whole = counts.astype(numpy.int64)
    table = _compute_logarithms()
    damped = table[numpy.minimum(whole, len(table) - 1)]
    for place in numpy.flatnonzero(whole >= len(table)):
        damped[place] = 1 + math.log(whole[place])
    return damped


@cache
def _compute_logarithms() -> Any:
    """Return 1 + log of the counts that a text is likely to have; a look-up is faster than the logarithm."""
    import numpy

    return numpy.asarray([0.0, *(1 + math.log(count) for count in range(1, 1024))], dtype=numpy.float32)


def create_normalizer(block: Block) -> Callable[[str], str]:
    """Return the function that normalizes a lower-case text for the block's terms."""
    if block.analyzer != "word":
        return _compose
    return _strip_and_mark if block.negations else _strip_accents


def _strip_and_mark(text: str) -> str:
    return mark_negations(_strip_accents(text))


def _compose(text: str) -> str:
    """Compose accents with their letters, and replace typographic apostrophes."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", text).replace("’", "'")


def _strip_accents(text: str) -> str:
    """Remove accents, and replace typographic apostrophes."""
    if text.isascii():
        return text
    letters = (letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return "".join(letters).replace("’", "'")


def stack(parts: Sequence[Any]) -> Any:
    """Put matrices of the same texts side by side, as CSR."""
    if len(parts) == 1:
        return parts[0]
    from scipy.sparse import hstack

    return hstack(parts, format="csr")


def mark_negations(text: str) -> str:
    """Mark the words after a negation: `not very good.` → `not not_very not_good.`

    Expects lower case and plain apostrophes.
    """
    return _NEGATED.sub(_mark, text)


def _mark(match: re.Match[str]) -> str:
    return match[1] + _WORDS.sub(rf"{_MARK}\g<0>", match[2])


def format_term(term: str) -> str:
    """Return a term without marks, for explanations: `not_good` → `not … good`, `don't not_like` → `don't like`."""
    plain = " ".join(word.removeprefix(_MARK) for word in term.split(" "))
    return f"not … {plain}" if term.startswith(_MARK) else plain
