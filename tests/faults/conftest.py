"""One stage for the session; each test begins without faults and messages."""

from collections.abc import Iterator

import pytest

from tests.faults.stage import Faulty, real_stage


@pytest.fixture(scope="session")
def session() -> Iterator[Faulty]:
    """The stage as the test before left it."""
    with real_stage("faults") as found:
        yield found


@pytest.fixture
def stage(session: Faulty) -> Iterator[Faulty]:
    """The stage, clean."""
    session.forget()
    yield session
    session.faults()
