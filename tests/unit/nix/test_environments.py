"""Environments from hashed locks."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import environments


def test_an_unknown_environment_is_refused_by_name() -> None:
    """A name without a lock ends in a message that lists the known ones."""
    with pytest.raises(environments.EnvironmentProblem, match=r"no lock nosuch\.lock .* known: .*development"):
        environments.lock_path("nosuch")


@pytest.mark.parametrize(
    ("said", "step"),
    [
        ("error: failed to write to file: No space left on device (os error 28)", "Free some disk space"),
        ("error: Hash mismatch for `six==1.17.0`", "nothing was installed"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "nothing was installed"),
        ("dns error: failed to lookup address information", "Is the network up"),
        ("something never seen before", "Run the same command again"),
    ],
)
def test_what_a_package_client_says_gets_a_next_step(said: str, step: str) -> None:
    """Each kind of failure of a package client is answered by what to do about it."""
    assert environments.remedy(said).startswith(step) or step in environments.remedy(said)


def test_a_failed_command_says_its_last_lines() -> None:
    """A failed command ends in its own words, its exit code and a next step, not in a traceback."""
    with pytest.raises(environments.EnvironmentProblem, match=r"(?s)trying failed \(exit code 3\):\n  boom\n"):
        environments.run(["sh", "-c", "echo boom >&2; exit 3"], "trying")


def test_a_misused_command_prints_its_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """Words that are no verb end in exit code 2 and the usage."""
    assert environments.main(["create", "development"]) == 2
    assert "create NAME FOLDER" in capsys.readouterr().err


def test_a_finished_environment_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Making an environment that is already there, of the same lock and Python, starts no package client."""
    monkeypatch.setattr(environments, "fill", lambda *_: None)
    monkeypatch.setenv("SCORE_PROCESSOR_CACHE", str(tmp_path / "cache"))
    calls: list[str] = []

    def run(_: object, what: str, **__: str) -> str:
        calls.append(what)
        return ""

    monkeypatch.setattr(environments, "run", run)
    monkeypatch.setattr(environments, "uv", lambda: Path("uv"))
    monkeypatch.setattr(environments, "uv_settings", dict)
    (tmp_path / "venv").mkdir()
    environments.create("development", tmp_path / "venv")
    environments.create("development", tmp_path / "venv")
    assert calls == [f"making {tmp_path / 'venv'}"]


def test_of_two_that_make_an_environment_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes second waits, and does not make anew what the first one works with already."""
    monkeypatch.setenv("SCORE_PROCESSOR_CACHE", str(tmp_path / "cache"))
    for name, put in {"uv": lambda: Path("uv"), "uv_settings": dict, "fill": lambda *_: None}.items():
        monkeypatch.setattr(environments, name, put)
    both, calls = ThreadPoolExecutor(2), list[str]()

    def run(_: object, what: str, **__: str) -> str:
        if not calls:
            calls.append(what)
            both.submit(environments.create, "development", tmp_path / "venv")  # while the first is at it
            (tmp_path / "venv").mkdir()
        else:
            calls.append(what)
        return ""

    monkeypatch.setattr(environments, "run", run)
    environments.create("development", tmp_path / "venv")
    both.shutdown()
    assert calls == [f"making {tmp_path / 'venv'}"]


def test_a_pip_is_made_once_for_all_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the host's Python has no pip, those that fetch at once share one, and none sees half of it."""
    monkeypatch.setenv("SCORE_PROCESSOR_CACHE", str(tmp_path / "cache"))
    bare = tmp_path / "bare"
    subprocess.run([environments.base_python(), "-m", "venv", "--without-pip", bare], check=True)
    monkeypatch.setattr(environments, "base_python", lambda: str(bare / "bin" / "python"))
    with ThreadPoolExecutor(3) as pool:
        commands = list(pool.map(lambda _: environments.pip(), range(3)))
    assert {str(word) for command in commands for word in command[1:]} == {"-m", "pip"}
    assert {len(list((tmp_path / "cache" / "pip").iterdir())), len({command[0] for command in commands})} == {1}
    assert "pip " in environments.run([*commands[0], "--version"], "asking it")


def test_personal_settings_do_not_reach_a_package_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would change which packages are taken, or stop pip, is left out; how to reach them is kept."""
    given = {"PIP_REQUIRE_VIRTUALENV": "1", "UV_EXCLUDE_NEWER": "2015-01-01", "PYTHONWARNINGS": "error"}
    for name, value in {**given, "PIP_INDEX_URL": "https://mirror.test/", "HTTPS_PROXY": "http://proxy.test"}.items():
        monkeypatch.setenv(name, value)
    told = environments.surroundings(UV_CACHE_DIR="here")
    assert {name: told.get(name) for name in given} == {**dict.fromkeys(given), "PIP_REQUIRE_VIRTUALENV": "0"}
    assert (told["PIP_INDEX_URL"], told["HTTPS_PROXY"]) == ("https://mirror.test/", "http://proxy.test")
    assert told["UV_CACHE_DIR"] == "here"


def test_uv_is_told_what_pip_is_configured_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Index, certificates and proxy of pip's own file reach uv, which does not read it, unless uv has its own."""
    monkeypatch.setenv("SCORE_PROCESSOR_CACHE", str(tmp_path))
    for name in [*environments.FROM_PIP["index-url"], *environments.FROM_PIP["cert"], *environments.FROM_PIP["proxy"]]:
        monkeypatch.delenv(name, raising=False)
    for name in ("PIP_INDEX_URL", "PIP_CERT", "PIP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "own").mkdir()
    file = tmp_path / "pip.conf"
    file.write_text(
        "[global]\nindex-url = https://mirror.test/simple\ncert = /ca.pem\nproxy = http://proxy.test:3128\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    monkeypatch.setenv("SSL_CERT_FILE", "/mine.pem")
    monkeypatch.setenv("SCORE_PROCESSOR_CACHE", str(tmp_path / "own"))
    told = environments.uv_settings()
    assert told["UV_DEFAULT_INDEX"] == "https://mirror.test/simple"
    assert told["ALL_PROXY"] == "http://proxy.test:3128"
    assert "SSL_CERT_FILE" not in told
