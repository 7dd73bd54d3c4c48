"""Paths in the image, relative to its root, without a leading slash."""

from collections.abc import Iterator

PYTHON = "usr/bin/python3.11"
SITE = "usr/local/lib/python3.11/dist-packages"
TASK = "var/task"
BUNDLE = "etc/ssl/certs/ca-certificates.crt"
# Debian's OpenSSL reads this file if SSL_CERT_FILE is not set.
OPENSSL_BUNDLE = "usr/lib/ssl/cert.pem"


def parents(path: str) -> Iterator[str]:
    """Yield the directories above `path`, innermost first."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
