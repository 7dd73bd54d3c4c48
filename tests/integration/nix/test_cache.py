"""The cache command: what it shows, prunes and removes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nix import pins
from nix.assembly.layers import seal_layer
from nix.cache.folder import exclusive, in_use
from nix.cache.workspace import workspace
from nix.cache_roots import plan_image_layers

ROOT = Path(__file__).resolve().parents[3]


def cache_command(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    command = [sys.executable, "-m", "nix.cache_command", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **variables})


def put(folder: Path, kind: str, name: str, size: int = 10) -> Path:
    """Make an entry of the cache."""
    path = folder / kind / name
    path.mkdir(parents=True)
    (path / "content").write_bytes(bytes(size))
    return path


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("SCORE_PROCESSOR_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


@pytest.fixture
def filled(cache: Path) -> dict[str, list[Path]]:
    """Entries that this commit needs, and others that it does not."""
    lock = pins.read_deb_lock("image")
    plan = plan_image_layers()[0][0]
    layer = plan.key
    needed = [
        put(cache, "roots", f"image-{lock.root[:16]}"),
        put(cache, "layers", layer),
        put(cache, "uv", "wheels"),
        put(cache, "unpacked", "ab" * 32),
        put(cache, "something-new", "of another version"),
    ]
    record = {"digest": "sha256:0", "diff_id": f"sha256:{'ab' * 32}"}
    for name in ("layer.json", "scan.json", "blob"):
        (cache / "layers" / layer / name).write_text(json.dumps(record))
    seal_layer(plan, cache / "layers" / layer)
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
        put(cache, "bytecode", "0" * 32),  # of an earlier version
        put(cache, "assembler", "0" * 32),
    ]
    (cache / "inputs" / "old-0123456789abcdef.whl").write_bytes(b"wheel")
    return {"needed": needed, "spare": [*spare, cache / "inputs" / "old-0123456789abcdef.whl"]}


def exist(paths: list[Path]) -> list[bool]:
    """Return whether each path exists."""
    return [path.exists() for path in paths]


def test_prune_keeps_what_the_locks_need(filled: dict[str, list[Path]]) -> None:
    """Inputs, roots and layers of the locks are kept, and entries of unknown kinds; all others are removed."""
    done = cache_command("prune")
    assert done.returncode == 0, done.stderr
    assert exist(filled["needed"]) == [True] * len(filled["needed"])
    assert exist(filled["spare"]) == [False] * len(filled["spare"])
    assert "removed 9 entries, 5.0 MB" in done.stdout


def test_a_dry_run_removes_nothing(filled: dict[str, list[Path]]) -> None:
    """--dry-run lists the entries that would be removed, and keeps them."""
    output: dict[str, Any] = json.loads(cache_command("prune", "--dry-run", "--json").stdout)
    assert {entry["name"] for entry in output["removed"]} == {path.name for path in filled["spare"]}
    assert all(exist(filled["spare"]))


def test_prune_fails_beside_a_build(filled: dict[str, list[Path]]) -> None:
    """While a build uses the cache nothing is removed, and the exit status is 1."""
    with in_use():
        done = cache_command("prune")
    assert done.returncode == 1
    assert "in use by a build" in done.stderr
    assert all(exist(filled["spare"]))


def test_a_build_waits_for_prune(cache: Path) -> None:
    """A build that starts while entries are pruned waits until that is done."""
    code = "from nix.cache.folder import in_use; print('asking', flush=True)"
    code += "\nwith in_use(): print('in', flush=True)"
    with exclusive():
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
        done = cache_command("prune")
    finally:
        running.communicate(b"\n")
    assert f"local AWS of process {running.pid}" in done.stdout
    kept = {path.parent.name for path in filled["spare"] if path.exists()}
    assert kept == {"roots", "sites", "unpacked"}


def test_show_sums_each_kind(filled: dict[str, list[Path]]) -> None:
    """Entries, bytes and unneeded bytes are summed by kind; a file with two names counts once."""
    os.link(filled["spare"][4] / "content", filled["spare"][4] / "again")
    output: dict[str, Any] = json.loads(cache_command("show", "--json").stdout)
    kinds = {kind["kind"]: (kind["entries"], kind["size"], kind["unneeded"]) for kind in output["kinds"]}
    assert kinds["unpacked"] == (2, 5_000_010, 5_000_000)
    assert kinds["inputs"] == (3, 11, 5)
    assert kinds["something-new"] == (1, 10, 0)
    assert "all" in cache_command("show").stdout


def test_an_empty_cache_is_shown(cache: Path) -> None:
    """Showing and pruning an empty cache is no error."""
    assert cache_command("show").returncode == 0
    assert cache_command("prune").returncode == 0


def test_another_verb_is_a_misuse() -> None:
    """An unknown verb exits with 2."""
    assert cache_command("burn").returncode == 2


def test_clear_keeps_what_others_keep_in_the_folder(filled: dict[str, list[Path]], cache: Path) -> None:
    """Everything of the cache is removed; other files stay, and the message names them."""
    (cache / "letters").mkdir()
    done = cache_command("clear")
    assert done.returncode == 0
    assert done.stderr.splitlines()[-1] == f"kept {cache}, which also holds letters, something-new"
    assert sorted(path.name for path in cache.iterdir()) == ["letters", "something-new"]


def test_clear_removes_the_folder(filled: dict[str, list[Path]], cache: Path) -> None:
    """A cleared cache leaves no folder behind, and its size and place are printed."""
    (cache / "work").mkdir()
    (cache / "something-new").rename(cache / "work" / "something-new")
    done = cache_command("clear")
    assert (done.returncode, done.stderr) == (0, f"removing 5 MB from {cache}\n")
    assert not cache.exists()


def test_clear_waits_for_no_build(filled: dict[str, list[Path]]) -> None:
    """While a build works with the cache nothing is removed."""
    with in_use():
        done = cache_command("clear")
    assert (done.returncode, "in use by a build" in done.stderr) == (1, True)
    assert exist(filled["needed"]) == [True] * len(filled["needed"])


def test_a_folder_of_other_things_is_no_cache(tmp_path: Path) -> None:
    """A folder that holds more than a cache is refused by name before anything in it is swept."""
    letter = tmp_path / "work" / "letter"
    letter.mkdir(parents=True)
    (tmp_path / "notes").touch()
    done = cache_command("prune", SCORE_PROCESSOR_CACHE=str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{tmp_path}: has files that are not this cache's" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes", "work"]
    assert letter.exists()


def test_only_our_own_work_is_swept(cache: Path) -> None:
    """Entries of other names in the folder of work in progress are kept."""
    (cache / "work" / "letters").mkdir(parents=True)
    left = cache / "work" / "score-processor-killed"
    left.mkdir()
    with workspace():
        assert [path.name for path in (cache / "work").iterdir() if path.name == "letters" or path == left] == [
            "letters"
        ]


def test_a_user_without_a_home_is_told() -> None:
    """Without a home folder, the error names the folder that was requested, without a traceback."""
    done = cache_command("show", SCORE_PROCESSOR_CACHE="~nobody-of-this-name/cache")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("cache: ~nobody-of-this-name/cache: this user has no home directory\nnext: ")
