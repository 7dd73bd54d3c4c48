"""The state of this checkout: its commit, and the last built image."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
