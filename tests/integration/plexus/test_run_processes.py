"""`plexus run --workers`: processes of their own, and the bytes of one."""

from pathlib import Path

from click.testing import CliRunner

from plexus.commands import run

CARD = "name: R\nkey: r\nscores:\n  - {name: Refund, class: KeywordClassifier, keywords: [refund]}\n"


def test_processes_write_the_same_bytes(tmp_path: Path) -> None:
    """Two processes and one give equal files, in the order of the rows, over several chunks."""
    (tmp_path / "card.yaml").write_text(CARD)
    lines = [f'{number},"{"a refund" if number % 3 else "fine"}, late"' for number in range(700)]
    (tmp_path / "texts.csv").write_text("\n".join(["id,text", *lines]) + "\n")
    for workers in ("1", "2"):
        words = [str(tmp_path / "card.yaml"), "--data", str(tmp_path / "texts.csv"), "--id", "id", "--workers", workers]
        words += ["--output", str(tmp_path / f"{workers}.jsonl")]
        assert CliRunner().invoke(run.command, words, standalone_mode=False).exception is None
    assert (tmp_path / "1.jsonl").read_bytes() == (tmp_path / "2.jsonl").read_bytes()
    assert len((tmp_path / "1.jsonl").read_text().splitlines()) == 700
