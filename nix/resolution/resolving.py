"""Resolve requirements to pinned ones with hashes, with the pinned uv."""

from dataclasses import dataclass
from pathlib import Path

from nix.clients.package_clients import create_uv_settings, provide_uv, run
from nix.environments import PLATFORM

UNIVERSAL = ("--universal", "--python-version", "3.11")


@dataclass(frozen=True)
class Resolution:
    """How one lock is resolved; the versions in the locks `under` constrain it."""

    arguments: tuple[str, ...]
    under: tuple[str, ...] = ()


# Later than that date, for a published fix: CVE-2026-44432. LocalStack 4.14.0 works with urllib3 2.7.0.
FIXED = ("--exclude-newer-package", "urllib3=2026-06-30")

# In this order, because the earlier ones constrain the later.
RESOLUTIONS = {
    "build": Resolution(UNIVERSAL),
    "uv": Resolution(UNIVERSAL),
    "image-wheels": Resolution(
        ("--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_34", "--only-binary", ":all:")
    ),
    # The same versions as in the image, whatever the host's Python.
    "development": Resolution(UNIVERSAL, ("image-wheels",)),
    "infrastructure": Resolution(UNIVERSAL),
    # LocalStack 4.14.0 works with what was current when it was released, and with nothing newer.
    "local-aws": Resolution(
        ("--python-version", "3.13", "--python-platform", PLATFORM, "--exclude-newer", "2026-02-27", *FIXED)
    ),
}


def resolve(name: str, folder: Path, upgrade: tuple[str, ...]) -> str:
    """Return the text that `folder`/NAME.in resolves to; pins of `folder`/NAME.lock stay unless `upgrade` names them.

    EnvironmentProblem in uv's own words if there is no solution. Reads the other locks in `folder`, writes none.
    """
    how, output = RESOLUTIONS[name], folder / f"{name}.resolved"
    output.write_text((folder / f"{name}.lock").read_text(encoding="utf-8"), encoding="utf-8")
    words = ["pip", "compile", "--quiet", "--generate-hashes", "--no-header", "--no-annotate", *upgrade, *how.arguments]
    words += [word for other in how.under for word in ("--constraints", str(folder / f"{other}.lock"))]
    words += ["--build-constraints", str(folder / "build.lock"), "--output-file", str(output)]
    run([provide_uv(), *words, folder / f"{name}.in"], f"resolving nix/locks/{name}.in", **create_uv_settings())
    return output.read_text(encoding="utf-8")
