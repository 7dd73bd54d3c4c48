import json
import re

import pytest

from local_aws.log_patterns import compile_pattern

MESSAGES = (
    "[ERROR 400] BAD REQUEST",
    "[ERROR 419] MISSING ARGUMENTS",
    "[WARN] request took 900 ms",
    "Task timed out after 3.00 seconds",
    json.dumps({"level": "ERROR", "message": 'he said "no"', "ms": 1200, "ids": ["a", "b"], "of": {"user": "root-1"}}),
    json.dumps({"level": "WARN", "ms": 80, "ids": [], "of": {"user": "ann"}}),
)


@pytest.mark.parametrize(
    ("pattern", "numbers"),
    [
        # The rules of "Filter pattern syntax" in CloudWatch Logs' user guide.
        ("", [0, 1, 2, 3, 4, 5]),
        ("ERROR", [0, 1, 4]),
        ("error", []),
        ("ERROR ARGUMENTS", [1]),
        ("ARGUMENTS ERROR", [1]),
        ('"BAD REQUEST"', [0]),
        ('"REQUEST BAD"', []),
        ('"timed out"', [3]),
        ("?ERROR ?WARN", [0, 1, 2, 4, 5]),
        ('?"timed out" ?took', [2, 3]),
        ("ERROR -ARGUMENTS", [0, 4]),
        ('-ERROR -"timed out"', [2, 5]),
        ("?ARGUMENTS REQUEST", [0]),
        (r'"he said \\\"no\\\""', [4]),
        ('{ $.level = "ERROR" }', [4]),
        ("{$.level=ERROR}", [4]),
        ("{ $.level != ERROR }", [5]),
        ("{ $.ms > 80 }", [4]),
        ("{ $.ms >= 80 }", [4, 5]),
        ('{ $.of.user = "root*" }', [4]),
        ("{ $.ids[0] = a }", [4]),
        ("{ $.none = a }", []),
        ("{ $.level = ERROR && $.ms < 100 }", []),
        ("{ $.level = WARN || $.ms > 1000 && $.ids[1] = b }", [4, 5]),
        ("{ ($.level = WARN || $.ms > 1000) && $.ids[1] = b }", [4]),
    ],
)
def test_a_pattern_matches_what_the_guide_says(pattern: str, numbers: list[int]) -> None:
    """Terms in any order, phrases, alternatives, exclusions and selectors of JSON choose these messages."""
    matches = compile_pattern(pattern)
    assert [number for number, message in enumerate(MESSAGES) if matches(message)] == numbers


@pytest.mark.parametrize(
    "pattern",
    [
        "[ip, user]",
        "%AUTH\\d%",
        "a-b",
        '"open',
        "{ $.level }",
        "{ ($.a = 1 }",
        "{ $.a = 1 ) }",
        "{ }",
        "{ $.ms > slow }",
        '{ $.ms > "80" }',
        r'{ $.level = "\d" }',
    ],
)
def test_a_pattern_that_is_not_evaluated_is_refused(pattern: str) -> None:
    """A pattern that CloudWatch rejects, or that is not evaluated here, is an error and matches nothing."""
    with pytest.raises(ValueError, match="filter pattern"):
        compile_pattern(pattern)


def test_a_condition_after_the_end_is_named_as_written() -> None:
    """The message of a selector with two conditions and no operator quotes the second condition."""
    with pytest.raises(ValueError, match=re.escape("got '$.b = 2' after its end")):
        compile_pattern("{ $.a = 1 $.b = 2 }")
