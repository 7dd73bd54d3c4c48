"""The cache: what it holds, and what pruning leaves."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pins
import pytest
from cache import in_use, to_ourselves
from needs import image_layers
from workspace import workspace

ROOT = Path(__file__).resolve().parents[3]


def caching(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command, as a person runs it."""
    command = [sys.executable, str(ROOT / "nix" / "caching.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **variables})


def put(folder: Path, kind: str, name: str, size: int = 10) -> Path:
    """An entry of the cache."""
    path = folder / kind / name
    path.mkdir(parents=True)
    (path / "content").write_bytes(bytes(size))
    return path


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of this test's own."""
    monkeypatch.setenv("SCORE_PROCESSOR_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


@pytest.fixture
def filled(cache: Path) -> dict[str, list[Path]]:
    """Entries that are needed and others that are not."""
    lock = pins.deb_lock("image")
    layer = sorted(image_layers()[0])[0]
    needed = [
        put(cache, "roots", f"image-{lock.root[:16]}"),
        put(cache, "layers", layer),
        put(cache, "uv", "wheels"),
        put(cache, "unpacked", "ab" * 32),
        put(cache, "something-new", "of another version"),
    ]
    record = {"diff_id": f"sha256:{'ab' * 32}"}
    (cache / "layers" / layer / "layer.json").write_text(json.dumps(record))
    for wanted in lock.debs[:2]:
        (cache / "inputs").mkdir(exist_ok=True)
        (cache / "inputs" / wanted.file_name).write_bytes(b"deb")
        needed.append(cache / "inputs" / wanted.file_name)
    spare = [
        put(cache, "roots", "image-0123456789abcdef"),
        put(cache, "layers", "0" * 64),
        put(cache, "layers", f"{layer}.part-1-ab"),  # of a killed build
        put(cache, "layers", f".gone-1-{layer}"),  # of a killed prune
        put(cache, "unpacked", "cd" * 32, 5_000_000),
        put(cache, "sites", "local-aws-0123456789abcdef"),
        put(cache, "bytecode", "0" * 32),
    ]
    (cache / "inputs" / "old-0123456789abcdef.whl").write_bytes(b"wheel")
    return {"needed": needed, "spare": [*spare, cache / "inputs" / "old-0123456789abcdef.whl"]}


def there(paths: list[Path]) -> list[bool]:
    """Which of these are there."""
    return [path.exists() for path in paths]


def test_prune_keeps_what_the_locks_need(filled: dict[str, list[Path]]) -> None:
    """What nothing needs goes; inputs, roots and layers of the locks stay, and so does what is not ours to judge."""
    done = caching("prune")
    assert done.returncode == 0, done.stderr
    assert there(filled["needed"]) == [True] * len(filled["needed"])
    assert there(filled["spare"]) == [False] * len(filled["spare"])
    assert "removed 8 entries, 5.0 MB" in done.stdout


def test_a_dry_run_removes_nothing(filled: dict[str, list[Path]]) -> None:
    """--dry-run tells the same entries and keeps them."""
    told: dict[str, Any] = json.loads(caching("prune", "--dry-run", "--json").stdout)
    assert {entry["name"] for entry in told["removed"]} == {path.name for path in filled["spare"]}
    assert all(there(filled["spare"]))


def test_prune_waits_for_no_build(filled: dict[str, list[Path]]) -> None:
    """While a build works with the cache nothing is removed, and the status says so."""
    with in_use():
        done = caching("prune")
    assert done.returncode == 1
    assert "a build is working with it" in done.stderr
    assert all(there(filled["spare"]))


def test_a_build_waits_for_prune(cache: Path) -> None:
    """Who works with the cache waits until what is being removed is gone."""
    code = "import sys; sys.path.insert(0, 'nix'); from cache import in_use; print('asking', flush=True)"
    code += "\nwith in_use(): print('in', flush=True)"
    with to_ourselves():
        waiting = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert waiting.stdout is not None
        assert waiting.stdout.readline() == "asking\n"
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(0.4)
    assert waiting.communicate(timeout=120)[0] == "in\n"


def test_a_running_local_aws_keeps_what_it_runs_from(filled: dict[str, list[Path]], cache: Path) -> None:
    """Roots, sites and unpacked layers stay while a local AWS of any checkout uses this cache."""
    variables = {"SCORE_PROCESSOR_CACHE": str(cache), "LOCAL_AWS_INSTANCE": "/another/checkout"}
    running = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env=variables)
    try:
        done = caching("prune")
    finally:
        running.communicate(b"\n")
    assert f"local AWS of process {running.pid}" in done.stdout
    kept = {path.parent.name for path in filled["spare"] if path.exists()}
    assert kept == {"roots", "sites", "unpacked"}


def test_show_sums_each_kind(filled: dict[str, list[Path]]) -> None:
    """Entries, bytes and what of them is spare, by kind; a file with two names counts once."""
    os.link(filled["spare"][4] / "content", filled["spare"][4] / "again")
    told: dict[str, Any] = json.loads(caching("show", "--json").stdout)
    kinds = {kind["kind"]: (kind["entries"], kind["size"], kind["unneeded"]) for kind in told["kinds"]}
    assert kinds["unpacked"] == (2, 5_000_010, 5_000_000)
    assert kinds["inputs"] == (3, 11, 5)
    assert kinds["something-new"] == (1, 10, 0)
    assert "all" in caching("show").stdout


def test_an_empty_cache_is_shown(cache: Path) -> None:
    """A cache that nobody used yet is no error."""
    assert caching("show").returncode == 0
    assert caching("prune").returncode == 0


def test_another_verb_is_a_misuse() -> None:
    """An unknown verb ends in 2."""
    assert caching("burn").returncode == 2


def test_clear_takes_the_cache_alone(filled: dict[str, list[Path]], cache: Path) -> None:
    """All that is ours goes; what somebody else keeps in the folder stays."""
    (cache / "letters").mkdir()
    done = caching("clear")
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in cache.iterdir()) == ["letters", "something-new"]


def test_clear_waits_for_no_build(filled: dict[str, list[Path]]) -> None:
    """While a build works with the cache nothing is removed."""
    with in_use():
        done = caching("clear")
    assert (done.returncode, "a build is working with it" in done.stderr) == (1, True)
    assert there(filled["needed"]) == [True] * len(filled["needed"])


def test_a_folder_of_other_things_is_no_cache(tmp_path: Path) -> None:
    """A folder that holds more than a cache is refused by name before anything in it is swept."""
    letter = tmp_path / "work" / "letter"
    letter.mkdir(parents=True)
    (tmp_path / "notes").touch()
    done = caching("prune", SCORE_PROCESSOR_CACHE=str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{tmp_path}: holds other things than this cache" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes", "work"]
    assert letter.exists()


def test_only_our_own_work_is_swept(cache: Path) -> None:
    """What stands in the folder of work in progress under other names is not ours to remove."""
    (cache / "work" / "letters").mkdir(parents=True)
    left = cache / "work" / "score-processor-killed"
    left.mkdir()
    with workspace():
        assert [path.name for path in (cache / "work").iterdir() if path.name == "letters" or path == left] == [
            "letters"
        ]


def test_a_user_without_a_home_is_told() -> None:
    """Where no home is known the error names the folder that was asked for, and is no traceback."""
    done = caching("show", SCORE_PROCESSOR_CACHE="~nobody-of-this-name/cache")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "cache: ~nobody-of-this-name/cache: nobody knows where this user's home is\n"
