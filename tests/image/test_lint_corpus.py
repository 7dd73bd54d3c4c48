"""The linter on the corpus: images that people build, and what Lambda does with each."""

import json
import os
import shutil
import sys
from collections import Counter
from pathlib import Path

import pytest

from local_aws import first_start
from local_aws.engine import Engine
from local_aws.exceptions import EngineUnavailable
from nix.oci.lint import Problem, lint
from scripts.images.image_check import start_problems
from tests.images.containerfile import Build, make_folder, unpack, write_context
from tests.images.corpus import CORPUS
from tests.images.page import lint_all, page, wrong_answers
from tests.images.recipe import ACCEPTED, RUN, Base, Recipe, answer, base_of, with_programs
from tests.integration.scripts.test_lint_image import run
from tests.unit.oci.elves import elf

# Started in each run of the tests; `python -m bench.lint` starts all of them.
SAMPLE = (
    *("plain", "annotation-only", "by-pth-code", "import-own-virtual", "import-slimmed"),
    *("client-extension-removed", "extension-of-3.12", "venv-with-client", "implied-folder-over-link", "isolated"),
)
ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "cases" / "images.json"
RECIPES = {recipe.name: recipe for recipe in CORPUS}


@pytest.fixture(scope="module")
def base(layout: Path, tmp_path_factory: pytest.TempPathFactory) -> Base:
    """A Python with the runtime client, from the built image."""
    return base_of(layout, tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def engine() -> Engine:
    """An engine that isolates."""
    try:
        return first_start.choose_isolating_engine()
    except EngineUnavailable as problem:
        pytest.skip(f"images are started in the sandbox only: {problem}")


@pytest.fixture(scope="module")
def problems(base: Base, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Problem]]:
    """The linter's problems of every image of the corpus."""
    return lint_all(base, tmp_path_factory.mktemp("corpus") / "images")


def test_no_answer_of_the_linter_is_wrong(problems: dict[str, list[Problem]]) -> None:
    """The linter accepts no image that Lambda refuses or that fails, and objects to none that works.

    It may not know: of the recipes, chosen to be difficult, at most one in five.
    """
    answers = {name: answer(several) for name, several in problems.items()}
    assert wrong_answers(problems) == {}
    assert Counter(answers.values())["unknown"] * 5 <= len(CORPUS)


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the page has the figures of Python 3.11")
def test_the_page_lists_every_image(problems: dict[str, list[Problem]]) -> None:
    """docs/reference/lint-corpus.md has the images and figures of now; `python -m tests.images.page` writes it."""
    assert (ROOT / "docs/reference/lint-corpus.md").read_text(encoding="utf-8") == page(problems)


def test_the_corpus_is_large_and_its_names_are_unique() -> None:
    """There are at least 250 recipes, each with the source of what Lambda does with it."""
    assert len(RECIPES) == len(CORPUS) >= 250
    assert all(recipe.source for recipe in CORPUS)


@pytest.mark.parametrize("name", SAMPLE)
def test_the_sandbox_agrees_with_the_corpus(name: str, base: Base, engine: Engine, tmp_path: Path) -> None:
    """The runtime client does with each image what its recipe states."""
    recipe = RECIPES[name]
    assert recipe.source == RUN
    image = first_start.open_image(base.write(recipe, tmp_path / "layout"), tmp_path)
    started = first_start.watch_first_start(image, engine)
    assert (started.outcome == "ready") == (recipe.want == ACCEPTED), started


def test_a_start_answers_what_is_unknown(base: Base, engine: Engine, tmp_path: Path) -> None:
    """Unknown rules fail with --strict only; --run starts the image, and leaves no rule unknown."""
    layout = base.write(RECIPES["globals"], tmp_path / "layout")
    done = run("--json", layout)
    (problem,) = json.loads(done.stdout)["problems"]
    assert (done.exit_code, problem["rule"], problem["level"]) == (0, "handler-name", "unknown")
    assert "1 unknown (--run starts the image)" in run(layout).stdout
    assert run("--strict", layout).exit_code == 3
    done = run("--run", "--strict", layout)
    assert (done.exit_code, done.stdout.partition("(")[0]) == (0, "lint: passed ")


def test_a_failed_start_is_a_problem(base: Base, engine: Engine, tmp_path: Path) -> None:
    """--run reports the runtime's own error, with its last lines, as broken rule `start`."""
    recipe = Recipe("raises", "fails", {"app.py": "print('cold')\nglobals()['handler'] = missing\n"})
    done = run("--run", "--json", base.write(recipe, tmp_path / "layout"))
    (problem,) = json.loads(done.stdout)["problems"]
    assert (done.exit_code, problem["rule"], problem["level"]) == (3, "start", "fails")
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


@pytest.mark.skipif(
    not SHARED.exists(), reason="the recorded Containerfiles are not in the repository, and not beside it"
)
def test_recorded_containerfiles_are_answered(base: Base, tmp_path: Path) -> None:
    """The linter accepts no image that fails and rejects none that works, each built above the base."""
    root, answers = tmp_path / "root", {}
    programs = {"main": elf(), "ext.so": elf(["libfoo.so"]), "libfoo.so": elf(soname="libfoo.so")}
    system = with_programs(base, tmp_path, dict.fromkeys(("bin/sh", "usr/bin/bash", "usr/bin/env"), elf()))
    root.mkdir()
    unpack(system, root)
    # Theirs is a whole Debian, without a folder for the function.
    (root / "var/task").rmdir()
    make_folder(root / "srv")
    for case in json.loads(SHARED.read_text(encoding="utf-8"))["cases"]:
        if case.get("compile_only") and sys.version_info[:2] != (3, 11):
            continue  # its bytecode would be that of another Python
        work = tmp_path / case["name"]
        work.mkdir()
        shutil.copytree(root, work / "root", symlinks=True, copy_function=os.link)
        write_context(case, programs, work / "context")
        draft = Build(work / "root", work / "context").run(case)
        below = Base(()) if case.get("then") == ["squash"] else system
        several = lint(below.image(below.write_draft(draft, work / "layout")))
        answers[case["name"]] = (case["want"], answer(several), several)
        shutil.rmtree(work)
    assert answers
    assert {name: values for name, values in answers.items() if values[1] not in (values[0], "unknown")} == {}
