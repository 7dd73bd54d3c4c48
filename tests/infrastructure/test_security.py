import stages
from infrastructure import security


def test_every_finding_is_accepted_with_a_reason_or_mended(stage: str) -> None:
    """The rule packs find nothing in the stacks but what the table accepts, and the table accepts nothing else."""
    settings = stages.load(stage)
    assert security.findings(settings) == set(security.accepted(settings))


def test_each_acceptance_gives_a_reason() -> None:
    """A finding is accepted once, by a sentence."""
    assert all(one.reason.endswith(".") and len(one.reason) > 40 for one in security.ACCEPTED)
    assert len({one.finding for one in security.ACCEPTED}) == len(security.ACCEPTED)
