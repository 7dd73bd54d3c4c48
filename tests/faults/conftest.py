"""One stage per session; each test starts without faults and messages."""

from collections.abc import Iterator

import pytest

from tests.faults.stage import Faulty, real_stage


@pytest.fixture(scope="session")
def session() -> Iterator[Faulty]:
    """The stage as the previous test left it."""
    with real_stage("faults") as deployment:
        yield deployment


@pytest.fixture
def stage(session: Faulty) -> Iterator[Faulty]:
    """The stage without faults and messages."""
    session.forget()
    yield session
    session.faults()
