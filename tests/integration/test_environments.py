"""Environments from hashed locks."""

import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nix import environments
from nix.clients import package_clients


def test_an_unknown_environment_is_refused_by_name() -> None:
    """A name that has no lock raises a problem that lists the known names."""
    with pytest.raises(package_clients.EnvironmentProblem, match=r"got nosuch, expected one of .*development"):
        environments.lock_path("nosuch")


@pytest.mark.parametrize(
    ("output", "step"),
    [
        ("error: failed to write to file: No space left on device (os error 28)", "free disk space"),
        ("error: Hash mismatch for `six==1.17.0`", "nothing was installed"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "nothing was installed"),
        ("SSLError: [SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate in chain", "global.cert"),
        ("error: invalid peer certificate: UnknownIssuer", "global.cert"),
        ("hint: Packages were unavailable because the network was disabled. No solution found", "unset UV_OFFLINE"),
        ("dns error: failed to lookup address information", "check the network"),
        ("something never seen before", "run the same command again"),
    ],
)
def test_a_failure_of_a_package_client_has_a_next_step(output: str, step: str) -> None:
    """Each kind of failure of a package client has its remedy."""
    assert step in package_clients.choose_remedy(output)


def test_a_failed_command_reports_its_last_lines() -> None:
    """A failed command raises a problem with its output, its exit code and a next step."""
    with pytest.raises(package_clients.EnvironmentProblem, match=r"(?s)try: exit code 3:\n  boom\nnext: run"):
        package_clients.run(["sh", "-c", "echo boom >&2; exit 3"], "try")


def test_a_failed_installation_reports_its_last_lines() -> None:
    """An installation, whose output is read for its progress, fails with the same report."""
    with pytest.raises(package_clients.EnvironmentProblem, match=r"(?s)fill: exit code 3:\n.*  boom\nnext: run"):
        package_clients.install(["sh", "-c", "echo Downloading a \\(1MiB\\) >&2; echo boom >&2; exit 3"], "fill")


# A stand-in for uv: it notes each run, and fails without the index unless the file `cached` exists.
CLIENT = 'echo "offline=${UV_OFFLINE:-0}" >> runs; [ "${UV_OFFLINE:-0}" = 0 ] || [ -e cached ]'


@pytest.mark.parametrize(
    ("is_cached", "runs"), [(True, ["offline=1"]), (False, ["offline=1", "offline=0"])], ids=["cached", "not cached"]
)
def test_the_index_is_asked_for_packages_that_are_not_cached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_cached: bool, runs: list[str]
) -> None:
    """What uv's cache has is installed without a network, in a second checkout for one; the rest with the index."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UV_OFFLINE", raising=False)
    if is_cached:
        Path("cached").touch()
    package_clients.install(["sh", "-c", CLIENT], "fill")
    assert Path("runs").read_text().split() == runs


def test_downloads_are_measured_by_what_uv_prints() -> None:
    """The progress of an installation counts the bytes of uv's announced and finished downloads."""
    downloads = package_clients.Downloads()
    for line in (
        "Downloading numpy (16.0MiB)\n",
        "Downloading small (512.0KiB)\n",
        " Downloaded numpy\n",
        "odd (line)",
    ):
        downloads.read(line)
    assert (downloads.done, downloads.total) == (16 << 20, (16 << 20) + (512 << 10))


def test_an_environment_without_its_interpreter_is_created_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An environment whose interpreter is gone is created again with the present one, and a line says so."""
    monkeypatch.setenv("SCORE_PROCESSOR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(environments, "fill", lambda *_: None)
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin/python").symlink_to("/nowhere/python3.11")
    (venv / "pyvenv.cfg").touch()
    (venv / ".environment").touch()
    environments.create("development", venv)
    assert "environment development: its interpreter is gone; creating it again\n" in capsys.readouterr().err
    assert (venv / "bin/python").exists()
    (venv / "bin/python").unlink()
    environments.create("development", venv)
    assert (venv / "bin/python").exists()


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
        (tmp_path / "venv/bin").mkdir(parents=True)
        (tmp_path / "venv/bin/python").touch()
        return ""

    monkeypatch.setattr(environments, "run", run)
    monkeypatch.setattr(environments, "provide_uv", lambda: Path("uv"))
    monkeypatch.setattr(environments, "create_uv_settings", dict)
    environments.create("development", tmp_path / "venv")
    environments.create("development", tmp_path / "venv")
    assert calls == [f"create {tmp_path / 'venv'}"]


def test_of_two_that_make_an_environment_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second caller waits, and does not rebuild an environment that the first one already uses."""
    monkeypatch.setenv("SCORE_PROCESSOR_CACHE", str(tmp_path / "cache"))
    for name, put in {"provide_uv": lambda: Path("uv"), "create_uv_settings": dict, "fill": lambda *_: None}.items():
        monkeypatch.setattr(environments, name, put)
    both, calls = ThreadPoolExecutor(2), list[str]()

    def run(_: object, what: str, **__: str) -> str:
        if not calls:
            calls.append(what)
            both.submit(environments.create, "development", tmp_path / "venv")  # while the first is at it
            (tmp_path / "venv/bin").mkdir(parents=True)
            (tmp_path / "venv/bin/python").touch()
        else:
            calls.append(what)
        return ""

    monkeypatch.setattr(environments, "run", run)
    environments.create("development", tmp_path / "venv")
    both.shutdown()
    assert calls == [f"create {tmp_path / 'venv'}"]


def test_a_pip_is_made_once_for_all_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Concurrent fetches share one pip if the host's Python has none, and no fetch sees it incomplete."""
    monkeypatch.setenv("SCORE_PROCESSOR_CACHE", str(tmp_path / "cache"))
    bare = tmp_path / "bare"
    subprocess.run([package_clients.find_base_python(), "-m", "venv", "--without-pip", bare], check=True)
    monkeypatch.setattr(package_clients, "find_base_python", lambda: str(bare / "bin" / "python"))
    with ThreadPoolExecutor(3) as pool:
        commands = list(pool.map(lambda _: package_clients.find_pip(), range(3)))
    assert {str(word) for command in commands for word in command[1:]} == {"-m", "pip"}
    assert {len(list((tmp_path / "cache" / "pip").iterdir())), len({command[0] for command in commands})} == {1}
    assert "pip " in package_clients.run([*commands[0], "--version"], "asking it")


def test_a_checkout_may_lie_in_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkout is installed from a folder whose name has characters of addresses, shells and requirements."""
    checkout = tmp_path / "tom's [1] #2 %20;é $HOME"
    (checkout / "plexus").mkdir(parents=True)
    (checkout / "plexus/__init__.py").touch()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (checkout / name).write_bytes((environments.ROOT / name).read_bytes())
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", checkout / ".venv"], check=True)
    python = checkout / ".venv/bin/python"
    site = next((checkout / ".venv/lib").glob("python3*/site-packages"))
    (site / "hatchling.pth").write_text(sysconfig.get_path("purelib") + "\n")
    monkeypatch.setattr(environments, "ROOT", checkout)
    environments.install_checkout(python)
    words = [str(python), "-c", "import plexus; print(plexus.__file__)"]
    output = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert output == f"{checkout}/plexus/__init__.py\n"


def test_personal_settings_do_not_reach_a_package_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that would change the packages or stop pip are left out, and settings of the index are kept."""
    settings = {"PIP_REQUIRE_VIRTUALENV": "1", "UV_EXCLUDE_NEWER": "2015-01-01", "PYTHONWARNINGS": "error"}
    for name, value in {
        **settings,
        "PIP_INDEX_URL": "https://mirror.test/",
        "HTTPS_PROXY": "http://proxy.test",
    }.items():
        monkeypatch.setenv(name, value)
    message = package_clients.create_client_environment(UV_CACHE_DIR="here")
    assert {name: message.get(name) for name in settings} == {**dict.fromkeys(settings), "PIP_REQUIRE_VIRTUALENV": "0"}
    assert (message["PIP_INDEX_URL"], message["HTTPS_PROXY"]) == ("https://mirror.test/", "http://proxy.test")
    assert message["UV_CACHE_DIR"] == "here"


def test_uv_is_told_what_pip_is_configured_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Index, certificates and proxy of pip's own file reach uv, which does not read it, unless uv has its own."""
    monkeypatch.setenv("SCORE_PROCESSOR_CACHE", str(tmp_path))
    for name in [
        *package_clients.FROM_PIP["index-url"],
        *package_clients.FROM_PIP["cert"],
        *package_clients.FROM_PIP["proxy"],
    ]:
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
    message = package_clients.create_uv_settings()
    assert message["UV_DEFAULT_INDEX"] == "https://mirror.test/simple"
    assert message["ALL_PROXY"] == "http://proxy.test:3128"
    assert "SSL_CERT_FILE" not in message
