from pathlib import Path

import pytest

from tests.memory.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """One account, one scorecard, empty queues."""
    return World(tmp_path)
