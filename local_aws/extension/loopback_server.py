"""The gateway's server: it binds its own address only, LocalStack's binds every interface; and it refuses web pages."""

import os
import socket

from localstack.runtime.server.core import RuntimeServerPlugin
from localstack.runtime.server.twisted import TwistedRuntimeServer
from rolo.serving.twisted import TwistedGateway
from twisted.internet import endpoints, reactor

from local_aws import browsers
from local_aws.network import Service

_site = None


class LoopbackServer(TwistedRuntimeServer):
    """Server that listens on the host of each address in GATEWAY_LISTEN."""

    def register(self, gateway, listen, ssl_creds=None):
        """Add one listener per address, and refuse what web pages send before anything else sees it."""
        gateway.request_handlers.insert(0, refuse_pages)
        global _site
        _site = TwistedGateway(gateway)
        for address in listen:
            endpoint = endpoints.TCP4ServerEndpoint(reactor, address.port, interface=address.host)
            endpoint.listen(_site).addErrback(_fail)


def service() -> Service:
    """Return how a container's own network reaches the gateway: at the gateway's own address."""
    host, _, port = os.environ["GATEWAY_LISTEN"].rpartition(":")
    return Service(host, int(port), _serve)


def _serve(listener):
    ports = []

    def adopt():
        listener.setblocking(False)
        ports.append(reactor.adoptStreamPort(listener.fileno(), socket.AF_INET, _site))
        listener.close()

    def stop():
        reactor.callFromThread(lambda: [port.stopListening() for port in ports])

    reactor.callFromThread(adopt)
    return stop


def refuse_pages(chain, context, response):
    """Answer a web page's request with 403 (see `browsers`). A handler of the gateway, for websockets too."""
    request = context.request
    if problem := browsers.find_refusal(
        request.method, request.environ.get("RAW_URI", request.path), request.headers.items()
    ):
        chain.respond(403, f"{problem}\n", {"Content-Type": "text/plain"})


def _fail(failure):
    # Otherwise a port in use leaves a running process that serves nothing.
    print(f"local AWS: cannot listen: {failure.getErrorMessage()}", flush=True)
    reactor.callLater(0, reactor.stop)


class LoopbackServerPlugin(RuntimeServerPlugin):
    """Plugin that GATEWAY_SERVER selects."""

    name = "loopback"

    def load(self, *args, **kwargs):
        """Return the server."""
        return LoopbackServer()
