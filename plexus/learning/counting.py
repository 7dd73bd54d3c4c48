"""Count the terms of many texts at once: what scikit-learn's CountVectorizer counts, in a fraction of its time.

Texts are cut into words once. Pairs of words and n-grams of characters are formed as numbers instead of strings, and
n-grams of each distinct word once, since they never cross a word's ends.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

#: No text has this letter: it is beyond Unicode.
_FILLER = 0x110000
Counts = tuple[Any, list[str]]
"""A CSR matrix of counts, (texts, terms), float32, and each column's term; the terms are sorted."""


@dataclass(frozen=True)
class Words:
    """The words of texts: their numbers, (words,), each word's text, (words,), and the spelling of each number."""

    numbers: Any
    rows: Any
    names: list[str]
    texts: int

    @classmethod
    def matching(cls, pattern: str, texts: Iterable[str]) -> Words:
        """Find the words that match a pattern."""
        return cls._of(map(re.compile(pattern).findall, texts))

    @classmethod
    def between_spaces(cls, texts: Iterable[str]) -> Words:
        """Split the texts at white space."""
        return cls._of(text.split() for text in texts)

    @classmethod
    def _of(cls, lists: Iterable[Sequence[str]]) -> Words:
        import numpy

        numbers: defaultdict[str, int] = defaultdict()
        numbers.default_factory = numbers.__len__
        result, sizes = list[int](), list[int]()
        for words in lists:
            result.extend(map(numbers.__getitem__, words))
            sizes.append(len(words))
        rows = numpy.repeat(numpy.arange(len(sizes)), sizes)
        return cls(numpy.asarray(result, dtype=numpy.int64), rows, list(numbers), len(sizes))


def count_words(words: Words, longest: int) -> Counts:
    """Count words, and with `longest` 2 also pairs of neighbours."""
    import numpy

    numbers, rows, names = words.numbers, words.rows, words.names
    if longest == 1 or not len(numbers):
        return _sort_columns(_count_pairs(rows, numbers, words.texts, len(names)), names)
    beside = rows[1:] == rows[:-1]
    pairs, numbered = numpy.unique((numbers[:-1] * len(names) + numbers[1:])[beside], return_inverse=True)
    first, second = (part.tolist() for part in numpy.divmod(pairs, len(names)))
    text = [f"{names[left]} {names[right]}" for left, right in zip(first, second, strict=True)]
    columns = numpy.concatenate([numbers, numbered + len(names)])
    matrix = _count_pairs(numpy.concatenate([rows, rows[1:][beside]]), columns, words.texts, len(names) + len(text))
    return _sort_columns(matrix, names + text)


def count_characters(words: Words, ngrams: tuple[int, int], minimum: int) -> Counts:
    """Count the n-grams of characters inside words, which have a blank on either side.

    A word that is shorter than the shortest n-gram is one itself. Terms of fewer than `minimum` texts are left out.
    """
    import numpy

    matrix = _count_pairs(words.rows, words.numbers, words.texts, len(words.names))
    padded = [f" {name} " for name in words.names]
    rows, columns, begins, sizes = _cut(padded, ngrams)
    text = "".join(name.ljust(ngrams[0]) for name in padded)
    inside = _count_pairs(rows, columns, len(words.names), len(begins))
    # The texts of a term's words are at least the term's texts: rare terms need not be multiplied.
    texts_of_words = numpy.bincount(matrix.indices, minlength=len(words.names))
    at_most = numpy.bincount(inside.indices, numpy.repeat(texts_of_words, numpy.diff(inside.indptr)), len(begins))
    likely = numpy.flatnonzero(at_most >= minimum)
    counts = matrix @ inside[:, likely]
    kept = numpy.flatnonzero(numpy.bincount(counts.indices, minlength=len(likely)) >= minimum)
    terms = [text[begins[place] : begins[place] + sizes[place]] for place in likely[kept].tolist()]
    return _sort_columns(counts[:, kept], terms)


def _cut(padded: Sequence[str], ngrams: tuple[int, int]) -> tuple[Any, Any, Any, Any]:
    """Cut each word into n-grams: (word, number of the n-gram) of each cut, and each number's first place and size.

    Places are those in the words put end to end, each filled up to the size of the shortest n-gram.
    """
    import numpy

    shortest, longest = ngrams
    filled = numpy.asarray([max(shortest, len(word)) for word in padded], dtype=numpy.int64)
    text = "".join(word.ljust(shortest) for word in padded)
    letters = numpy.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=numpy.uint32).copy()
    words = numpy.repeat(numpy.arange(len(padded)), filled)
    places = numpy.arange(len(letters)) - numpy.repeat(numpy.cumsum(filled) - filled, filled)
    is_filler = places >= numpy.repeat([len(word) for word in padded], filled)
    letters[is_filler] = _FILLER
    alphabet, letter = numpy.unique(letters, return_inverse=True)
    keys, parts, count = letter.astype(numpy.int64), list[Any](), 0
    for size in range(2, longest + 1):
        # Two n-grams are equal if their beginnings and their last letters are.
        pairs = keys[: len(letters) - size + 1] * len(alphabet) + letter[size - 1 :]
        distinct, first, keys = numpy.unique(pairs, return_index=True, return_inverse=True)
        if size >= shortest:
            within = words[: len(keys)] == words[size - 1 :]
            if size > shortest:
                within &= ~is_filler[size - 1 :]
            fillers = numpy.concatenate([[0], numpy.cumsum(is_filler)])
            sizes = size - (fillers[first + size] - fillers[first])
            parts.append((words[: len(keys)][within], keys[within] + count, first, sizes))
            count += len(distinct)
    rows, columns, begins, sizes = (numpy.concatenate(part) for part in zip(*parts, strict=True))
    return rows, columns, begins, sizes


def _count_pairs(rows: Any, columns: Any, height: int, width: int) -> Any:
    """Count (row, column) pairs."""
    import numpy
    from scipy.sparse import coo_matrix

    ones = numpy.ones(len(rows), dtype=numpy.float32)
    return coo_matrix((ones, (rows, columns)), shape=(height, width)).tocsr()


def _sort_columns(counts: Any, terms: list[str]) -> Counts:
    """Order the columns by their terms, and the entries of each row by column."""
    import numpy

    order = sorted(range(len(terms)), key=terms.__getitem__)
    places = numpy.empty(len(terms), dtype=counts.indices.dtype)
    places[order] = numpy.arange(len(terms))
    counts.indices = places[counts.indices]
    counts.has_sorted_indices = False
    counts.sort_indices()
    return counts, [terms[place] for place in order]
