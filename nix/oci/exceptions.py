"""What the assembler refuses to do."""


class OciError(Exception):
    """Root of everything raised here on purpose; the message says what, where, expected, got and the next step."""


class InputMismatch(OciError):
    """When an input's bytes are not those that its digest promises."""


class PathConflict(OciError):
    """When two inputs write the same path of the image."""


class UnsafePath(OciError):
    """When an input names a path that would leave the image, or an entry that a layer may not hold."""


class BrokenLayer(OciError):
    """When a layer folder in the cache is not what its own record says."""


class UnreadablePackage(OciError):
    """When a Debian package is cut short, damaged, or written in a way that cannot be read here."""
