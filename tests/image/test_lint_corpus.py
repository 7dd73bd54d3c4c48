"""The linter on the corpus: images that people build, and what Lambda does with each."""

import json
from collections import Counter
from pathlib import Path

import pytest

from local_aws import first_start
from local_aws.engine import Engine
from local_aws.exceptions import EngineUnavailable
from scripts.images.image_check import start_problems
from tests.images.corpus import CORPUS
from tests.images.recipe import ACCEPTED, RUN, Base, Recipe, answer, base_of, linted, with_programs
from tests.integration.scripts.test_lint_image import run
from tests.unit.oci.elves import elf

# Started in each run of the tests; `python -m bench.lint` starts all of them.
SAMPLE = (
    *("plain", "annotation-only", "by-pth-code", "import-own-virtual", "import-slimmed"),
    *("client-extension-removed", "extension-of-3.12", "venv-with-client", "implied-folder-over-link", "isolated"),
)
RECIPES = {recipe.name: recipe for recipe in CORPUS}


@pytest.fixture(scope="module")
def base(layout: Path, tmp_path_factory: pytest.TempPathFactory) -> Base:
    """A Python with the runtime client, from the built image."""
    return base_of(layout, tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def engine() -> Engine:
    """An engine that isolates."""
    try:
        return first_start.isolating_engine()
    except EngineUnavailable as problem:
        pytest.skip(str(problem))


def test_no_answer_of_the_linter_is_wrong(base: Base, tmp_path: Path) -> None:
    """The linter accepts no image that Lambda refuses or that fails, and objects to none that works.

    It may not know: of the recipes at most one in six.
    """
    programs = {name: elf() for name in ("bin/sh", "usr/bin/env")}
    with_shell = with_programs(base, tmp_path, programs)
    answers = {
        recipe.name: answer(linted(with_shell if recipe.needs_shell else base, recipe, tmp_path / recipe.name))
        for recipe in CORPUS
    }
    wrong = {name: got for name, got in answers.items() if got not in (RECIPES[name].want, "unknown")}
    assert wrong == {}
    assert Counter(answers.values())["unknown"] * 6 <= len(CORPUS)


def test_the_corpus_is_large_and_its_names_are_unique() -> None:
    """There are at least 250 recipes, each with the source of what Lambda does with it."""
    assert len(RECIPES) == len(CORPUS) >= 250
    assert all(recipe.source for recipe in CORPUS)


@pytest.mark.parametrize("name", SAMPLE)
def test_the_sandbox_agrees_with_the_corpus(name: str, base: Base, engine: Engine, tmp_path: Path) -> None:
    """What a recipe says of its image is what the runtime client does with it."""
    recipe = RECIPES[name]
    assert recipe.source == RUN
    image = first_start.open_image(base.write(recipe, tmp_path / "layout"), tmp_path)
    started = first_start.first_start(image, engine)
    assert (started.outcome == "ready") == (recipe.want == ACCEPTED), started


def test_a_start_answers_what_is_unknown(base: Base, engine: Engine, tmp_path: Path) -> None:
    """Unknown rules fail with --strict only; --run starts the image, and leaves no rule unknown."""
    layout = base.write(RECIPES["globals"], tmp_path / "layout")
    done = run("--json", layout)
    (problem,) = json.loads(done.stdout)["problems"]
    assert (done.exit_code, problem["rule"], problem["level"]) == (0, "handler-name", "unknown")
    assert "1 unknown (--run starts the image)" in run(layout).stdout
    assert run("--strict", layout).exit_code == 1
    done = run("--run", "--strict", layout)
    assert (done.exit_code, done.stdout.partition(";")[0]) == (0, "lint: passed (50 rules)")


def test_a_failed_start_is_a_problem(base: Base, engine: Engine, tmp_path: Path) -> None:
    """--run reports the runtime's own error, with its last lines, as broken rule `start`."""
    recipe = Recipe("raises", "fails", {"app.py": "print('cold')\nglobals()['handler'] = missing\n"})
    done = run("--run", "--json", base.write(recipe, tmp_path / "layout"))
    (problem,) = json.loads(done.stdout)["problems"]
    assert (done.exit_code, problem["rule"], problem["level"]) == (1, "start", "fails")
    assert problem["text"].startswith("NameError: name 'missing' is not defined") or "NameError" in problem["text"]
    assert "| cold" in problem["text"]


def test_an_archive_is_started_too(base: Base, engine: Engine, tmp_path: Path) -> None:
    """--run unpacks a Docker archive and starts the image in it."""
    import tarfile

    layout = base.write(RECIPES["plain"], tmp_path / "layout")
    blobs = layout / "blobs" / "sha256"
    (named,) = json.loads((layout / "index.json").read_bytes())["manifests"]
    manifest = json.loads((blobs / named["digest"][7:]).read_bytes())
    names = [layer["digest"][7:] for layer in manifest["layers"]]
    saved = [{"Config": manifest["config"]["digest"][7:], "Layers": names}]
    (tmp_path / "manifest.json").write_text(json.dumps(saved))
    with tarfile.open(tmp_path / "saved.tar", "w", dereference=True) as archive:
        archive.add(tmp_path / "manifest.json", "manifest.json")
        for name in (saved[0]["Config"], *names):
            archive.add(blobs / str(name), str(name))
    assert start_problems(tmp_path / "saved.tar") == []
