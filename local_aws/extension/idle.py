"""Idle execution environments: they end soon after nothing serves their version, as on Lambda.

Each deploy's smoke test leaves one, with two processes and several threads: a series of deploys would fill the machine.
"""

import threading

from localstack.services.lambda_.invocation.execution_environment import RuntimeStatus
from localstack.services.lambda_.invocation.models import lambda_stores

GRACE_S = 10.0  # a deploy moves the alias within that after it has tried the version


def watch(environment) -> None:
    """End the environment GRACE_S after its last invocation unless its version is served; else look again later.

    LocalStack's own timer ends environments of served versions.
    """
    timer = threading.Timer(GRACE_S, _look, [environment, environment.last_returned])
    timer.daemon = True
    timer.start()


def _look(environment, last_returned) -> None:
    """End the environment, or watch on; nothing if it was invoked since, which began a watch of its own."""
    if environment.status != RuntimeStatus.READY or environment.last_returned != last_returned:
        return
    if is_served(environment.function_version.id):
        watch(environment)
    else:
        environment.keepalive_passed()  # does nothing if an invocation has just reserved it


def is_served(version) -> bool:
    """Return whether callers may get a version without naming it: `$LATEST`, and what an alias points at."""
    function = lambda_stores[version.account][version.region].functions.get(version.function_name)
    if function is None:
        return False
    aliases = list(function.aliases.values())
    shares = [alias.routing_configuration.version_weights for alias in aliases if alias.routing_configuration]
    return version.qualifier in {
        "$LATEST",
        *(alias.function_version for alias in aliases),
        *(v for s in shares for v in s),
    }
