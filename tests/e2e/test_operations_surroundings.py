"""Faults of the machine on which a command runs: its clock, and templates that nobody synthesized again."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from local_aws import instance
from scripts.aws.clients import Aws
from scripts.doctor import delivery_checks
from tests.e2e import faults_by_hand as by_hand
from tests.e2e.conftest import ROOT
from tests.e2e.staged import Staged
from tests.faults.proxy import proxy
from tests.image.test_mounted_cache import PRIVATE, needs_mounts


@pytest.mark.parametrize("ahead_s", [-3500, 3500], ids=["fast", "slow"])
def test_a_wrong_clock_is_found_by_the_servers(released: Staged, ahead_s: int) -> None:
    """An hour between this clock and the server's is a failure, with the command that sets it; then it agrees."""
    with proxy(str(released.aws.endpoint)) as elsewhere:
        aws = Aws(released.aws.stage, elsewhere.url)
        assert delivery_checks.check_clock(aws).verdict == "ok"
        elsewhere.ahead_s = ahead_s
        finding = delivery_checks.check_clock(aws)
    assert (finding.verdict, finding.remedy) == ("fail", "set it: timedatectl set-ntp true")
    assert re.fullmatch(r"got a difference of 3\d{3} s from AWS's, expected at most 30 s", finding.detail)


def command(clone: Path, name: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a verb of a clone of this checkout on an instance of this one."""
    home = str(instance.locate_folder(name).parent)
    environment = {**os.environ, "LOCAL_AWS_HOME": home, "LOCAL_AWS_NAME": name, "STAGE": "local", "PYTHONPATH": ""}
    return subprocess.run(
        [sys.executable, "-m", "scripts", *words],
        cwd=clone,
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


FULL = """
mount -t tmpfs -o size=330m none "$SCORE_PROCESSOR_CACHE" && mkdir "$SCORE_PROCESSOR_CACHE/layers"
head -c 60000000 /dev/zero > "$SCORE_PROCESSOR_CACHE/layers/of-another-commit"
"$0" -m scripts doctor --json; make -s cache-prune >&2; "$0" -m scripts doctor --json
"""


@needs_mounts
def test_a_full_disk_is_found_and_emptied_by_its_remedy(released: Staged, tmp_path: Path) -> None:
    """A cache on a full disk is a warning; its remedy, run on that disk, leaves nothing to report there."""
    environment = {**by_hand.environment(released), "SCORE_PROCESSOR_CACHE": str(tmp_path)}
    command = [*PRIVATE, "sh", "-c", FULL, sys.executable]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=400, check=False)
    decoder, first = json.JSONDecoder(), done.stdout.lstrip()
    before, end = decoder.raw_decode(first)
    after = json.loads(first[end:])
    (full,), (healed,) = ([one for one in report["findings"] if one["name"] == "disk"] for report in (before, after))
    assert (full["verdict"], full["remedy"], healed["verdict"]) == ("warn", "make cache-prune", "ok"), done.stderr
    assert re.fullmatch(rf"{tmp_path}: got 2\d\d MB free, expected 300 MB", full["detail"])


def test_a_stage_file_that_was_edited_is_found(released: Staged, tmp_path: Path) -> None:
    """After an edit, the doctor names the templates and their remedy, and a comparison refuses to compare old ones."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True, timeout=120)
    path = clone / "stages/local.toml"
    path.write_text(path.read_text().replace("retention_days = 7", "retention_days = 14"))
    findings = json.loads(command(clone, released.name, "doctor", "--json").stdout)["findings"]
    (finding,) = [entry for entry in findings if entry["name"] == "templates"]
    assert (finding["verdict"], finding["remedy"]) == ("warn", "make infra-deploy")
    done = command(clone, released.name, "infra", "diff")
    assert done.returncode == 1
    assert "stages/local.toml has changed since its templates were synthesized\n  next: make infra\n" in done.stderr
