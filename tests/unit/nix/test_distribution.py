"""The distribution that a report names, and the command that it gives there."""

from pathlib import Path

import pytest

from nix.debian.distribution import read_distribution

DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n'
UBUNTU = 'PRETTY_NAME="Ubuntu 24.04.1 LTS"\nID=ubuntu\nID_LIKE=debian\n'
MINT = 'PRETTY_NAME="Linux Mint 22"\nID=linuxmint\nID_LIKE="ubuntu debian"\n'
FEDORA = "PRETTY_NAME='Fedora Linux 43'\nID=fedora\n"
ROCKY = 'PRETTY_NAME="Rocky Linux 9.5"\nID="rocky"\nID_LIKE="rhel centos fedora"\n'
ARCH = 'PRETTY_NAME="Arch Linux"\nID=arch\n'
ALPINE = 'PRETTY_NAME="Alpine Linux v3.22"\nID=alpine\n'
SUSE = 'PRETTY_NAME="openSUSE Leap 15.6"\nID="opensuse-leap"\nID_LIKE="suse opensuse"\n'
NIXOS = 'PRETTY_NAME="NixOS 25.05"\nID=nixos\n'


@pytest.mark.parametrize(
    ("text", "name", "command"),
    [
        (DEBIAN, "Debian GNU/Linux 12 (bookworm)", "apt-get install"),
        (UBUNTU, "Ubuntu 24.04.1 LTS", "apt-get install"),
        (MINT, "Linux Mint 22", "apt-get install"),
        (FEDORA, "Fedora Linux 43", "dnf install debootstrap"),
        (ROCKY, "Rocky Linux 9.5", "epel-release"),
        (ARCH, "Arch Linux", "pacman -S"),
        (ALPINE, "Alpine Linux v3.22", "apk add"),
        (SUSE, "openSUSE Leap 15.6", "zypper install"),
        (NIXOS, "NixOS 25.05", "nix-shell -p"),
    ],
)
def test_a_distribution_has_a_name_and_a_command(text: str, name: str, command: str, tmp_path: Path) -> None:
    """Derived distributions use the command of the nearest one that is known."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text(text)
    result = read_distribution(tmp_path)
    assert str(result) == name
    assert command in (result.install or "")
    assert result.is_debian == (text is DEBIAN)


def test_a_system_without_os_release_is_unknown(tmp_path: Path) -> None:
    """No command is given where the distribution is not known."""
    result = read_distribution(tmp_path)
    assert (str(result), result.install) == ("unknown Linux", None)


def test_wsl_is_named(tmp_path: Path) -> None:
    """The kernel of the Windows Subsystem for Linux is named beside the distribution."""
    for name, text in {
        "etc/os-release": UBUNTU,
        "proc/version": "Linux version 6.6.87-Microsoft-standard-WSL2",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert str(read_distribution(tmp_path)) == "Ubuntu 24.04.1 LTS on WSL"
