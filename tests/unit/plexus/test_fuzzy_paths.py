"""Fuzzy matches of whole texts, and of the values of several paths."""

from typing import Any

import pytest

import plexus
from plexus.exceptions import InvalidScorecard, ScoringFailed
from plexus.graph import fuzzy

CARD = """
name: C
key: c
scores:
  - name: School
    class: LangGraphScore
    graph:
      - name: school
        class: FuzzyMatchClassifier
        source: {source}
        targets: [{{phrase: {phrase}, threshold: {threshold}, compare: {compare}, value: North}}]
        not_found: Other
"""
SCHOOLS = {"schools": [{"name": "Nothern Collage"}, {"id": 7}, {"name": "South"}], "main": "Northern College of Art"}


def classify(
    source: str, compare: str, threshold: float, metadata: dict[str, Any], phrase: str = "Northern College"
) -> Any:
    """Return the class of an item without a text of interest."""
    card = plexus.load(CARD.format(source=source, compare=compare, threshold=threshold, phrase=phrase))
    return plexus.score(card, "School", plexus.Item("Hello.", metadata)).value


# The values are those of RapidFuzz 3 (ratio, token_sort_ratio, token_set_ratio), computed once.
@pytest.mark.parametrize(
    ("compare", "phrase", "text", "similarity"),
    [
        ("whole", "american university", "american univrsity online", 0.8182),
        ("whole", "colorado beta", "of american of coloraxo beta", 0.5854),
        ("whole", "alpha", "alpha", 1.0),
        ("whole", "abc", "xyz", 0.0),
        ("sorted_words", "college northern", "northern college", 1.0),
        ("sorted_words", "colorado beta", "of american of coloraxo beta", 0.5854),
        ("common_words", "northern college", "the northern college of art", 1.0),
        ("common_words", "alpha of of", "statexonline beta college alpha", 0.7692),
        ("common_words", "abc", "xyz", 0.0),
    ],
)
def test_a_whole_text_has_the_similarity_of_the_longest_common_subsequence(
    compare: str, phrase: str, text: str, similarity: float
) -> None:
    """Each comparison gives twice the common characters by the length of both, of the texts that it compares."""
    assert round(fuzzy.COMPARISONS[compare](phrase, text), 4) == similarity


@pytest.mark.parametrize(
    ("source", "compare", "threshold", "value"),
    [
        ('["metadata.schools[].name"]', "whole", 0.9, "North"),
        ('["metadata.schools[].name"]', "whole", 0.97, "Other"),
        ('["metadata.schools[0].name"]', "whole", 0.9, "North"),
        ('["metadata.schools[2].name"]', "whole", 0.9, "Other"),
        ('["metadata.schools[9].name"]', "whole", 0.9, "Other"),
        ('["metadata.nothing", "metadata.main"]', "common_words", 1, "North"),
        ('["metadata.nothing"]', "whole", 0.5, "Other"),
        ("metadata.main", "passage", 0.9, "North"),
        ("metadata.main", "whole", 0.9, "Other"),
        ('["metadata.schools.name"]', "whole", 0.5, "Other"),
    ],
)
def test_a_list_of_paths_is_searched_value_by_value(source: str, compare: str, threshold: float, value: str) -> None:
    """`[]` names every member of a list and `[0]` the first; a path that the item does not have finds nothing."""
    assert classify(source, compare, threshold, SCHOOLS) == value


def test_one_field_without_a_value_is_a_failure() -> None:
    """A single field that does not exist fails the score, as in every other node."""
    with pytest.raises(ScoringFailed, match=r"'metadata\.nothing' has no value"):
        classify("metadata.nothing", "whole", 0.5, SCHOOLS)


def test_a_path_of_an_unknown_field_is_an_error_at_load() -> None:
    """A path begins with a name of the graph, or the scorecard does not load."""
    with pytest.raises(InvalidScorecard, match="nothing defines 'schools'"):
        plexus.load(CARD.format(source='["schools[].name"]', compare="whole", threshold=0.5, phrase="x"))


def test_the_default_comparison_changes_no_hash() -> None:
    """A target without `compare` has the hash that it had before the key existed."""
    text = CARD.format(source="text", compare="passage", threshold=0.5, phrase="x")
    plain, written = plexus.load(text.replace(", compare: passage", "")), plexus.load(text)
    assert plain.scores[0].configuration_hash == written.scores[0].configuration_hash
    whole = plexus.load(text.replace("compare: passage", "compare: whole"))
    assert whole.scores[0].configuration_hash != plain.scores[0].configuration_hash
