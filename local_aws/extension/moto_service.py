"""LocalStack service that forwards every operation to the bundled moto, one request at a time."""

import threading

from localstack.aws.skeleton import Skeleton
from localstack.aws.spec import load_service
from localstack.services.moto import call_moto
from localstack.services.plugins import Service


def moto_service(name, before=None, after=None) -> Service:
    """Create the service. `before(context, request)` and `after(context, request, response)` wrap each call.

    moto checks a condition and writes in two steps without a lock, and LocalStack's gateway is multi-threaded.
    Serialising requests makes conditional writes and transactions atomic.
    """
    model, lock = load_service(name), threading.RLock()

    def handle(context, request):
        with lock:
            if before:
                before(context, request)
            response = call_moto(context)
            return after(context, request, response) if after else response

    return Service(name=name, skeleton=Skeleton(model, dict.fromkeys(model.operation_names, handle)))
