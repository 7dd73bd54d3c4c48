"""The remedy if the kernel denies user namespaces."""

from pathlib import Path

import pytest

from local_aws.engine_choice import choose_remedy


@pytest.mark.parametrize(
    ("name", "value", "command"),
    [
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "kernel.apparmor_restrict_unprivileged_userns=0"),
        ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
        ("user/max_user_namespaces", "0", "user.max_user_namespaces=15000"),
    ],
)
def test_the_setting_that_denies_namespaces_is_named(tmp_path: Path, name: str, value: str, command: str) -> None:
    """The remedy is the command that changes the one setting which denies user namespaces."""
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_text(f"{value}\n")
    assert choose_remedy(tmp_path) == f"sudo sysctl {command}"


def test_a_kernel_that_allows_namespaces_is_not_blamed(tmp_path: Path) -> None:
    """No setting is named if every one allows namespaces, as inside most containers."""
    (tmp_path / "user").mkdir()
    (tmp_path / "user/max_user_namespaces").write_text("96365\n")
    assert "sysctl" not in choose_remedy(tmp_path)
