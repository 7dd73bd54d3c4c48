"""Which Linux distribution this host runs, and the package there that names Debian's mirrors."""

import re
from dataclasses import dataclass
from pathlib import Path

OS_RELEASE = ("etc/os-release", "usr/lib/os-release")
FIELD = re.compile(r"^(\w+)=(?:\"([^\"\n]*)\"|'([^'\n]*)'|(\S*))$", re.M)
# ID or ID_LIKE of os-release → the command that installs debootstrap.
INSTALL = {
    "debian": "sudo apt-get install debootstrap",
    "ubuntu": "sudo apt-get install debootstrap",
    "fedora": "sudo dnf install debootstrap",
    "rhel": "sudo dnf install epel-release && sudo dnf install debootstrap",
    "arch": "sudo pacman -S debootstrap",
    "alpine": "doas apk add debootstrap",
    "opensuse": "sudo zypper install debootstrap",
    "suse": "sudo zypper install debootstrap",
    "nixos": "nix-shell -p debootstrap",
}


@dataclass(frozen=True)
class Distribution:
    """A distribution: `name` for people, `ids` its own and those that it descends from, nearest first."""

    name: str
    ids: tuple[str, ...] = ()
    is_wsl: bool = False

    def __str__(self) -> str:
        return f"{self.name} on WSL" if self.is_wsl else self.name

    @property
    def is_debian(self) -> bool:
        """Whether this is Debian itself, whose apt is expected to have Debian's packages."""
        return self.ids[:1] == ("debian",)

    @property
    def install(self) -> str | None:
        """The command that installs debootstrap; None on an unknown distribution."""
        return next((INSTALL[one] for one in self.ids if one in INSTALL), None)


def read_distribution(root: Path = Path("/")) -> Distribution:
    """Read the distribution of the system at `root`; one without os-release is `unknown Linux`.

    `families` are its own id and those that it is like, the nearest first. Raises nothing.
    """
    text = next((found for found in (read(root / name) for name in OS_RELEASE) if found), "")
    fields = {name: double or single or bare for name, double, single, bare in FIELD.findall(text)}
    ids = " ".join((fields.get("ID", ""), fields.get("ID_LIKE", ""))).split()
    # openSUSE's editions have IDs such as opensuse-leap.
    families = [one.partition("-")[0] for one in ids]
    name = fields.get("PRETTY_NAME") or fields.get("NAME") or "unknown Linux"
    return Distribution(name, tuple(dict.fromkeys(families)), "microsoft" in read(root / "proc/version").lower())


def read(path: Path) -> str:
    """Return a file's text; empty if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
