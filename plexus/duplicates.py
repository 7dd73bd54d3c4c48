"""Texts that are the same, or nearly: two texts one of which must not be tested on a model that learned the other.

Near-duplicates share four fifths of their distinct sequences of five characters (the Jaccard index), after case,
punctuation and the values of digits are removed. Candidates come from MinHash signatures in bands (A. Broder, 1997), of
which a pair at the bound is missed twice in a thousand; each candidate is then compared exactly.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from plexus.text import fold

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Hashes = NDArray[numpy.uint64]

NEAR = 0.8
SHINGLE = 5
_BANDS, _ROWS = 20, 6
_AT_ONCE = 16_384  # hashes of a text, so that a text of 1 MB does not take 1 GB
# Candidates from one band, and how many of these are compared, the likeliest first: otherwise, comparisons of texts
# of one template would grow with the square of their number.
_CANDIDATES, _COMPARED = 200, 50
_ESTIMATE = 0.65  # of 120 values, four standard errors below the bound
_WORDLESS = re.compile(r"[\W_]+")
_DIGITS = re.compile(r"\d+")


def normalize(text: str) -> str:
    """Return what near-duplicates are compared by: folded, digits as 0, without punctuation and spaces at the ends."""
    return _WORDLESS.sub(" ", _DIGITS.sub("0", fold(text))).strip()


class Groups:
    """Sets of texts by their indexes in a list; those that were never joined are alone."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def find_first(self, index: int) -> int:
        """Return the index of the first text in the set."""
        while self._parent[index] != index:
            self._parent[index] = self._parent[self._parent[index]]
            index = self._parent[index]
        return index

    def join(self, left: int, right: int) -> None:
        """Merge the sets of two texts."""
        low, high = sorted((self.find_first(left), self.find_first(right)))
        self._parent[high] = low

    def list_sets(self, minimum: int = 2) -> list[list[int]]:
        """Return the sets of at least `minimum` texts, ordered by the first text."""
        members: dict[int, list[int]] = defaultdict(list)
        for index in range(len(self._parent)):
            members[self.find_first(index)].append(index)
        return [indexes for _, indexes in sorted(members.items()) if len(indexes) >= minimum]


def group_equal_texts(texts: Sequence[str]) -> Groups:
    """Group texts that differ in case, white space and typography at most; empty ones stay alone."""
    return _group_equal_keys([fold(text) for text in texts])


def group_near_duplicates(texts: Sequence[str]) -> Groups:
    """Group near-duplicates, and whatever chains of them connect; empty ones stay alone.

    Takes about 1 kB of memory for each text.
    """
    normals = [normalize(text) for text in texts]
    groups = _group_equal_keys(normals)
    signatures: dict[int, Hashes] = {}
    buckets: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    for index, text in enumerate(normals):
        if not text or groups.find_first(index) != index:
            continue
        hashes = _hash_shingles(text)
        signature = signatures[index] = _compute_signature(hashes)
        keys = [(band, signature[band * _ROWS : (band + 1) * _ROWS].tobytes()) for band in range(_BANDS)]
        shared = Counter(other for key in keys for other in buckets.get(key, [])[-_CANDIDATES:])
        for other, _ in shared.most_common(_COMPARED):
            if (
                groups.find_first(other) == groups.find_first(index)
                or (signatures[other] == signature).mean() < _ESTIMATE
            ):
                continue
            if _compute_jaccard(hashes, _hash_shingles(normals[other])) >= NEAR:
                groups.join(other, index)
        for key in keys:
            buckets[key].append(index)
    return groups


def _group_equal_keys(keys: Sequence[str]) -> Groups:
    groups, indexes = Groups(len(keys)), dict[str, int]()
    for index, key in enumerate(keys):
        if key:
            groups.join(indexes.setdefault(key, index), index)
    return groups


@cache
def _derive_constant(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest()) | 1


def _hash_shingles(text: str) -> Hashes:
    """Return the distinct hashes of a normal text's sequences of five characters; of a shorter text, its own."""
    import numpy

    points = numpy.frombuffer(text.ljust(SHINGLE, "\0").encode("utf-32-le", "surrogatepass"), dtype=numpy.uint32)
    length = len(points) - SHINGLE + 1
    hashes = numpy.zeros(length, dtype=numpy.uint64)
    for index in range(SHINGLE):
        hashes += points[index : index + length].astype(numpy.uint64) * numpy.uint64(_derive_constant(f"place {index}"))
    hashes ^= hashes >> numpy.uint64(33)
    hashes *= numpy.uint64(_derive_constant("mix"))
    hashes ^= hashes >> numpy.uint64(29)
    distinct: Hashes = numpy.unique(hashes)
    return distinct


@cache
def _create_factors() -> Hashes:
    import numpy

    constants = [_derive_constant(f"factor {number}") for number in range(_BANDS * _ROWS)]
    return numpy.array(constants, dtype=numpy.uint64)[:, None]


def _compute_signature(hashes: Hashes) -> Hashes:
    """Return the least value of the hashes under each of 120 functions."""
    import numpy

    factors = _create_factors()
    least = numpy.full(_BANDS * _ROWS, numpy.iinfo(numpy.uint64).max, dtype=numpy.uint64)
    for begin in range(0, len(hashes), _AT_ONCE):
        mixed = hashes[None, begin : begin + _AT_ONCE] * factors
        mixed ^= mixed >> numpy.uint64(32)  # the low bits of a product depend on the low bits of the hash alone
        numpy.minimum(least, (mixed * numpy.uint64(_derive_constant("last"))).min(axis=1), out=least)
    return least


def _compute_jaccard(first: Hashes, second: Hashes) -> float:
    import numpy

    both = len(numpy.intersect1d(first, second, assume_unique=True))
    return both / (len(first) + len(second) - both)
