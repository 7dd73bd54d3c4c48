"""Lambda's rules, on a corpus of images that each break exactly one."""

from pathlib import Path
from typing import Any

import pytest

from nix.oci.lint import RULES, Limits, lint, read_layout
from tests.unit.oci.broken_documents import above
from tests.unit.oci.corpus import CORPUS, Spoil
from tests.unit.oci.drafts import LIB, Draft, Entry, folder, link
from tests.unit.oci.elves import elf

LIMITS = Limits(unpacked=100_000)


def rules_broken(draft: Draft, target: Path) -> set[str]:
    """Return the rules that the linter finds broken."""
    return {problem.rule for problem in lint(read_layout(draft.write(target)), LIMITS)}


def test_a_valid_image_has_no_problem(tmp_path: Path) -> None:
    """The unchanged draft breaks no rule."""
    assert rules_broken(Draft(), tmp_path) == set()


@pytest.mark.parametrize(("rule", "name", "spoil"), CORPUS, ids=[f"{rule}-{name}" for rule, name, _ in CORPUS])
def test_each_fault_is_caught_by_its_rule(rule: str, name: str, spoil: Spoil, tmp_path: Path) -> None:
    """An image with one fault breaks the rule for it and no other."""
    draft = Draft()
    spoil(draft)
    assert rules_broken(draft, tmp_path) == {rule}


def test_every_rule_is_in_the_corpus() -> None:
    """Every rule but that of --run has an image that breaks it, and there are at least 65 of these."""
    assert len(CORPUS) >= 65
    assert {rule for rule, _, _ in CORPUS} == {*RULES} - {"start"}


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    """Faults of documents, files and start are reported together."""
    draft = Draft()
    draft.edit_config = lambda config: config.update(architecture="arm64")
    draft.layers[1].append(Entry("var/task/private", b"1", mode=0o600))
    draft.settings["Cmd"] = ["handler.main.lambda_handler"]
    assert rules_broken(draft, tmp_path) == {"platform", "readable", "handler"}


def test_an_image_below_an_index_is_linted_too(tmp_path: Path) -> None:
    """For buildx's default output, the index, the attestation and the amd64 image's own faults are reported."""
    draft = Draft()
    draft.settings["Cmd"] = ["handler.main.lambda_handler"]

    def edit(index: dict[str, Any]) -> None:
        image = {**index["manifests"][0], "platform": {"os": "linux", "architecture": "amd64"}}
        other = {**image, "digest": "sha256:" + "0" * 64, "platform": {"os": "linux", "architecture": "arm64"}}
        provenance = {**other, "annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
        index.update(manifests=[above(draft, [other, image, provenance])])

    draft.edit_index = edit
    assert rules_broken(draft, tmp_path) == {"one-image", "attestation", "handler"}


def test_a_library_is_found_by_an_inherited_rpath(tmp_path: Path) -> None:
    """The RPATH of the loading file is searched for the dependencies of what it loads."""
    draft = Draft()
    draft.layers[0] += [
        folder("opt"),
        folder("opt/libs"),
        Entry("opt/first.so", elf(["libsecond.so"], rpath="$ORIGIN/libs")),
        Entry("opt/libs/libsecond.so", elf(["libthird.so"], soname="libsecond.so")),
        Entry("opt/libs/libthird.so", elf(soname="libthird.so")),
    ]
    assert rules_broken(draft, tmp_path) == set()


def test_a_library_is_found_behind_links(tmp_path: Path) -> None:
    """Links to libraries are resolved inside the image, absolute ones from its root."""
    draft = Draft()
    draft.layers[0] += [
        link(f"{LIB}/libm.so.6", "/lib64/libm-2.36.so"),
        Entry("lib64/libm-2.36.so", elf(soname="libm.so.6")),
        Entry(f"{LIB}/module.so", elf(["libm.so.6"])),
    ]
    assert rules_broken(draft, tmp_path) == set()


def test_a_loaded_library_is_found_by_its_name(tmp_path: Path) -> None:
    """A loaded library is found by its name, even if no search path leads to it."""
    draft = Draft()
    draft.layers[0] += [
        folder("opt"),
        Entry("opt/first.so", elf(["libsecond.so", "libthird.so"], runpath="/opt")),
        Entry("opt/libsecond.so", elf(["libthird.so"], soname="libsecond.so", runpath="/opt")),
        Entry("opt/libthird.so", elf(soname="libthird.so")),
    ]
    assert rules_broken(draft, tmp_path) == set()


def test_a_whiteout_deletes_a_file(tmp_path: Path) -> None:
    """A file that a later layer deletes does not exist for rules about the tree."""
    draft = Draft()
    draft.layers.append([folder("var"), folder("var/task"), Entry("var/task/.wh.handler")])
    assert rules_broken(draft, tmp_path) == {"handler"}


def texts_of(draft: Draft, target: Path) -> list[str]:
    """Return place and text of every problem."""
    return [f"{problem.where}: {problem.text}" for problem in lint(read_layout(draft.write(target)))]


def test_a_fault_is_reported_once(tmp_path: Path) -> None:
    """A module that hides another one is one problem, however many modules import it."""
    draft = Draft()
    draft.layers[0].append(Entry("usr/lib/python3.11/site-packages/awslambdaric/second.py", b"import json\n"))
    draft.layers[0] = [
        Entry(one.path, one.data + b"from . import second\n", one.mode) if one.path.endswith("bootstrap.py") else one
        for one in draft.layers[0]
    ]
    draft.layers[1].append(Entry("var/task/json.py"))
    assert texts_of(draft, tmp_path) == ["/var/task/json.py: it hides the module json that the runtime client uses"]


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("../missing", "is not in the image"),
        ("loop", "is a link that leads to no file"),
        ("other", "is a link that leads to no file"),
    ],
)
def test_a_link_to_a_link_that_leads_nowhere_is_not_called_missing(target: str, reason: str, tmp_path: Path) -> None:
    """A target that is absent is not confused with one that is there, but is a link without a target of its own."""
    draft = Draft()
    draft.layers[1] += [link("var/task/loop", target), link("var/task/other", "absent")]
    assert texts_of(draft, tmp_path)[0] == f"/var/task/loop: its target {target} {reason}"


def test_a_relative_import_beyond_its_package_is_named(tmp_path: Path) -> None:
    """A relative import in a module of no package is reported as one, not as a module that is missing."""
    draft = Draft(settings={**Draft().settings, "Cmd": ["top.lambda_handler"]})
    code = b"from . import handler\ndef lambda_handler(event, context): return 1\n"
    draft.layers[1].append(Entry("var/task/top.py", code))
    text = "imports ., a relative import that leads beyond its top-level package"
    assert texts_of(draft, tmp_path) == [f"/var/task/top.py: {text}"]


def test_a_problem_quotes_lambda(tmp_path: Path) -> None:
    """A printed problem has its place, the fault, Lambda's message and the remedy."""
    draft = Draft()
    draft.layers[1].append(Entry("opt/data", b"1"))
    (problem,) = lint(read_layout(draft.write(tmp_path)))
    assert str(problem) == (
        "parent-folder: /opt/data: no entry for /opt in this or earlier layers\n"
        "    Lambda: InvalidImage(MissingParentDirectory: Parent directory does not exist for file: …)\n"
        "    next: add an entry for each directory"
    )
