"""A small client of an OCI registry, for tests that push."""

import json
from pathlib import Path
from typing import Any

import httpx

from tests.layouts import MANIFEST_TYPE


def push(layout: Path, host: str, repository: str, tag: str, login: tuple[str, str]) -> httpx.Response:
    """Push the one image of an OCI layout; return the registry's answer to the manifest."""
    descriptor = json.loads((layout / "index.json").read_text())["manifests"][0]
    manifest = blob(layout, descriptor["digest"])
    parts: dict[str, Any] = json.loads(manifest)
    with httpx.Client(base_url=f"http://{host}", auth=login, timeout=60, trust_env=False) as client:
        for part in [parts["config"], *parts["layers"]]:
            if client.head(f"/v2/{repository}/blobs/{part['digest']}").status_code == 404:
                upload(client, repository, part["digest"], blob(layout, part["digest"])).raise_for_status()
        return client.put(
            f"/v2/{repository}/manifests/{tag}", content=manifest, headers={"Content-Type": MANIFEST_TYPE}
        )


def upload(client: httpx.Client, repository: str, digest: str, content: bytes) -> httpx.Response:
    """Upload one blob in one piece."""
    begun = client.post(f"/v2/{repository}/blobs/uploads/")
    if begun.status_code != 202:
        return begun
    location = begun.headers["Location"]  # has a query of its own, which must stay
    return client.put(f"{location}{'&' if '?' in location else '?'}digest={digest}", content=content)


def blob(layout: Path, digest: str) -> bytes:
    """Return a blob of a layout."""
    return (layout / "blobs" / digest.replace(":", "/")).read_bytes()
