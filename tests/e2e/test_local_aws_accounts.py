"""One local AWS plays the accounts of staging and production; the commands of the pipelines release in both."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from infrastructure.pipelines.steps import PHASES
from local_aws import control, instance
from tests.checkouts import git
from tests.e2e.conftest import ROOT

ACCOUNTS = {"staging": "111111111111", "production": "222222222222"}
"""LocalStack takes an access key of twelve digits for the account of that number."""
COMMANDS = {step.name: step.commands for phase in PHASES for step in phase.steps}


@dataclass(frozen=True)
class Checkout:
    """A clone on main whose stage files name the accounts, and the endpoint that plays them."""

    folder: Path
    endpoint: str
    digest: str = ""

    def run(self, stage: str, *commands: str, account: str = "") -> subprocess.CompletedProcess[str]:
        """Run shell commands for a stage with the credentials of its account, or of another one."""
        kept = {name: text for name, text in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")}
        settings = {"AWS_ACCESS_KEY_ID": account or ACCOUNTS[stage], "AWS_SECRET_ACCESS_KEY": "test", "NO_PROXY": "*"}
        settings |= {"AWS_ENDPOINT_URL": self.endpoint, "BUILT": self.digest, "VERIFIED": self.digest, "STAGE": stage}
        return subprocess.run(
            ["sh", "-ec", "\n".join(commands)],
            cwd=self.folder,
            env=kept | settings,
            stdin=subprocess.DEVNULL,  # a build machine has no terminal
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )

    def require(self, stage: str, *commands: str) -> str:
        """Run shell commands that have to succeed; return their output."""
        done = self.run(stage, *commands)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    def read_history(self, stage: str) -> list[dict[str, str]]:
        """Return the entries of the stage's ledger, as its account reads them."""
        text = self.require(stage, ".venv/bin/python -m scripts history --json")
        return list(json.loads(text)["entries"])

    def release(self, stage: str) -> None:
        """Run the steps of the stage's pipeline that follow its build."""
        for name in ("push", "compare", "shape", "deploy"):
            self.require(stage, *COMMANDS[name])


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """Yield a clone whose templates were synthesized and committed for both accounts, with its image built."""
    folder, name = tmp_path_factory.mktemp("clone") / "source", f"test-{os.getpid()}-accounts"
    git(ROOT, "clone", "--quiet", "--shared", str(ROOT), str(folder))
    git(folder, "checkout", "--quiet", "-B", "main")
    (folder / ".venv").symlink_to(ROOT / ".venv")
    for stage, account in ACCOUNTS.items():
        path = folder / f"stages/{stage}.toml"
        text = path.read_text().replace('account = ""', f'account = "{account}"')
        text = text.replace('reader = ""', f'reader = "{ACCOUNTS["production"]}"')
        # One registry serves all accounts: each stage has a repository of another name.
        path.write_text(text.replace("plexus/score-processor-lambda", f"{stage}/score-processor-lambda"))
    try:
        result = Checkout(folder, control.start(name).endpoint)
        result.require("staging", "make infra")
        git(folder, "commit", "--quiet", "--all", "--message=Name the accounts")
        result.require("staging", "make build")
        digest = json.loads((folder / "build/image.json").read_text())["digest"]
        yield Checkout(folder, result.endpoint, digest)
    finally:
        control.stop(name)
        shutil.rmtree(instance.locate_folder(name), ignore_errors=True)


def test_production_accepts_what_staging_has_served(checkout: Checkout) -> None:
    """Production refuses an image until the other account's ledger has it, and then rebuilds its commit."""
    for stage in ACCOUNTS:
        refused = checkout.run(stage, "make infra-deploy")
        assert f"stage {stage} needs a confirmation" in refused.stderr, refused.stderr
        assert "waiting" in checkout.require(stage, "make infra-deploy YES=1")
    done = checkout.run("production", *COMMANDS["push"], *COMMANDS["deploy"])
    assert (done.returncode != 0, "stage staging has not served it" in done.stderr) == (True, True), done.stderr
    checkout.release("staging")
    (served,) = checkout.read_history("staging")
    assert (served["digest"], served["who"].split(":")[4]) == (checkout.digest, ACCOUNTS["staging"])
    checkout.release("production")
    (entry,) = checkout.read_history("production")
    assert (entry["digest"], entry["who"].split(":")[4]) == (checkout.digest, ACCOUNTS["production"])
    assert entry["note"] == f"served by staging since {served['at'][:19]}; verified"


@pytest.mark.parametrize(("stage", "other"), [("staging", "production"), ("production", "staging")])
@pytest.mark.parametrize("command", ["push", "deploy", "infra-deploy"])
def test_another_accounts_credentials_are_refused(checkout: Checkout, command: str, stage: str, other: str) -> None:
    """A confirmed change of a stage is refused with the credentials of the other stage's account."""
    done = checkout.run(stage, f"make {command} YES=1", account=ACCOUNTS[other])
    assert done.returncode != 0, done.stdout
    assert f"credentials belong to account {ACCOUNTS[other]}, but stage {stage} expects" in done.stderr, done.stderr
