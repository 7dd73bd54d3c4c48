"""The AWS CLI, as LocalStack's own lock pins it, run by the pinned root's Python."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from typing import Any

from local_aws.sysroot import PYTHON, find_sysroot


@dataclass(frozen=True)
class AwsCli:
    """`aws` on one endpoint."""

    endpoint: str
    region: str

    def __call__(self, *words: str) -> Any:
        """Run `aws WORDS`; what it prints, as JSON. An AssertionError holds its own words when it fails."""
        root = find_sysroot()
        from nix import environments

        command = [*root.command(f"python{PYTHON}"), "-m", "awscli", "--endpoint-url", self.endpoint]
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONHOME": str(root.root / "usr"),
            "PYTHONPATH": str(environments.install_site("local-aws")),
            "PYTHONNOUSERSITE": "1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": self.region,
            "AWS_DEFAULT_OUTPUT": "json",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        done = subprocess.run([*command, *words], env=environment, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, f"aws {' '.join(words)}: {done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None
