"""A repeated `plexus import --output`: what it replaces, removes and leaves alone, and the keys of what it writes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import plexus
from plexus.commands import import_, lint, test
from plexus.exceptions import InvalidData
from plexus.importing import output_folder
from plexus.original.graphs import create_slugs

Import = Callable[..., Result]
CARD = "name: {name}\nclass: KeywordClassifier\nkeywords: [{word}]\n"


def write(folder: Path, file: str, name: str = "", word: str = "refund") -> Path:
    """Write a card in the original's form of one score, named as its file unless `name` is given."""
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(CARD.format(name=name or path.stem, word=word), encoding="utf-8")
    return path


@pytest.fixture
def run(tmp_path: Path) -> Import:
    """Return a function that imports the folder `old` to the folder `new`, or the files that it is given."""
    (tmp_path / "old").mkdir()

    def run_import(*options: str, paths: tuple[Path, ...] = (tmp_path / "old",)) -> Result:
        words = [*map(str, paths), "--output", str(tmp_path / "new"), *options]
        result = CliRunner().invoke(import_.command, words, standalone_mode=False)
        if result.exception is not None:
            raise result.exception
        return result

    return run_import


def list_written(tmp_path: Path) -> list[str]:
    """Return the scorecards of the output folder."""
    return sorted(path.relative_to(tmp_path / "new").as_posix() for path in (tmp_path / "new").rglob("*.y*ml"))


@pytest.mark.parametrize("broken", [None, "name: gone\nclass: TactusScore\n"])
def test_a_card_is_removed_when_its_source_is_no_longer_one(run: Import, tmp_path: Path, broken: str | None) -> None:
    """A source that was deleted, or that now needs a hand, leaves no scorecard of its earlier version behind."""
    source = write(tmp_path / "old", "below/gone.yaml")
    write(tmp_path / "old", "stays.yaml")
    run()
    source.unlink() if broken is None else source.write_text(broken)
    result = run()
    assert list_written(tmp_path) == ["stays.yaml"]
    assert f"{tmp_path}/new/below/gone.yaml: removed: its source" in result.stderr
    assert run().stderr.count("removed") == 0


def test_an_import_leaves_the_cards_of_other_folders_alone(run: Import, tmp_path: Path) -> None:
    """Two folders that are imported to one keep each other's cards, and so does a single file its neighbours."""
    first, second = write(tmp_path / "old", "a.yaml"), write(tmp_path / "more", "b.yaml")
    run()
    run(paths=(second.parent,))
    run(paths=(first,))
    assert list_written(tmp_path) == ["a.yaml", "b.yaml"]


@pytest.mark.parametrize("imported", [True, False])
def test_a_file_that_somebody_wrote_is_replaced_by_force_only(run: Import, tmp_path: Path, imported: bool) -> None:
    """A card that was edited after the import, and a file that no import wrote, stay; the exit code says so."""
    source = write(tmp_path / "old", "a.yaml")
    target = tmp_path / "new" / "a.yaml"
    target.parent.mkdir()
    if imported:
        run()
    target.write_text("# mine\n")
    write(tmp_path / "old", "a.yaml", word="money")
    for _ in range(2):  # the refusal of one run does not become the permission of the next
        result = run()
        assert result.return_value == 1
        assert f"{target}: kept: not replaced: " in result.stderr
        assert "--force" in result.stderr
        assert target.read_text() == "# mine\n"
    assert run("--force").return_value == 0
    assert plexus.load_file(target).scores[0].configuration.class_name == "KeywordClassifier"
    assert "money" in target.read_text()
    source.unlink()
    write(tmp_path / "old", "other.yaml")
    target.write_text("# mine again\n")
    assert run().return_value == 1
    assert target.exists()
    assert run("--force").return_value == 0
    assert not target.exists()


def test_an_edited_card_whose_source_is_unchanged_is_kept_without_a_failure(run: Import, tmp_path: Path) -> None:
    """A repeated import of the same versions is no reason to look at an edited card again."""
    write(tmp_path / "old", "a.yaml")
    run()
    target = tmp_path / "new" / "a.yaml"
    target.write_text(target.read_text() + "# reviewed\n")
    result = run()
    assert (result.return_value, "kept: edited after the import" in result.stderr) == (0, True)
    assert target.read_text().endswith("# reviewed\n")
    write(tmp_path / "old", "a.yaml", word="money")
    assert run().return_value == 1


@pytest.mark.parametrize("content", ["", "{}", '{"format": 3, "files": {}}', '{"format": 1, "files": {"a": {"x": 1}}}'])
def test_an_unreadable_manifest_stops_the_import(run: Import, tmp_path: Path, content: str) -> None:
    """A manifest that is broken, or of a later version, is an error with a next step, and nothing is written."""
    write(tmp_path / "old", "a.yaml")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / output_folder.FILE_NAME).write_text(content)
    with pytest.raises(InvalidData, match=r"\.plexus-import\.json: got .*next: "):
        run()
    assert list_written(tmp_path) == []


NAMES = [
    "Возврат",
    "Возраст",
    "Πίστωση",
    "退款",
    "退货",
    "החזר",
    "استرداد",
    "환불",
    "क्षमा",
    "Refund 退款",
    "Refund 退货",
    "!?",
]


def test_names_in_every_script_have_keys_of_their_own(run: Import, tmp_path: Path) -> None:
    """Names of letters that a key cannot have get different keys, which are the same in every import."""
    for number, name in enumerate(NAMES):
        write(tmp_path / "old", f"{number}.yaml", f'"{name}"')
    run()
    keys = [plexus.load_file(tmp_path / "new" / f"{number}.yaml").key for number in range(len(NAMES))]
    assert len(set(keys)) == len(NAMES)
    assert [plexus.load_file(tmp_path / "old" / f"{number}.yaml").key for number in range(len(NAMES))] == keys
    assert keys[NAMES.index("Refund 退款")].startswith("refund-")


def test_nodes_in_every_script_have_readable_names_of_their_own() -> None:
    """A node keeps its ASCII letters, without accents; one that has none is numbered, and none is only underscores."""
    slugs = create_slugs(["Найти", "Решить", "Prüfung", "检查 call", "a - b", "Find It", "!?"], {"node_2"})
    assert [*slugs.values()] == ["node", "node_3", "Prufung", "call", "a___b", "Find_It", "__"]


@pytest.mark.parametrize(
    ("name", "key"), [("Café order", "cafe-order"), ("a_b Straße", "a-b-strasse"), ("Refund", "refund")]
)
def test_a_latin_name_has_a_readable_key(name: str, key: str) -> None:
    """Accents are left out, and a name that keeps all its letters has no digest."""
    assert plexus.load(CARD.format(name=name, word="x")).key == key


def test_two_scorecards_never_have_one_key(run: Import, tmp_path: Path) -> None:
    """Scores of one name in several folders get keys of their paths, with a remark that names the other files."""
    for place in ("sales", "support", "support-team"):
        write(tmp_path / "old", f"{place}/greeting.yaml", "Greeting")
    write(tmp_path / "old", "greeting!.yaml", "greeting?")
    write(tmp_path / "old", "farewell.yaml", "Sales Greeting")
    result = run("--json")
    cards = {Path(card["file"]).relative_to(tmp_path / "old").as_posix(): card for card in json.loads(result.stdout)}
    keys = {name: plexus.load_file(tmp_path / "new" / name).key for name in list_written(tmp_path)}
    assert len(set(keys.values())) == len(keys) == 5
    assert keys["support/greeting.yaml"] == "support-greeting"
    assert cards["greeting!.yaml"]["remarks"][-1]["kind"] == "changed"
    named = ["greeting!.yaml", "sales/greeting.yaml", "support/greeting.yaml", "support-team/greeting.yaml"]
    for name in named:
        (others,) = (
            remark["message"].partition("is also that of ")[2]
            for remark in cards[name]["remarks"]
            if remark["place"] == "key"
        )
        assert "is also that of" not in (tmp_path / "new" / name).read_text()
        assert sorted(others.split(", ")) == sorted(set(named) - {name})


def test_a_key_that_two_files_have_is_an_error_in_both(run: Import, tmp_path: Path) -> None:
    """A written key is an identity: it is not changed, and neither file is written."""
    for name in ("a", "b"):
        own = f"name: {name}\nkey: calls\nscores: [{{name: S, class: KeywordClassifier, keywords: [x]}}]\n"
        (tmp_path / "old" / f"{name}.yaml").write_text(own)
    result = run()
    assert result.return_value == 1
    assert result.stdout.count("line 2: error: the key 'calls' is also that of ") == 2
    assert list_written(tmp_path) == []


def test_a_folder_has_cards_with_suffixes_in_any_case_and_as_json(run: Import, tmp_path: Path) -> None:
    """`import` and `lint` read the same files of a folder, and `import` names those that it leaves out."""
    old = tmp_path / "old"
    write(old, "UPPER.YAML")
    write(old, "b.Yml")
    write(old, ".hidden/c.yaml")
    (old / "score.JSON").write_text(json.dumps({"name": "J", "class": "KeywordClassifier", "keywords": ["x"]}))
    (old / "replies.json").write_text('{"format": 1, "entries": []}')
    (old / "notes.txt").write_text("no card")
    result = run()
    written = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert written == [output_folder.FILE_NAME, "UPPER.YAML", "b.Yml", "score.yaml"]
    assert f"skipped 2 files without a scorecard: {old}/notes.txt, {old}/replies.json" in result.stderr
    linted = CliRunner().invoke(lint.command, [str(old)], standalone_mode=False)
    assert (linted.return_value, linted.stderr) == (0, "3 scorecards, 0 errors, 0 warnings\n")
    (old / "score.JSON").write_text(
        json.dumps(
            {"name": "J", "class": "KeywordClassifier", "keywords": ["x"], "tests": [{"text": "x", "value": "True"}]}
        )
    )
    tested = CliRunner().invoke(test.command, [str(old), "--store", str(tmp_path / "store")], standalone_mode=False)
    assert tested.stdout.endswith("1 passed, 0 failed\n"), tested.exception
    (old / "b.Yml").write_text("name: B\nclass: KeywordClassifier\nkeywords: []\n")
    linted = CliRunner().invoke(lint.command, [str(old)], standalone_mode=False)
    assert linted.return_value == 1
    assert f"{old}/b.Yml:" in linted.stdout


def test_a_folder_without_a_scorecard_is_misuse(tmp_path: Path) -> None:
    """`lint` of a folder with nothing to check does not pass."""
    with pytest.raises(Exception, match="is a scorecard"):
        raise CliRunner().invoke(lint.command, [str(tmp_path)], standalone_mode=False).exception or AssertionError
