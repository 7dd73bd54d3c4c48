"""The conditions under which a scorecard loads."""

import pytest

import plexus
from plexus.exceptions import InvalidScorecard, UnknownScore

KEYWORDS = "class: KeywordClassifier, keywords: [x]"


def problems(*scores: str) -> list[str]:
    """Return the problems of a scorecard with these scores (one in braces per line), without the file name."""
    lines = ["name: A", "key: a", "scores:", *(f"  - {{{score}}}" for score in scores)]
    with pytest.raises(InvalidScorecard) as caught:
        plexus.load("\n".join(lines), name="f")
    return [str(problem).removeprefix("f:") for problem in caught.value.problems]


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    """One error lists all problems of shape, names and dependencies, in file order."""
    messages = problems(
        "name: One, class: KeywordClasifier",
        f"nam: Two, {KEYWORDS}",
        f"name: Three, {KEYWORDS}, depends_on: [Tree, Fuor]",
        f"name: Four, {KEYWORDS}, disabled: 'no'",
        "name: Five, clas: KeywordClassifier",
    )
    assert messages == [
        "4:5: unknown class 'KeywordClasifier'; did you mean 'KeywordClassifier'? (at scores[0])",
        "5:5: the required key 'name' is missing (at scores[1].name)",
        "5:6: unknown key 'nam'; did you mean 'name'? (at scores[1].nam)",
        "6:73: there is no score 'Tree'; did you mean 'Three'? (at scores[2].depends_on[0])",
        "6:79: there is no score 'Fuor'; did you mean 'Four'? (at scores[2].depends_on[1])",
        "7:69: expected true or false, got 'no' (at scores[3].disabled)",
        "8:5: the required key 'class' is missing; did you misspell it as 'clas'? (at scores[4])",
    ]


def test_a_cycle_is_found_at_load_and_shown_as_a_path() -> None:
    """A scorecard whose scores depend on each other does not load; the finding shows the cycle as a path."""
    messages = problems(
        f"name: A, {KEYWORDS}, depends_on: [B]",
        f"name: B, {KEYWORDS}, depends_on: [C]",
        f"name: C, {KEYWORDS}, depends_on: [A]",
        f"name: D, {KEYWORDS}, depends_on: [D]",
    )
    assert next(each for each in messages if "cycle" in each).endswith(
        "dependency cycle: A → B → C → A (at scores[0].depends_on)"
    )
    assert any("a score cannot depend on itself" in each for each in messages)


def test_names_are_unique() -> None:
    """Two scores with one name do not load."""
    assert "two scores have the name 'A'" in problems(f"name: A, {KEYWORDS}", f"name: A, {KEYWORDS}")[0]


@pytest.mark.parametrize(
    ("condition", "complaint"),
    [
        ("{operator: '=', value: 1}", "expected '==', '!=', 'in' or 'not in', got '='"),
        ("{operator: in, value: x}", "the operator 'in' expects a list of values"),
        ("{operator: '==', value: [x]}", "the operator '==' expects one value"),
        ("{operator: in}", "the required key 'value' is missing"),
    ],
)
def test_conditions_are_checked(condition: str, complaint: str) -> None:
    """An unknown operator, or a value of the wrong form for it, does not load."""
    messages = problems(f"name: A, {KEYWORDS}", f"name: B, {KEYWORDS}, depends_on: {{A: {condition}}}")
    assert complaint in messages[0]


def test_a_pattern_that_does_not_compile_is_found_at_load() -> None:
    """A pattern outside RE2's syntax is reported with its place."""
    messages = problems("name: A, class: KeywordClassifier, patterns: ['ok', '(a', '(?=b)']")
    assert [each.split(":")[1] for each in messages] == ["58", "64"]
    assert all("not a regular expression in RE2's syntax" in each for each in messages)


def test_a_score_is_found_by_name_key_or_id() -> None:
    """A score is found by name, key and id; an unknown name suggests the nearest."""
    card = plexus.load(
        "{name: A, key: a, scores: [{name: Mood, key: m, id: '7', class: KeywordClassifier, keywords: [x]}]}"
    )
    assert {card.find(name).name for name in ("Mood", "m", "7")} == {"Mood"}
    with pytest.raises(UnknownScore, match="did you mean 'Mood'"):
        card.find("Moood")


def test_the_configuration_hash_follows_what_matters() -> None:
    """A changed keyword changes the hash; a changed description or test does not."""

    def compute_hash(more: str) -> str:
        card = plexus.load(f"{{name: A, key: a, scores: [{{name: S, class: KeywordClassifier, {more}}}]}}")
        return card.scores[0].configuration_hash

    same = compute_hash("keywords: [x]")
    assert compute_hash("keywords: [x], description: other, tests: [{text: x, value: 'Yes'}]") == same
    assert compute_hash("keywords: [y]") != same
