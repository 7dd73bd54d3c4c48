"""Functions: what an invocation may expect of its execution environment, and what happens when it breaks."""

import contextlib
import re
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from local_aws.instance import Instance
from local_aws.status import ask
from tests.e2e.conftest import Clients, Function, refusal, wait_for
from tests.e2e.test_local_aws_logs import messages_with

Make = Callable[..., Function]
UNHANDLED = "Unhandled"
TMP = "/" + "tmp"  # the function's own


def test_first_invocation_is_cold_and_the_next_is_warm(make_function: Make) -> None:
    """Only the first report has an init duration, and the second call runs in the same process."""
    function = make_function()
    first, second = function.invoke(), function.invoke()
    assert (first.value["calls"], second.value["calls"]) == (1, 2)
    assert ("Init Duration" in first.report, "Init Duration" in second.report) == (True, False)


def test_report_bills_the_init_phase_of_images(make_function: Make) -> None:
    """The billed duration of a cold start is its duration and its init duration together, in whole milliseconds."""
    report = make_function().invoke().report
    match = re.search(r"\tDuration: ([\d.]+) ms\tBilled Duration: (\d+) ms.*\tInit Duration: ([\d.]+) ms\t", report)
    assert match, report
    total = float(match[1]) + float(match[3])
    assert total <= int(match[2]) <= total + 1.02


def test_environment_holds_lambdas_own_and_the_functions_variables(
    make_function: Make, local_aws: Instance, guarantees: dict[str, Any]
) -> None:
    """The function sees its own variables, Lambda's, and the local endpoint, and none of LocalStack's."""
    function = make_function(Environment={"Variables": {"COLOUR": "blue"}}, MemorySize=320)
    variables = function.invoke({"environment": True}).value["environment"]
    expected = {
        "COLOUR": "blue",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "320",
        "AWS_REGION": "us-west-2",
        "AWS_ENDPOINT_URL": local_aws.endpoint,
        "_HANDLER": "function.handler",
    }
    assert expected.items() <= variables.items()
    # Without a root of its own, a function gets the path of the image's folder.
    task_root = variables["LAMBDA_TASK_ROOT"]
    assert task_root == "/var/task" if guarantees["read_only_root"] else task_root.endswith("/var/task")
    assert not [name for name in variables if name.startswith("LOCALSTACK")]


def test_a_functions_variables_are_on_no_command_line(make_function: Make) -> None:
    """Everybody may read /proc/*/cmdline: no secret among a function's variables is there while it runs."""
    secret = uuid.uuid4().hex
    function = make_function(Environment={"Variables": {"SECRET": secret}})
    variables = function.invoke({"environment": True}).value["environment"]
    assert variables["SECRET"] == secret
    output = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # the process has ended
            line = path.read_bytes()
            output += [line for word in (secret, variables["AWS_ACCESS_KEY_ID"]) if word.encode() in line]
    assert not output


def test_root_is_read_only_and_tmp_is_private(make_function: Make, guarantees: dict[str, Any]) -> None:
    """Only /tmp can be written, and the user is Lambda's."""
    if not guarantees["read_only_root"]:
        pytest.skip("this machine's engine does not make the root read-only: user namespaces are denied")
    value = make_function().invoke({"write": [TMP + "/x", "/var/task/x", "/x"], "list": TMP}).value
    assert value["writes"][TMP + "/x"] == "written"
    assert {value["writes"]["/var/task/x"], value["writes"]["/x"]} == {"Read-only file system"}
    assert (value["uid"], value["listing"]) == (993, ["x"])


def test_handler_error_is_the_answer_and_keeps_the_environment(make_function: Make) -> None:
    """An exception of the handler is reported with its type and traceback, and the next call is warm."""
    function = make_function()
    answer = function.invoke({"raise": "boom"})
    assert (answer.error, answer.value["errorType"], answer.value["errorMessage"]) == (UNHANDLED, "ValueError", "boom")
    assert "Traceback" in answer.log
    assert function.invoke().value["calls"] == 2


def test_timeout_ends_the_environment(make_function: Make) -> None:
    """A function that exceeds its timeout is killed, the error says so, and the next call is a cold start."""
    function = make_function(Timeout=10)  # the next call has to start anew within it
    answer = function.invoke({"sleep": 60})
    assert (answer.error, answer.value["errorType"]) == (UNHANDLED, "Sandbox.Timedout")
    assert answer.value["errorMessage"].endswith("Task timed out after 10.00 seconds")
    assert "Task timed out after 10.00 seconds" in answer.log
    assert "Status: timeout" in answer.report
    assert function.invoke().value["calls"] == 1


def test_memory_limit_is_told_from_any_other_kill(make_function: Make) -> None:
    """A function within its memory size runs, and one beyond it ends with Runtime.OutOfMemory."""
    function = make_function(MemorySize=256)
    assert function.invoke({"allocate": 120}).error is None
    answer = function.invoke({"allocate": 400})
    assert (answer.error, answer.value["errorType"]) == (UNHANDLED, "Runtime.OutOfMemory")
    assert "Error Type: Runtime.OutOfMemory" in answer.report


def test_files_are_limited_by_the_ephemeral_storage(make_function: Make, guarantees: dict[str, Any]) -> None:
    """`/tmp` holds as much as is configured, and the function survives a full disk."""
    if not guarantees["private_tmp"]:
        pytest.skip("this machine's engine has no private /tmp: user namespaces are denied")
    function = make_function(MemorySize=1024, Timeout=60, EphemeralStorage={"Size": 520})
    answer = function.invoke({"fill": f"{TMP}/file"})
    assert answer.value["filled"] == "520 MiB: 520 MiB, No space left on device"
    assert function.invoke().value["calls"] == 2


def test_exit_of_the_runtime_is_an_error_with_its_status(make_function: Make) -> None:
    """A runtime that exits in an invocation is reported with its exit status and its last words are logged."""
    answer = make_function().invoke({"exit": 3})
    assert answer.value["errorType"] == "Runtime.ExitError"
    assert answer.value["errorMessage"].endswith("Runtime exited with error: exit status 3")
    assert "about to exit" in answer.log


def test_killed_environment_is_an_exit_error(make_function: Make, local_aws: Instance, aws: Clients) -> None:
    """A kill -9 of the environment in an invocation is an exit error, not an out-of-memory error."""
    function = make_function(Timeout=150)
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(function.invoke, {"print": "began", "sleep": 140})
        messages_with(aws, function.name, "began")
        assert len(ask(local_aws, "/_local_aws/environments/kill", {"function": function.name})) == 1
        answer = pending.result()
    assert answer.value["errorType"] == "Runtime.ExitError"
    assert answer.value["errorMessage"].endswith("signal: killed")
    assert function.invoke().value["calls"] == 1


def test_environment_killed_while_idle_is_replaced(make_function: Make, local_aws: Instance) -> None:
    """An environment killed between two invocations is no longer listed, and the next invocation is a cold start."""
    function = make_function()
    function.invoke()
    (killed,) = ask(local_aws, "/_local_aws/environments/kill", {"function": function.name})
    wait_for(lambda: killed["id"] not in environments(local_aws), "the environment to be gone")
    answer = function.invoke()
    assert (answer.error, answer.value["calls"]) == (None, 1)
    assert "Init Duration" in answer.report


def environments(running: Instance) -> list[str]:
    """Return the ids of the live execution environments."""
    return [entry["id"] for entry in ask(running, "/_local_aws/status")["environments"]]


def test_init_error_is_the_answer_of_the_invocation(make_function: Make) -> None:
    """A failing init is tried once more by the invocation and answered with its own type."""
    answer = make_function(Environment={"Variables": {"INIT_FAIL": "1"}}).invoke()
    assert (answer.error, answer.value["errorType"]) == (UNHANDLED, "RuntimeError")
    assert answer.value["errorMessage"] == "init failed"
    assert "Phase: invoke\tStatus: error" in answer.log


def test_init_over_ten_seconds_runs_again_within_the_function_timeout(make_function: Make) -> None:
    """An init phase that is too slow for init is repeated by the invocation under the function's own timeout."""
    function = make_function(Timeout=60, Environment={"Variables": {"INIT_SLEEP": "10.5"}})
    answer = function.invoke()
    assert (answer.error, answer.value["calls"]) == (None, 1)


def test_concurrent_invocations_run_in_environments_of_their_own(make_function: Make) -> None:
    """Eight calls at once are answered by eight environments, each for the first time."""
    function = make_function()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: function.invoke({"sleep": 8}), range(8)))
    assert [answer.value["calls"] for answer in answers] == [1] * 8


def test_environment_is_frozen_between_invocations(make_function: Make) -> None:
    """A background thread stands still from the end of one invocation to the beginning of the next."""
    import time

    function = make_function()
    function.invoke({"tick": True, "sleep": 0.1})
    time.sleep(3)  # freezing takes a moment, and longer on a busy machine
    assert function.invoke({"sleep": 0.05, "evaluate": "pause"}).value["value"] > 0.5


def test_version_and_alias_run_what_was_published(make_function: Make) -> None:
    """An alias invokes its version, whose configuration later updates do not touch."""
    function = make_function(Environment={"Variables": {"COLOUR": "first"}})
    version = function.client.publish_version(FunctionName=function.name)["Version"]
    function.client.create_alias(FunctionName=function.name, Name="live", FunctionVersion=version)
    function.update(Environment={"Variables": {"COLOUR": "second"}})
    live = function.invoke({"environment": True}, Qualifier="live")
    assert live.value["environment"]["COLOUR"] == "first"
    assert live.value["arn"].endswith(f":{function.name}:live")
    assert f"Version: {version}" in live.log
    assert function.invoke({"environment": True}).value["environment"]["COLOUR"] == "second"


def test_an_idle_environment_ends_once_nothing_serves_its_version(make_function: Make, local_aws: Instance) -> None:
    """Environments of versions that no alias names end when they are idle; those of the alias and $LATEST stay."""
    function = make_function()
    for number in ("1", "2"):
        assert function.client.publish_version(FunctionName=function.name)["Version"] == number
        function.update(Description=number)
    function.client.create_alias(FunctionName=function.name, Name="live", FunctionVersion="2")
    for qualifier in ("1", "2", "$LATEST"):
        function.invoke({}, Qualifier=qualifier)

    def versions() -> set[str]:
        status = ask(local_aws, "/_local_aws/status")["environments"]
        return {entry["version"] for entry in status if entry["function"] == function.name}

    wait_for(lambda: versions() == {"2", "$LATEST"}, "the environment of version 1 to end")
    function.client.update_alias(FunctionName=function.name, Name="live", FunctionVersion="1")
    wait_for(lambda: versions() == {"$LATEST"}, "the environment of version 2 to end")


def test_the_configuration_of_an_alias_is_its_versions(make_function: Make) -> None:
    """GetFunctionConfiguration by the alias has its version's settings and the alias's ARN, as GetFunction has."""
    function = make_function(MemorySize=256)
    version = function.client.publish_version(FunctionName=function.name)["Version"]
    function.client.create_alias(FunctionName=function.name, Name="live", FunctionVersion=version)
    function.update(MemorySize=320)
    for words in ({"FunctionName": function.name, "Qualifier": "live"}, {"FunctionName": f"{function.name}:live"}):
        answer = function.client.get_function_configuration(**words)
        assert (answer["Version"], answer["MemorySize"]) == (version, 256)
        assert answer["FunctionArn"].endswith(f":{function.name}:live")
    plain = function.client.get_function_configuration(FunctionName=function.name)
    assert (plain["MemorySize"], plain["FunctionArn"].endswith(function.name)) == (320, True)
    answer = refusal(function.client.get_function_configuration, FunctionName=function.name, Qualifier="nobody")
    assert answer.startswith("ResourceNotFoundException")


def test_code_is_updated_by_the_uri_of_aws(make_function: Make, image_uri: str) -> None:
    """`ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME` names the local registry's repository, by tag and by digest."""
    function, name = make_function(), image_uri.partition("/")[2].partition("@")[0]
    registry, digest = "000000000000.dkr.ecr.us-west-2.amazonaws.com", image_uri.partition("@")[2]
    for uri in (f"{registry}/{name}:latest", f"{registry}/{name}@{digest}"):
        function.client.update_function_code(FunctionName=function.name, ImageUri=uri)
        function.settle()
        code = function.client.get_function(FunctionName=function.name)["Code"]
        assert (code["ImageUri"], code["ResolvedImageUri"].partition("@")[2]) == (uri, digest)
    missing = refusal(
        function.client.update_function_code, FunctionName=function.name, ImageUri=f"{registry}/{name}:never"
    )
    assert missing.endswith("does not exist. Provide a valid source image.")


def test_code_is_updated_by_digest(make_function: Make, image_uri: str) -> None:
    """After an update by digest the function's code has this digest."""
    function = make_function()
    function.client.update_function_code(FunctionName=function.name, ImageUri=image_uri)
    function.settle()
    output = function.client.get_function(FunctionName=function.name)
    wanted = image_uri.rpartition("sha256:")[2]
    assert output["Code"]["ResolvedImageUri"] == image_uri
    assert output["Configuration"]["CodeSha256"] == wanted


def test_missing_image_is_refused(make_function: Make, local_aws: Instance) -> None:
    """A function cannot be updated to an image that the registry does not hold."""
    function = make_function()
    wanted = {"FunctionName": function.name, "ImageUri": f"{local_aws.registry}/tests/function:none"}
    assert "does not exist. Provide a valid source image" in refusal(function.client.update_function_code, **wanted)


def test_five_megabytes_go_in_and_come_back(make_function: Make) -> None:
    """A payload under Lambda's limit passes whole in both directions."""
    text = "x" * 5_000_000
    assert make_function(MemorySize=512).invoke({"echo": text}).value["echo"] == text


def test_reply_over_the_limit_is_an_error(make_function: Make) -> None:
    """A response over six megabytes is refused by the Runtime API and the invocation fails."""
    answer = make_function(MemorySize=1024).invoke({"repeat": 7_000_000})
    assert answer.error == UNHANDLED
    assert answer.value["errorType"] == "Function.ResponseSizeTooLarge"


def test_event_invocation_runs_in_the_background(make_function: Make, aws: Clients) -> None:
    """An Event invocation is accepted at once and its output reaches the log."""
    function = make_function()
    answer = function.client.invoke(FunctionName=function.name, InvocationType="Event", Payload=b'{"print": "later"}')
    assert answer["StatusCode"] == 202
    assert messages_with(aws, function.name, "later")
