"""A score of the original may read the results of its dependencies' dependencies, which have run before it."""

import json

import pytest

import plexus
from plexus.exceptions import InvalidScorecard

CARD = """\
dialect: plexus-1
name: Calls
key: calls
scores:
  - {name: A, class: KeywordClassifier, keywords: [cash]}
  - {name: "It's B", class: KeywordClassifier, keywords: [card], depends_on: {A: "True"}}
  - {name: Other, class: KeywordClassifier, keywords: [coin]}
  - name: C
    depends_on: DEPENDS
    model_provider: ChatOpenAI
    model_name: gpt-4o-mini
    graph: [{name: c, class: Generator, user_message: READS}]
"""


@pytest.mark.parametrize(
    ("depends", "reads", "names"),
    [
        (["It's B"], "{{ results['A'].value }}", ["It's B", "A"]),
        ({"It's B": "True"}, '{{ results["A"].value }}', ["It's B", "A"]),
        (["It's B"], '{{ results["It\'s B"].value }}{{ text }}', ["It's B"]),
        (["It's B", "A"], "{{ results['A'].value }}", ["It's B", "A"]),
        (["It's B"], "{% if results.get('A') %}a{% endif %}{{ text }}", ["It's B", "A"]),
    ],
)
def test_a_result_that_is_read_is_depended_on(depends: object, reads: str, names: list[str]) -> None:
    """The conditions that are written stay, and a dependency that is added has none."""
    card = CARD.replace("DEPENDS", json.dumps(depends)).replace("READS", json.dumps(reads))
    score = plexus.load(card).find("C")
    assert [*score.depends_on] == names
    added = [name for name in names if name not in json.dumps(depends)]
    assert all(score.depends_on[name] is None for name in added)


def test_a_result_that_has_not_run_before_is_refused() -> None:
    """A score that no dependency leads to may run later, so that it has no result."""
    card = CARD.replace("DEPENDS", '["A"]').replace("READS", json.dumps("{{ results['Other'].value }}"))
    with pytest.raises(InvalidScorecard, match="results\\['Other'\\] does not exist"):
        plexus.load(card)
