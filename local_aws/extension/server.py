"""The gateway on its own address only: the stock server binds IPv4 listeners to every interface."""

from localstack.runtime.server.core import RuntimeServerPlugin
from localstack.runtime.server.twisted import TwistedRuntimeServer
from rolo.serving.twisted import TwistedGateway
from twisted.internet import endpoints, reactor


class LoopbackServer(TwistedRuntimeServer):
    """Listens on the host of each address that GATEWAY_LISTEN names."""

    def register(self, gateway, listen, ssl_creds=None):
        """Add one listener for each address."""
        for address in listen:
            endpoint = endpoints.TCP4ServerEndpoint(reactor, address.port, interface=address.host)
            endpoint.listen(TwistedGateway(gateway)).addErrback(_fail)


def _fail(failure):
    # Without this a port in use leaves a live process that serves nothing.
    print(f"local AWS: cannot listen: {failure.getErrorMessage()}", flush=True)
    reactor.callLater(0, reactor.stop)


class LoopbackServerPlugin(RuntimeServerPlugin):
    """Names the server; chosen by GATEWAY_SERVER."""

    name = "loopback"

    def load(self, *args, **kwargs):
        """Return the server."""
        return LoopbackServer()
