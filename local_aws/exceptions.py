"""Exceptions of `local_aws`. Each message says what failed, where, what was expected, and what to do next."""


class LocalAwsError(Exception):
    """Base class of this package's exceptions."""


class StartFailed(LocalAwsError):
    """Raised if LocalStack or an execution environment does not start."""


class PortInUse(LocalAwsError):
    """Raised if the requested port belongs to another process."""


class InvalidImage(LocalAwsError):
    """Raised if an image layout, config or layer does not match its digest or violates Lambda's rules."""


class EngineUnavailable(LocalAwsError):
    """Raised if the requested engine does not work on this machine."""
