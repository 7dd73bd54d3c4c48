"""docs/how-to/migration.md: the defects of the original, and the tests that it names."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
DEFECTS = 20  # of the original, as counted when this worker was designed
ROW = re.compile(r"^\| (\d+) \| (.+) \| (.+) \|$", re.MULTILINE)


def rows() -> list[tuple[str, str, list[str]]]:
    """Return the number, defect and tests of each row."""
    page = (ROOT / "docs/how-to/migration.md").read_text(encoding="utf-8")
    section = page.partition("## Defects of the original")[2]
    return [(number, defect, re.findall(r"`(test_\w+)`", tests)) for number, defect, tests in ROW.findall(section)]


def test_every_defect_of_the_original_has_its_test() -> None:
    """The page lists all twenty defects, each once, with at least one test."""
    assert [number for number, _, _ in rows()] == [str(number) for number in range(1, DEFECTS + 1)]
    assert len({defect for _, defect, _ in rows()}) == DEFECTS
    assert [number for number, _, tests in rows() if not tests] == []


def test_the_tests_that_the_page_names_exist() -> None:
    """Each test that the page names exists, and no other test has its name."""
    defined = [
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    named = {test for _, _, tests in rows() for test in tests}
    assert {test: defined.count(test) for test in named if defined.count(test) != 1} == {}
