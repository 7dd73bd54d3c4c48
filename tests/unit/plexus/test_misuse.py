"""Every command's messages when it is misused, or the system refuses."""

from pathlib import Path

import pytest

from plexus.commands import main
from plexus.exceptions import attach_filename

CARD = """
name: Returns
key: returns
scores:
  - name: Refund
    class: KeywordClassifier
    keywords: [refund]
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A card, and a text."""
    (tmp_path / "card.yaml").write_text(CARD)
    (tmp_path / "texts.csv").write_text("text\nA refund\n")
    return tmp_path


@pytest.mark.parametrize(
    "more", [["--data", "texts.csv", "--output", "/proc/none/out.csv"], ["--data", "/proc/1/mem.csv"]]
)
def test_a_place_that_cannot_be_written_or_read_is_told(
    files: Path, more: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its name and the system's reason, without a traceback."""
    monkeypatch.chdir(files)
    with pytest.raises(SystemExit) as ended:
        main(["run", "card.yaml", *more])
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith(f"plexus: {more[-1].rpartition('/')[0]}")


def test_a_full_disk_is_told_by_file(tmp_path: Path) -> None:
    """The system says only that there is no space; the message says where."""
    with pytest.raises(OSError, match=r"No space left on device: '.*\.part'"), attach_filename(tmp_path / "out.part"):
        Path("/dev/full").write_text("x")


@pytest.mark.parametrize(
    ("verb", "more", "said"),
    [
        ("run", ["--text", "I want a refund"], "--text names a column"),
        ("train", ["--label", "Sentiment"], "require --data"),
        ("run", ["x", "--budget", "0"], "expected US dollars above 0"),
        ("run", ["x", "--budget", "nan"], "expected US dollars above 0"),
        ("run", ["x", "--record", "r.json", "--model", "gpt-4o"], "expected PROVIDER:NAME"),
    ],
)
def test_an_option_without_effect_is_misuse(
    files: Path, verb: str, more: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An option that would be ignored silently is refused with exit 2."""
    with pytest.raises(SystemExit) as ended:
        main([verb, str(files / "card.yaml"), *more])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
