"""The command that lints images of anybody."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from scripts import lint_image, push
from scripts._errors import OperationFailed
from scripts._pull import Reference, parse_reference
from tests.unit.oci.drafts import Draft, Entry

ROOT = Path(__file__).resolve().parents[3]
DIGEST = f"sha256:{'0a' * 32}"


def run(*words: str | Path) -> Result:
    """The command with these words."""
    return CliRunner().invoke(lint_image.main, [str(word) for word in words])


@pytest.fixture
def careless(tmp_path: Path) -> Path:
    """An image that Lambda takes and a careful reader would not."""
    draft = Draft()
    draft.layers[1].append(Entry("var/task/two words", b"1"))
    return draft.write(tmp_path / "careless")


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """An image with a fault of each level."""
    draft = Draft()
    draft.edit_config = lambda config: config["history"].pop()
    draft.settings["Cmd"] = ["handler.main.lambda_handler"]
    draft.layers[1] += [Entry(f"var/task/word {number}", b"1") for number in range(7)]
    return draft.write(tmp_path / "broken")


def test_a_sound_image_ends_in_zero(tmp_path: Path) -> None:
    """An image without a fault is said to be taken, and the status is 0."""
    done = run(Draft().write(tmp_path / "sound"))
    assert done.exit_code == 0
    assert done.stdout.startswith("no problem: Lambda takes this image (2 layers")


def test_all_levels_are_told_with_the_services_words(broken: Path) -> None:
    """Each level has its head, each rule the service's words and a next step, and many of one rule are shortened."""
    done = run(broken)
    assert done.exit_code == 1
    for text in (
        "Lambda refuses this image: 1 problem\n",
        "Lambda takes this image, and the function fails: 1 problem\n",
        "Lambda takes it; worth a look: 7 problems\n",
        "path-name: and 2 more",
        "Lambda: InvalidImage(ImageLayerFailure: UnsupportedImageLayerDetected - Layer Digest DIGEST)",
        "next: write all of the history",
    ):
        assert text in done.stdout


def test_json_holds_every_problem(broken: Path) -> None:
    """--json leaves nothing out."""
    told: dict[str, Any] = json.loads(run("--json", broken).stdout)
    assert sorted(found["rule"] for found in told["problems"]) == ["handler", "history", *["path-name"] * 7]
    assert {found["level"] for found in told["problems"]} == {"refused", "fails", "careful"}


def test_what_is_worth_a_look_fails_when_strict(careless: Path) -> None:
    """Without --strict such an image is taken; with it, it is not."""
    assert run(careless).exit_code == 0
    assert run("--strict", careless).exit_code == 1


def test_a_known_problem_can_be_ignored(careless: Path) -> None:
    """--ignore takes away a rule, everywhere or at the paths that a pattern names, and says how many."""
    assert run("--strict", "--ignore", "path-name", careless).exit_code == 0
    assert "1 ignored" in run("--strict", "--ignore", "path-name=*/two words*", careless).stdout
    assert run("--strict", "--ignore", "path-name=/opt/*", careless).exit_code == 1


def test_an_unknown_rule_is_a_misuse(careless: Path) -> None:
    """--ignore of a rule that is none ends in 2 and names it."""
    done = run("--ignore", "no-such-rule", careless)
    assert done.exit_code == 2
    assert "no-such-rule" in done.stderr


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/image", "image.tar"])
def test_a_path_that_is_not_there_is_named(name: str) -> None:
    """What looks like a path and is not there is told in one sentence."""
    done = run(name)
    assert done.exit_code == 1
    assert f"there is no {name}" in done.stderr


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (DIGEST, Reference("ours", DIGEST)),
        (f"other/image@{DIGEST}", Reference("other/image", DIGEST)),
        ("other/image:v1", Reference("other/image", "v1")),
        ("localhost:5000/other/image:v1", Reference("other/image", "v1")),
        (f"localhost:5000/other/image@{DIGEST}", Reference("other/image", DIGEST)),
    ],
)
def test_references_are_read_as_people_write_them(text: str, expected: Reference) -> None:
    """With or without the registry's host, by tag or by digest, or a digest alone."""
    assert parse_reference(text, "ours", "localhost:5000") == expected


@pytest.mark.parametrize("text", ["image", "localhost:5000/image", ""])
def test_what_is_no_reference_is_refused(text: str) -> None:
    """A word without a tag or digest is no reference."""
    with pytest.raises(OperationFailed, match="is neither a file, a folder, nor"):
        parse_reference(text, "ours", "localhost:5000")


@pytest.mark.parametrize("text", ["sha256:0a", "other/image@sha256:0a", "other/image@v1"])
def test_a_digest_that_is_not_whole_is_refused(text: str) -> None:
    """Before a registry is asked, which would answer it with an error of its own."""
    with pytest.raises(OperationFailed, match="is no digest: expected sha256: and 64 hexadecimal digits"):
        parse_reference(text, "ours", "localhost:5000")


def test_a_broken_image_is_not_pushed(broken: Path) -> None:
    """A push reads the rules first: what breaks one is refused before any registry is asked."""
    done = CliRunner().invoke(push.main, ["--layout", str(broken)])
    assert done.exit_code == 1
    assert "the image breaks 9 of Lambda's rules" in done.stderr
    assert "next: make lint-image shows all" in done.stderr


def test_the_page_holds_the_table_of_rules() -> None:
    """docs/checks.md says of each rule what the code says."""
    assert lint_image.rules_table() in (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
