import pytest

from local_aws import alarm_rules

TABLE = [
    # The two tables of "Configuring how CloudWatch alarms treat missing data": data points (0: not breaching,
    # X: breaching, -: missing), periods, breaching ones needed, and the state by treatment.
    ("0 - X - X", 3, 3, "OK", "OK", "OK", "OK"),
    ("- - - - 0", 3, 3, "OK", "OK", "OK", "OK"),
    ("- - - - -", 3, 3, "INSUFFICIENT_DATA", "kept", "ALARM", "OK"),
    ("0 X X - X", 3, 3, "ALARM", "ALARM", "ALARM", "ALARM"),
    ("- - X - -", 3, 3, "ALARM", "kept", "ALARM", "OK"),
    ("0 - X - X", 3, 2, "ALARM", "ALARM", "ALARM", "ALARM"),
    ("0 0 X 0 X", 3, 2, "ALARM", "ALARM", "ALARM", "ALARM"),
    ("0 - X - -", 3, 2, "OK", "OK", "ALARM", "OK"),
    ("- - - - 0", 3, 2, "OK", "OK", "ALARM", "OK"),
    ("- - - X -", 3, 2, "ALARM", "kept", "ALARM", "OK"),
]
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]} {row[2]} of {row[1]}")
def test_missing_data_are_treated_as_cloudwatchs_guide_says(row: tuple[str, int, int, str, str, str, str]) -> None:
    """Each row of the guide's tables gives the guide's state for each of the four treatments."""
    points, periods, needed, *expected = row
    breaching = [{"0": False, "X": True, "-": None}[point] for point in points.split()]
    states = [alarm_rules.compute_state(breaching, periods, needed, way, "kept") for way in TREATMENTS]
    assert states == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [("100 * part / total", 25.0), ("(part + 2) - total", 0.0), ("part / none", None), ("part / gone", None)],
)
def test_metric_math_is_arithmetic_of_values_that_exist(expression: str, expected: float | None) -> None:
    """A missing operand and a division by zero give no value."""
    assert (
        alarm_rules.compute_value(
            expression, {"part": 1.0, "total": 4.0 if "100" in expression else 3.0, "none": 0.0, "gone": None}
        )
        == expected
    )


@pytest.mark.parametrize("expression", ["SUM(METRICS())", "part ** 2", "other", "part +", "__import__('os')"])
def test_other_functions_of_metric_math_are_refused(expression: str) -> None:
    """An expression that is not evaluated is an error, never a value."""
    with pytest.raises(ValueError, match="metric math"):
        alarm_rules.compute_value(expression, {"part": 1.0})
