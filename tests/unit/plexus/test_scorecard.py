"""What a scorecard must satisfy to load."""

import pytest

import plexus
from plexus.exceptions import InvalidScorecard, UnknownScore

KEYWORDS = "class: KeywordClassifier, keywords: [x]"


def problems(*scores: str) -> list[str]:
    """Each problem of a scorecard with these scores (one line each, in braces), without the file's name."""
    lines = ["name: A", "key: a", "scores:", *(f"  - {{{score}}}" for score in scores)]
    with pytest.raises(InvalidScorecard) as caught:
        plexus.load("\n".join(lines), name="f")
    return [str(problem).removeprefix("f:") for problem in caught.value.problems]


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    """Shape, names and dependencies are all checked, and one error carries everything."""
    found = problems(
        "name: One, class: KeywordClasifier",
        f"nam: Two, {KEYWORDS}",
        f"name: Three, {KEYWORDS}, depends_on: [Tree, Fuor]",
        f"name: Four, {KEYWORDS}, disabled: 'no'",
        "name: Five, clas: KeywordClassifier",
    )
    assert found == [
        "4:5: unknown class 'KeywordClasifier'; did you mean 'KeywordClassifier'? (at scores[0])",
        "5:5: the required key 'name' is missing (at scores[1].name)",
        "5:6: unknown key 'nam'; did you mean 'name'? (at scores[1].nam)",
        "6:73: there is no score 'Tree'; did you mean 'Three'? (at scores[2].depends_on[0])",
        "6:79: there is no score 'Fuor'; did you mean 'Four'? (at scores[2].depends_on[1])",
        "7:69: expected true or false, got 'no' (at scores[3].disabled)",
        "8:5: the required key 'class' is missing; is 'clas' meant to be it? (at scores[4])",
    ]


def test_a_cycle_is_found_at_load_and_shown_as_a_path() -> None:
    """Scores that depend on each other in a circle never load: nobody waits for them at run time."""
    found = problems(
        f"name: A, {KEYWORDS}, depends_on: [B]",
        f"name: B, {KEYWORDS}, depends_on: [C]",
        f"name: C, {KEYWORDS}, depends_on: [A]",
        f"name: D, {KEYWORDS}, depends_on: [D]",
    )
    assert next(each for each in found if "circle" in each).endswith(
        "the scores depend on each other in a circle: A → B → C → A (at scores[0].depends_on)"
    )
    assert any("a score cannot depend on itself" in each for each in found)


def test_names_are_unique() -> None:
    """Two scores of one name could not be told apart in a dependency."""
    assert "two scores have the name 'A'" in problems(f"name: A, {KEYWORDS}", f"name: A, {KEYWORDS}")[0]


@pytest.mark.parametrize(
    ("condition", "complaint"),
    [
        ("{operator: '=', value: 1}", "expected '==', '!=', 'in' or 'not in', got '='"),
        ("{operator: in, value: x}", "the operator 'in' takes a list of values"),
        ("{operator: '==', value: [x]}", "the operator '==' takes one value"),
        ("{operator: in}", "the required key 'value' is missing"),
    ],
)
def test_conditions_are_checked(condition: str, complaint: str) -> None:
    """An unknown operator, or a value of the wrong form for it, does not load."""
    found = problems(f"name: A, {KEYWORDS}", f"name: B, {KEYWORDS}, depends_on: {{A: {condition}}}")
    assert complaint in found[0]


def test_a_pattern_that_does_not_compile_is_found_at_load() -> None:
    """A regular expression outside of RE2's syntax is named with its place."""
    found = problems("name: A, class: KeywordClassifier, patterns: ['ok', '(a', '(?=b)']")
    assert [each.split(":")[1] for each in found] == ["58", "64"]
    assert all("not a regular expression of RE2" in each for each in found)


def test_a_score_is_found_by_name_key_or_id() -> None:
    """Name, key and id all lead to the score; anything else names the nearest."""
    card = plexus.load(
        "{name: A, key: a, scores: [{name: Mood, key: m, id: '7', class: KeywordClassifier, keywords: [x]}]}"
    )
    assert {card.find(name).name for name in ("Mood", "m", "7")} == {"Mood"}
    with pytest.raises(UnknownScore, match="did you mean 'Mood'"):
        card.find("Moood")


def test_the_configuration_hash_follows_what_matters() -> None:
    """A changed keyword changes the hash; a changed description or test does not."""

    def hashed(more: str) -> str:
        card = plexus.load(f"{{name: A, key: a, scores: [{{name: S, class: KeywordClassifier, {more}}}]}}")
        return card.scores[0].configuration_hash

    same = hashed("keywords: [x]")
    assert hashed("keywords: [x], description: other, tests: [{text: x, value: 'Yes'}]") == same
    assert hashed("keywords: [y]") != same
