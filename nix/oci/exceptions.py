"""Errors of the assembler and the linter."""


class OciError(Exception):
    """Root of all errors raised on purpose; the message has the place, got, expected and the next step."""


class InputMismatch(OciError):
    """Raised if an input's bytes do not match its digest in the lock."""


class PathConflict(OciError):
    """Raised if two inputs write the same path of the image."""


class UnsafePath(OciError):
    """Raised for a path that leaves the image, and for an entry that a layer must not have."""


class BrokenLayer(OciError):
    """Raised if a layer in the cache does not match its own record."""


class UnreadablePackage(OciError):
    """Raised if a Debian package is truncated, damaged, or in a format that is not supported."""
