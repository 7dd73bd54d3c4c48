"""Environments from hashed locks."""

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
