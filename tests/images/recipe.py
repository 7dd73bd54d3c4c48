"""Recipes of images: layers on top of a real Python with the runtime client, settings, and the known outcome."""

import gzip
import json
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from nix.oci.lint import Image, Problem, read_layout
from nix.oci.lint.scan import Scan, scan_blob
from tests.unit.oci.drafts import Draft, Entry, folder, tar

PYTHON, CLIENT = "/usr/bin/python3.11", ("-m", "awslambdaric")
SITES = "usr/local/lib/python3.11/dist-packages"
HANDLER = "def handler(event, context):\n    return 1\n"
# Who says what Lambda does with an image.
RUN = "the runtime client in the sandbox"
DOCUMENTED = "AWS: Create a Lambda function using a container image; Troubleshoot container images"
REPORTED = "messages that users of Lambda published"
OCI = "OCI image specification 1.1"
LABS = "AWS Labs: Lambda Web Adapter; AWS: runtime interface emulator"
MANUALS = "the manual of the program at the start"
ACCEPTED, REFUSED, FAILS = "accepted", "refused", "fails"
UNDOCUMENTED = "undocumented"  # nobody has said what Lambda does: the linter has to answer that it is unknown

Edit = Callable[[Draft], object]


@dataclass(frozen=True)
class Recipe:
    """One image: `want` is what Lambda does with it, `source` who says so, `files` lie in /var/task.

    `edit` changes the draft at the end. The base has no shell and no env.
    """

    name: str
    want: str
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    entries: Sequence[Entry] = ()
    later: Sequence[Entry] = ()  # one more layer
    start: Sequence[str] = (PYTHON, *CLIENT)
    command: Sequence[str] = ("app.handler",)
    variables: Sequence[str] = ()
    folder: str = "/var/task"
    source: str = RUN
    edit: Edit = lambda _: None
    needs_shell: bool = False

    def draft(self) -> Draft:
        """Return the layers above the base, and the settings."""
        files = {"app.py": HANDLER, **self.files}
        top: list[Entry] = [folder("var"), folder("var/task")]
        for path, text in files.items():
            if text == "":
                continue
            steps = path.split("/")[:-1]
            for depth in range(len(steps)):
                step = folder("var/task/" + "/".join(steps[: depth + 1]))
                top += [step] if step.path not in {entry.path for entry in top} else []
            top.append(Entry(f"var/task/{path}", text.encode() if isinstance(text, str) else text))
        layers = [[*top, *self.entries], *([list(self.later)] if self.later else [])]
        settings: dict[str, Any] = {"Entrypoint": [*self.start], "Cmd": [*self.command], "WorkingDir": self.folder}
        settings["Env"] = ["PATH=/usr/local/bin:/usr/bin:/bin", *self.variables]
        draft = Draft(layers=layers, settings=settings)
        self.edit(draft)
        return draft


@dataclass(frozen=True)
class Base:
    """Blobs below every recipe, lowest first: files with gzip layers and their diff_ids."""

    blobs: tuple[Path, ...]

    @cached_property
    def scans(self) -> dict[str, Scan]:
        """The blobs' scans by digest, made once."""
        scans = []
        for path in self.blobs:
            with path.open("rb") as file:
                scans.append(scan_blob(file))
        return {scan.digest: scan for scan in scans}

    def write(self, recipe: Recipe, target: Path) -> Path:
        """Write the layout of a recipe on this base."""
        return self.write_draft(recipe.draft(), target)

    def write_draft(self, draft: Draft, target: Path) -> Path:
        """Write the layout of an image whose lowest layers are this base's."""
        scans = list(self.scans.values())
        own_config, own_manifest, own_blobs = draft.edit_config, draft.edit_manifest, draft.edit_blobs

        def edit_config(config: dict[str, Any]) -> None:
            config["rootfs"]["diff_ids"][:0] = [scan.diff_id for scan in scans]
            config["history"][:0] = [{"created_by": "base"} for _ in scans]
            own_config(config)

        def edit_manifest(manifest: dict[str, Any]) -> None:
            kind = "application/vnd.oci.image.layer.v1.tar+gzip"
            manifest["layers"][:0] = [{"mediaType": kind, "digest": scan.digest, "size": scan.size} for scan in scans]
            own_manifest(manifest)

        draft.edit_config, draft.edit_manifest, draft.edit_blobs = edit_config, edit_manifest, own_blobs
        layout = draft.write(target)
        for scan, path in zip(scans, self.blobs, strict=True):
            (layout / "blobs" / "sha256" / scan.digest.removeprefix("sha256:")).symlink_to(path)
        return layout

    def image(self, layout: Path) -> Image:
        """Read a written recipe, without scanning the base again."""
        return read_layout(layout, self.scans.get)


def answer(problems: Sequence[Problem]) -> str:
    """Return what the linter says of an image: refused, fails, unknown or accepted."""
    levels = {str(problem.level) for problem in problems}
    return next((level for level in ("refused", "fails", "unknown") if level in levels), ACCEPTED)


def with_programs(base: Base, work: Path, programs: Mapping[str, bytes]) -> Base:
    """Return a base with these programs in /usr/bin and /bin; the path of each names it."""
    blob = work / "programs"
    entries = [*(folder(path) for path in ("bin", "usr", "usr/bin"))]
    entries += [Entry(path, data, 0o755) for path, data in programs.items()]
    blob.write_bytes(gzip.compress(tar(entries), 1, mtime=0))
    return Base((*base.blobs, blob))


def base_of(layout: Path, work: Path) -> Base:
    """Return the base from a built image: its lowest layer, and from its others the runtime client's files only."""
    index = json.loads((layout / "index.json").read_bytes())
    blobs = layout / "blobs" / "sha256"

    def blob(descriptor: Mapping[str, Any]) -> Path:
        return blobs / str(descriptor["digest"]).removeprefix("sha256:")

    lowest, *others = map(blob, json.loads(blob(index["manifests"][0]).read_bytes())["layers"])
    wanted = ("awslambdaric", "simplejson", "snapshot_restore_py", "runtime_client")
    entries = [folder(path) for path in ("usr/local/lib", "usr/local/lib/python3.11", SITES)]
    entries = [folder("usr"), folder("usr/local"), *entries]
    for path in others:
        with tarfile.open(path) as archive:
            for member in archive:
                inside = member.name.removeprefix(f"{SITES}/")
                if member.name.startswith(f"{SITES}/") and inside.startswith(wanted) and ".dist-info" not in inside:
                    file = archive.extractfile(member)
                    entry = folder(member.name) if file is None else Entry(member.name, file.read(), member.mode)
                    entries.append(entry)
    client = work / "client"
    client.write_bytes(gzip.compress(tar(entries), 1, mtime=0))
    return Base((lowest.resolve(), client))
