"""Optional dependencies: classes of score that need an extra."""

import pytest

from plexus.exceptions import MissingDependency, PlexusError, require_extra


def test_a_missing_package_names_the_extra_that_installs_it() -> None:
    """An ImportError becomes a MissingDependency with the class, the package and the pip command."""
    expected = r"SVMClassifier needs the package 'absent_package'.*next: pip install 'score-processor\[svm\]'"
    with pytest.raises(MissingDependency, match=expected) as caught, require_extra("svm", "SVMClassifier"):
        __import__("absent_package")
    assert isinstance(caught.value, PlexusError)
    assert not caught.value.transient


def test_a_missing_module_of_plexus_is_not_a_missing_extra() -> None:
    """An import of plexus' own that fails stays a ModuleNotFoundError."""
    with pytest.raises(ModuleNotFoundError), require_extra("svm", "SVMClassifier"):
        __import__("plexus.absent_module")
