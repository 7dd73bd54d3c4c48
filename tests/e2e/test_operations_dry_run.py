"""Dry runs print the transcripts of `tests/golden/dry_run`, and like read-only verbs change nothing."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from local_aws import instance
from local_aws.status import ask
from nix import inputs
from nix.input_archive import artifact
from scripts.aws import event_source, resources, stacks
from scripts.checkout import git
from scripts.checkout.layout import read_image
from scripts.console.errors import OperationFailed
from scripts.console.text import shorten_digest
from scripts.images import push
from scripts.jobs.seeding import encode, find_account_id
from scripts.release import deployment
from scripts.release.statement import compute_key_id
from tests.e2e.staged import Staged, start_staged
from tests.e2e.state import state
from tests.golden import commands
from tests.golden.transcripts import Golden, normalise
from tests.unit.oci.drafts import Draft, Entry, app, system

CALLS = "/_local_aws/calls"
READING = ("BatchGet", "Describe", "Filter", "Get", "Head", "List", "Query", "Scan", "Simulate")
LETTERS = {"ReceiveMessage", "ChangeMessageVisibilityBatch"}
"""SQS shows messages only to who receives them; the commands of the dead letters make them visible again."""
LOOKED_AT = {"ReceiveMessage"}
"""The doctor receives dead letters with a visibility timeout of 0: they stay visible."""

CARD = """\
name: Calls
key: calls
scores:
  - {name: Rude, class: KeywordClassifier, keywords: [rude]}
  - {name: Late, class: KeywordClassifier, keywords: [late]}
"""
ITEMS = "id,text\na,They were rude.\nb,It came too late.\nc,All is well.\n"
SENDING = "{files}/items.csv --scorecard {files}/card.yaml"

REHEARSED: dict[str, tuple[str, ...]] = {
    "archive": ("",),
    "artifacts": ("",),
    "attest": ("--key {files}/key.pem --builder https://ci.example.com --layout {files}/attested",),
    "configure": ("", "--set LOG_LEVEL=DEBUG"),
    "deploy": ("--digest {second}", "--digest {first}"),
    "dlq delete": ("job-failed", "--all", "--poison"),
    "dlq redrive": ("job-failed", "job-completed", "job-lost", "{poison}"),
    "enqueue": (f"{SENDING} --run monday", f"{SENDING} --score Rude --run tuesday"),
    "infra delete": ("",),
    "infra deploy": ("",),
    "login": ("",),
    "publish": ("",),
    "push": ("--layout {files}/new", "--layout {files}/held"),
    "rollback": ("", "{second}"),
    "unlock": ("",),
}
"""The words after each command that has a dry run, once for each outcome worth keeping."""

WORDS = {
    "dashboard": "--json",
    "dlq show": "job-failed",
    "lint_image": "{first}",
    "logs": "--no-follow",
    "verify": "{first}",
}
"""The words after the commands that only look and need some."""


@dataclass(frozen=True)
class Rehearsed:
    """The stage of the dry runs, the values of placeholders, and an empty home directory."""

    stage: Staged
    home: Path
    values: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str) -> Result:
        """Run a command on the stage, with an empty home and no container engine."""
        environment: dict[str, str | None] = dict.fromkeys(("REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR"))
        environment |= {"LOCAL_AWS_NAME": self.stage.name, "DOCKER_CONFIG": str(self.home)}
        if words[0] == "login":
            environment["PATH"] = str(self.home)
        return commands.run(*(word.format_map(self.values) for word in words), **environment)

    def calls(self) -> list[dict[str, Any]]:
        """Return the calls since the last call of this method."""
        running = instance.find(self.stage.name)
        assert running is not None
        results = [call for call in ask(running, CALLS) if call["caller"] == "test"]
        ask(running, CALLS, {"record": True})
        return results

    def transcript(self, words: tuple[str, ...], done: Result) -> str:
        """Return the command and its output, with placeholders for values."""
        names = {value: f"digest of {name}" if "sha256:" in value else name for name, value in self.values.items()}
        names |= {shorten_digest(value): name for name, value in self.values.items() if "sha256:" in value}
        asked = commands.format_line(*words).format_map(self.values)
        return normalise(f"{asked}\n{done.output}", names)


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsed]:
    """Return a stage after a deploy and a rollback, with a changed queue, three dead letters and no worker."""
    folder, home = tmp_path_factory.mktemp("files"), tmp_path_factory.mktemp("home")
    inputs.fetch_these(artifact.list_all_inputs())  # what a fetch says is not for the transcript
    with start_staged("rehearsed", folder) as stage:
        event_source.switch_event_source(stage.aws, enabled=False)
        values = {"files": str(folder), "home": str(home), "commit of second": "2" * 12}
        values |= {"first": stage.image("first"), "second": stage.image("second")}
        deployment.deploy(stage.aws, values["second"], commit="2" * 40)
        deployment.deploy(stage.aws, values["first"], commit="1" * 40)
        push.push(stage.aws, read_image(Draft().write(folder / "held")))
        values |= attestable(folder)
        Draft(layers=[system(), [*app(), Entry("var/task/new")]]).write(folder / "new")
        (folder / "card.yaml").write_text(CARD)
        (folder / "items.csv").write_text(ITEMS)
        change_a_queue(stage)
        values["poison"] = letter(stage, "this names no job")
        for status in ("FAILED", "COMPLETED"):
            job = f"job-{status.lower()}"
            record = {"id": job, "accountId": find_account_id(stage.aws), "status": status, "attempts": 5}
            stage.aws.client("dynamodb").put_item(TableName=stage.aws.stage.table("ScoringJob"), Item=encode(record))
            letter(stage, json.dumps({"scoring_job_id": job}))
        letter(stage, json.dumps({"scoring_job_id": "job-lost"}))
        yield Rehearsed(stage, home, values)


def attestable(folder: Path) -> dict[str, str]:
    """Write a key, and an image that names this checkout's commit; return the values that differ between runs."""
    key = ec.generate_private_key(ec.SECP256R1())
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    draft = Draft()
    draft.settings["Labels"] = {"org.opencontainers.image.revision": git.commit()}
    image = read_image(draft.write(folder / "attested"))
    return {"commit": git.commit(), "attested": image.digest, "key": compute_key_id(key.public_key())}


def letter(stage: Staged, body: str) -> str:
    """Send a dead letter; return its id."""
    url = stage.aws.queue_url(stage.aws.stage.queues.request_dead_letters)
    return str(stage.aws.client("sqs").send_message(QueueUrl=url, MessageBody=body)["MessageId"])


def change_a_queue(stage: Staged) -> None:
    """Replace the queues' stack by one of another commit."""
    template = json.loads((resources.TEMPLATES / "local/local-queues.template.json").read_text())
    template["Resources"]["RequestQueue"]["Properties"]["VisibilityTimeout"] = 1200
    stacks.apply(stage.aws.client("cloudformation"), "local-queues", json.dumps(template), {}, exists=True)


@contextmanager
def only_looked(rehearsed: Rehearsed, name: str) -> Iterator[None]:
    """Fail if the block makes a call that writes, or changes anything."""
    before, _ = state(rehearsed.stage), rehearsed.calls()
    yield
    calls = {call["operation"] for call in rehearsed.calls()}
    allowed = LETTERS if name.startswith("dlq") else LOOKED_AT if name == "doctor" else set()
    assert {one for one in calls if not one.startswith(READING)} <= allowed
    after = state(rehearsed.stage)
    assert [part for part in before if after[part] != before[part]] == []
    assert list(rehearsed.home.iterdir()) == []


@pytest.mark.parametrize("name", REHEARSED)
def test_a_dry_run_says_what_is_kept_and_does_nothing(name: str, rehearsed: Rehearsed, golden: Golden) -> None:
    """A dry run prints its transcript, makes no call that writes, and leaves the stage unchanged."""
    message = []
    with only_looked(rehearsed, name):
        for rest in REHEARSED[name]:
            words = (*name.split(), *rest.split(), "--dry-run")
            done = rehearsed.run(*words)
            assert done.exit_code == 0, done.output
            message.append(rehearsed.transcript(words, done))
    golden.check(f"dry_run/{name.replace(' ', '-')}", "\n".join(message))


@pytest.mark.parametrize("name", REHEARSED)
def test_a_dry_run_as_json_prints_nothing_else(name: str, rehearsed: Rehearsed) -> None:
    """With --json a dry run prints one JSON value on standard output."""
    done = rehearsed.run(*name.split(), *REHEARSED[name][0].split(), "--dry-run", "--json")
    message = json.loads(done.stdout)
    for entry in message if isinstance(message, list) else [message]:
        assert entry["action"] == "unchanged" or entry["action"].startswith("would ")


def test_every_dry_run_is_kept(golden: Golden) -> None:
    """Exactly the commands with a dry run have a transcript."""
    assert set(REHEARSED) == {one.name for one in commands.every() if "--yes" in one.options}
    golden.check_names("dry_run", [name.replace(" ", "-") for name in REHEARSED])


@pytest.mark.parametrize("name", sorted(commands.LOOKS))
def test_what_looks_changes_nothing(name: str, rehearsed: Rehearsed) -> None:
    """Read-only commands make no call that writes."""
    with only_looked(rehearsed, name):
        done = rehearsed.run(*name.split(), *WORDS.get(name, "").split())
    assert isinstance(done.exception, SystemExit | None), done.output
    assert done.exit_code in (0, 1, 3), done.output


def test_a_look_leaves_a_stack_whose_creation_failed(rehearsed: Rehearsed, tmp_path: Path) -> None:
    """A stack whose creation failed is reported as to be created, and keeps its events."""
    client, name = rehearsed.stage.aws.client("cloudformation"), "local-broken"
    code = {"PackageType": "Image", "Code": {"ImageUri": f"none@sha256:{'0' * 64}"}, "Role": "arn:aws:iam::0:role/none"}
    template = {"Resources": {"Function": {"Type": "AWS::Lambda::Function", "Properties": code}}}
    with pytest.raises(OperationFailed, match="CREATE_FAILED"):
        stacks.apply(client, name, json.dumps(template), {}, exists=False)
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / f"{name}.template.json").write_text(json.dumps(template))
    assert [one.action for one in resources.preview_deploy(rehearsed.stage.aws, folder=tmp_path)] == ["would create"]
    assert client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "CREATE_FAILED"
