"""Of LocalStack's gateway, hooks and settings."""

import inspect
import os
from pathlib import Path


def gateway():
    """The base server receives its addresses through `register`; the protocol takes a gateway."""
    from localstack import config
    from localstack.aws.app import LocalstackAwsGateway
    from localstack.runtime.server.core import RuntimeServerPlugin
    from localstack.runtime.server.twisted import TwistedRuntimeServer
    from rolo.serving.twisted import TwistedGateway

    assert list(inspect.signature(TwistedRuntimeServer.register).parameters) == [
        "self",
        "gateway",
        "listen",
        "ssl_creds",
    ]
    (address,) = config.GATEWAY_LISTEN
    assert f"{address.host}:{address.port}" == os.environ["GATEWAY_LISTEN"]
    assert RuntimeServerPlugin.namespace == "localstack.runtime.server"
    assert config.GATEWAY_SERVER == "loopback"
    assert "gateway" in inspect.signature(TwistedGateway.__init__).parameters
    # Web pages are refused by the first handler, and a websocket passes the same handlers.
    assert isinstance(LocalstackAwsGateway().request_handlers, list)
    assert "process" in LocalstackAwsGateway.accept.__code__.co_names


def stop():
    """The gateway closes after all hooks of the shutdown, for `stop` waits for that; services end after ours."""
    from localstack.runtime import shutdown
    from localstack.runtime.runtime import LocalstackRuntime

    from local_aws.extension import plugins

    order = LocalstackRuntime.shutdown.__code__.co_names
    assert order.index("on_runtime_shutdown") < order.index("runtime_server")
    ours = getattr(plugins.shut_down, "hook_priority", 0)
    assert ours > shutdown.SERVICE_SHUTDOWN_PRIORITY


def plugin_points():
    """Every entry point of this project is found, and the provider of a service can be chosen before it is loaded."""
    from importlib.metadata import entry_points

    from localstack import config

    own_ = [point for point in entry_points() if point.value.startswith("local_aws.")]
    output = [line for line in Path(os.environ["ENTRY_POINTS"]).read_text().splitlines() if "=" in line]
    assert len(own_) == len(output)
    for point in own_:
        assert point.load() is not None, point
    config.SERVICE_PROVIDER_CONFIG.set_provider_if_not_exists("dynamodb", "moto")
    assert config.SERVICE_PROVIDER_CONFIG.get_provider("dynamodb") == "moto"
    from local_aws.extension import plugins

    assert plugins.configure.hook_priority > 0


def handlers():
    """Requests pass our handlers once their operation is known, before a service gets them; answers pass them too."""
    from localstack.aws import handlers as stock
    from localstack.aws.api import CommonServiceException, RequestContext
    from localstack.aws.app import LocalstackAwsGateway

    gateway = LocalstackAwsGateway()
    place = gateway.request_handlers.index
    assert place(stock.parse_service_request) < place(stock.serve_custom_service_request_handlers)
    assert place(stock.serve_custom_service_request_handlers) < place(gateway.service_request_router)
    assert stock.run_custom_response_handlers in gateway.response_handlers
    for chain in (stock.serve_custom_service_request_handlers, stock.run_custom_response_handlers):
        assert callable(chain.append)
    assert isinstance(RequestContext.is_internal_call, property)
    error = CommonServiceException("Code", "message", status_code=418)
    assert (error.code, error.message, error.status_code) == ("Code", "message", 418)


def callers():
    """The access key of a signed request is found in its header."""
    from localstack.utils.aws.request_context import extract_access_key_id_from_auth_header

    header = "AWS4-HMAC-SHA256 Credential=key/20260102/us-west-2/sqs/aws4_request, SignedHeaders=host, Signature=0"
    assert extract_access_key_id_from_auth_header({"Authorization": header}) == "key"
    assert not extract_access_key_id_from_auth_header({})


def routes():
    """A route is a path, a function and its methods, answered before any service is asked."""
    from localstack.aws import handlers as stock
    from localstack.aws.app import LocalstackAwsGateway
    from localstack.http import Request, Response
    from localstack.services.edge import ROUTER

    ROUTER.add("/_local_aws/probe", lambda *_, **__: Response("there"), methods=["GET"])
    assert ROUTER.dispatch(Request("GET", "/_local_aws/probe")).data == b"there"
    place = LocalstackAwsGateway().request_handlers.index
    assert place(stock.serve_edge_router_rules) < place(stock.parse_service_name)


def settings():
    """Every setting that an instance is started with is known to LocalStack and understood as it is meant."""
    from localstack import config

    known = (
        config.SQS_ENDPOINT_STRATEGY,
        config.OVERRIDE_IN_DOCKER,
        config.is_in_docker,
        config.SKIP_SSL_CERT_DOWNLOAD,
        config.DISABLE_EVENTS,
        config.use_custom_dns(),
        config.LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC,
        config.LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC,
        str(config.LOCALSTACK_HOST),
        config.LS_LOG,
    )
    assert known == ("path", False, False, True, True, False, 0.001, 0.2, os.environ["GATEWAY_LISTEN"], "warning")
    home = Path.cwd()
    for folder in (config.dirs.tmp, config.dirs.cache, config.dirs.static_libs, config.dirs.data):
        assert Path(folder).is_relative_to(home), folder
