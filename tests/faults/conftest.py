"""One stage for the session; each test begins without faults and messages."""

from collections.abc import Iterator

import pytest

from tests.faults.stage import Faulty, real_stage


@pytest.fixture(scope="session")
def _session() -> Iterator[Faulty]:
    with real_stage("faults") as found:
        yield found


@pytest.fixture
def stage(_session: Faulty) -> Iterator[Faulty]:
    """The stage, clean."""
    _session.forget()
    yield _session
    _session.faults()
