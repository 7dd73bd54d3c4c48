import stages
from infrastructure import security


def test_every_violation_is_accepted_or_fixed(stage: str) -> None:
    """The violations that the rule packs find are exactly those that the table accepts."""
    settings = stages.load(stage)
    assert security.violations(settings) == set(security.accepted_violations(settings))


def test_each_acceptance_gives_a_reason() -> None:
    """Each violation is accepted once, with a sentence as its reason."""
    assert all(entry.reason.endswith(".") and len(entry.reason) > 40 for entry in security.ACCEPTED)
    assert len({entry.violation for entry in security.ACCEPTED}) == len(security.ACCEPTED)
