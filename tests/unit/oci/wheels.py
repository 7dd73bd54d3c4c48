"""Small wheels."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

METADATA = b"Metadata-Version: 2.1\nName: %s\nVersion: 1\n"


def wheel(target: Path, name: str, files: Mapping[str, bytes], *, licence: bool = True) -> Path:
    """Return a wheel of the distribution `name`; its file name is not a wheel's, as in a Nix store."""
    path = target / f"{name}.whl"
    info = f"{name.replace('-', '_')}-1.dist-info"
    members = {**files, f"{info}/METADATA": METADATA % name.encode(), f"{info}/RECORD": b""}
    if licence:
        members[f"{info}/licenses/LICENSE"] = b"Do as you like.\n"
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    return path
