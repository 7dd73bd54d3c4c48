import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import stages
from handler import records
from handler.settings import Settings
from stages import InvalidStage, UnknownStage, limits, rules
from stages.secrets import find_secret_arn


def document(**changes: Any) -> dict[str, Any]:
    """Return the local stage's document with some dotted keys changed (`queues__request`), or removed where None."""
    whole = tomllib.loads((stages.STAGES / "local.toml").read_text(encoding="utf-8"))
    for dotted, value in changes.items():
        *tables, key = dotted.split("__")
        table = whole
        for name in tables:
            table = table.setdefault(name, {})
        if value is None:
            del table[key]
        else:
            table[key] = value
    return whole


def problems(**changes: Any) -> tuple[str, ...]:
    """Return the problems of the document with these changes."""
    with pytest.raises(InvalidStage) as caught:
        stages.parse("local", document(**changes))
    return caught.value.problems


@pytest.mark.parametrize("stage", stages.list_stages())
def test_every_stage_of_the_repository_is_valid(stage: str) -> None:
    """The three stage files pass their own checks."""
    assert stages.load(stage).name == stage


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"queues__visibility_timeout_s": 1799}, "queues.visibility_timeout_s = 1799 is too short"),
        ({"queues__visibility_timeout_s": 43_201}, "out of range (expected 0 to 43200)"),
        ({"event_source__maximum_batching_window_s": 1}, "expected at least 1801"),
        ({"event_source__batch_size": 11}, "needs a batching window"),
        ({"event_source__maximum_concurrency": 1}, "event_source.maximum_concurrency = 1 is out of range"),
        ({"function__reserved_concurrency": 10}, "leaves no room within function.reserved_concurrency = 10"),
        ({"function__memory_mb": 127}, "function.memory_mb = 127 is out of range (expected 128 to 10240)"),
        ({"function__memory_mb": 10_241}, "function.memory_mb = 10241 is out of range"),
        ({"function__memory_mb": "2048"}, "function.memory_mb = '2048' is not an integer"),
        ({"function__memory_mb": True}, "function.memory_mb = True is not an integer"),
        ({"function__timeout_s": 901}, "function.timeout_s = 901 is out of range (expected 1 to 900)"),
        ({"function__timeout_s": 14}, "leaves no time to score: the worker reserves PLEXUS_RESERVE_SECONDS = 10 of it"),
        ({"function__environment__PLEXUS_RESERVE_SECONDS": "299"}, "(expected at least 304)"),
        ({"function__name": "has spaces"}, "function.name = 'has spaces' is invalid"),
        ({"function__alias": "7"}, "function.alias = '7' is invalid"),
        ({"reach": "https://api.openai.com"}, "reach = 'https://api.openai.com' is invalid"),
        ({"function__models": "anthropic.claude-3-haiku"}, "function.models = 'anthropic.claude-3-haiku' is invalid"),
        ({"function__models": "arn:aws:bedrock:us-east-1::foundation-model/*"}, "function.models = "),
        ({"tables__expire_after_days": 21}, "deletes jobs whose dead letters can still be redriven"),
        ({"tables__expire_after_days": -1}, "tables.expire_after_days = -1 is out of range (expected 0 to 3650)"),
        ({"tables__amplify": "no dash"}, "tables.amplify = 'no dash' is invalid"),
        ({"tables__attachments": "traces-bucket"}, "tables.attachments and tables.indexes need tables.amplify"),
        (
            {"tables__amplify": "a-NONE", "tables__expire_after_days": 90},
            "has no effect on the tables of tables.amplify",
        ),
        ({"tables__indexes__Item": "byX"}, "tables.indexes.Item is not a setting"),
        ({"function__environment__PLEXUS_TABLE_SUFFIX": "-x"}, "PLEXUS_TABLE_SUFFIX"),
        ({"release__after": "local"}, "release.after names the stage itself"),
        ({"release__synthetic_jobs": 1001}, "release.synthetic_jobs = 1001 is out of range"),
        ({"release__reader": "12"}, "release.reader = '12' is invalid"),
        ({"encryption_key": "alias/mine"}, "encryption_key = 'alias/mine' is invalid"),
        ({"encryption_key": "arn:aws:kms:eu-west-1:000000000000:key/1"}, "encryption_key is of region eu-west-1"),
        ({"function__nmae": "x"}, "function.nmae is not a setting"),
        ({"queues__response": None}, "queues.response is missing (expected a string)"),
        ({"queues__response": "plexus-scoring-request-standard"}, "is used for more than one queue"),
        ({"queues__request": "requests.fifo"}, "queues.request = 'requests.fifo' is invalid"),
        ({"artifacts__bucket": "Upper"}, "artifacts.bucket = 'Upper' is invalid"),
        ({"account": "123"}, "account = '123' is invalid"),
        ({"repository": "Plexus"}, "repository = 'Plexus' is invalid"),
        ({"logs__retention_days": 8}, "logs.retention_days = 8 is not a retention period of CloudWatch Logs"),
        ({"event_source__enabled": "yes"}, "event_source.enabled = 'yes' is not true or false"),
        ({"alarms__topic": "ops"}, "alarms.topic = 'ops' is invalid"),
        ({"alarms__notify": "ops"}, "alarms.notify = 'ops' is invalid"),
        ({"alarms__notify": "http://ops.example.com"}, "alarms.notify = 'http://ops.example.com' is invalid"),
        (
            {"alarms__notify": "ops@example.com", "alarms__topic": "arn:aws:sns:us-west-2:000000000000:ops"},
            "alarms.notify and alarms.topic exclude each other",
        ),
        ({"alarms__failed_percent": 0}, "alarms.failed_percent = 0 is out of range (expected 1 to 100)"),
        ({"function__environment__AWS_REGION": "x"}, "function.environment.AWS_REGION is reserved by Lambda"),
        ({"function__environment__PLEXUS_ACCOUNT_KEY": "x"}, "is set by the template"),
        ({"function__environment__1ST": "x"}, "is not a valid name"),
        ({"function__environment__DEPTH": 3}, "function.environment.DEPTH = 3 is not a string"),
        ({"function__environment__NOTE": "x" * 3073}, "expected at most 3072"),
        ({"function__environment__OPENAI_API_KEY": "whatever"}, "looks like the value of a secret"),
        ({"function__environment__HARMLESS": "sk-" + "a" * 20}, "looks like the value of a secret"),
    ],
)
def test_what_cannot_work_is_refused(changes: dict[str, Any], expected: str) -> None:
    """A stage that AWS would refuse, or that would fail under load, is refused with the reason and what is expected."""
    (problem,) = problems(**changes)
    assert expected in problem


def test_values_of_the_worker_are_the_workers() -> None:
    """The reserve and the name of `expiresAt` are the worker's; the worker rejects a reserve that is not a number."""
    assert ("PLEXUS_RESERVE_SECONDS", Settings.reserve) == (rules.RESERVE, rules.RESERVE_S)
    assert limits.EXPIRES == records.EXPIRES
    for odd in ("many", "nan", "inf"):
        stages.parse("local", document(function__environment__PLEXUS_RESERVE_SECONDS=odd))


def test_all_problems_are_reported_at_once() -> None:
    """One error lists every problem of the file, not only the first."""
    listed = problems(function__memory_mb=1, queues__request="", logs__retention_days=None, surprise=1)
    assert len(listed) == 4


def test_a_secrets_value_is_not_repeated_in_the_error() -> None:
    """A value that looks like a secret is not printed."""
    (problem,) = problems(function__environment__OPENAI_API_KEY="hunter2-and-more")
    assert "hunter2" not in problem


def test_a_reference_to_a_secret_is_allowed() -> None:
    """A variable may reference a secret by its ARN."""
    arn = "arn:aws:secretsmanager:us-west-2:000000000000:secret:provider-AbCdEf"
    settings = stages.parse("local", document(function__environment__OPENAI_API_KEY=arn))
    assert settings.function.environment["OPENAI_API_KEY"] == arn


@pytest.mark.parametrize(
    "value",
    [
        "arn:aws:secretsmanager:*:000000000000:secret:key",
        "arn:aws:secretsmanager:us-west-2:000000000000:secret:*",
        "arn:aws:ssm:us-west-2:000000000000:parameter/*",
        "arn:aws:ssm:us-west-2:parameter/key",
    ],
)
def test_a_reference_names_one_secret(value: str) -> None:
    """An ARN that matches several secrets, or none, is refused: the role would be allowed to read all of them."""
    (problem,) = problems(function__environment__OPENAI_API_KEY=value)
    assert "looks like the value of a secret" in problem
    assert find_secret_arn(value) is None


def test_the_arn_of_a_reference_is_what_the_role_may_read() -> None:
    """The ARN has no key of a member; a value that is not a reference has no ARN."""
    secret, parameter = (
        "arn:aws:secretsmanager:us-west-2:000000000000:secret:provider-AbCdEf",
        "arn:aws:ssm:us-west-2:000000000000:parameter/a/b",
    )
    assert [find_secret_arn(value) for value in (secret, f"{secret}:key", f"{secret}:key::", parameter, "INFO")] == [
        *[secret] * 3,
        parameter,
        None,
    ]


def test_functions_reach_more_only_beside_the_local_aws() -> None:
    """A stage on AWS has the network that AWS gives it: its `reach` would promise what nobody keeps."""
    wanted = document(reach="api.openai.com:443 127.0.0.1:11434")
    assert stages.parse("local", wanted).reach == "api.openai.com:443 127.0.0.1:11434"
    with pytest.raises(InvalidStage, match="reach applies to the local AWS only"):
        stages.parse("staging", wanted)


def test_a_stage_without_a_file_is_unknown(tmp_path: Path) -> None:
    """A stage is looked up by its name among the files, so a path is not a stage."""
    with pytest.raises(UnknownStage, match="expected one of stages/: local, production, staging"):
        stages.load("../pyproject")


def test_a_file_that_is_not_toml_is_one_problem(tmp_path: Path) -> None:
    """A syntax error is reported with the file and the line."""
    (tmp_path / "odd.toml").write_text("region = \n")
    with pytest.raises(InvalidStage, match=r"odd\.toml: 1 problem:\n  - not TOML: .*line 1"):
        stages.load("odd", tmp_path)


@pytest.mark.parametrize(
    ("name", "expected"), [("production", True), ("production-eu", True), ("staging", False), ("productions", False)]
)
def test_production_of_another_region_is_a_production(name: str, expected: bool) -> None:
    """A stage whose name begins with `production-` has the checks of production."""
    assert replace(stages.load("production"), name=name).is_production == expected


def test_amplifys_tables_have_its_names_and_the_others_the_stages() -> None:
    """With `tables.amplify` the records' tables and indexes are Amplify's, and an index may be named in the file."""
    stage = stages.parse("local", document(tables__amplify="abc-NONE", tables__indexes__Score="byCard"))
    assert [stage.table(name) for name in ("ScoringJob", "Outbox", "Deployment")] == [
        "ScoringJob-abc-NONE",
        "local-Outbox",
        "local-Deployment",
    ]
    assert stage.index("ScoreResult") == ("scoreResultsByScorecardIdAndUpdatedAt", "updatedAt")
    assert stage.table_variables == {
        "PLEXUS_TABLE_PREFIX": "local-",
        "PLEXUS_TABLE_SUFFIX": "-abc-NONE",
        "PLEXUS_TABLE_INDEXES": "Account=accountsByKey,Score=byCard",
    }
    assert stages.load("local").table_variables == {"PLEXUS_TABLE_PREFIX": "local-"}
    expiring = stages.parse("local", document(tables__expire_after_days=90))
    assert expiring.table_variables == {"PLEXUS_TABLE_PREFIX": "local-", "PLEXUS_EXPIRE_AFTER_DAYS": "90"}
