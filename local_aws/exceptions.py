"""What `local_aws` raises for its users; messages say what, where, what was expected and the next step."""


class LocalAwsError(Exception):
    """The root of this package's errors."""


class StartFailed(LocalAwsError):
    """LocalStack or an execution environment did not come up."""


class PortInUse(LocalAwsError):
    """The asked port belongs to another process."""


class InvalidImage(LocalAwsError):
    """An image layout, config or layer is not what its digest or Lambda's rules promise."""


class EngineUnavailable(LocalAwsError):
    """The engine that was asked for does not work on this machine."""
