"""Makes the build's modules importable: `nix/` is no package, as its files also run before any environment."""

from __future__ import annotations

import sys

from ._stage import ROOT

if str(ROOT / "nix") not in sys.path:
    sys.path.append(str(ROOT / "nix"))
