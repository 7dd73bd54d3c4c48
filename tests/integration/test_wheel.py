"""The library as a stranger installs it: a wheel, in an empty environment, in another folder."""

import re
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from nix import environments
from nix.clients import package_clients
from tests import pages

ROOT = Path(__file__).resolve().parents[2]
CARD = """
name: Reviews
key: reviews
scores:
  - name: Mentions Refund
    class: KeywordClassifier
    keywords: [refund, money back]
"""
TRAINED = """
name: Mood
key: mood
scores:
  - {name: Pleased, class: CLASS, data: {file: texts.csv}}
"""
SCORE = """
import plexus
card = plexus.load_file("card.yaml")
print(plexus.score(card, "Mentions Refund", plexus.Item("I want my money back.")).value)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def list_required(name: str) -> Iterator[str]:
    """Yield the packages that `name` needs without extras, itself excluded, recursively."""
    for requirement in map(Requirement, requires(name) or ()):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield canonicalize_name(requirement.name)
            yield from list_required(requirement.name)


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that holds the wheel and its locked requirements, and nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    pins = re.split(r"^(?=\S+==)", (ROOT / "nix/locks/development.lock").read_text(), flags=re.M)
    names = set(list_required("score-processor"))
    lock = folder / "wheel.lock"
    lock.write_text("".join(pin for pin in pins if pin.partition("==")[0] in names))
    python = folder / "venv/bin/python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    environments.fill(python, lock)
    words = ["pip", "install", "--quiet", "--offline", "--no-deps", "--python", str(python), str(wheel)]
    package_clients.run(
        [package_clients.provide_uv(), *words], "installing the wheel", **package_clients.create_uv_settings()
    )
    return python


def output(*command: str | Path, folder: Path) -> str:
    """Run a command in `folder`, without Python's variables of this process, and return its output."""
    done = subprocess.run(command, cwd=folder, env={"LC_ALL": "C.UTF-8"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_the_library_only(wheel: Path) -> None:
    """The wheel holds every file of plexus, its type marker included, the licence and metadata, and no other folder."""
    names = set(zipfile.ZipFile(wheel).namelist())
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "plexus").rglob("*") if path.is_file()}
    assert "plexus/py.typed" in files
    assert {name for name in names if name.startswith("plexus/")} == {name for name in files if ".pyc" not in name}
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"plexus", "score_processor"}
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_an_installed_wheel_gives_the_command(python: Path, tmp_path: Path) -> None:
    """`plexus --help` runs from any folder, and the checkout's own command is not installed."""
    assert "evaluate" in output(python.with_name("plexus"), "--help", folder=tmp_path)
    assert not python.with_name("score-processor").exists()


def test_keywords_need_no_extra(python: Path, tmp_path: Path) -> None:
    """A keyword score runs where scikit-learn, numpy and LangChain are not installed."""
    (tmp_path / "card.yaml").write_text(CARD)
    assert output(python, "-c", SCORE, folder=tmp_path) == "Yes\n"
    find = "import importlib.util as u; print([m for m in ('numpy', 'sklearn', 'langchain') if u.find_spec(m)])"
    assert output(python, "-c", find, folder=tmp_path) == "[]\n"
    assert "Yes" in output(python.with_name("plexus"), "run", "card.yaml", "I want a refund", folder=tmp_path)


def test_every_example_is_linted_without_extras(python: Path, tmp_path: Path) -> None:
    """`plexus lint` accepts each example scorecard where no extra is installed, templates included."""
    cards = sorted((ROOT / "examples/scorecards").glob("*.yaml"))
    assert cards
    output(python.with_name("plexus"), "lint", *cards, folder=tmp_path)


@pytest.mark.parametrize("page", ["quickstart-library", "quickstart-scorecard"])
def test_the_quickstarts_of_plexus_need_no_extra(python: Path, tmp_path: Path, page: str) -> None:
    """After a plain `pip install .` the page's commands and programs print what it shows."""
    folder = pages.prepare_folder(tmp_path)
    for step in pages.steps((pages.TUTORIALS / f"{page}.md").read_text()):
        if step.kind == "file":
            pages.perform(step, folder)
        elif step.kind == "program":
            assert pages.same(step.text, output(python, "-c", step.name, folder=folder))
        else:
            words = shlex.split(step.name)
            done = subprocess.run(
                [python.with_name(words[0]), *words[1:]], cwd=folder, capture_output=True, text=True, check=True
            )
            assert pages.same(step.text, done.stdout + done.stderr)


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        ("train svm.yaml", "svm"),
        ("train xgboost.yaml", "xgboost"),
        ("evaluate card.yaml --data texts.csv", "evaluation"),
        ("run card.yaml --data texts.parquet", "files"),
        ("run card.yaml --data texts.csv --output scored.parquet", "files"),
        ("compare texts.parquet texts.csv", "files"),
        *((f"data {verb} texts.csv --output new.csv", "evaluation") for verb in ("clean", "split", "sample --rows 1")),
        ("data look texts.csv", "evaluation"),
        ("data convert texts.csv --output new.xlsx", "files"),
    ],
)
def test_a_missing_extra_is_one_line_that_names_it(python: Path, tmp_path: Path, words: str, extra: str) -> None:
    """A command that needs an extra fails before its work, in one line with the package and the extra."""
    (tmp_path / "card.yaml").write_text(CARD)
    (tmp_path / "svm.yaml").write_text(TRAINED.replace("CLASS", "SVMClassifier"))
    (tmp_path / "xgboost.yaml").write_text(TRAINED.replace("CLASS", "ExplainableClassifier"))
    (tmp_path / "texts.csv").write_text("text,label\nI want a refund,Yes\nHello,No\n")
    (tmp_path / "texts.parquet").touch()
    before = {path.name for path in tmp_path.iterdir()}
    command = [str(python.with_name("plexus")), *words.split()]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    install = re.escape(f"next: pip install 'score-processor[{extra}]'")
    expected = rf"plexus: .+ needs the package '\w+', which is not installed\. {install}\n"
    assert re.fullmatch(expected, done.stderr), done.stderr
    assert {path.name for path in tmp_path.iterdir()} == before
