import pytest

from handler.subsegments import ADDRESS, find_daemon


@pytest.mark.parametrize(
    ("address", "is_found"),
    [
        ("127.0.0.1:1", True),
        ("127.0.0.1:65535", True),
        ("127.0.0.1:65536", False),
        ("127.0.0.1:0", False),
        ("127.0.0.1:²", False),
        ("127.0.0.1", False),
        ("localhost:2000", False),
        ("", False),
    ],
)
def test_a_daemon_has_an_address_of_numbers(address: str, is_found: bool) -> None:
    """Anything but an IPv4 address and a port from 1 to 65535 is no daemon, and no name is resolved."""
    assert (find_daemon({ADDRESS: address}) is not None) == is_found
