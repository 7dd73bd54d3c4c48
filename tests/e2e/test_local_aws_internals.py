"""Every reach into LocalStack's and moto's internals holds: run this first after moving LocalStack's pin."""

import contextlib
import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from local_aws import instance, localstack_process, ports, sysroot
from local_aws.instance import Instance
from local_aws.paths import REPOSITORY
from local_aws.sysroot import find_sysroot
from tests.e2e.conftest import Clients, Function
from tests.pinned.rules import rules

PINNED = REPOSITORY / "tests/pinned"
CHECKS = rules()


@pytest.fixture(scope="module")
def verdicts() -> dict[str, str | None]:
    """What each check says, from one process of the pinned root's Python beside the pinned LocalStack."""
    from nix import environments

    result = find_sysroot()
    with tempfile.TemporaryDirectory() as folder:
        port = ports.free_port()
        site = environments.install_site("local-aws", sysroot.PYTHON)
        settings = localstack_process.Settings(
            Path(folder), "check", port, ports.free_port(port), "plain", result, site
        )
        localstack_process.prepare(settings)
        done = subprocess.run(
            [*result.command(f"python{sysroot.PYTHON}"), str(PINNED)],
            cwd=folder,
            env={
                **localstack_process.create_environment(settings),
                "ENTRY_POINTS": str(REPOSITORY / "local_aws/extension/entry_points.txt"),
            },
            capture_output=True,
            text=True,
            timeout=600,
        )
    assert done.returncode == 0, done.stderr
    output: dict[str, str | None] = json.loads(done.stdout.splitlines()[-1])
    return output


@pytest.mark.parametrize("name", CHECKS)
def test_internal(name: str, verdicts: dict[str, str | None]) -> None:
    """LocalStack has the internals that each patch relies on, and still has the bug that the patch fixes."""
    assert name in verdicts, next(iter(verdicts.values()), "no check ran")
    assert verdicts[name] is None, f"{CHECKS[name]}\n{verdicts[name]}"


def test_objects_lie_in_the_instances_folder(aws: Clients, local_aws: Instance) -> None:
    """An object of S3 that is too large for memory is a file below the folder of its instance."""
    aws("s3").create_bucket(Bucket="private", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    aws("s3").put_object(Bucket="private", Key="key", Body=bytes(3 << 20))
    folder = instance.locate_folder(local_aws.name) / "s3"
    assert [path for path in list_open_files(local_aws.pid) if path.is_relative_to(folder)]


def list_open_files(pid: int) -> list[Path]:
    """Return the files that a process holds open, also those that have no name any more."""
    results = []
    for link in Path("/proc", str(pid), "fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            results.append(link.readlink())
    return results


def test_alias_gives_a_share_to_a_second_version(make_function: Callable[..., Function]) -> None:
    """UpdateAlias gives a share of the invocations to another version, and takes it back."""
    function = make_function(Environment={"Variables": {"COLOUR": "first"}})
    first = function.client.publish_version(FunctionName=function.name)["Version"]
    function.update(Environment={"Variables": {"COLOUR": "second"}})
    second = function.client.publish_version(FunctionName=function.name)["Version"]
    alias = {"FunctionName": function.name, "Name": "live"}
    function.client.create_alias(**alias, FunctionVersion=first)
    shares = {"AdditionalVersionWeights": {second: 0.25}}
    assert function.client.update_alias(**alias, RoutingConfig=shares)["RoutingConfig"] == shares
    function.client.update_alias(**alias, RoutingConfig={"AdditionalVersionWeights": {}})
    assert "RoutingConfig" not in function.client.get_alias(**alias)
