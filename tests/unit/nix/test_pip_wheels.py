"""The reason that is reported when pip cannot download a wheel."""

import pytest

from nix.fetching.pip_wheels import find_cause

END = "ERROR: No matching distribution found for tiny==1.0\n"
RETRY = "WARNING: Retrying (Retry(total=1)) after connection broken by '{}': /simple/tiny/\n"


@pytest.mark.parametrize(
    ("printed", "reason"),
    [
        (
            "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
            "self-signed certificate in certificate chain (_ssl.c:1006)'))",
            "certificate verify failed: self-signed certificate in certificate chain",
        ),
        ("NewConnectionError(': [Errno 111] Connection refused')", "connection refused"),
        ("NewConnectionError(': [Errno -3] Temporary failure in name resolution')", "host name not found"),
        ("ReadTimeoutError('Read timed out. (read timeout=15)')", "timed out"),
    ],
)
def test_a_failure_of_the_network_is_the_reason(printed: str, reason: str) -> None:
    """pip ends with "no matching distribution" whatever happened; the warnings before have the cause."""
    assert find_cause(RETRY.format(printed) + END) == reason


def test_an_error_status_is_the_reason() -> None:
    """The index's own status is reported, without its address."""
    assert (
        find_cause("ERROR: HTTP error 403 while getting x\nERROR: 403 Client Error: Forbidden for url: x\n")
        == "403 Forbidden"
    )


def test_without_another_cause_the_last_error_is_the_reason() -> None:
    """An index that answers and does not have the version."""
    assert find_cause("Looking in links\n" + END) == "No matching distribution found for tiny==1.0"
    assert find_cause("") == ""
