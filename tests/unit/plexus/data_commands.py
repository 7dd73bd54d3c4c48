"""`plexus data` as a test runs it."""

from click.testing import CliRunner, Result

from plexus.commands import data


def run(*words: object) -> Result:
    """Return the command with these words; errors are raised."""
    return CliRunner().invoke(data.command, [str(word) for word in words], standalone_mode=False)


def run_data(*words: object) -> Result:
    """Return the command, which succeeds."""
    result = run(*words)
    assert result.exception is None, result.exception
    return result
