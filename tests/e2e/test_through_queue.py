"""`enqueue --output`: a file that the deployed workers score is the file that `plexus run` writes."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.aws import event_source
from scripts.aws.clients import create_clients
from scripts.aws.stage import load_stage
from tests.e2e.conftest import ROOT, Demo

CARD = ROOT / "build" / "reviews.yaml"


def test_workers_and_this_machine_write_the_same_file(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values, confidences, explanations, errors and kept columns are equal, byte by byte.

    The first command gives up, because no worker runs, and writes nothing; the same one again sends the same jobs.
    """
    monkeypatch.setenv("LOCAL_AWS_NAME", demo.name)
    items = tmp_path / "items.csv"
    with (ROOT / "examples" / "items" / "items.csv").open(newline="") as file:
        rows = [{"id": row["id"], "text": row["text"], "shop": f"No. {row['id']}"} for row in csv.DictReader(file)][:8]
    with items.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows([*rows, {"id": "empty"}])
    here, there = tmp_path / "here.csv", tmp_path / "there.csv"
    arguments = ["run", str(CARD), "--data", str(items), "--id", "id", "--offline", "--keep-columns"]
    run = subprocess.run(
        [sys.executable, "-m", "plexus", *arguments, "--output", str(here)], cwd=ROOT, capture_output=True, text=True
    )
    assert (run.returncode, here.exists()) == (1, True), run.stderr
    command = ("enqueue", str(items), "--output", str(there), "--keep-columns")

    stage = create_clients(load_stage("local"))
    event_source.switch_event_source(stage, enabled=False)
    try:
        stopped = demo.run(*command, "--patience", "1")
    finally:
        event_source.switch_event_source(stage, enabled=True)
    assert (stopped.returncode, there.exists()) == (1, False)
    assert "no job ended for 1 s; 24 are left" in stopped.stderr

    done = demo.run(*command)
    assert done.returncode == 1, done.stderr
    assert f"wrote {there}: 9 rows" in done.stdout
    assert "row 9, Mentions Refund: ItemWithoutText" in done.stderr
    assert there.read_bytes() == here.read_bytes()

    refused = demo.run(*command)
    assert "already exists\n  next: --replace, or another --output" in refused.stderr
    again = demo.run(*command, "--replace", "--json")
    report = json.loads(again.stdout)
    assert (report["jobs"], report["rows"], report["failed"]["Mentions Refund"]) == (0, 9, 1)
    assert there.read_bytes() == here.read_bytes()
