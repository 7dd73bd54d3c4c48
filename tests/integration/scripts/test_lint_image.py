"""`lint-image` on images of any builder."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from nix.oci.lint import READ_RULES
from scripts import lint_image, push
from scripts.aws.repository import Reference, parse_reference
from scripts.console.errors import OperationFailed
from scripts.images import image_check
from tests.unit.oci.drafts import Draft, Entry

ROOT = Path(__file__).resolve().parents[3]
DIGEST = f"sha256:{'0a' * 32}"


def run(*words: str | Path) -> Result:
    """Return the command with these words."""
    return CliRunner().invoke(lint_image.main, [str(word) for word in words])


@pytest.fixture
def imperfect(tmp_path: Path) -> Path:
    """An image that breaks an advisory rule only."""
    draft = Draft()
    draft.layers[1].append(Entry("var/task/two words", b"1"))
    return draft.write(tmp_path / "imperfect")


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """An image with a fault of each level."""
    draft = Draft()
    draft.edit_config = lambda config: config["history"].pop()
    draft.settings["Cmd"] = ["handler.main.lambda_handler"]
    draft.layers[1] += [Entry(f"var/task/word {number}", b"1") for number in range(7)]
    return draft.write(tmp_path / "broken")


def test_a_sound_image_ends_in_zero(tmp_path: Path) -> None:
    """An image without problems is reported as passed, with exit status 0."""
    done = run(Draft().write(tmp_path / "sound"))
    assert done.exit_code == 0
    assert done.stdout.startswith(f"lint: passed ({READ_RULES} rules); 2 layers")


def test_problems_are_grouped_by_level(broken: Path) -> None:
    """Problems are grouped by level with Lambda's message and a remedy; a long list of one rule is shortened."""
    done = run(broken)
    assert done.exit_code == 3
    for text in (
        "Lambda refuses this image: 1 problem\n",
        "Lambda accepts this image, but the function fails: 1 problem\n",
        "best practice: the function runs without it: 7 problems\n",
        "path-name: and 2 more",
        "Lambda: InvalidImage(ImageLayerFailure: UnsupportedImageLayerDetected - Layer Digest …)",
        "next: write a complete history",
    ):
        assert text in done.stdout


def test_json_holds_every_problem(broken: Path) -> None:
    """--json lists every problem, however many a rule has."""
    output: dict[str, Any] = json.loads(run("--json", broken).stdout)
    assert sorted(found["rule"] for found in output["problems"]) == ["handler", "history", *["path-name"] * 7]
    assert {found["level"] for found in output["problems"]} == {"refused", "fails", "advisory"}


def test_an_advisory_rule_fails_only_when_strict(imperfect: Path) -> None:
    """An image that breaks advisory rules only passes without --strict and fails with it."""
    assert run(imperfect).exit_code == 0
    assert run("--strict", imperfect).exit_code == 3


def test_a_known_problem_can_be_ignored(imperfect: Path) -> None:
    """--ignore removes a rule's problems, everywhere or at matching paths, and reports their number."""
    assert run("--strict", "--ignore", "path-name", imperfect).exit_code == 0
    assert "1 ignored" in run("--strict", "--ignore", "path-name=*/two words*", imperfect).stdout
    assert run("--strict", "--ignore", "path-name=/opt/*", imperfect).exit_code == 3


def test_an_unknown_rule_is_a_misuse(imperfect: Path) -> None:
    """--ignore with an unknown rule exits with 2 and names it."""
    done = run("--ignore", "no-such-rule", imperfect)
    assert done.exit_code == 2
    assert "--ignore: unknown rule 'no-such-rule'" in done.stderr


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/image", "image.tar"])
def test_a_path_that_is_not_there_is_named(name: str) -> None:
    """A path that does not exist is reported as such, not looked up in a registry."""
    done = run(name)
    assert done.exit_code == 1
    assert f"no such image: {name}" in done.stderr


def test_a_reference_without_a_registry_is_named_as_a_file_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that may be a misspelled file is reported as one when its registry cannot be asked."""
    monkeypatch.setenv("LOCAL_AWS_NAME", "no-such-instance")
    done = run("function.img")
    assert done.exit_code == 1
    assert (
        "no such file: function.img; as a reference: the local AWS (instance 'no-such-instance') is not running"
        in done.stderr
    )


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
    """A reference may omit the registry's host, and be a tag, a digest, or a digest alone."""
    assert parse_reference(text, "ours", "localhost:5000") == expected


@pytest.mark.parametrize("text", ["image", "localhost:5000/image", ""])
def test_what_is_no_reference_is_refused(text: str) -> None:
    """A reference needs a tag or a digest."""
    with pytest.raises(OperationFailed, match="expected a file, a folder, repository:tag"):
        parse_reference(text, "ours", "localhost:5000")


@pytest.mark.parametrize("text", ["sha256:0a", "other/image@sha256:0a", "other/image@v1"])
def test_a_digest_that_is_not_whole_is_refused(text: str) -> None:
    """An incomplete digest is rejected before the registry is contacted."""
    with pytest.raises(OperationFailed, match="expected sha256: and 64 hexadecimal digits"):
        parse_reference(text, "ours", "localhost:5000")


def test_a_broken_image_is_not_pushed(broken: Path) -> None:
    """An image that breaks a rule is refused before the registry is contacted."""
    done = CliRunner().invoke(push.main, ["--layout", str(broken)])
    assert done.exit_code == 1
    assert "the image breaks 9 of Lambda's rules" in done.stderr
    assert "next: make lint-image lists all" in done.stderr


def test_the_page_holds_the_table_of_rules() -> None:
    """docs/reference/checks.md has the table that --rules prints."""
    assert image_check.render_rules() in (ROOT / "docs" / "reference" / "checks.md").read_text(encoding="utf-8")
